"""The image has a tag that moves.

What it finds
    Services that run an image without a tag or digest, or with latest, main, master, stable, edge, nightly
    and the like.

Why it matters
    Each deploy, restart on a new host and rollback pulls the tag again: other code runs than the one that was
    tried, and a rollback does not bring the old one back.

Fix
    Name a version's tag or, better, the digest (image@sha256:...).

When to ignore
    An image that is only ever pushed together with a deploy of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told

_MOVING = frozenset({
    "latest", "main", "master", "stable", "edge", "nightly", "dev", "develop", "prod", "production",
    "release",    "current", "lts",
})  # fmt: skip


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.units:
        if not unit.image or "@" in unit.image:
            continue
        name, _, tag = unit.image.rpartition("/")[2].partition(":")
        if not tag or tag.lower() in _MOVING:
            said = f"the tag {tag}" if tag else "no tag, which means latest"
            yield on(
                "image_unpinned",
                Level.WARN,
                unit,
                f"{unit.name} runs {name} with {said}: the same deploy may bring other code.",
                evidence=told(unit, inventory.file, unit.image, "image.url"),
                fix="Name a version or a digest: image@sha256:...",
                rank=48,
                field="image.url",
                file=inventory.file,
            )


RULE = Rule(
    name="image_unpinned",
    title="The image has a tag that moves",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
