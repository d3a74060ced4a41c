"""Prove isolation: copy the schema, infer who may see what, build a world, attack it, say what happened.

    target ─ pg_dump ─▶ scratch copy ─▶ snapshot ─▶ model ─▶ world ─▶ attacks ─▶ causes ─▶ replays ─▶ Proof

Nothing of the target's data is read, and the target is not touched after the dump.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from tools.review import Gap
from tools.rls.proof import calls, storage, topics
from tools.rls.proof.attack import Campaign
from tools.rls.proof.blame import Blame
from tools.rls.proof.casting import callers, cast
from tools.rls.proof.coverage import examine, measure, summary
from tools.rls.proof.declared import apply
from tools.rls.proof.deliberate import deliberate, judge, vouch
from tools.rls.proof.demanded import Demanded
from tools.rls.proof.furnishing import Furnishing
from tools.rls.proof.infer import infer
from tools.rls.proof.leaks import assemble, gaps_of
from tools.rls.proof.model import Model
from tools.rls.proof.model_text import lines
from tools.rls.proof.observe import expectations
from tools.rls.proof.population import Population
from tools.rls.proof.probing import Probing
from tools.rls.proof.promoting import promotions
from tools.rls.proof.standing import Standings
from tools.rls.proof.symbolic import decide
from tools.rls.proof.verdict import Answer, Proof
from tools.rls.proof.wishes import Wishes, shown, told
from tools.rls.proof.world import World, named, quoted, read_world
from tools.rls.proof.writing import Templates
from tools.rls.reading import read_here
from tools.rls.snapshot import Snapshot
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import Scratch, copy_schema
from tools.sandbox.scratch.fill import Filler
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.shapes import Shape, read_shapes

BUDGET: Final = 60.0
SEED: Final = 7
COVERAGE_SHARE: Final = 0.15
STAND_IN: Final = "authenticated"
"""Every sandbox server has this role; on plain PostgreSQL it stands for the application's login."""


def silent(_: str) -> None:
    """No progress wanted."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a proof is asked for. `declared` is the `[rls]` section of sergei.toml."""

    exposed: tuple[str, ...] = ("public",)
    declared: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seed: int = SEED
    budget: float = BUDGET
    coverage: bool = True
    replays: bool = True
    observing: bool = False
    """Whether what happens is to be told apart as finely as the schema itself does."""


def prove(
    cluster: Cluster,
    dsn: str,
    *,
    exposed: tuple[str, ...] = ("public",),
    declared: Mapping[str, Any] | None = None,
    seed: int = SEED,
    budget: float = BUDGET,
    progress: Callable[[str], None] = silent,
    target: str = "",
    coverage: bool = True,
    replays: bool = True,
) -> Proof:
    """The verdict on the schema behind `dsn`. Blocking; takes at most about `budget` seconds.

    Raises Unavailable when the target cannot be reached, RemoteError when its schema cannot be copied, and
    InvalidInput for a `declared` that does not fit the schema.
    """
    request = Request(exposed, declared or {}, seed, budget, coverage, replays)
    progress("copying the schema ...")
    return prove_copy(copy_schema(cluster, dsn), request, progress, target)


def prove_copy(
    copying: AbstractContextManager[Scratch],
    request: Request,
    progress: Callable[[str], None] = silent,
    target: str = "",
) -> Proof:
    """The verdict on a scratch copy, however it was made; the copy is filled, attacked and dropped."""
    started = monotonic()
    with copying as scratch, ScratchSession(scratch.dsn) as session:
        stage = Stage.build(session, request, progress)
        with lanes_on(scratch.dsn) as lanes:
            campaign = stage.attacked(started + request.budget, progress, lanes)
        conditions = ()
        if request.coverage:
            progress("measuring which conditions decided ...")
            left = max(2.0, request.budget * COVERAGE_SHARE)
            conditions = measure(session, stage.snapshot, stage.world.actors, budget_seconds=left)
        progress("finding causes ...")
        blame = Blame(campaign)
        found = assemble(campaign, blame, session, stage.generated, replays=request.replays)
        gaps = [*(Gap(what=what, why=why) for what, why in scratch.gaps), *stage.gaps, *gaps_of(campaign)]
        answer = Answer.YES if found.leaks else Answer.NOT_EXAMINED if gaps else Answer.NO
        return Proof(
            target=target,
            answer=answer,
            leaks=found.leaks,
            denied=found.denied,
            notes=found.notes,
            gaps=tuple(gaps),
            conditions=conditions,
            model=tuple(lines(stage.model)),
            doubts=stage.model.doubts,
            examined=(*stage.examined(campaign), *((summary(conditions),) if conditions else ())),
            actors=tuple(actor.name for actor in stage.world.actors),
            probes=campaign.probes,
            seed=request.seed,
            seconds=round(monotonic() - started, 2),
            world="out of time" if campaign.late else "complete",
            inputs=stage.inputs,
        )


