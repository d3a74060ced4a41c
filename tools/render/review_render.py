"""review_render: the workspace and its render.yaml in one moment, every rule, and what was not looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from pydantic import Field

from tools.errors import ConfigurationError, InvalidInput
from tools.findings import Finding, Rule, ranked
from tools.registry import Effect, Params, tool
from tools.render.blueprint.file import BlueprintFile, read_blueprint
from tools.render.blueprint.tree import LARGEST
from tools.render.inventory import Inventory
from tools.render.inventory_declared import with_file
from tools.render.inventory_live import read_live
from tools.render.references import missing, references, undecided
from tools.render.repository_files import repository_files
from tools.render.rules import RULES
from tools.resources import Resources
from tools.review import Coverage, Gap, Review, Summary
from tools.suppressions import sift
from tools.wording import counted

DEFAULT: Final = "render.yaml"
_HIPAA: Final = "neither is in the API: see Workspace Settings > Compliance in the dashboard"


class ReviewRender(Params):
    """Arguments of review_render."""

    blueprint: str = Field(
        default="", description="The render.yaml in the workspace folder; empty: render.yaml there, if any."
    )
    only: list[str] = Field(default=[], description="Only these rules, by name.")
    skip: list[str] = Field(default=[], description="All rules but these.")


@tool(Effect.READ, open_world=True)
async def review_render(params: ReviewRender, resources: Resources) -> Review:
    """Review Render's services, databases and render.yaml for what breaks, leaks or surprises; with fixes.

    Configuration only: health checks, instances, regions, secrets, previews, drift from render.yaml, access,
    cron jobs, builds. Works with the API, the file, or both. What fails right now is for diagnose_service.
    """
    rules = chosen(params.only, params.skip)
    file = read_file(params.blueprint, resources)
    inventory = await take_inventory(resources, file)
    return review(inventory, target_of(resources, inventory), resources, rules)


def chosen(only: Sequence[str], skip: Sequence[str]) -> tuple[Rule[Inventory], ...]:
    """The rules that were asked for. Raises InvalidInput for a name that is none, with the nearest ones."""
    names = [rule.name for rule in RULES]
    for name in (*only, *skip):
        if name not in names:
            near = get_close_matches(name, names, n=3, cutoff=0.4)
            hint = f"Did you mean {' or '.join(near)}?" if near else "`sergei rules` lists them."
            raise InvalidInput(f"There is no Render rule called {name}.", hint=hint)
    return tuple(rule for rule in RULES if (not only or rule.name in only) and rule.name not in skip)


def read_file(named: str, resources: Resources) -> BlueprintFile | None:
    """The render.yaml of the workspace. None where none was named and none is there."""
    workspace = resources.workspace_or_none
    if not named and (workspace is None or not (workspace.root / DEFAULT).is_file()):
        return None
    path = resources.workspace.file(named or DEFAULT)
    if path.stat().st_size > 4 * LARGEST:
        raise InvalidInput(f"{named or DEFAULT} is too large for a render.yaml.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{named or DEFAULT} is not UTF-8 text.") from None
    return read_blueprint(text, resources.workspace.name(path))


async def take_inventory(resources: Resources, file: BlueprintFile | None) -> Inventory:
    """What there is: the workspace, the file, or both. Raises ConfigurationError where there is neither."""
    if resources.render_or_none is None and file is None:
        raise ConfigurationError(
            "There is no key for Render, and no render.yaml in the workspace folder.",
            hint="Set RENDER_API_KEY, or run this in a folder with a render.yaml.",
        )
    live = resources.render_or_none is not None
    inventory = await read_live(resources) if live else Inventory(now=resources.now())
    if file is None:
        return inventory
    files, engines = await asyncio.to_thread(_files, file, resources)
    return with_file(replace(inventory, files=files, engines=engines), file)


def _files(file: BlueprintFile, resources: Resources) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The repository's paths, where render.yaml stands in the root of it: its paths begin there."""
    if resources.workspace_or_none is None or Path(file.path).parent != Path():
        return None, frozenset()
    return repository_files(resources.workspace_or_none)


def target_of(resources: Resources, inventory: Inventory) -> str:
    """What was reviewed, in a few words."""
    file = [inventory.file.path] if inventory.file else []
    if not inventory.live or resources.render_or_none is None:
        return " ".join(file)
    render = resources.render_or_none
    within = ", ".join(filter(None, (render.owner, render.project, *render.services)))
    return " and ".join([f"Render ({within})" if within else "Render", *file])


def review(
    inventory: Inventory, target: str, resources: Resources, rules: Sequence[Rule[Inventory]] = RULES
) -> Review:
    """The review of an inventory: ranked, without what was suppressed, and with its coverage."""
    today = inventory.now.astimezone(UTC).date()
    found = ranked(findings_of(inventory, rules))
    kept, suppressed = sift(found, resources.suppressions, today)
    return Review(
        target=target,
        findings=kept,
        summary=Summary.of(kept, suppressed),
        coverage=Coverage(examined=_examined(inventory, rules), not_examined=list(_gaps(inventory))),
    )


def findings_of(inventory: Inventory, rules: Iterable[Rule[Inventory]] = RULES) -> list[Finding]:
    """What the rules say, unranked."""
    return [finding for rule in rules for finding in rule.check(inventory)]


def _examined(inventory: Inventory, rules: Sequence[Rule[Inventory]]) -> list[str]:
    live = [unit for unit in inventory.units if unit.live]
    stores = [store for store in inventory.stores if store.live]
    found = [counted(len(live), "service"), counted(len(stores), "database")] if inventory.live else []
    if inventory.live:
        found += [counted(len(inventory.groups), "environment group")] * bool(inventory.groups)
        found += [counted(sum(len(unit.deploys) for unit in live), "deploy")]
    if file := inventory.file:
        entries = counted(len(file.services) + len(file.stores), "entry", "entries")
        found.append(f"{file.path} ({entries})")
    return [*found, counted(len(rules), "rule")]


def _gaps(inventory: Inventory) -> Iterable[Gap]:
    yield from (Gap(what=what, why=why) for what, why in inventory.gaps)
    if inventory.live:
        yield Gap(what="whether the workspace is HIPAA-enabled and a BAA is signed", why=_HIPAA)
        unknown = [store.name for store in inventory.stores if store.live and store.ranges is None]
        if unknown:
            yield Gap(
                what=f"who may connect to {', '.join(unknown)} from outside", why="the API answers null"
            )
        if inventory.file is None:
            yield Gap(what="render.yaml", why="there is none in the workspace folder")
    else:
        yield Gap(what="what runs", why="there is no key for Render, so only the file was read")
    file = inventory.file
    if file and file.root.fields and inventory.files is None:
        yield Gap(
            what="build filters and pinned versions", why="render.yaml is not in the root of a repository"
        )
    for reference in references(file) if file else ():
        if undecided(inventory, reference) and not missing(inventory, reference):
            said = reference.said[0].lower() + reference.said[1:]
            where = (
                "the workspace was not read"
                if not inventory.live
                else "only a part of the workspace was read"
            )
            yield Gap(
                what=f"whether {said} exists (line {reference.line})", why=f"not in the file, and {where}"
            )
