"""The attacks on a world, in order: everybody reads, writes, calls; then two steps that were permitted.

Nothing here decides why something went through (blame.py) or how to show it again (replay.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic

from tools.rls.proof.actors import Actor
from tools.rls.proof.events import Called, Violation
from tools.rls.proof.expect import forbidden, may_read, may_write, narrowed_to, overstepped
from tools.rls.proof.lanes import each
from tools.rls.proof.offices import promotes
from tools.rls.proof.plans import Plan, carried_out
from tools.rls.proof.probing import Outcome, Probing, Seen, array_text
from tools.rls.proof.reading import ReadingQuery, reading_queries, sentinels
from tools.rls.proof.side import met_by
from tools.rls.proof.standing import Standings
from tools.rls.proof.storage import astray
from tools.rls.proof.tactics import Tactics
from tools.rls.proof.tailoring import Tailoring, unproven
from tools.rls.proof.templates import Templates
from tools.rls.proof.varying import Varying
from tools.rls.proof.verdict import Kind
from tools.rls.proof.wishes import Wishes
from tools.rls.proof.world import World, WorldRow
from tools.rls.proof.writing import Write, shape, trusted_tables, turns

REFUSED = ("42501",)
"""What row level security and privileges refuse with."""
OPENERS = 12
LATER = 150
"""First and second writes that are put together, per actor."""
DEEP_ACTORS = 14
"""How many actors are followed through two writes."""


@dataclass(eq=False)
class Campaign:
    """One round of attacks. `seen`: actor -> relation -> ids that he reads from the start."""

    world: World
    standings: Standings
    probing: Probing
    templates: Templates
    deadline: float
    progress: Callable[[str], None]
    violations: list[Violation] = field(default_factory=list[Violation])
    denied: list[Violation] = field(default_factory=list[Violation])
    seen: dict[Actor, dict[str, frozenset[str]]] = field(
        default_factory=dict[Actor, dict[str, frozenset[str]]]
    )
    worked: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    tried: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    broken: dict[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])
    gaps: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    queries: dict[str, tuple[ReadingQuery, ...]] = field(default_factory=dict[str, tuple[ReadingQuery, ...]])
    chosen: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    permitted: dict[Actor, list[Outcome]] = field(default_factory=dict[Actor, list[Outcome]])
    refused: dict[Actor, list[tuple[Write, Outcome]]] = field(
        default_factory=dict[Actor, list[tuple[Write, Outcome]]]
    )
    writes: dict[str, Write] = field(default_factory=dict[str, Write])
    late: bool = False
    lanes: tuple[Probing, ...] = ()
    """Further sessions on the same copy, so that probes run side by side."""
    wishes: Wishes = field(default_factory=Wishes)
    """What finer expectations ask to be tried."""
    called: list[Called] = field(default_factory=list["Called"])
    """What functions did when they were called by those whom they are for."""

    def run(self) -> None:
        """Everything, while there is time."""
        for step in (self.read, self.write, self.tailor, self.vary, self.chain):
            self.progress(f"{step.__name__} ...")
            step()

    def in_time(self, what: str) -> bool:
        """Whether the budget still lasts; says once what was left out."""
        if monotonic() < self.deadline:
            return True
        if not self.late:
            self.late = True
            self.gaps.append((what, "the time budget was used up before it; raise --budget"))
        return False

    @cached_property
    def tactics(self) -> Tactics:
        """Who tries what."""
        return Tactics(self.world, self.standings, self.templates, self.seen, finer=bool(self.wishes))

    # -- reading -------------------------------------------------------------------------

    def read(self) -> None:
        """Every actor reads every relation."""

        def ask(lane: Probing, asked: tuple[Actor, tuple[ReadingQuery, ...]]) -> list[Seen]:
            return lane.reads(asked[0], [query.sql for query in asked[1]])

        for (actor, queries), found in each(self.ways, map(self._questions, self.world.actors), ask):
            mine: dict[str, frozenset[str]] = {}
            for query, seen in zip(queries, found, strict=True):
                mine[query.table] = query.ids(seen.ids)
                if seen.state and seen.state not in REFUSED:
                    self.broken.setdefault((query.table, "SELECT", seen.state), seen.message)
                self._judge_reads(actor, query, mine[query.table])
            self.seen[actor] = mine

    def _questions(self, actor: Actor) -> tuple[Actor, tuple[ReadingQuery, ...]]:
        """An actor with the relations that he reads; partitions are for the leading ones."""
        queries = self.queries_of(actor.role)
        if actor not in self.tactics.leading:
            queries = tuple(q for q in queries if not self.world.snapshot.relations[q.table].partition)
        return actor, queries

    @property
    def ways(self) -> tuple[Probing, ...]:
        """The sessions that probes go through."""
        return self.lanes or (self.probing,)

    @property
    def probes(self) -> int:
        """How many probes were made."""
        return self.probing.count + sum(lane.count for lane in self.lanes)

    def queries_of(self, role: str) -> tuple[ReadingQuery, ...]:
        """The reading queries of a role."""
        if role not in self.queries:
            self.queries[role] = reading_queries(self.world, role)
        return self.queries[role]

    def _judge_reads(self, actor: Actor, query: ReadingQuery, ids: frozenset[str]) -> None:
        self.tried[query.table, "SELECT"] = self.tried.get((query.table, "SELECT"), 0) + 1
        if ids:
            self.worked[query.table, "SELECT"] = self.worked.get((query.table, "SELECT"), 0) + 1
        for row in self.world.rows_of(query.table):
            standing = self.standings.standing(actor, row)
            allowed = may_read(self.world, row, standing)
            if row.id in ids and allowed is False:
                key = narrowed_to(self.world, row, standing)
                self.violations.append(Violation(Kind.READ, actor, "SELECT", row, (query.table,), narrow=key))
            elif row.id not in ids and allowed and standing.base == "owner" and not standing.closed:
                self.denied.append(Violation(Kind.DENIED, actor, "SELECT", row, ()))

    # -- writing -------------------------------------------------------------------------

    def write(self) -> None:
        """Every actor tries every write."""
        tried = ((actor, list(self.tactics.writes_of(actor))) for actor in self.world.actors)
        self._try(tried, "writes of")

    def tailor(self) -> None:
        """For commands that nobody got through: rows as conditions want them, until somebody does."""
        tailoring = Tailoring.of(self.tactics)
        for title, command in unproven(self.world, self.tried, self.worked):
            what = f"{command} on {title} by"
            for recipes in tailoring.recipes(title, command):
                for recipe in recipes:
                    if self._try(tailoring.hopeful(recipe), what):
                        self._try(tailoring.everybody(recipe), what)
                        break
            if command != "INSERT" and not self.worked.get((title, command)):
                for actor, first in tailoring.starts(title, self.permitted, self.writes):
                    if self.violation_of(actor, first) is None:
                        self._try([(actor, tailoring.own(first, command, actor))], what, first.sql)

    def vary(self) -> None:
        """What got through once more with a deciding column or state changed, where expectations tell."""
        if self.wishes:
            varying = Varying(self.tactics, self.wishes, dict(self.permitted), self.writes)
            self._try(list(varying.tried()), "changes by")

    def _try(self, tried: Iterable[tuple[Actor, list[Write]]], what: str, opener: str = "") -> bool:
        """Carry writes out, each after `opener` if there is one, and judge them; whether any went through."""
        through = False
        for plan, outcomes in each(self.ways, self._plans(tried, what, opener), carried_out):
            for write, outcome in zip(plan.writes, outcomes, strict=True):
                self._judge_write(plan.actor, write, outcome)
                through |= outcome.worked
        return through

    def _plans(self, tried: Iterable[tuple[Actor, list[Write]]], what: str, opener: str) -> Iterator[Plan]:
        """What each actor tries; after writes that may turn access, what can be read is asked again."""
        trusted = trusted_tables(self.world.model)
        for actor, every in tried:
            if not self.in_time(f"{what} {actor.name}"):
                return
            texts, base = self._again(actor)
            turning = [write for write in every if turns(write, trusted)]
            yield Plan(actor, tuple(one for one in every if not turns(one, trusted)), opener, (), ())
            yield Plan(actor, tuple(turning), opener, tuple(texts), tuple(base))

    def _again(self, actor: Actor) -> tuple[list[str], list[str | None]]:
        """The queries that are asked after a write, and what they gave before."""
        queries = [self.queries_of(actor.role)[number] for number in self.sentinels_of(actor.role)]
        base = [array_text(self.seen[actor][query.table]) if not query.decode else None for query in queries]
        return [query.sql for query in queries], base

    def sentinels_of(self, role: str) -> tuple[int, ...]:
        """Which of a role's queries are asked after a write."""
        if role not in self.chosen:
            self.chosen[role] = sentinels(self.world, self.queries_of(role))
        return self.chosen[role]

    def _judge_write(self, actor: Actor, write: Write, outcome: Outcome) -> None:
        key = (write.table, write.command)
        self.tried[key] = self.tried.get(key, 0) + 1
        self.writes[write.sql] = write
        if (
            outcome.state
            and outcome.state not in REFUSED
            and not outcome.state.startswith(("23", "P0", "22"))
        ):
            self.broken.setdefault((write.table, write.command, outcome.state), outcome.message)
        marking = write.purpose == "touch" and write.witness  # any value at all: nothing is proven by it
        if outcome.state.startswith("23") and not marking:  # constraints come after row level security
            self.worked[key] = self.worked.get(key, 0) + 1
        if not outcome.worked or (write.witness and not outcome.trace):
            self.refused.setdefault(actor, []).append((write, outcome))
            return
        self.worked[key] = self.worked.get(key, 0) + 1
        self.permitted.setdefault(actor, []).append(outcome)
        if write.purpose == "mix":
            note = "writes a row of the own record under a row of somebody else's"
            row = write.after or write.before
            if row is not None:
                self.violations.append(
                    Violation(Kind.WRITE, actor, "INSERT", row, (write.sql,), write, note=note)
                )
            return
        violation = self.violation_of(actor, write)
        if violation is not None:
            self.violations.append(violation)
        self._judge_gains(actor, (write,), outcome)

    def violation_of(self, actor: Actor, write: Write) -> Violation | None:
        """What is wrong with a write that went through, by the row before and after it."""
        if promotes(self.world.model, actor, write.before, write.after):
            row = write.before or write.after or WorldRow(write.table, "", {})
            note = "makes themselves staff by a row"
            return Violation(Kind.WRITE, actor, write.command, row, (write.sql,), write, note=note)
        for row in (write.before, write.after):
            if row is None or astray(row):  # nobody's by itself: what is said of such paths decides
                continue
            standing = self.standings.standing(actor, row)
            living = write.living
            if write.before is not None and standing.party and not self._significant(write):
                living = False
            if may_write(self.world, row, standing, write.command, living=living) is False:
                return Violation(Kind.WRITE, actor, write.command, row, (write.sql,), write)
        violation = self._narrowly(actor, write)
        if violation is not None:
            return violation
        row = write.before if write.purpose == "take" and write.table in self.world.model.anchors else None
        if row is not None and self.standings.standing(actor, row).base not in ("owner", "staff"):
            note = "makes himself the owner"
            return Violation(Kind.WRITE, actor, write.command, row, (write.sql,), write, note=note)
        return None

    def _narrowly(self, actor: Actor, write: Write) -> Violation | None:
        """What narrower expectations say: of the state that a row is in, and of what is changed in it."""
        row = write.before or write.after
        belonging = self.world.model.tables.get(write.table)
        if row is None or belonging is None or not belonging.expect:
            return None
        standing = self.standings.standing(actor, row)
        key = forbidden(belonging, write.command, row, standing) or overstepped(belonging, write, standing)
        if key is None:
            return None
        return Violation(Kind.WRITE, actor, write.command, row, (write.sql,), write, narrow=key)

    def _significant(self, write: Write) -> bool:
        """Whether a change of an opening's row touches what decides, other than by an allowed acceptance."""
        for opening in self.world.model.openings:
            if opening.table != write.table:
                continue
            accepted = {
                column
                for column, before, _ in opening.accepts
                if write.before and write.before.values.get(column) == before
            }
            deciding = {c.column for c in opening.conditions if not c.hops} | {opening.level}
            deciding |= {column for hop in opening.scope[:1] for column in hop.columns}
            if write.purpose in ("touch", "delete"):
                return False
            return bool((write.changed & deciding) - accepted)
        return write.purpose not in ("touch", "delete")

    # -- two steps -----------------------------------------------------------------------

    def chain(self) -> None:
        """After a permitted write to rows that decide about access: what was refused before."""
        # One session: two writes in one attempt take locks in either order, and two sessions would deadlock.
        for plan, outcomes in each((self.probing,), self._chains(), carried_out):
            for write, outcome in zip(plan.writes, outcomes, strict=True):
                if outcome.worked and (outcome.trace or not write.witness):
                    self._judge_second(plan.actor, self.writes[plan.opener], write, outcome)

    def _chains(self) -> Iterator[Plan]:
        """For the leading actors: every distinct permitted first step before all that was refused."""
        trusted = trusted_tables(self.world.model)
        for actor in self.deep_actors():
            openers = [o for o in self.permitted.get(actor, ()) if self._opens(o.attempt.statement, trusted)]
            later = [
                write
                for write, outcome in self.refused.get(actor, ())
                if outcome.state in ("", *REFUSED)
                and (write.table in trusted or write.purpose == "insert")
                and self.violation_of(actor, write) is not None
            ]
            later = list({shape(write, write.before): write for write in later}.values())[:LATER]
            firsts = {shape(self.writes[one.attempt.statement], None): one for one in openers}
            texts, base = self._again(actor)
            for opener in list(firsts.values())[:OPENERS]:
                if not self.in_time(f"second steps of {actor.name}"):
                    return
                yield Plan(actor, tuple(later), opener.attempt.statement, tuple(texts), tuple(base))

    def _opens(self, statement: str, trusted: frozenset[str]) -> bool:
        write = self.writes.get(statement)
        return write is not None and turns(write, trusted)

    def _judge_second(self, actor: Actor, first: Write, write: Write, outcome: Outcome) -> None:
        violation = self.violation_of(actor, write)
        if violation is not None and not self._manages(actor, first):
            self.violations.append(
                Violation(Kind.ESCALATION, actor, write.command, violation.row, (first.sql, write.sql), first)
            )
        self._judge_gains(actor, (first, write), outcome)

    def _judge_gains(self, actor: Actor, writes: tuple[Write, ...], outcome: Outcome) -> None:
        """Rows that were there before and are read only since the actor's own writes."""
        if self._manages(actor, writes[0]):
            return
        queries = self.queries_of(actor.role)
        invited = self._invited(actor)
        for number, ids in outcome.seen.items():
            query = queries[self.sentinels_of(actor.role)[number]]
            before = self.seen[actor][query.table]
            for row in self.world.rows_of(query.table):
                if row.id in query.ids(ids) and row.id not in before:
                    standing = self.standings.standing(actor, row)
                    if may_read(self.world, row, standing) is False and not (
                        invited and standing.base == "ended"
                    ):
                        statements = (*(write.sql for write in writes), query.table)
                        self.violations.append(
                            Violation(Kind.ESCALATION, actor, "SELECT", row, statements, writes[0])
                        )

    def _manages(self, actor: Actor, write: Write) -> bool:
        """Whether the actor administers what the row belongs to: then whom he lets in is his affair."""
        row = write.before or write.after
        if row is None:
            return False
        standing = self.standings.standing(actor, row)
        if standing.base == "owner":  # his own entry in a registry is not his to decide about
            return row.table not in self.world.model.anchors
        return "manage" in standing.rights

    def _invited(self, actor: Actor) -> bool:
        """Whether all that an actor's opening lacks is his own acceptance."""
        changes = actor.spec.changes if actor.spec is not None else ()
        lacking = [(one, value) for one, value in changes if not met_by(one, value)]
        if actor.spec is None or len(lacking) != 1:
            return False
        condition, value = lacking[0]
        opening = next((o for o in self.world.model.openings if o.name == actor.spec.opening), None)
        return opening is not None and any(
            column == condition.column and before == value for column, before, _ in opening.accepts
        )

    def deep_actors(self) -> list[Actor]:
        """Strangers, the other family's owner, and one of each kind of holder, lowest rank first."""
        chosen: list[Actor] = []
        kinds: set[tuple[str, ...]] = set()
        for actor in self.world.actors:
            spec = actor.spec
            if actor.staff or actor.name.startswith("owner of a"):
                continue
            kind = (spec.opening, str(spec.live), spec.rank if spec.live else "") if spec else (actor.name,)
            if kind not in kinds:
                kinds.add(kind)
                chosen.append(actor)
        return chosen[:DEEP_ACTORS]
