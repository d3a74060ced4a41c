"""Rows and columns as variables: the caller's own row in an opening, and the rows that its keys lead to.

Two FROM entries that are found by the same unique key with the same value are one row. Every column is one
whole-number variable and a flag for NULL: texts are numbered, times are seconds from now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from tools.rls.objects import Key, Relation
from tools.rls.proof.model import Hop, Opening
from tools.rls.proof.symbolic.formula import (
    FALSE,
    TRUE,
    Flag,
    Formula,
    any_of,
    compared,
    negated,
)
from tools.rls.snapshot import Snapshot

ValueKind: TypeAlias = Literal["text", "boolean", "number", "time", "literal"]

DAY: Final = 86_400
_FIRST_TEXT: Final = 1_000_000_000_000
_TIMES: Final = ("timestamp", "date")
_NUMBERS: Final = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value: which variable or number it is under which condition, and when it is NULL.

    `text` is set for a literal whose type the other side decides, `shift` are seconds added to a time,
    `origin` tells the caller's identity from the column that holds it.
    """

    cases: tuple[tuple[Formula, str | int], ...]
    null: Formula
    kind: ValueKind
    text: str = ""
    shift: int = 0
    origin: Literal["", "identity", "account"] = ""

    @property
    def atom(self) -> str | int | None:
        """The variable or number, where it is one in all cases."""
        return self.cases[0][1] if len(self.cases) == 1 and self.cases[0][0] == TRUE else None


NULL: Final = Scalar((), TRUE, "literal")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row. `key` are the columns that it was found by; `exists` is when there is such a row."""

    name: str
    relation: Relation
    key: Mapping[str, Scalar]
    exists: Formula
    hops: tuple[Hop, ...] | None = None
    """From the opening's row, where keys lead to this row."""


