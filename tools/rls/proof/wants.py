"""What policies and triggers want of a row, so that somebody gets through: read out of their conditions.

    author_member_id in (select m.id from members m where m.user_id = auth.uid()) and status = 'sent'
    and exists (select from threads t where t.id = thread_id and t.closed_at is null)

wants `status` equal to a constant, `author_member_id` equal to the key of the caller's own membership, and a
`thread_id` that leads to a thread without `closed_at`. Helpers are entered, as everywhere in a flow. All
alternatives of a condition are taken together: what comes out are values to try, not a proof that they pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tools.rls.bodies import plpgsql_source
from tools.rls.facts import expression
from tools.rls.objects import Policy, Relation
from tools.rls.proof.chains import Graph
from tools.rls.proof.flow import Flow, flow
from tools.rls.proof.graph import Frame, Test, TestKind, Way
from tools.rls.proof.model import Identity
from tools.rls.proof.scopes import Scope, of_row
from tools.rls.proof.side import NOW_TEXT, TRUE
from tools.rls.snapshot import Snapshot

Pairs = tuple[tuple[str, str], ...]
"""Columns that are equal: of a row, and of the row that it leads to."""
STEPS: Final = 3
"""Rows between a row and the one that names the caller; longer ways are not followed."""


@dataclass(frozen=True, slots=True)
class Own:
    """`column` equals `there` of a row of `table`; `steps` lead from that to one that `named` the caller."""

    column: str
    there: str
    table: str
    steps: tuple[tuple[Pairs, str], ...]
    named: str
    identity: Identity
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """`column` equals `there` of the row of `table` that the row leads to over `pairs`, or of itself."""

    column: str
    there: str
    table: str
    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Parent:
    """The row that `pairs` lead to must pass tests of its own."""

    table: str
    pairs: Pairs
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """What one alternative wants: of a row as it is (`before`), and of the row as it is to be.

    `perhaps` are tests that a trigger makes of the new row, for whatever follows from them.
    """

    before: tuple[Test, ...] = ()
    tests: tuple[Test, ...] = ()
    perhaps: tuple[Test, ...] = ()
    asked: tuple[tuple[str, Identity], ...] = ()
    own: tuple[Own, ...] = ()
    linked: tuple[Linked, ...] = ()
    parents: tuple[Parent, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the new row that something is wanted of."""
        named = [test.ref.column for test in self.tests] + [column for column, _ in self.asked]
        named += [one.column for one in (*self.own, *self.linked)]
        return tuple(dict.fromkeys(named))


