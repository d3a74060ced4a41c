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

SMALL: Final = 11
"""Counts of persons below this are not told (0 is)."""

_KINDS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "secret",
        re.compile(
            r"passw|secret|token|(?:api|service|private|signing|encryption|access)_?key|credential|encrypted"
        ),
    ),
    ("email", re.compile(r"e_?mail")),
    ("phone", re.compile(r"phone|mobile|fax|(?:^|_)tel(?:$|_)")),
    ("date", re.compile(r"dob|birth|(?:^|_)date(?:$|_)|_at$|_on$")),
    ("address", re.compile(r"address|street|city|postcode|postal|zip|county|(?:^|_)ip(?:$|_)")),
    ("id", re.compile(r"(?:^|_)(?:id|uuid|mrn|ssn|nhs|passport|identifier|number|no|ref)(?:$|_)")),
    ("name", re.compile(r"name|surname|initials")),
)
_TECHNICAL_TIMES: Final = frozenset({"created_at", "updated_at", "inserted_at"})
_TECHNICAL_NUMBERS: Final = re.compile(
    r"^(?:version|attempts?|max_attempts|retries|retry_count|attempt_count|priority|position|sort_order|ordinal"
    r"|page_(?:number|count|no)|pages|size_bytes|file_size(?:_bytes)?|byte_size|duration_ms|schema_version)$"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether values of a column are shown, what kind of pseudonym stands for them if not, and why.

    `small_cells`: counts of 1 to 10 are not told apart; `statement`: SQL, shown without its literals.
    """

    shown: bool
    kind: str
    why: str
    small_cells: bool = False
    statement: bool = False


def attribute_verdict(column: Attribute, linkage: Linkage) -> Verdict:
    """The verdict for a column of a table."""
    kind = _kind(column.name, column.type)
    reason = linkage.reason(column.relation)
    if kind == "secret":
        return Verdict(False, "secret", "its name says that it holds a secret")
    if reason is None:
        return Verdict(True, kind, "reference data")
    safe = _safe(column, linkage)
    if safe:
        return Verdict(True, kind, safe)
    if column.key or column.refers_to is not None or column.type == "uuid":
        kind = "id"
    return Verdict(False, kind, f"patient-linked: {reason}")


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
    )
    return next((why for holds, why in reasons if holds), "")


def _kind(name: str, type_name: str) -> str:
    """The word in the pseudonym, from the column's name, else from its type."""
    lowered = name.lower()
    for kind, pattern in _KINDS:
        if name and pattern.search(lowered):
            return kind
    if type_name == "uuid":
        return "id"
    if type_name.startswith(("timestamp", "date", "time", "interval")):
        return "date"
    if type_name in {"smallint", "integer", "bigint", "numeric", "real", "double precision", "money"}:
        return "number"
    if type_name in {"json", "jsonb", "xml", "bytea", "boolean"}:
        return {"bytea": "bytes", "boolean": "flag"}.get(type_name, type_name)
    return "text"
