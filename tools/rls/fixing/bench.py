"""A filled scratch copy on which changes are tried: each in a savepoint, undone afterwards.

target ─ pg_dump ─▶ copy ─▶ world ─▶ attacks as it stands ─▶ change ─▶ the same attacks ─▶ undone
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import monotonic

from tools.findings import Finding, Level
from tools.rls.fixing.narrow import Narrow
from tools.rls.fixing.reached import Change, Reach, Tried, compared, reached, read_of, sample
from tools.rls.objects import Policy, Relation
from tools.rls.proof.blame import Blame
from tools.rls.proof.leaks import Found, assemble
from tools.rls.proof.probing import Probing
from tools.rls.proof.promoting import promotions
from tools.rls.proof.prove import Request, Stage, beyond_tables, lanes_on, silent
from tools.rls.proof.standing import Standings
from tools.rls.proof.verdict import Kind, Leak
from tools.rls.proof.writing import Templates
from tools.rls.reach import Reach as Reached
from tools.rls.reach import reach
from tools.rls.reading import read_here
from tools.rls.review import findings_of
from tools.rls.snapshot import Snapshot
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import copy_schema
from tools.sandbox.scratch.session import ScratchSession, SqlFailure


@dataclass(slots=True)
class Known:
    """What was seen of one table before a change: of reading alone, and of reading and writing."""

    read: Reach | None = None
    all: Reach | None = None


@dataclass(slots=True, eq=False)
class Bench:
    """One schema, its world, and what happens in it as it stands."""

    session: ScratchSession
    stage: Stage
    campaign: Narrow
    found: Found
    findings: list[Finding]
    gaps: tuple[tuple[str, str], ...]
    request: Request
    kept: list[str] = field(default_factory=list[str])
    """Changes that are in force at this moment, in their order."""
    _known: dict[str, Known] = field(default_factory=dict[str, Known])
    _tried: dict[str, Tried] = field(default_factory=dict[str, Tried])
    _now: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The schema as it stands, with the changes that are in force."""
        return self._now or self.stage.snapshot

    @property
    def campaign_reach(self) -> Reached:
        """What the policies and functions of the schema reach."""
        return reach(self.snapshot)

    def reading_policies(self, relation: Relation) -> list[Policy]:
        """Policies that come to read a relation, in their own query or in a helper's."""
        found: dict[str, Policy] = {}
        units = self.campaign_reach.units
        for unit in units:
            named = {self.campaign_reach.relation(source, unit.path) for source in unit.block.sources}
            if relation not in named:
                continue
            if unit.policy is not None:
                found[unit.policy.title] = unit.policy
            elif unit.function is not None:
                for policy in self.campaign_reach.policy_functions[unit.function.oid][1]:
                    found[policy.title] = policy
            elif unit.view is not None and unit.view is not relation:
                found |= {policy.title: policy for policy in self.reading_policies(unit.view)}
        return list(found.values())

    def before(self, tables: frozenset[str]) -> None:
        """Look now, before anything is changed, at who reads and writes which rows of these tables."""
        for title in sorted(tables):
            known = self._known.setdefault(title, Known())
            if known.all is None:
                known.all = self._reached(title)

    def before_reading(self, tables: frozenset[str]) -> None:
        """The same for reading alone, which takes less time."""
        fresh = frozenset(title for title in tables if self._known.get(title, Known()).read is None)
        if not fresh:
            return
        found = read_of(self.campaign, fresh)
        for title in fresh:
            own = {key: ids for key, ids in found.reads.items() if key[1] == title}
            broken = frozenset(one for one in found.broken if one[0] == title)
            self._known.setdefault(title, Known()).read = Reach(own, {}, broken)

    def _reached(self, title: str) -> Reach:
        actors = sample(self.stage.world.actors, every_end=False)
        return reached(self.campaign, frozenset({title}), self._statements(title), actors)

    def _statements(self, title: str) -> Tried:
        return self._tried.setdefault(title, Tried())

    def change(self, tables: frozenset[str]) -> Change:
        """What differs at this moment, inside `changed`, for these tables; `before` has looked at them."""
        total = Change()
        for title in sorted(tables):
            before, tried = self._known[title].all, self._statements(title)
            if before is not None:
                total = total.plus(compared(self.campaign, before, self._reached(title), tried))
        return total

    def change_of_reading(self, tables: frozenset[str]) -> Change:
        """What differs in reading; `before_reading` has looked at these tables."""
        if not tables:
            return Change()
        known = [self._known[title].read or Reach({}, {}, frozenset()) for title in sorted(tables)]
        before = Reach(
            {key: ids for one in known for key, ids in one.reads.items()},
            {},
            frozenset(broken for one in known for broken in one.broken),
        )
        return compared(self.campaign, before, read_of(self.campaign, tables), Tried())

    @contextmanager
    def trying(self, scripts: Sequence[str] = ()) -> Generator[None]:
        """For the time of the block, changes are kept one upon the other; `scripts` are the first of them.

        Raises SqlFailure where one of those fails.
        """
        kept, known, now = self.kept, self._known, self._now
        with self.session.savepoint(keep=False):
            try:
                self.kept, self._known = [], {title: replace(one) for title, one in known.items()}
                for text in scripts:
                    self.session.script(text)
                    self.kept.append(text)
                if scripts:
                    self._now, self._known = read_here(self.session, self.request.exposed), {}
                yield
            finally:
                self.kept, self._known, self._now = kept, known, now

    @contextmanager
    def standing(self, snapshot: Snapshot) -> Generator[None]:
        """For the time of the block, this is the schema as it stands."""
        before, self._now = self._now, snapshot
        try:
            yield
        finally:
            self._now = before

    def keep(self, sql: str, tables: frozenset[str]) -> None:
        """Apply a change inside `trying`. `tables` are those about which something else may hold now."""
        self.session.script(sql)
        self.kept.append(sql)
        self._now = read_here(self.session, self.request.exposed)
        for title in tables:
            self._known.pop(title, None)

    @contextmanager
    def changed(self, sql: Sequence[str]) -> Generator[Snapshot]:
        """The schema with changes applied, for the time of the block. Raises SqlFailure where one fails."""
        with self.session.savepoint(keep=False):
            for text in sql:
                self.session.script(text)
            yield read_here(self.session, self.request.exposed)

    def errors(self, snapshot: Snapshot) -> list[Finding]:
        """The ERROR findings of a snapshot."""
        return [finding for finding in findings_of(snapshot) if finding.level is Level.ERROR]

    def attacked(self, progress: Callable[[str], None] = silent) -> tuple[Narrow, Found]:
        """Every attack on the schema as it is at this moment, in the same world."""
        world = self.stage.world
        before, world.snapshot = world.snapshot, self.snapshot
        try:
            campaign = fought(self.stage, self.session, self.request, self.campaign.tables, progress)
            return campaign, assemble(campaign, Blame(campaign), self.session, self.stage.generated)
        finally:
            world.snapshot = before

    def shows(self, leak: Leak) -> bool:
        """Whether a leak's own attack still succeeds in the world, or its refusal is still there."""
        if leak.kind is Kind.DENIED:
            return self._refused(leak)
        if not leak.attack:
            return False
        try:
            with self.session.savepoint(keep=False):
                for statement in (*leak.acting, *leak.attack[:-1]):
                    self.session.run(statement)
                last = leak.attack[-1]
                if leak.expect == "witness":
                    self.session.run(last)
                    self.session.run("reset role")
                    return bool(self.session.rows(leak.witness))
                touched = self.session.rows(last) if _gives_rows(last) else None
                if touched is None:
                    return self.session.run(last) > 0
                if leak.expect == "value":
                    return bool(touched) and touched[0][0] not in (None, False)
                return bool(touched)
        except SqlFailure:
            return False

    def _refused(self, leak: Leak) -> bool:
        """Whether the one who was refused his own rows still reads none of that table."""
        actor = next((one for one in self.stage.world.actors if one.name == leak.actor), None)
        if actor is None:
            return False
        queries = [one for one in self.campaign.queries_of(actor.role) if one.table in leak.relations]
        seen = self.campaign.probing.reads(actor, [query.sql for query in queries])
        return not any(query.ids(one.ids) for query, one in zip(queries, seen, strict=True))


