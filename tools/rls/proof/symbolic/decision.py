"""Is there a state of an opening's row that the database lets through and the model calls dead?

For every policy and every opening, the policy is a formula over the caller's one row in the opening: status,
expiry, level, and the rows that its keys lead to. The solver looks for a state in which this row makes the
difference between refused and admitted although the model says that it is dead, or in which it admits a
write that its level has no right to. Such a state is a candidate: the world makes that person and the attack
is executed. "No dead state passes" is said of the opening's row alone, whatever else
the database holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from tools.review import Gap
from tools.rls.facts import Facts
from tools.rls.objects import Policy, Relation
from tools.rls.proof.actors import Spec
from tools.rls.proof.model import Model, Opening
from tools.rls.proof.symbolic.formula import TRUE, assuming, both, negated, variables
from tools.rls.proof.symbolic.limits import Limits
from tools.rls.proof.symbolic.lookups import tables_of
from tools.rls.proof.symbolic.question import Question, Timeout
from tools.rls.proof.symbolic.reading import Reader
from tools.rls.proof.symbolic.scopes import Scope, Source, Unclear
from tools.rls.proof.symbolic.solver import Context
from tools.rls.proof.symbolic.states import tested
from tools.rls.proof.symbolic.terms import Row, Space
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.shapes import Shape

BUDGET: Final = 20.0
_WRITES: Final = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Symbolic:
    """What the solver says. `reasons` go with `witnesses`: where each of them passes.

    `exact`: lookups that let no dead state through, whatever the rest of the database holds.
    `beyond`: lookups that could not be translated, and why.
    """

    witnesses: tuple[Spec, ...]
    reasons: tuple[str, ...]
    exact: tuple[str, ...]
    beyond: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One condition that lets rows of a table through, with the restrictive ones that it stands beside."""

    policy: Policy
    relation: Relation
    facts: Facts
    beside: tuple[Facts, ...]
    writes: bool


def decide(
    snapshot: Snapshot,
    model: Model,
    shapes: Mapping[str, Shape] | None = None,
    *,
    budget_seconds: float = BUDGET,
) -> Symbolic:
    """Ask for every opening and every policy. With `shapes`, only states that enums and CHECKs allow."""
    reached = reach(snapshot)
    places = tuple(_places(snapshot))
    end = monotonic() + budget_seconds
    limits = Limits.of(model, shapes or {})
    found: dict[Spec, str] = {}
    exact: dict[str, None] = {}
    beyond: dict[tuple[str, str], None] = {}
    for opening in model.openings:
        if opening.table in snapshot.relations:
            decision = _Decision(reached, opening, limits)
            decision.run(places, end)
            for spec, where in decision.found.items():
                found.setdefault(spec, where)
            exact |= dict.fromkeys(decision.exact())
            beyond |= dict.fromkeys(decision.beyond.items())
    gaps = tuple(Gap(what=what, why=why) for what, why in beyond)
    return Symbolic(tuple(found), tuple(found.values()), tuple(exact), gaps)


def _places(snapshot: Snapshot) -> Iterator[Place]:
    """Every condition of a permissive policy."""
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            if not policy.permissive:
                continue
            for facts in policy.parts():
                new_row = policy.new_row
                checks = new_row is not None and (new_row is facts or policy.check_text == policy.using_text)
                writes = policy.command in _WRITES or (policy.command == "ALL" and checks)
                yield Place(policy, relation, facts, tuple(_beside(relation, policy, facts)), writes)


def _beside(relation: Relation, policy: Policy, facts: Facts) -> Iterator[Facts]:
    for other in relation.policies:
        same = other.command == "ALL" or policy.command in (other.command, "ALL")
        everybody = "public" in other.roles or set(policy.roles) <= set(other.roles)
        if other.permissive or not same or not everybody or policy.command == "ALL" != other.command:
            continue
        part = other.new_row if facts is policy.check else other.using
        if part is not None:
            yield part


