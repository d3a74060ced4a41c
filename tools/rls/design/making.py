"""Makes a design and checks it by running it: copy, planned tables, model, migration, attacks.

target ─ pg_dump ─▶ copy ─ CREATE TABLE ─▶ sketch ─▶ model ─▶ migration ─▶ applied ─▶ attacked
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from time import monotonic
from typing import Any, Final

from tools.errors import InvalidInput, NotFound
from tools.findings import Finding, Level
from tools.rls.design.evidence import Reaches, matrix
from tools.rls.design.helpers import Library
from tools.rls.design.migration import Migration, write
from tools.rls.design.planned import plan_tables
from tools.rls.design.queries import identity
from tools.rls.design.sketch import Sketch, sketch
from tools.rls.design.tables import plan
from tools.rls.design.testing import script as test_script
from tools.rls.fixing.narrow import Narrow
from tools.rls.proof.blame import Blame
from tools.rls.proof.declared import apply, as_mapping
from tools.rls.proof.infer import infer
from tools.rls.proof.leaks import assemble
from tools.rls.proof.model import Identity, Model
from tools.rls.proof.probing import Probing
from tools.rls.proof.prove import BUDGET, SEED, Request, Stage, silent
from tools.rls.proof.standing import Standings
from tools.rls.proof.verdict import Leak
from tools.rls.proof.writing import Templates
from tools.rls.reading import read_here
from tools.rls.review import findings_of
from tools.rls.snapshot import Snapshot
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import copy_schema
from tools.sandbox.scratch.session import ScratchSession

SETTING: Final = Identity("setting", ("app.user_id",))
"""Where a database without Supabase's auth is taken to learn who calls, until somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What is to be designed. `planned` is SQL that creates tables; `declared` is an `[rls]` section."""

    tables: tuple[str, ...] = ()
    planned: str = ""
    declared: Mapping[str, Any] = field(default_factory=dict[str, Any])
    role: str = ""
    exposed: tuple[str, ...] = ("public",)
    seed: int = SEED
    budget: float = BUDGET


@dataclass(frozen=True, slots=True)
class Check:
    """What happened when the design ran. Only leaks and errors about the designed tables count."""

    leaks: tuple[Leak, ...]
    denied: tuple[Leak, ...]
    errors: tuple[Finding, ...]
    gaps: tuple[tuple[str, str], ...]
    reaches: tuple[Reaches, ...]
    tests: str
    probes: int
    actors: int

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against the design."""
        return not (self.leaks or self.denied or self.errors)


@dataclass(frozen=True, slots=True)
class Design:
    """A migration with the model it assumes and what happened when it ran."""

    tables: tuple[str, ...]
    new: frozenset[str]
    migration: Migration
    model: Model
    reused: tuple[str, ...]
    check: Check


def make(cluster: Cluster, dsn: str, brief: Brief, progress: Callable[[str], None] = silent) -> Design:
    """Design and check. The target is only read. Raises InvalidInput for SQL or a model that does not fit."""
    progress("copying the schema ...")
    with copy_schema(cluster, dsn) as scratch, ScratchSession(scratch.dsn) as session:
        before = read_here(session, brief.exposed)
        plan_tables(session, brief.planned)
        snapshot = read_here(session, brief.exposed)
        new = frozenset(snapshot.relations) - frozenset(before.relations)
        titles = chosen(snapshot, brief, new)
        model, guesses = understood(session, snapshot, titles, brief)
        library = Library(snapshot, model, brief.role or caller_role(snapshot))
        plans = [plan(library, model.tables[title]) for title in ordered(model, titles)]
        migration = write(library, plans, brief.planned, new=new)
        migration = Migration(
            migration.script,
            migration.undo,
            tuple(dict.fromkeys([*guesses, *_doubts(model, titles), *migration.questions])),
        )
        progress("running the design ...")
        check = checked(session, migration, model, titles, brief, progress)
        return Design(
            tuple(a.table.title for a in plans), new, migration, model, tuple(library.reused), check
        )


def checked(
    session: ScratchSession,
    migration: Migration,
    model: Model,
    titles: Iterable[str],
    brief: Brief,
    progress: Callable[[str], None] = silent,
) -> Check:
    """Apply the design to the copy, fill it, attack it, and undo it once to see that the undo runs."""
    wanted = frozenset(titles)
    ours = _without_planned(migration.script, brief.planned)
    with session.savepoint(keep=False):
        _run(session, ours)
        _run(session, migration.undo)
    _run(session, ours)
    request = Request(brief.exposed, as_mapping(model), brief.seed, brief.budget, coverage=False)
    stage = Stage.build(session, request, progress)
    probing = Probing(session)
    templates = Templates(stage.world, stage.filler, session, stage.unwritable)
    deadline = monotonic() + brief.budget
    campaign = Narrow(
        stage.world, Standings(stage.world), probing, templates, deadline, progress, tables=wanted
    )
    campaign.run()
    found = assemble(campaign, Blame(campaign), session, stage.generated)
    errors = [f for f in findings_of(stage.snapshot) if f.level is Level.ERROR]
    gaps = [(gap.what, gap.why) for gap in stage.gaps if any(title in gap.what for title in wanted)]
    gaps += [(what, why) for what, why in campaign.gaps]
    designed = [title for title in sorted(wanted) if title in stage.world.rows]
    return Check(
        leaks=tuple(leak for leak in found.leaks if wanted & set(leak.relations)),
        denied=tuple(leak for leak in found.denied if wanted & set(leak.relations)),
        errors=tuple(f for f in errors if f"{f.schema_}.{f.table}" in wanted or _new_helper(stage, f, model)),
        gaps=tuple(gaps),
        reaches=tuple(matrix(campaign, designed)),
        tests=test_script(campaign, designed, stage.generated),
        probes=campaign.probing.count,
        actors=len(stage.world.actors),
    )


def _new_helper(stage: Stage, finding: Finding, model: Model) -> bool:
    """Whether a finding is about a function that the design made: one without a table, not there before."""
    return (
        finding.function is not None
        and finding.table is None
        and finding.schema_ not in stage.snapshot.exposed
    )


def _run(session: ScratchSession, script: str) -> None:
    """A migration inside the session's own transaction."""
    session.script("\n".join(line for line in script.splitlines() if line not in ("begin;", "commit;")))


