"""The set-based forms of policies, proven to show and to let through the same, and timed on many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from tools.rls.fixing.measuring import Cost, NotMeasured, cost, fill
from tools.rls.fixing.narrow import Narrow
from tools.rls.fixing.reached import Tried, compared, reached
from tools.rls.fixing.rewriting import Rewrite, Rewriter
from tools.rls.objects import Relation
from tools.rls.proof.actors import Actor
from tools.rls.proof.probing import Probing
from tools.rls.proof.prove import Request, Stage, silent
from tools.rls.proof.standing import Standings
from tools.rls.proof.world import WorldRow
from tools.rls.proof.writing import Templates
from tools.rls.reach import reach
from tools.rls.snapshot import PLATFORM_SCHEMAS
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import copy_schema
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

MEASURED: Final = 3
"""How many tables are filled and timed; the others have the same forms."""


@dataclass(frozen=True, slots=True)
class Quicker:
    """One table's policies in their quicker form.

    `cells` reads and writes were the same before and after. `objection` is why it is not offered. `before`
    and `after` are one caller's reading of `rows` rows; `unmeasured` says why there is none.
    """

    relation: str
    rewrites: tuple[Rewrite, ...]
    cells: int
    objection: str = ""
    before: Cost | None = None
    after: Cost | None = None
    unmeasured: str = ""

    @property
    def sql(self) -> list[str]:
        """Functions first, then the policies."""
        made = dict.fromkeys(create for rewrite in self.rewrites for create in rewrite.functions)
        return [*made, *(rewrite.new for rewrite in self.rewrites)]


@dataclass(frozen=True, slots=True)
class Quickened:
    """All of them, and helpers that run per row and stay so, with the reason."""

    tables: tuple[Quicker, ...]
    kept: dict[str, str]
    actors: int
    rows: int


def quicken(
    cluster: Cluster,
    dsn: str,
    request: Request,
    *,
    tables: frozenset[str] = frozenset(),
    rows: int = 100_000,
    progress: Callable[[str], None] = silent,
) -> Quickened:
    """Rewrite, compare, measure. The target is read once, by pg_dump."""
    progress("copying the schema ...")
    with copy_schema(cluster, dsn) as scratch, ScratchSession(scratch.dsn) as session:
        stage = Stage.build(session, request, progress)
        snapshot = stage.snapshot
        rewriter = Rewriter(snapshot, reach(snapshot))
        wanted = [
            r
            for r in snapshot.relations.values()
            if r.schema not in PLATFORM_SCHEMAS and (not tables or r.title in tables)
        ]
        found: dict[str, list[Rewrite]] = {}
        for rewrite in rewriter.rewrites(wanted):
            found.setdefault(rewrite.policy.relation, []).append(rewrite)
        done: list[Quicker] = []
        for title, rewrites in sorted(found.items(), key=lambda pair: (_weight(pair[1]), pair[0])):
            progress(f"comparing {title} ...")
            one = same(stage, session, title, rewrites)
            timed = sum(quick.before is not None for quick in done)
            if not one.objection and timed < MEASURED and rows:
                progress(f"measuring {title} ...")
                one = measured(stage, session, one, rows)
            done.append(one)
        return Quickened(tuple(done), rewriter.kept, len(stage.world.actors), rows)


def _weight(rewrites: Iterable[Rewrite]) -> int:
    """Tables whose helpers run per row first: they cost most."""
    return 0 if any(rewrite.functions for rewrite in rewrites) else 1


def same(stage: Stage, session: ScratchSession, title: str, rewrites: list[Rewrite]) -> Quicker:
    """Whether every actor reads and writes exactly the same rows of the table with the new policies."""
    tables = frozenset({title})
    templates = Templates(stage.world, stage.filler, session, stage.unwritable)
    campaign = Narrow(
        stage.world,
        Standings(stage.world),
        Probing(session),
        templates,
        monotonic() + 600,
        silent,
        tables=tables,
    )
    tried = Tried()
    before = reached(campaign, tables, tried, stage.world.actors)
    plain = Quicker(title, tuple(rewrites), before.cells)
    if title not in stage.world.rows or not stage.world.rows[title]:
        return Quicker(title, tuple(rewrites), 0, "no row could be made in it, so nothing can be compared")
    try:
        with session.savepoint(keep=False):
            for text in plain.sql:
                session.script(text)
            after = reached(campaign, tables, tried, stage.world.actors)
    except SqlFailure as failure:
        return Quicker(title, tuple(rewrites), before.cells, f"it does not run: {failure.message}")
    change = compared(campaign, before, after, tried)
    if change.same and before.reads == after.reads and before.writes == after.writes:
        return plain
    differences = (
        *change.lost,
        *change.opened,
        *change.closed,
        *change.gained,
        *change.other,
        *change.broken,
    )
    return Quicker(title, tuple(rewrites), before.cells, f"it does not decide the same: {differences[0]}")


def measured(stage: Stage, session: ScratchSession, one: Quicker, rows: int) -> Quicker:
    """The same with the time of one caller's reading before and after, over many rows."""
    relation = stage.snapshot.relations[one.relation]
    chosen = _reader(stage, session, one.relation)
    if chosen is None:
        return Quicker(one.relation, one.rewrites, one.cells, unmeasured="nobody reads a row of it")
    actor, row = chosen
    try:
        with session.savepoint(keep=False):
            fill(session, stage.world, relation, row, rows, _scopes(stage, relation))
            before = cost(session, relation, actor)
            for text in one.sql:
                session.script(text)
            cost(session, relation, actor)  # the first run of a new function parses it
            after = cost(session, relation, actor)
    except NotMeasured as failure:
        return Quicker(one.relation, one.rewrites, one.cells, unmeasured=str(failure))
    return Quicker(one.relation, one.rewrites, one.cells, before=before, after=after)


def _reader(stage: Stage, session: ScratchSession, title: str) -> tuple[Actor, WorldRow] | None:
    """The first signed-in actor who reads some row of the table but not all, and a row that he reads."""
    templates = Templates(stage.world, stage.filler, session, stage.unwritable)
    campaign = Narrow(
        stage.world, Standings(stage.world), Probing(session), templates, monotonic() + 600, silent,
        tables=frozenset({title}),
    )  # fmt: skip
    every = {row.id: row for row in stage.world.rows.get(title, ())}
    for actor in stage.world.actors:
        for query in campaign.queries_of(actor.role) if actor.account else ():
            seen = query.ids(campaign.probing.reads(actor, [query.sql])[0].ids)
            if seen and len(seen) < len(every):
                return actor, every[sorted(seen & every.keys())[0]]
    return None


def _scopes(stage: Stage, relation: Relation) -> list[str]:
    """Columns that policies compare: of every path's first step, and those that name accounts."""
    belonging = stage.model.tables.get(relation.title)
    if belonging is None:
        return []
    names = [name for path in belonging.paths for hop in path[:1] for name in hop.columns]
    names += [way.column for way in (*belonging.parties, *belonging.authors) if not way.hops]
    anchor = stage.model.anchors.get(relation.title)
    names += [way.column for way in anchor.owners if not way.hops] if anchor is not None else []
    return [name for name in dict.fromkeys(names) if name in relation.columns]
