"""Rows on their way out. The raw values live in one sealed place and never in what can be serialised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from tools.database.literals import without_literals
from tools.database.phi import Verdict, suppress
from tools.redaction import Redactor
from tools.registry import Facts, Result

CELL_CHARS: Final = 2_000
_WHOLE: Final = frozenset({"smallint", "integer", "bigint", "oid"})
_SHAPELESS: Final = frozenset(
    {"boolean", "uuid", "date", "real", "double precision", "bytea", "timestamp with time zone"}
    | {"timestamp without time zone", "interval", "time without time zone", "regclass", "pg_lsn", "xid"}
)
"""Types in which no e-mail address, phone number or key can be written."""
_REMEMBERED_BYTES: Final = 200
Cell: TypeAlias = str | int | float | bool | None


class Column(BaseModel):
    """One result column. `shown` says whether its values are clear, `why` says why or why not."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    source: str | None = Field(default=None, description="schema.table.column that the values come from.")
    shown: bool
    why: str


@dataclass(frozen=True, slots=True)
class Raw:
    """One value as PostgreSQL printed it, cut to what is kept, with its full size in bytes."""

    octets: bytes
    size: int

    def __repr__(self) -> str:
        return f"Raw({self.size} bytes)"


class Rows(Result):
    """Rows of a query. Until `redacted` was called there are no rows here to serialise, only their number."""

    columns: tuple[Column, ...] = ()
    rows: list[list[Cell]] = Field(default_factory=list[list[Cell]])
    row_count: int = 0
    truncated: str = Field(
        default="", description="What was left out, and how to get it; empty when nothing."
    )
    masked: str = Field(default="", description="What is shown as a pseudonym, if anything.")
    warnings: tuple[str, ...] = ()
    target: str = ""

    _raw: tuple[tuple[Raw | None, ...], ...] = PrivateAttr(default=())
    _verdicts: tuple[Verdict, ...] = PrivateAttr(default=())

    @classmethod
    def sealed(
        cls,
        columns: Iterable[Column],
        verdicts: Iterable[Verdict],
        raw: Sequence[tuple[Raw | None, ...]],
        **fields: Any,
    ) -> Self:
        """Rows that are still closed."""
        made = cls(columns=tuple(columns), row_count=len(raw), **fields)
        made._raw = tuple(raw)
        made._verdicts = tuple(verdicts)
        return made

    def redacted(self, redactor: Redactor) -> Self:
        """A copy with its rows: clear where that is allowed, pseudonyms elsewhere."""
        values = zip(*self._raw, strict=True) if self._raw else [()] * len(self.columns)
        told = [
            _leaving(raws, column.type, verdict, redactor)
            for raws, column, verdict in zip(values, self.columns, self._verdicts, strict=True)
        ]
        rows = [list(row) for row in zip(*told, strict=True)]
        hidden = [c.name for c, v in zip(self.columns, self._verdicts, strict=True) if _hides(v, redactor)]
        masked = _masked(hidden, self._verdicts) if hidden and rows else ""
        columns = tuple(
            column.model_copy(update={"shown": not _hides(verdict, redactor)})
            for column, verdict in zip(self.columns, self._verdicts, strict=True)
        )
        copy = self.model_copy(update={"rows": rows, "masked": masked, "columns": columns})
        copy._raw = ()
        return copy

    def audit_facts(self) -> Facts:
        """How many rows, and the patients' columns among their sources; aliases are not repeated."""
        pairs = zip(self.columns, self._verdicts, strict=True)
        hidden = tuple(column.source or "(computed)" for column, verdict in pairs if not verdict.shown)
        return Facts(rows=self.row_count, phi_columns=hidden)

    def markdown(self) -> str:
        """A table, with what was left out below it."""
        notes = [f"⚠ {warning}" for warning in self.warnings]
        notes += [f"Masked: {self.masked}."] if self.masked else []
        notes += [f"Truncated: {self.truncated}"] if self.truncated else []
        count = f"{self.row_count} row{'' if self.row_count == 1 else 's'}"
        if not self.columns:
            return "\n".join([count, *notes])
        return "\n".join([table([c.name for c in self.columns], self.rows), "", f"({count})", *notes])


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A compact Markdown table; line breaks and bars inside cells are made harmless."""
    lines = ["| " + " | ".join(map(_flat, headings)) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(map(_flat, row)) + " |" for row in rows]
    return "\n".join(lines)


def _flat(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("|", "\\|").replace("\r", "").replace("\n", "⏎")


def _masked(hidden: Sequence[str], verdicts: Iterable[Verdict]) -> str:
    blurred = any(verdict.blur for verdict in verdicts)
    note = "; where a column mixes them with constants of the query, all are <...:hidden>" if blurred else ""
    return f"{', '.join(hidden)}: pseudonyms, equal values look equal{note}"


def _hides(verdict: Verdict, redactor: Redactor) -> bool:
    return not verdict.shown and (redactor.strict or verdict.kind == "secret")


def _leaving(raws: Iterable[Raw | None], type_name: str, verdict: Verdict, redactor: Redactor) -> list[Cell]:
    """The values of one column as they may leave. Whole columns, for there may be thousands of rows."""
    if type_name in _WHOLE and not _hides(verdict, redactor):
        numbers = [None if raw is None else int(raw.octets) for raw in raws]
        if verdict.small_cells and redactor.strict:
            return [None if number is None else suppress(number) for number in numbers]
        return list(numbers)
    tell = _teller(type_name, verdict, redactor)
    known: dict[bytes, Cell] = {}
    told: list[Cell] = []
    for raw in raws:
        if raw is None:
            told.append(None)
        elif raw.octets in known:
            told.append(known[raw.octets])
        else:
            told.append(cell := tell(raw))
            if raw.size <= _REMEMBERED_BYTES:
                known[raw.octets] = cell
    return told


def _teller(type_name: str, verdict: Verdict, redactor: Redactor) -> Callable[[Raw], Cell]:
    """How one value of a column leaves."""
    if _hides(verdict, redactor):
        if verdict.blur:
            return lambda raw: f"<{verdict.kind}:hidden>"
        return lambda raw: redactor.pseudonym(verdict.kind, raw.octets, scope=verdict.scope)
    if type_name in _SHAPELESS:
        return lambda raw: clear(raw, type_name)

    def tell(raw: Raw) -> Cell:
        value = clear(raw, type_name)
        if not isinstance(value, str):
            return value
        return redactor.text(without_literals(value, CELL_CHARS) if verdict.statement else value)

    return tell


def clear(raw: Raw, type_name: str) -> Cell:
    """A value in the form that reads best: numbers and booleans as such, bytes as their size."""
    if type_name == "bytea":
        return f"<{(raw.size - 2) // 2:,} bytes>"
    text = raw.octets.decode("utf-8", errors="replace")
    if type_name == "boolean":
        return text == "t"
    if type_name in _WHOLE:
        return int(text)
    if type_name in {"real", "double precision"} and text not in {"NaN", "Infinity", "-Infinity"}:
        return float(text)
    if len(text) > CELL_CHARS or raw.size > len(raw.octets):
        return f"{text[:CELL_CHARS]}… ({raw.size:,} bytes in all)"
    return text