class _Decision:
    """All questions about one opening."""

    def __init__(self, reached: Reach, opening: Opening, limits: Limits) -> None:
        self.reach = reached
        self.opening = opening
        self.limits = limits
        self.found: dict[Spec, str] = {}
        self.beyond: dict[str, str] = {}
        self._context = Context()
        self._closed: dict[str, None] = {}
        self._open: set[str] = set()
        self._seen: set[object] = set()

    def run(self, places: tuple[Place, ...], end: float) -> None:
        """Ask at every place that reads the opening's table; like places are asked once."""
        for place in places:
            key = self._key(place)
            if key in self._seen or not self._touches(place.facts):
                continue
            self._seen.add(key)
            if monotonic() > end:
                self.beyond.setdefault(place.policy.title, "out of time")
                continue
            try:
                self._ask(place)
            except (Unclear, RecursionError) as unclear:
                why = str(unclear.args[0]) if isinstance(unclear, Unclear) else "nested too deeply"
                self.beyond.setdefault(place.policy.title, why)
            except Timeout:
                self.beyond.setdefault(place.policy.title, "too hard for the solver")

    def exact(self) -> tuple[str, ...]:
        """Lookups that let no dead state through anywhere."""
        name = self.opening.table.partition(".")[2]
        return tuple(
            f"{where} over {name}: no dead state passes"
            for where in self._closed
            if where not in self._open and where not in self.beyond
        )

    def _key(self, place: Place) -> object:
        named = {column.name for column in place.facts.columns}
        own = frozenset((c.name, c.type) for c in place.relation.columns.values() if c.name in named)
        ours = place.relation.title if place.relation.title == self.opening.table else ""
        return (id(place.facts.root), tuple(id(f.root) for f in place.beside), own, place.writes, ours)

    def _touches(self, facts: Facts) -> bool:
        title = self.opening.table
        for source in facts.sources():
            relation = self.reach.relation(source)
            if relation is not None and any(base.title == title for base in self.reach.base_tables(relation)):
                return True
        return any(title in tables_of(self.reach, function) for function in self.reach.reached(facts))

    def _ask(self, place: Place) -> None:
        space = Space(self.reach.snapshot, self.opening, self.limits.labels)
        known = tested(space, self.opening)
        reader = Reader(self.reach, space, self.opening)
        row = Row(f"row of {place.relation.title}", place.relation, {}, TRUE)
        own = Source(place.relation, None, row.name, row)
        scope = Scope((), None, place.policy.title, {place.relation.name: own})
        truth = both(reader.truth(facts.root, scope) for facts in (place.facts, *place.beside))
        self.beyond |= {what: why for what, why in reader.beyond.items() if what not in self.beyond}
        if not reader.used or space.held.name not in variables(truth.true):
            return
        for row in space.linked():
            self._limit(reader, row)
        held = assuming(truth.true, space.held, value=True)
        without = negated(assuming(truth.true, space.held, value=False))
        question = Question(space, self.opening, known, (held, without), self.limits.constants, self._context)
        if not question.opens():
            return
        specs = list(question.dead()) + list(question.levels(writes=place.writes))
        for spec in specs:
            self.found.setdefault(
                spec, f"{place.policy.title} lets it through ({', '.join(sorted(reader.used))})"
            )
        (self._open.update if specs else self._closed.update)(dict.fromkeys(sorted(reader.used)))

    def _limit(self, reader: Reader, row: Row) -> None:
        """Only what the table's CHECKs allow: a state that no row can be in is no witness."""
        source = Source(row.relation, None, row.name, row)
        scope = Scope((), None, f"checks of {row.name}", {row.relation.name: source})
        for number, facts in enumerate(self.limits.checks.get(row.relation.title, ())):
            broken = reader.truth(facts.root, scope).false
            reader.space.given[f"check {number} of {row.name}"] = negated(broken)
