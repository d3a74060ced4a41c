"""review_rls: one snapshot, every rule, and what was not looked at."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from datetime import UTC, date
from difflib import get_close_matches

from pydantic import Field

from tools.errors import InvalidInput, NotFound
from tools.findings import Finding, Rule, ranked
from tools.registry import Effect, Params, tool
from tools.resources import Resources, Suppression
from tools.review import Coverage, Gap, Review, Summary
from tools.rls.bodies import body_of
from tools.rls.reading import read_snapshot
from tools.rls.rules import RULES
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.suppressions import sift


class ReviewRls(Params):
    """Arguments of review_rls."""

    schemas: list[str] = Field(default=[], description="Only findings in these schemas; all when empty.")
    only: list[str] = Field(default=[], description="Only these rules, by name.")
    skip: list[str] = Field(default=[], description="All rules but these.")


@tool(Effect.READ)
async def review_rls(params: ReviewRls, resources: Resources) -> Review:
    """Review row level security and everything around it that decides who reaches which row.

    One read of the catalog, then the rules: tables, policies with the functions and views they reach, grants,
    definer functions, partitions, storage, realtime. Findings come gravest first, with evidence and a fix. It
    does not execute policies; for one table's raw catalog facts use describe_table.
    """
    rules = chosen(params.only, params.skip)
    snapshot = await read_snapshot(resources.database, resources.exposed_schemas)
    _known_schemas(snapshot, params.schemas)
    findings = findings_of(snapshot, rules)
    if params.schemas:
        findings = [finding for finding in findings if finding.schema_ in params.schemas]
    today = resources.now().astimezone(UTC).date()
    return review(resources.database.target.label, snapshot, findings, resources.suppressions, rules, today)


def chosen(only: Sequence[str], skip: Sequence[str]) -> tuple[Rule[Snapshot], ...]:
    """The rules that were asked for. Raises InvalidInput for a name that is none, with the nearest ones."""
    names = [rule.name for rule in RULES]
    for name in (*only, *skip):
        if name not in names:
            near = get_close_matches(name, names, n=3, cutoff=0.4)
            hint = f"Did you mean {' or '.join(near)}?" if near else "`sergei rules` lists them."
            raise InvalidInput(f"There is no RLS rule called {name}.", hint=hint)
    return tuple(rule for rule in RULES if (not only or rule.name in only) and rule.name not in skip)


def review(
    target: str,
    snapshot: Snapshot,
    findings: Iterable[Finding],
    suppressions: Sequence[Suppression],
    rules: Sequence[Rule[Snapshot]] = RULES,
    today: date | None = None,
) -> Review:
    """The review of a snapshot: ranked, without what was suppressed, and with its coverage."""
    kept, suppressed = sift(ranked(findings), suppressions, today)
    return Review(
        target=target,
        findings=kept,
        summary=Summary.of(kept, suppressed),
        coverage=coverage(snapshot, rules),
    )


def findings_of(snapshot: Snapshot, rules: Sequence[Rule[Snapshot]] = RULES) -> list[Finding]:
    """What the rules say, unranked.

    The parse trees are some hundred thousand objects that live until the end: looking among them for garbage
    over and over took a quarter of the time and found none.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return [finding for rule in rules for finding in rule.check(snapshot)]
    finally:
        if collecting:
            gc.enable()


def coverage(snapshot: Snapshot, rules: Sequence[Rule[Snapshot]]) -> Coverage:
    """What the snapshot held, and what could not be read or parsed."""
    own = [f for f in snapshot.functions if f.schema not in PLATFORM_SCHEMAS]
    views = [r for r in snapshot.relations.values() if r.kind in "vm" and r.schema not in PLATFORM_SCHEMAS]
    kinds = (
        (len(snapshot.tables), "tables"),
        (len(snapshot.policies), "policies"),
        (len(own), "functions"),
        (len(views), "views"),
        (len(snapshot.buckets), "storage buckets"),
    )
    callers = ", ".join(role.name for role in snapshot.callers) or "no role"
    examined = [f"{count} {name}" for count, name in kinds if count]
    examined += [
        f"{len(rules)} rule{'' if len(rules) == 1 else 's'}",
        f"callers {callers}",
        f"exposed schemas {', '.join(snapshot.exposed)}",
    ]
    gaps = [Gap(what=what, why=why) for what, why in snapshot.gaps]
    gaps += [
        Gap(what=policy.title, why="its expression could not be parsed")
        for policy in snapshot.policies
        if (policy.using_text and policy.using is None) or (policy.check_text and policy.check is None)
    ]
    for function in own:
        if not body_of(function).complete:
            written = function.language in ("sql", "plpgsql")
            why = (
                "part of its body could not be parsed"
                if written
                else f"its language {function.language} is not read"
            )
            gaps.append(Gap(what=f"function {function.title}", why=why))
    return Coverage(examined=examined, not_examined=gaps)


def _known_schemas(snapshot: Snapshot, schemas: Sequence[str]) -> None:
    for name in schemas:
        if name not in snapshot.schemas:
            near = get_close_matches(name, list(snapshot.schemas), n=2)
            raise NotFound(
                f"There is no schema {name} here.", hint=f"Did you mean {' or '.join(near)}?" if near else ""
            )