def _without_planned(script: str, planned: str) -> str:
    """The migration without the planned tables, which are in the copy already."""
    text = planned.strip().rstrip(";")
    return script.replace(text + ";", "", 1) if text else script


def chosen(snapshot: Snapshot, brief: Brief, new: frozenset[str]) -> list[str]:
    """The tables to design for: the named ones and the planned ones; without any, those without a policy."""
    own = {table.title: table for table in snapshot.tables if not table.partition}
    titles: list[str] = []
    for word in brief.tables:
        title = (
            word if "." in word else next((t for t in own if t.partition(".")[2] == word), f"public.{word}")
        )
        if title not in own:
            near = get_close_matches(title, own, n=2)
            hint = (
                f"Did you mean {' or '.join(near)}?"
                if near
                else "Planned tables go into `planned` as CREATE TABLE."
            )
            raise NotFound(f"There is no table {word} here.", hint=hint)
        titles.append(title)
    titles += [title for title in own if title in new and title not in titles]
    if not titles:
        titles = [t for t, table in own.items() if snapshot.reachable(table.schema) and not table.policies]
    if not titles:
        raise InvalidInput(
            "Every table has policies already.",
            hint="Name `tables` to design anew, or give planned tables as CREATE TABLE in `planned`.",
        )
    return titles


def understood(
    session: ScratchSession, snapshot: Snapshot, titles: Iterable[str], brief: Brief
) -> tuple[Model, list[str]]:
    """The model with the tables in it: sketched where they have no policies, corrected as declared."""
    known = infer(snapshot)
    source = known.identities[0] if known.identities else Identity("uid") if snapshot.supabase else SETTING
    bare = [title for title in titles if not snapshot.relations[title].policies]
    drawn = sketch(snapshot, bare, identity(source, _account_type(snapshot, known)))
    guesses = [*drawn.guesses, *_guessed(drawn)]
    if source is SETTING:
        guesses.insert(0, "Where does the database learn who calls? Taken: the setting app.user_id.")
    with session.savepoint(keep=False):
        for statement in drawn.policies():
            session.script(statement)
        model = infer(read_here(session, brief.exposed))
    return apply(model, brief.declared), guesses


def _guessed(drawn: Sketch) -> list[str]:
    return [
        f"Do rows of {title} open {anchor} (by {column}) to {account}?"
        for title, (anchor, column, account) in drawn.openings.items()
    ]


def _account_type(snapshot: Snapshot, model: Model) -> str:
    relation = snapshot.relations.get(model.accounts)
    key = relation.columns.get("id") if relation is not None else None
    return key.type if key is not None else "uuid"


def caller_role(snapshot: Snapshot) -> str:
    """Who policies are for: authenticated, or the one outsider of a plain database, or everybody."""
    names = [role.name for role in snapshot.callers]
    if "authenticated" in names:
        return "authenticated"
    return names[0] if len(names) == 1 else "public"


def ordered(model: Model, titles: Iterable[str]) -> list[str]:
    """Records first, then what opens them, then what hangs from them, near before far."""

    def place(title: str) -> tuple[int, int, str]:
        opens = any(opening.table == title for opening in model.openings)
        paths = model.tables[title].paths if title in model.tables else ()
        depth = min((len(path) for path in paths), default=9)
        return (0 if title in model.anchors else 1 if opens else 2, depth, title)

    return sorted((title for title in titles if title in model.tables), key=place)


def _doubts(model: Model, titles: Iterable[str]) -> list[str]:
    wanted = list(titles)
    return [doubt for doubt in model.doubts if any(title in doubt for title in wanted)]
