"""A filled scratch copy on which changes are tried: each in a savepoint, undone afterwards.

target ─ pg_dump ─▶ copy ─▶ world ─▶ attacks as it stands ─▶ change ─▶ the same attacks ─▶ undone
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from tools.findings import Finding, Level
from tools.rls.fixing.narrow import Narrow
from tools.rls.fixing.reached import Change, Reach, Tried, compared, reached
from tools.rls.objects import Policy, Relation
from tools.rls.proof import calls
from tools.rls.proof.blame import Blame
from tools.rls.proof.leaks import Found, assemble
from tools.rls.proof.probing import Probing
from tools.rls.proof.prove import Request, Stage, silent
from tools.rls.proof.standing import Standings
from tools.rls.proof.verdict import Leak
from tools.rls.proof.writing import Templates
from tools.rls.reach import Reach as Reached
from tools.rls.reach import reach
from tools.rls.reading import read_here
from tools.rls.review import findings_of
from tools.rls.snapshot import Snapshot
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import copy_schema
from tools.sandbox.scratch.session import ScratchSession, SqlFailure


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
    _before: dict[frozenset[str], tuple[Reach, Tried]] = field(
        default_factory=dict[frozenset[str], tuple[Reach, Tried]]
    )

    @property
    def snapshot(self) -> Snapshot:
        """The schema as it stands."""
        return self.stage.snapshot

    @property
    def campaign_reach(self) -> Reached:
        """What the policies and functions of the schema reach."""
        return reach(self.stage.snapshot)

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

    def before(self, tables: frozenset[str]) -> tuple[Reach, Tried]:
        """Who reaches which rows of these tables as the schema stands, and what was tried to know it."""
        if not tables:  # an empty set would be everything
            return Reach({}, {}, frozenset()), Tried()
        if tables not in self._before:
            tried = Tried()
            self._before[tables] = (reached(self.campaign, tables, tried), tried)
        return self._before[tables]

    def change(self, tables: frozenset[str]) -> Change:
        """What differs at this moment, inside `changed`, for these tables."""
        if not tables:
            return Change()
        before, tried = self.before(tables)
        return compared(self.campaign, before, reached(self.campaign, tables, tried), tried)

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

    def attacked(self, snapshot: Snapshot, progress: Callable[[str], None] = silent) -> tuple[Narrow, Found]:
        """Every attack on the schema as it is at this moment, in the same world."""
        world = self.stage.world
        before, world.snapshot = world.snapshot, snapshot
        try:
            campaign = fought(self.stage, self.session, self.request, self.campaign.tables, progress)
            return campaign, assemble(
                campaign, Blame(campaign), self.session, self.stage.generated, replays=False
            )
        finally:
            world.snapshot = before

    def shows(self, leak: Leak) -> bool:
        """Whether a leak's own attack still succeeds in the world."""
        if not leak.attack:
            return False
        try:
            with self.session.savepoint(keep=False):
                for statement in (*leak.acting, *leak.attack[:-1]):
                    self.session.run(statement)
                touched = self.session.rows(leak.attack[-1]) if _gives_rows(leak.attack[-1]) else None
                if touched is None:
                    return self.session.run(leak.attack[-1]) > 0
                if leak.expect == "value":
                    return bool(touched) and touched[0][0] not in (None, False)
                return bool(touched)
        except SqlFailure:
            return False


def _gives_rows(statement: str) -> bool:
    text = statement.lower()
    return text.lstrip().startswith(("select", "with", "table")) or " returning " in text


def fought(
    stage: Stage,
    session: ScratchSession,
    request: Request,
    tables: frozenset[str],
    progress: Callable[[str], None],
) -> Narrow:
    """Every attack on these tables; without any, on everything, views and functions too."""
    probing = Probing(session)
    templates = Templates(stage.world, stage.filler, session, stage.unwritable)
    deadline = monotonic() + request.budget
    campaign = Narrow(
        stage.world, Standings(stage.world), probing, templates, deadline, progress, tables=tables
    )
    campaign.run()
    if not tables:
        progress("views and functions ...")
        calls.read_views(campaign)
        calls.call(campaign)
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
        campaign = fought(stage, session, request, tables, progress)
        found = assemble(campaign, Blame(campaign), session, stage.generated)
        yield Bench(session, stage, campaign, found, findings_of(stage.snapshot), scratch.gaps, request)
