"""Values for the parameters of helpers: what callers pass, as SQL over the world's rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.facts import Call, Facts
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach
from tools.rls.sqltree import Node, bare, constant

MOST_VALUES: Final = 200
"""Values of one parameter, and rows of all parameters together times ten."""
CALLER_VALUE: Final = "select auth.uid()::text"
"""Where callers pass their own identity."""
_PREFIX: Final = re.compile(r"^(p|v|_|arg|in|target|wanted|check)_+|^_")


@dataclass(frozen=True, slots=True)
class Passed:
    """What a caller passes in one place: a constant, a column, the caller's identity or something else."""

    text: str | None = None
    column: tuple[str, str] | None = None
    caller: bool = False


class Bindings:
    """Parameters of the functions that policies reach."""

    def __init__(self, reached: Reach) -> None:
        self.reach = reached
        self._passed: dict[tuple[int, int], list[Passed]] = {}
        self._collect()

    def source(self, function: Function) -> str:
        """A FROM entry with every combination of values, named as the function; empty without parameters."""
        count = len(function.argument_types)
        if not count:
            return ""
        names = [self.name(function, at) for at in range(count)]
        parts = [
            f"(select x from ({self._values(function, at)}) as v(x) limit {MOST_VALUES}) as p{at}(x)"
            for at in range(count)
        ]
        picked = ", ".join(
            f"p{at}.x::{type_name} as {_quoted(name)}"
            for at, (name, type_name) in enumerate(zip(names, function.argument_types, strict=True))
        )
        return (
            f"(select {picked} from {', '.join(parts)} limit {MOST_VALUES * 10}) as {_quoted(function.name)}"
        )

    def name(self, function: Function, at: int) -> str:
        """The parameter's name in the FROM entry."""
        named = function.arguments[at] if at < len(function.arguments) else ""
        return named or f"sergei_{at + 1}"

    # -- what is passed --------------------------------------------------------------------

    def _collect(self) -> None:
        for policy in self.reach.snapshot.policies:
            own = self.reach.snapshot.relations[policy.relation]
            for facts in policy.parts():
                for call in facts.calls:
                    self._call(call, facts, own, (), None)
        for function, _ in self.reach.policy_functions.values():
            for facts in body_of(function).facts:
                for call in facts.calls:
                    self._call(call, facts, None, self.reach.path(function), function)

    def _call(
        self, call: Call, facts: Facts, own: Relation | None, path: tuple[str, ...], inside: Function | None
    ) -> None:
        for function in self.reach.resolve(call, path):
            for at, argument in enumerate(call.arguments):
                found = self._passing(argument, facts, own, path)
                if found is not None:
                    self._passed.setdefault((function.oid, at), []).append(found)
                elif inside is not None:
                    self._handed_on(function, at, argument, inside)

    def _passing(
        self, argument: Node, facts: Facts, own: Relation | None, path: tuple[str, ...]
    ) -> Passed | None:
        value = bare(argument)
        known = constant(value)
        if known is not None:
            return Passed(text=str(known).lower() if isinstance(known, bool) else str(known))
        if value is None:
            return None
        if value.kind == "FuncCall" and value.words("funcname") == ("auth", "uid"):
            return Passed(caller=True)
        column = next((c for c in facts.columns if c.node is value), None)
        found = self.reach.column(column, own, path) if column is not None else None
        return Passed(column=(found[0].title, found[1])) if found is not None else None

    def _handed_on(self, function: Function, at: int, argument: Node, inside: Function) -> None:
        """A parameter that a helper passes on to another one has the same values there."""
        value = bare(argument)
        if value is None or value.kind not in ("ColumnRef", "ParamRef"):
            return
        if value.kind == "ParamRef":
            outer = value.number("number") - 1
        else:
            name = value.words("fields")[-1]
            outer = inside.arguments.index(name) if name in inside.arguments else -1
        if outer >= 0:
            self._passed.setdefault((function.oid, at), []).extend(self._passed.get((inside.oid, outer), ()))

    # -- as SQL ------------------------------------------------------------------------------

    def _values(self, function: Function, at: int) -> str:
        passed = dict.fromkeys(self._passed.get((function.oid, at), ()))
        queries = list(dict.fromkeys(filter(None, (self._query(one) for one in passed))))
        if not queries:
            queries = list(self._likely(self.name(function, at), function.argument_types[at]))
        return " union ".join(queries[:12]) or "select null::text"

    def _query(self, passed: Passed) -> str:
        if passed.caller:
            return CALLER_VALUE
        if passed.text is not None:
            return f"select {_literal(passed.text)}::text"
        if passed.column is None:
            return ""
        return self._distinct(*passed.column)

    def _distinct(self, table: str, column: str) -> str:
        relation = self.reach.snapshot.relations[table]
        name = f"{_quoted(relation.schema)}.{_quoted(relation.name)}"
        return f"(select distinct {_quoted(column)}::text from {name} limit {MOST_VALUES})"

    def _likely(self, name: str, type_name: str) -> Iterator[str]:
        """For a parameter that nobody passes: columns that are called like it, or keys of its type."""
        if type_name == "boolean":
            yield "select 'true' union select 'false'"
            return
        wanted = _PREFIX.sub("", name)
        tables = self.reach.snapshot.tables
        alike = [(t.title, c.name) for t in tables for c in t.columns.values() if c.name in (name, wanted)]
        keys = [
            (table.title, key.columns[0])
            for table in tables
            for key in table.keys
            if key.kind == "p" and len(key.columns) == 1 and table.columns[key.columns[0]].type == type_name
        ]
        for title, column in (alike or keys)[:12]:
            if self.reach.snapshot.relations[title].columns[column].type == type_name:
                yield self._distinct(title, column)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
