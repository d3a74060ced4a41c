"""May this column be shown? Deny by default: on a patient-linked table only what is known to be safe.

result column ─▶ provenance (table, column) ─┬─ reference data ─────────▶ shown
                                             └─ patient-linked ─ safe? ─┬▶ shown
                                                                        └▶ pseudonym <kind:hex>
              ─▶ computed ─┬─ nothing patient-linked was reached ───────▶ shown
                           ├─ count(...) ─▶ shown, 1 to 10 as "<11"
                           └─ anything else ────────────────────────────▶ pseudonym
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tools.database.linkage import Attribute, Linkage
from tools.database.phi_comments import speaks_of_person
from tools.database.phi_names import coded, column_meaning
from tools.database.phi_tables import UNSURE, stray
from tools.database.phi_words import split

SMALL: Final = 11
"""Counts of persons below this are not told (0 is)."""

_TECHNICAL_TIMES: Final = frozenset({"created_at", "updated_at", "inserted_at"})
_TECHNICAL_NUMBERS: Final = re.compile(
    r"^(?:version|attempts?|max_attempts|retries|retry_count|attempt_count|priority|position|sort_order|ordinal"
    r"|page_(?:number|count|no)|pages|size_bytes|file_size(?:_bytes)?|byte_size|duration_ms|schema_version)$"
)
_WORD_CHARS: Final = 16
_TINY_CHARS: Final = 2
_FEW: Final = 40
"""A column with at most so many values, in a table that has many more rows, holds words from a list."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether values of a column are shown, what kind of pseudonym stands for them if not, and why.

    `small_cells`: counts of 1 to 10 are not told apart; `statement`: SQL, shown without its literals;
    `sure` is False where nothing but caution hides it; `blur`: equal values do not look equal;
    `scope`: equal values look equal only where the scope is the same.
    """

    shown: bool
    kind: str
    why: str
    small_cells: bool = False
    statement: bool = False
    sure: bool = True
    blur: bool = False
    scope: str = ""


def attribute_verdict(column: Attribute, linkage: Linkage) -> Verdict:
    """The verdict for a column of a table. What a person said in sergei.toml comes first."""
    kind = attribute_kind(column)
    reason, said = linkage.reason(column.relation), linkage.correction(column)
    if said is not None:
        return Verdict(not said, kind, f"sergei.toml says {'phi' if said else 'safe'}")
    if kind == "secret":
        return Verdict(False, "secret", "its name says that it holds a secret")
    why = linkage.reference.get(column.relation)
    if reason is None or why is not None:
        if stray(column):
            return Verdict(False, kind, "speaks of a person, in reference data")
        return Verdict(True, kind, f"reference data: {why}" if why else "reference data")
    personal = speaks_of_person(column.comment)
    safe = _safe(column, linkage)
    if safe and not personal:
        return Verdict(True, kind, safe)
    meaning = column_meaning(column.name)
    if personal and meaning is None:
        return Verdict(False, kind, f"its comment speaks of a person; patient-linked: {reason}")
    if meaning is not None:
        return Verdict(False, kind, f"{meaning.why}; patient-linked: {reason}")
    sure = reason != UNSURE and (kind == "id" or _telling_type(column))
    return Verdict(False, kind, f"patient-linked: {reason}", sure=sure)


def attribute_kind(column: Attribute) -> str:
    """The word in the column's pseudonyms: references and keys share `id`, so that joins stay visible."""
    meaning = column_meaning(column.name)
    if meaning is not None and meaning.kind == "secret" and column.type != "boolean":
        return "secret"
    if column.key or column.refers_to is not None or column.type == "uuid":
        return "id"
    return _kind(column.name, column.type)


def _telling_type(column: Attribute) -> bool:
    """Dates, documents, bytes and lists that hang from a person are PHI by their type."""
    return column.category in "DTA" or column.type in {"json", "jsonb", "xml", "bytea", "hstore"}


def computed_verdict(shape: str, type_name: str, linked: str | None, *, countable: bool) -> Verdict:
    """The verdict for an expression. `linked` names what it may have been computed from, if from persons."""
    if linked is None:
        return Verdict(True, _kind("", type_name), "nothing patient-linked is read")
    if shape == "constant":
        return Verdict(True, "text", "a constant of the statement")
    if shape == "count" and countable:
        return Verdict(True, "number", f"a count (1 to {SMALL - 1} are not told apart)", small_cells=True)
    return Verdict(False, _kind("", type_name), f"computed while reading {linked}")


def suppress(count: int) -> int | str:
    """A count of persons as it may be told."""
    return count if count == 0 or count >= SMALL else f"<{SMALL}"


def _safe(column: Attribute, linkage: Linkage) -> str:
    """Why a column of a patient-linked table is known to be safe, or an empty string."""
    target = column.refers_to
    words_only = column.category in "NS" and coded(column.name)
    reasons = (
        (column.type == "boolean", "a flag"),
        (column.typtype == "e", "an enumerated type"),
        (column.listed, "a CHECK lists its words"),
        (target is not None and linkage.reason(target) is None, "refers to reference data"),
        (column.category == "D" and column.name in _TECHNICAL_TIMES, "a technical timestamp"),
        (
            column.category == "N" and _TECHNICAL_NUMBERS.match(column.name) is not None,
            "a technical number",
        ),
        (_tiny(column), "no room for more than a code"),
        (words_only and _short(column), "a code or a status of few characters"),
        (words_only and _few(column), "a code or a status with few different values"),
    )
    return next((why for holds, why in reasons if holds), "")


def _tiny(column: Attribute) -> bool:
    """Two characters, under a name that says nothing of a name, a number, a date or a place."""
    if column.length is None or column.length > _TINY_CHARS or column.category != "S" or column.key:
        return False
    meaning = column_meaning(column.name)
    words = set(split(column.name))
    return (meaning is None or meaning.kind == "text") and not words & {"age", "day", "month", "year"}


def _short(column: Attribute) -> bool:
    """No room for more than a code."""
    if column.category == "N":
        return column.type in {"smallint", "integer", "bigint"}
    return column.length is not None and column.length <= _WORD_CHARS


def _few(column: Attribute) -> bool:
    many, width = column.distinct_values, column.width
    return many is not None and 0 < many <= _FEW and width is not None and width <= 2 * _WORD_CHARS


def _kind(name: str, type_name: str) -> str:
    """The word in the pseudonym, from the column's name, else from its type."""
    meaning = column_meaning(name) if name else None
    if meaning is not None and meaning.kind != "text":
        return meaning.kind
    if type_name == "uuid" or (name and split(name)[-1:] and split(name)[-1] in {"id", "uuid", "ref"}):
        return "id"
    if type_name.startswith(("timestamp", "date", "time", "interval")):
        return "date"
    if type_name in {"smallint", "integer", "bigint", "numeric", "real", "double precision", "money"}:
        return "number"
    if type_name in {"json", "jsonb", "xml", "bytea", "boolean"}:
        return {"bytea": "bytes", "boolean": "flag"}.get(type_name, type_name)
    if name and set(split(name)) & {"name", "names"}:
        return "name"
    return "text"