class Wants:
    """The wants of a snapshot's policies and triggers, by table and command."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.flow: Flow = flow(snapshot)

    def of(self, relation: Relation, command: str) -> tuple[Want, ...]:
        """One want for every alternative of every permissive policy, with what restrictive ones add to it."""
        guarding = self._triggers(relation, command)
        always: list[Want] = [guarding]
        found: dict[Want, None] = {}
        for policy in relation.policies:
            if not policy.permissive and policy.covers(command):
                always += self._alternatives(policy, command)
        for policy in relation.policies:
            if policy.permissive and policy.covers(command):
                for one in self._alternatives(policy, command):
                    found[_together(one, *always)] = None
        return tuple(found)

    def _alternatives(self, policy: Policy, command: str) -> list[Want]:
        ways = self.flow.ways(policy)
        using = [self._of(way) for way in ways if way.part == "using"]
        check = [self._of(way) for way in ways if way.part == "check"]
        old = [Want(before=one.tests, parents=one.parents) for one in using]
        match command:
            case "INSERT":
                return check or using
            case "DELETE":
                return [replace(one, parents=()) for one in old]
            case _:
                return [
                    replace(new, before=before.before) for before in old or [Want()] for new in check or using
                ]

    # -- policies ------------------------------------------------------------------------

    def _of(self, way: Way) -> Want:
        """What one alternative says about its own row."""
        graph = Graph(way.frame)
        tests = [test for frame in graph.frames for test in frame.tests]
        reached = {row: tuple(pairs) for row, pairs in graph.edges.get(way.row, {}).items()}
        own: list[Own] = []
        linked: list[Linked] = []
        parents: list[Parent] = []
        for row, pairs in reached.items():
            table = self.flow.tables[row]
            asking = next(self._to_caller(graph, row, way.row), None)
            passed = _own_tests(tests, row)
            for column, there in dict.fromkeys(pairs):
                if asking is not None:
                    own.append(Own(column, there, table, *asking, passed))
                rest = tuple(pair for pair in pairs if pair[0] != column)
                if rest:
                    linked.append(Linked(column, there, table, rest))
            parents += [Parent(table, pairs, passed)] if passed else []
        for one, other in (pair for frame in graph.frames for pair in frame.same):
            if one.row == way.row and one.column != other.column:
                linked += [Linked(a.column, b.column, way.table, ()) for a, b in ((one, other), (other, one))]
        return Want(
            tests=_own_tests(tests, way.row),
            asked=tuple((ref.column, identity) for ref, identity in graph.asks if ref.row == way.row),
            own=tuple(dict.fromkeys(own)),
            linked=tuple(dict.fromkeys(linked)),
            parents=tuple(dict.fromkeys(parents)),
        )

    def _to_caller(
        self, graph: Graph, row: int, origin: int
    ) -> Iterator[tuple[tuple[tuple[Pairs, str], ...], str, Identity]]:
        """The shortest ways from a row to one that names the caller, not over the policy's own row."""
        waiting: list[tuple[int, tuple[tuple[Pairs, str], ...]]] = [(row, ())]
        known = {origin, row}
        while waiting:
            at, steps = waiting.pop(0)
            for ref, identity in graph.asks:
                if ref.row == at:
                    yield steps, ref.column, identity
            for other, pairs in graph.edges.get(at, {}).items() if len(steps) < STEPS else ():
                if other not in known:
                    known.add(other)
                    step = (tuple(dict.fromkeys(pairs)), self.flow.tables[other])
                    waiting.append((other, (*steps, step)))

    # -- triggers ------------------------------------------------------------------------

    def _triggers(self, relation: Relation, command: str) -> Want:
        """The contrary of what triggers look at, and perhaps that itself: most refuse what they test for."""
        before: list[Test] = []
        perhaps: list[Test] = []
        functions = {function.oid: function for function in self.snapshot.functions}
        for trigger in relation.triggers:
            function = functions.get(trigger.function)
            source = plpgsql_source(function) if function is not None and trigger.fires(command) else None
            if source is None:
                continue
            frame = Frame()
            new, old = self.flow.row(relation.title, frame), self.flow.row(relation.title, frame)
            entries = {"new": of_row(new, relation.columns), "old": of_row(old, relation.columns)}
            for text in source.expressions:
                facts = expression(text)
                if facts is not None and text not in source.returned:
                    self.flow.truth(facts.root, Scope(frame, entries=entries))
            found = [test for one in frame.closure() for test in one.tests]
            perhaps += _own_tests(found, new)
            before += _contrary(_own_tests(found, old))
        tests = _contrary(tuple(perhaps))
        return Want(before=tuple(before), tests=tests, perhaps=tuple(perhaps))


def meets(test: Test, value: str | None) -> bool:
    """Whether a value passes a test; times are compared as ISO text."""
    match test.kind:
        case "equal":
            return value == test.value
        case "unequal":
            return value is not None and value != test.value
        case "null":
            return value is None
        case "not_null":
            return value is not None
        case "future":
            return value is not None and value > NOW_TEXT
        case "past":
            return value is not None and value <= NOW_TEXT
        case "true":
            return value in TRUE
        case _:
            return value in ("false", "f", "0")


def unmet(tests: tuple[Test, ...], values: dict[str, str | None]) -> tuple[str, ...]:
    """Columns of which no test is passed: tests of one column are alternatives."""
    columns = dict.fromkeys(test.ref.column for test in tests if test.ref.column in values)
    return tuple(
        name
        for name in columns
        if not any(meets(test, values[name]) for test in tests if test.ref.column == name)
    )


_CONTRARY: Final[Mapping[TestKind, TestKind]] = {
    "equal": "unequal",
    "unequal": "equal",
    "null": "not_null",
    "not_null": "null",
    "future": "past",
    "past": "future",
    "true": "false",
    "false": "true",
}


def _contrary(tests: tuple[Test, ...]) -> tuple[Test, ...]:
    """A guard tests for what it refuses."""
    return tuple(replace(test, kind=_CONTRARY[test.kind]) for test in tests)


def _own_tests(tests: list[Test], row: int) -> tuple[Test, ...]:
    """The tests of one row, under a number that is the same in every alternative."""
    return tuple(dict.fromkeys(_numbered(test) for test in tests if test.ref.row == row))


def _numbered(test: Test) -> Test:
    return replace(test, ref=replace(test.ref, row=0))


def _together(*wants: Want) -> Want:
    """All of it at once; of one column the first is tried first."""
    return Want(
        before=tuple(dict.fromkeys(test for one in wants for test in one.before)),
        tests=tuple(dict.fromkeys(test for one in wants for test in one.tests)),
        perhaps=tuple(dict.fromkeys(test for one in wants for test in one.perhaps)),
        asked=tuple(dict.fromkeys(ask for one in wants for ask in one.asked)),
        own=tuple(dict.fromkeys(own for one in wants for own in one.own)),
        linked=tuple(dict.fromkeys(link for one in wants for link in one.linked)),
        parents=tuple(dict.fromkeys(parent for one in wants for parent in one.parents)),
    )