def confirm(
    cluster: Cluster, dsn: str, *, exposed: tuple[str, ...] = ("public",), seed: int = SEED
) -> Mapping[str, Any]:
    """The `[rls]` section that states what this schema allows today, for a person to confirm.

    The structure is inferred; what each standing may do with each table is observed in a world.
    """
    request = Request(exposed, seed=seed, coverage=False, observing=True)
    with copy_schema(cluster, dsn) as scratch, ScratchSession(scratch.dsn) as session:
        stage = Stage.build(session, request, silent)
        with lanes_on(scratch.dsn) as lanes:
            campaign = stage.attacked(monotonic() + 4 * request.budget, silent, lanes)
        return expectations(campaign)


@dataclass(slots=True, eq=False)
class Stage:
    """A filled scratch copy, ready to be attacked."""

    session: ScratchSession
    snapshot: Snapshot
    model: Model
    shapes: Mapping[str, Shape]
    filler: Filler
    world: World
    gaps: list[Gap]
    exact: tuple[str, ...]
    inputs: str
    visitor: str
    wishes: Wishes

    @property
    def generated(self) -> dict[str, frozenset[str]]:
        """Columns that no INSERT may name."""
        return {
            title: frozenset(column.name for column in shape.columns if column.generated)
            for title, shape in self.shapes.items()
        }

    @property
    def unwritable(self) -> dict[str, frozenset[str]]:
        """Columns that an INSERT as people write it leaves out: generated ones, and keys always made."""
        return {
            title: frozenset(c.name for c in shape.columns if c.generated or c.identity == "always")
            for title, shape in self.shapes.items()
        }

    @classmethod
    def build(cls, session: ScratchSession, request: Request, progress: Callable[[str], None]) -> Stage:
        """Read the copy, work out the model, build the world, and commit it."""
        snapshot, assumed = _with_a_caller(session, read_here(session, request.exposed), request)
        model = apply(infer(snapshot), request.declared, snapshot)
        progress("deciding states ...")
        shapes = read_shapes(session)
        symbolic = decide(snapshot, model, shapes)
        progress("building a world ...")
        _empty(session, model)
        filler = Filler(session, shapes, request.seed, model.constants)
        population = Population(snapshot, model, filler, symbolic.witnesses)
        world = population.build()
        furnishing = Furnishing(population)
        furnishing.furnish()
        storage.fill(population)
        topics.fill(population)
        read_world(session, world)
        wishes = shown(snapshot, model) if request.observing else told(model)
        Demanded(furnishing, wishes).add()
        read_world(session, world)
        world.actors = cast(population)
        read_world(session, world)
        if request.coverage:
            progress("adding rows for conditions that were seen one way only ...")
            left = max(1.0, request.budget * COVERAGE_SHARE / 2)
            wanted = examine(session, snapshot, world.actors, budget_seconds=left).variants
            furnishing.vary(wanted)
            read_world(session, world)
        _refresh(session, snapshot)
        Probing(session).install()
        session.commit()
        gaps = [Gap(what=what, why=why) for what, why in world.gaps]
        notes = tuple(f"by execution only: {gap.what} ({gap.why})" for gap in symbolic.beyond)
        if not world.actors:
            gaps.append(Gap(what="everything", why="there is no role that could call"))
        gaps += [
            Gap(
                what=title,
                why="the model does not know whose rows these are; declare it in [rls] of sergei.toml",
            )
            for title, belonging in model.tables.items()
            if belonging.kind == "unclassified"
        ]
        text = repr(
            [snapshot.policies and [(p.title, p.using_text, p.check_text) for p in snapshot.policies]]
        )
        text += repr([(f.title, f.definition) for f in snapshot.functions]) + repr(lines(model))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(
            session,
            snapshot,
            model,
            shapes,
            filler,
            world,
            gaps,
            (*symbolic.exact, *notes, *assumed),
            digest,
            population.visitor,
            wishes,
        )

    def attacked(
        self, deadline: float, progress: Callable[[str], None], lanes: tuple[Probing, ...] = ()
    ) -> Campaign:
        """Every attack, carried out, over `lanes` of its own where there are any."""
        probing = Probing(self.session)
        templates = Templates(self.world, self.filler, self.session, self.unwritable, self.visitor)
        standings = Standings(self.world)
        campaign = Campaign(
            self.world, standings, probing, templates, deadline, progress, lanes=lanes, wishes=self.wishes
        )
        campaign.run()
        campaign.violations += promotions(campaign)
        beyond_tables(campaign)
        return campaign

    def examined(self, campaign: Campaign) -> tuple[str, ...]:
        """What was looked at, in figures."""
        rows = sum(len(several) for several in self.world.rows.values())
        return (
            f"{len(self.world.tables)} tables with {rows} rows for {len(self.world.sides)} families",
            f"{len(self.world.actors)} actors",
            f"{campaign.probes} probes",
            *(text if text.startswith("by ") else f"exactly, for every state: {text}" for text in self.exact),
        )


