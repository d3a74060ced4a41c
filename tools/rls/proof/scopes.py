"""What a name means at one place of a query: FROM entries, CTEs, parameters, the policy's own row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tools.rls.proof.graph import NOTHING, Frame, Ref, Sources, union


@dataclass(frozen=True, slots=True)
class Derived:
    """Columns by name: a table's row, a view, a subquery, a function's result."""

    columns: Mapping[str, Sources]
    loose: bool = False
    """Whether the names are not known for sure, so that a single column answers to any name."""

    def get(self, name: str) -> Sources | None:
        """The sources of a column, or None when there is none of this name."""
        found = self.columns.get(name)
        if found is None and self.loose:
            named = [
                s
                for sources in self.columns.values()
                for s in sources
                if isinstance(s, Ref) and s.column == name
            ]
            return frozenset(named) if named else union(self.columns.values())
        return found


def of_row(row: int, columns: Mapping[str, object]) -> Derived:
    """The columns of a table's row."""
    return Derived({name: frozenset({Ref(row, name)}) for name in columns})


@dataclass(slots=True, eq=False)
class Scope:
    """One query level. `parameters` hold by name and, from $1 on, by position."""

    frame: Frame
    parent: Scope | None = None
    path: tuple[str, ...] = ()
    entries: dict[str, Derived] = field(default_factory=dict[str, Derived])
    ctes: dict[str, Derived] = field(default_factory=dict[str, Derived])
    parameters: Mapping[str, Sources] = field(default_factory=dict[str, Sources])
    positions: tuple[Sources, ...] = ()
    routine: str = ""

    def nested(self) -> Scope:
        """A query level inside this one."""
        return Scope(self.frame, self, self.path)

    def chain(self) -> Iterator[Scope]:
        """This level and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def cte(self, name: str) -> Derived | None:
        """The CTE of this name."""
        return next((scope.ctes[name] for scope in self.chain() if name in scope.ctes), None)

    def column(self, names: tuple[str, ...]) -> Sources:
        """The sources of a column reference; columns come before parameters of the same name."""
        *qualifiers, name = names
        if qualifiers:
            return self._qualified(qualifiers[-1], name)
        for scope in self.chain():
            for entry in scope.entries.values():
                found = entry.get(name)
                if found is not None:
                    return found
        for scope in self.chain():
            if name in scope.parameters:
                return scope.parameters[name]
            for entry_name, entry in scope.entries.items():
                if entry_name == name:  # a whole row, or a function's only column under its alias
                    return union(entry.columns.values())
        return NOTHING

    def _qualified(self, qualifier: str, name: str) -> Sources:
        for scope in self.chain():
            if qualifier in scope.entries:
                entry = scope.entries[qualifier]
                return union(entry.columns.values()) if name == "*" else entry.get(name) or NOTHING
        for scope in self.chain():
            if scope.routine == qualifier and name in scope.parameters:
                return scope.parameters[name]
            if qualifier in scope.parameters:  # a row variable: its columns were not kept apart
                held = scope.parameters[qualifier]
                named = frozenset(s for s in held if isinstance(s, Ref) and s.column == name)
                return named or held
        return NOTHING

    def parameter(self, number: int) -> Sources:
        """What $number holds."""
        for scope in self.chain():
            if scope.positions:
                return scope.positions[number - 1] if 0 < number <= len(scope.positions) else NOTHING
        return NOTHING
