"""Pieces of SQL that a design is made of: identities, living conditions, hops followed as joins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tools.rls.objects import Column, Relation
from tools.rls.proof.model import Condition, Hop, Identity, Way
from tools.rls.snapshot import Snapshot
from tools.rls.wording import literal, quoted, table_name

_DATES: Final = frozenset({"date"})


def identity(one: Identity, kind: str) -> str:
    """The caller's identity as a value of type `kind`, worked out once per statement."""
    match one.kind:
        case "uid":
            return "(select auth.uid())" if kind == "uuid" else f"(select auth.uid()::{kind})"
        case "claim":
            path = literal("{" + ",".join(one.path) + "}")
            return f"(select (auth.jwt() #>> {path})::{kind})"
        case "setting":
            return f"(select nullif(current_setting({literal(one.path[0])}, true), '')::{kind})"
        case _:
            return "current_user" if kind == "name" else f"(select current_user::{kind})"


def test_of(one: Condition, column: Column, alias: str = "") -> str:
    """The condition as SQL on the column; `alias` qualifies it."""
    name = f"{alias}.{quoted(one.column)}" if alias else quoted(one.column)
    day = column.type in _DATES
    match one.kind:
        case "one_of":
            values = [literal(value) for value in one.values]
            return f"{name} = {values[0]}" if len(values) == 1 else f"{name} in ({', '.join(values)})"
        case "null":
            return f"{name} is null"
        case "not_null":
            return f"{name} is not null"
        case "future":
            later = f"{name} >= current_date" if day else f"{name} > now()"
            return later if column.required else f"({name} is null or {later})"
        case "past":
            earlier = f"{name} <= current_date" if day else f"{name} <= now()"
            return earlier if column.required else f"({name} is null or {earlier})"
        case "true":
            return f"{name} is true"
        case _:
            return f"{name} is not true"


@dataclass(slots=True)
class Joins:
    """A FROM clause that grows: one relation, and each chain of hops from it joined once."""

    snapshot: Snapshot
    table: str
    aliases: dict[tuple[Hop, ...], str] = field(default_factory=dict[tuple[Hop, ...], str])
    lines: list[str] = field(default_factory=list[str])
    tests: list[str] = field(default_factory=list[str])
    avoid: str = ""
    """A name from outside that an alias must not hide."""

    def __post_init__(self) -> None:
        self.aliases[()] = self._alias(self.table)

    @property
    def first(self) -> str:
        """The alias of the relation itself."""
        return self.aliases[()]

    def follow(self, hops: Sequence[Hop]) -> str:
        """The alias of the relation at the end of the hops. A hop that may be null is joined loosely."""
        for end in range(1, len(hops) + 1):
            chain = tuple(hops[:end])
            if chain in self.aliases:
                continue
            before, hop = self.aliases[chain[:-1]], chain[-1]
            alias = self.aliases[chain] = self._alias(hop.target)
            loose = "left " if self.optional(chain) else ""
            on = " and ".join(
                f"{alias}.{quoted(theirs)} = {before}.{quoted(ours)}"
                for ours, theirs in zip(hop.columns, hop.target_columns, strict=True)
            )
            self.lines.append(f"{loose}join {table_name(self._relation(hop.target))} {alias} on {on}")
        return self.aliases[tuple(hops)]

    def optional(self, hops: Sequence[Hop]) -> bool:
        """Whether some hop of the chain may be null."""
        return any(
            not self._relation(hop.table).columns[name].required for hop in hops for name in hop.columns
        )

    def require(self, one: Condition) -> None:
        """Keep only rows for which the condition holds (or that refer to nothing, where they may)."""
        column = self._relation(one.table).columns.get(one.column)
        if column is None:
            return
        test = test_of(one, column, self.follow(one.hops))
        if one.hops and self.optional(one.hops):
            start = f"{self.first}.{quoted(one.hops[0].columns[-1])}"
            test = f"({start} is null or {test})"
        if test not in self.tests:
            self.tests.append(test)

    def value(self, hops: Sequence[Hop], column: str) -> str:
        """A column at the end of the hops; the last join is left out where its key column says it already."""
        if hops and hops[-1].target_columns.count(column) == 1:
            at = hops[-1].target_columns.index(column)
            return f"{self.follow(hops[:-1])}.{quoted(hops[-1].columns[at])}"
        return f"{self.follow(hops)}.{quoted(column)}"

    def account(self, way: Way) -> str:
        """The column that names the account."""
        return self.value(way.hops, way.column)

    def clauses(self, indent: str = "  ", also: Iterable[str] = ()) -> str:
        """`from ... join ... where ...`, one line each."""
        head = f"from {table_name(self._relation(self.table))} {self.first}"
        tests = [*also, *self.tests]
        where = [f"where {f'{chr(10)}{indent}  and '.join(tests)}"] if tests else []
        return f"\n{indent}".join([head, *self.lines, *where])

    def _relation(self, title: str) -> Relation:
        return self.snapshot.relations[title]

    def _alias(self, title: str) -> str:
        words = title.partition(".")[2].split("_")
        stem = "".join(word[0] for word in words if word[:1].isalpha()).lower()[:3] or "t"
        taken = set(self.aliases.values())
        for number in range(1, 100):
            alias = stem if number == 1 else f"{stem}{number}"
            if alias not in taken and alias != self.avoid and quoted(alias) == alias:
                return alias
        return f"{stem}_more"