def _gives_rows(statement: str) -> bool:
    text = statement.lower()
    return text.lstrip().startswith(("select", "with", "table")) or " returning " in text


def fought(
    stage: Stage,
    session: ScratchSession,
    request: Request,
    tables: frozenset[str],
    progress: Callable[[str], None],
    lanes: tuple[Probing, ...] = (),
) -> Narrow:
    """Every attack on these tables; without any, on everything, views and functions too, as a proof does."""
    campaign = Narrow(
        stage.world,
        Standings(stage.world),
        Probing(session),
        Templates(stage.world, stage.filler, session, stage.unwritable, stage.visitor),
        monotonic() + request.budget,
        progress,
        lanes=lanes,
        wishes=stage.wishes,
        tables=tables,
    )
    campaign.run()
    campaign.violations += promotions(campaign)
    if not tables:
        beyond_tables(campaign)
    return campaign


@contextmanager
def bench(
    cluster: Cluster,
    dsn: str,
    request: Request,
    tables: frozenset[str] = frozenset(),
    progress: Callable[[str], None] = silent,
) -> Generator[Bench]:
    """A bench for the schema behind `dsn`. The target is read once, by pg_dump, and never written."""
    progress("copying the schema ...")
    with copy_schema(cluster, dsn) as scratch, ScratchSession(scratch.dsn) as session:
        stage = Stage.build(session, request, progress)
        with lanes_on(scratch.dsn) as lanes:
            campaign = fought(stage, session, request, tables, progress, lanes)
        campaign.lanes = ()  # what is changed from here on, other sessions do not see
        progress("finding causes ...")
        found = assemble(campaign, Blame(campaign), session, stage.generated)
        yield Bench(session, stage, campaign, found, findings_of(stage.snapshot), scratch.gaps, request)