def beyond_tables(campaign: Campaign) -> None:
    """The attacks through views, functions and topics, after those on tables."""
    campaign.progress("views and functions ...")
    calls.read_views(campaign)
    calls.call(campaign)
    campaign.called = deliberate(campaign)
    vouch(campaign, campaign.called)
    judge(campaign, campaign.called)
    topics.join(campaign)


@contextmanager
def lanes_on(dsn: str) -> Generator[tuple[Probing, ...]]:
    """Two more sessions on a copy that is filled and committed: as many as a small machine has cores."""
    with ScratchSession(dsn) as one, ScratchSession(dsn) as other:
        lanes = (Probing(one), Probing(other))
        for lane in lanes:
            lane.limit()
        yield lanes


def _with_a_caller(
    session: ScratchSession, snapshot: Snapshot, request: Request
) -> tuple[Snapshot, tuple[str, ...]]:
    """A schema without the application's login gets a stand-in that may use every table; what was assumed."""
    if callers(snapshot):
        return snapshot, ()
    schemas = sorted({relation.schema for relation in snapshot.tables})
    listed = ", ".join(quoted(schema) for schema in schemas)
    if not schemas:
        return snapshot, ()
    try:
        with session.savepoint():
            session.script(f"grant usage on schema {listed} to {STAND_IN}")
            session.script(
                f"grant select, insert, update, delete on all tables in schema {listed} to {STAND_IN}"
            )
            session.script(f"grant usage on all sequences in schema {listed} to {STAND_IN}")
    except SqlFailure:
        return snapshot, ()
    told = "by assumption: no role is granted anything here, so callers were given every table"
    return read_here(session, request.exposed), (told,)


def _refresh(session: ScratchSession, snapshot: Snapshot) -> None:
    """Fill materialized views from the world; one that cannot be filled shows nothing and is so reported."""
    views = [relation.title for relation in snapshot.relations.values() if relation.kind == "m"]
    for _ in range(2):  # one may read another
        for title in views:
            with suppress(SqlFailure), session.savepoint():
                session.script(f"refresh materialized view {named(title)}")


def _empty(session: ScratchSession, model: Model) -> None:
    """No rows but reference data: what migrations inserted for somebody would be nobody's in the world."""
    belonging = [title for title, one in model.tables.items() if one.kind not in ("reference", "service")]
    relations = " ".join(f"delete from {named(title)};" for title in belonging if not title.startswith("("))
    with session.savepoint():
        session.script(f"set local session_replication_role = replica; {relations}")
        session.script("set local session_replication_role = origin")
