"""The answer of access_matrix: cells, lines and the whole, with their short forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.database.rows import table
from tools.registry import Result
from tools.review import Gap
from tools.rls.matrix.access import COMMANDS, Extent
from tools.rls.wording import shown

KINDS: Final = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
MARKS: Final = {Extent.NONE: "-", Extent.DENIED: "0", Extent.ROWS: "~", Extent.EVERY: "*"}
LEGEND: Final = (
    "S I U D are SELECT INSERT UPDATE DELETE. `*` every row, `~` rows by condition, `0` allowed but no "
    "policy lets a row through, `-` no privilege; (3/9) only on that many of the columns."
)
_NAMES: Final = 20
"""Functions named on one line of the compact answer."""


class Cell(BaseModel):
    """What one role may do with one command. `columns` where the privilege is limited to some of them."""

    model_config = ConfigDict(frozen=True)

    role: str
    command: str
    access: Extent
    why: str
    policies: tuple[str, ...] = ()
    restrictive: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


class Line(BaseModel):
    """One relation. `rls` is on, forced, off or not applicable; a command without a cell: no privilege."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_: str = Field(alias="schema")
    relation: str
    kind: str
    rls: str
    api: bool = Field(description="Whether the API serves its schema.")
    width: int = Field(description="Number of columns.")
    cells: tuple[Cell, ...]
    partition_of: str = ""
    policies: tuple[str, ...] = Field(default=(), description="Every policy as it stands; with detail only.")

    @property
    def title(self) -> str:
        """`schema.relation`, fit to be printed."""
        return shown(f"{self.schema_}.{self.relation}")

    def cell(self, role: str, command: str) -> Cell | None:
        """The cell of a role and a command; None means no privilege."""
        return next((c for c in self.cells if c.role == role and c.command == command), None)

    def marks(self, role: str) -> str:
        """`S~ I0 U~(3/9)`, or `-` for nothing at all."""
        found = [self.cell(role, command) for command in COMMANDS]
        return " ".join(_mark(cell, self.width) for cell in found if cell is not None) or "-"


class Executable(BaseModel):
    """A function and those of the roles that may execute it."""

    model_config = ConfigDict(frozen=True)

    function: str
    security: str = Field(description="definer or invoker.")
    api: bool
    roles: tuple[str, ...]

    @property
    def short(self) -> str:
        """The name without the types of its arguments."""
        return self.function.partition("(")[0]


class Matrix(Result):
    """The matrix of one target. `unbound` are roles that row level security does not bind, and why."""

    target: str
    roles: tuple[str, ...]
    unbound: tuple[Gap, ...]
    relations: tuple[Line, ...]
    functions: tuple[Executable, ...]
    not_examined: tuple[Gap, ...]
    detail: bool = False

    def markdown(self) -> str:
        """Relations with the same row share a line; reasons only where they were asked for."""
        lines = [f"{self.target}: who may do what. {LEGEND}", ""]
        rows: dict[tuple[str, ...], list[str]] = {}
        for name, line in together(self.relations, self.roles):
            note = "" if line.api else " (not in the API)"
            sort = "" if line.kind == "table" else f", {line.kind}"
            kind = f"RLS {line.rls}{sort}" if line.rls else line.kind
            rows.setdefault((kind + note, *(line.marks(role) for role in self.roles)), []).append(name)
        lines.append(
            table(
                ["relations", "kind", *self.roles], [[", ".join(names), *row] for row, names in rows.items()]
            )
        )
        if self.detail:
            lines += ["", *self._reasons()]
        lines += ["", *self._functions()]
        lines += [f"RLS does not bind {shown(one.what)}: {one.why}." for one in self.unbound]
        lines += [f"Not examined: {gap.what} ({gap.why})" for gap in self.not_examined]
        return "\n".join(lines)

    def _reasons(self) -> list[str]:
        said: list[str] = []
        for line in self.relations:
            said += [f"- {line.title}, {cell.role} {cell.command}: {reason(cell)}" for cell in line.cells]
            said += [f"  - policy {policy}" for policy in line.policies]
        return said

    def _functions(self) -> list[str]:
        groups: dict[tuple[str, ...], list[Executable]] = {}
        for function in self.functions:
            groups.setdefault((function.security, *function.roles), []).append(function)
        said: list[str] = []
        for (security, *roles), members in groups.items():
            limit = len(members) if self.detail else _NAMES
            names = ", ".join(one.function if self.detail else one.short for one in members[:limit])
            more = f" and {len(members) - limit} more" if len(members) > limit else ""
            said.append(f"EXECUTE, security {security}: {', '.join(roles)} may call {names}{more}.")
        return said


def reason(cell: Cell) -> str:
    """The cell in words: how far, why, on which columns, and what to know beside it."""
    parts = [f"{WORDS[cell.access]}: {cell.why}" if cell.access is not Extent.ROWS else cell.why]
    if cell.columns is not None:
        parts.append(f"only columns {', '.join(cell.columns)}")
    return shown("; ".join([*parts, *cell.notes]))


WORDS: Final = {
    Extent.NONE: "no privilege",
    Extent.DENIED: "no row",
    Extent.ROWS: "rows by condition",
    Extent.EVERY: "every row",
}


def together(lines: Sequence[Line], roles: Sequence[str]) -> list[tuple[str, Line]]:
    """The lines with what they are called; partitions with the same cells stand in one line."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        marks = (line.rls, *(line.marks(role) for role in roles))
        key = (line.partition_of, *marks) if line.partition_of else (line.title,)
        groups.setdefault(key, []).append(line)
    return [
        (
            f"{len(same)} partitions of {shown(same[0].partition_of)}" if len(same) > 1 else same[0].title,
            same[0],
        )
        for same in groups.values()
    ]


def _mark(cell: Cell, width: int) -> str:
    limited = f"({len(cell.columns)}/{width})" if cell.columns is not None else ""
    return f"{cell.command[0]}{MARKS[cell.access]}{limited}"