class Space:
    """All rows and columns that formulas about one opening speak of."""

    def __init__(
        self, snapshot: Snapshot, opening: Opening, labels: Mapping[tuple[str, str], tuple[str, ...]]
    ) -> None:
        self.snapshot = snapshot
        self.labels = labels
        self.given: dict[str, Formula] = {}
        self.cells: dict[str, tuple[Row, str]] = {}
        self._texts: dict[str, int] = {}
        self._spelt: dict[int, str] = {}
        self._rows: dict[str, Row] = {}
        self._fixed: dict[str, Scalar] = {}
        self.held: Final = Flag("held")
        self.caller: Final = Scalar(((TRUE, self.number_of("\0caller")),), FALSE, "text", origin="identity")
        self.opening: Final = opening
        self.own: Final = Row(opening.table, snapshot.relations[opening.table], {}, self.held, ())
        self._holder: tuple[Hop, ...] = opening.account.hops
        holder = self.follow(self._holder)
        self._fixed[f"{holder.name}.{opening.account.column}"] = replace(self.caller, origin="account")

    # -- values --------------------------------------------------------------------------

    def number_of(self, text: str) -> int:
        """The number that stands for a text."""
        if text not in self._texts:
            self._texts[text] = _FIRST_TEXT + len(self._texts)
            self._spelt[self._texts[text]] = text
        return self._texts[text]

    def spelt(self, number: int) -> str | None:
        """The text behind a number, or None for one that nothing mentions."""
        return self._spelt.get(number)

    def constant(self, text: str, kind: ValueKind) -> int | None:
        """A literal as a value of `kind`, or None where it is none."""
        word = text.strip().lower()
        if kind == "boolean":
            return 1 if word in ("t", "true", "1", "yes", "on") else 0
        if kind == "number":
            return int(word) if re.fullmatch(r"[+-]?\d+", word) else None
        if kind == "time":
            return {"infinity": 10_000 * 366 * DAY, "-infinity": -10_000 * 366 * DAY, "now": 0}.get(word)
        return self.number_of(text)

    def opaque(self, name: str, kind: ValueKind = "text") -> Scalar:
        """A value that nothing is known of; the same name is the same value."""
        return Scalar(((TRUE, name),), Flag(f"{name} null"), kind)

    # -- rows ----------------------------------------------------------------------------

    def fresh(self, relation: Relation, name: str) -> Row:
        """Some row of a table, if there is one."""
        return Row(name, relation, {}, Flag(f"{name} exists"))

    def found(self, relation: Relation, by: Mapping[str, Scalar]) -> Row | None:
        """The row that these column values single out, or None where they do not."""
        unique = _unique(relation, by)
        if unique is None:
            return None
        key = {column: _unsaid(by[column]) for column in unique}
        atoms = {column: scalar.atom for column, scalar in key.items()}
        origins = {self.cells.get(str(atom)) for atom in atoms.values()}
        rows = {origin[0] for origin in origins if origin is not None}
        source = next(iter(rows)) if len(rows) == 1 else None
        itself = {column: column for column in key}
        if source is not None and source.relation is relation and self._columns(source, key) == itself:
            return source
        name = f"{relation.title}[{', '.join(f'{c}={a}' for c, a in atoms.items())}]"
        if name not in self._rows:
            self._rows[name] = self._reached(relation, name, key, source)
        return self._rows[name]

    def _reached(self, relation: Relation, name: str, key: dict[str, Scalar], source: Row | None) -> Row:
        foreign = _foreign(source.relation, relation, self._columns(source, key)) if source else None
        if source is None or foreign is None:
            return Row(name, relation, key, Flag(f"{name} exists"))
        hop = Hop(source.relation.title, foreign.columns, relation.title, foreign.target_columns)
        hops = (*source.hops, hop) if source.hops is not None else None
        return Row(name, relation, key, source.exists if source.hops is None else TRUE, hops)

    def _columns(self, source: Row, key: Mapping[str, Scalar]) -> dict[str, str]:
        """Key column -> the column of `source` that its value comes from."""
        found: dict[str, str] = {}
        for column, scalar in key.items():
            at = self.cells.get(str(scalar.atom))
            if at is not None and at[0] is source:
                found[column] = at[1]
        return found

    def follow(self, hops: tuple[Hop, ...]) -> Row:
        """The row that a chain of keys leads to from the opening's row; it exists while that row does."""
        row = self.own
        for hop in hops:
            relation = self.snapshot.relations[hop.target]
            values = [self.cell(row, column) for column in hop.columns]
            by = dict(zip(hop.target_columns, map(_unsaid, values), strict=True))
            hops_here = (*(row.hops or ()), hop)
            if hops_here == self._holder and self.opening.account.column not in by:
                # One of several members of a group: the one that the caller is.
                by[self.opening.account.column] = replace(self.caller, origin="account")
            unique = _unique(relation, by) or hop.target_columns
            atoms = ", ".join(f"{c}={by[c].atom}" for c in unique)
            name = f"{relation.title}[{atoms}]"
            if name not in self._rows:
                self._rows[name] = Row(name, relation, {c: by[c] for c in unique}, TRUE, hops_here)
            for value in values:
                if isinstance(value.null, Flag):  # a living row and its dead copy refer to the same rows
                    self.given[value.null.name] = negated(value.null)
            row = self._rows[name]
        return row

    def linked(self) -> tuple[Row, ...]:
        """The opening's row and the rows that its keys lead to."""
        return (self.own, *(row for row in self._rows.values() if row.hops is not None))

    # -- columns -------------------------------------------------------------------------

    def cell(self, row: Row, column: str) -> Scalar:
        """One column of one row."""
        if column in row.key:
            return replace(row.key[column], null=FALSE)
        name = f"{row.name}.{column}"
        if name in self._fixed:
            return self._fixed[name]
        same = self._copied(row, column)
        if same is not None:
            return same
        described = row.relation.columns[column]
        kind = kind_of(described.type)
        self.cells.setdefault(name, (row, column))
        if name not in self.given:
            self.given[name] = self._domain(name, row.relation.title, column, kind)
        return Scalar(((TRUE, name),), FALSE if described.required else Flag(f"{name} null"), kind)

    def _copied(self, row: Row, column: str) -> Scalar | None:
        """The referring row's own column, where a composite foreign key says that both are equal."""
        for scalar in row.key.values():
            at = self.cells.get(str(scalar.atom))
            if at is None:
                continue
            source = at[0]
            foreign = _foreign(source.relation, row.relation, self._columns(source, row.key))
            if foreign is not None and column in foreign.target_columns:
                return self.cell(source, foreign.columns[foreign.target_columns.index(column)])
        return None

    def _domain(self, name: str, table: str, column: str, kind: ValueKind) -> Formula:
        if kind == "boolean":
            return any_of((compared("=", name, 0), compared("=", name, 1)))
        if kind == "time":
            # The moment itself says nothing: which side a row is on must not depend on the clock's tick.
            near = DAY if self.snapshot.relations[table].columns[column].type == "date" else 60
            return any_of((compared("<", name, -near), compared("<", near, name)))
        known = self.labels.get((table, column), ()) if kind == "text" else ()
        return any_of(compared("=", name, self.number_of(label)) for label in known) if known else TRUE


def _unsaid(scalar: Scalar) -> Scalar:
    """A row found by the account names the caller as well as auth.uid() does."""
    return replace(scalar, origin="identity") if scalar.origin == "account" else scalar


def kind_of(type_name: str) -> ValueKind:
    """What a column's type is to a formula."""
    if type_name == "boolean":
        return "boolean"
    if type_name.startswith(_TIMES) and not type_name.endswith("]"):
        return "time"
    return "number" if type_name.startswith(_NUMBERS) and not type_name.endswith("]") else "text"


def _unique(relation: Relation, by: Mapping[str, Scalar]) -> tuple[str, ...] | None:
    """The smallest unique key, primary before others, whose columns all have one known value."""
    usable = {column for column, scalar in by.items() if scalar.atom is not None}
    keys = [key for key in relation.keys if key.kind in "pu" and key.columns and set(key.columns) <= usable]
    keys.sort(key=lambda key: (key.kind != "p", len(key.columns), key.columns))
    return keys[0].columns if keys else None


def _foreign(source: Relation, target: Relation, columns: Mapping[str, str]) -> Key | None:
    """The foreign key of `source` that these (target column -> source column) pairs follow."""
    for key in source.foreign_keys:
        pairs = dict(zip(key.target_columns, key.columns, strict=True))
        if key.target == target.title and columns and columns.items() <= pairs.items():
            return key
    return None
