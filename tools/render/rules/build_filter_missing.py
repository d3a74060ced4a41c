"""A push for one service builds the others as well.

What it finds
    Services of one repository and branch without a root directory or a build filter that deploy on a push,
    where the API shows that at least three commits were deployed by several of them, or, with the file alone,
    where others of the same repository have a root directory or a filter.

Why it matters
    A change of one part restarts all of them, uses up pipeline minutes and puts each at the risk of a deploy
    that brings it nothing.

Fix
    Set rootDir, or buildFilter with the paths that the service is made of.

When to ignore
    All services are made of the same files.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory, Unit
from tools.render.ruling import on, told

_LEAST = 3


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    several: dict[tuple[str, str], list[Unit]] = {}
    for unit in inventory.running:
        if unit.trigger in ("commit", "checksPass") and not unit.image:
            several.setdefault((unit.repo, unit.branch), []).append(unit)
    for group in several.values():
        filtered = [one for one in group if one.root_dir or one.build_filter]
        for unit in group:
            if unit in filtered or len(group) < 2:
                continue
            shared = _shared(unit, [one for one in group if one is not unit])
            if (unit.live and len(shared) >= _LEAST) or (not unit.live and filtered):
                shown = (
                    f"{len(shared)} commits were deployed by others too" if shared else "others have a filter"
                )
                yield on(
                    "build_filter_missing",
                    Level.INFO,
                    unit,
                    f"Every push to {unit.branch or 'the branch'} builds and deploys {unit.name}, whatever it"
                    " changes.",
                    evidence=told(unit, inventory.file, f"no rootDir, no buildFilter; {shown}"),
                    fix="buildFilter:\n  paths:\n    - <the folders that it is made of>/**",
                    rank=60,
                    file=inventory.file,
                )


def _shared(unit: Unit, others: list[Unit]) -> set[str]:
    theirs = {one.commit.id for other in others for one in other.deploys if one.commit}
    return {one.commit.id for one in unit.deploys if one.commit} & theirs


RULE = Rule(
    name="build_filter_missing",
    title="A push for one service builds the others as well",
    level=Level.INFO,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
