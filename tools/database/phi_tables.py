"""Is this table about persons, is it reference data, or does nothing tell? Evidence from its own shape. Pure.

person's word or column ─▶ patient-linked        code list, lookup columns ─▶ reference data
neither                 ─▶ unsure, and so treated as patient-linked
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.database.phi_comments import speaks_of_person
from tools.database.phi_names import (
    column_kind,
    column_meaning,
    lookup_columns,
    person_table,
    reference_table,
)
from tools.database.phi_words import split
from tools.database.reviewed import SENSITIVE_SCHEMAS

if TYPE_CHECKING:
    from tools.database.linkage import Attribute, Table

UNSURE: Final = "nothing shows that it is reference data"
_IMPERSONAL: Final = frozenset({"email", "phone", "text", "address"})
"""What a plan or a country may have one of, too."""
_SAID: Final = frozenset({"patient", "person", "personal", "phi", "pii", "gdpr", "dsgvo"})
"""Words in a comment that settle it."""


def own_reason(table: Table) -> str | None:
    """Why the table is about persons by itself, or None."""
    if table.schema in SENSITIVE_SCHEMAS:
        return f"schema {table.schema}"
    if table.kind == "f":
        return "it is a foreign table"
    word = person_table(table.name)
    if word:
        return f"its name ({word}) speaks of persons or their care"
    telling = [column for column in table.columns.values() if _telling(column)]
    lookup = reference_table(table.name) or lookup_columns(c.name for c in table.columns.values())
    if telling and not (lookup and len(telling) == 1 and column_kind(telling[0].name) in _IMPERSONAL):
        return f"it has a column {telling[0].name}"
    if not lookup and _SAID & set(split(table.comment)):
        return "its comment speaks of persons"
    return None


def own_reference(table: Table) -> str | None:
    """Why the table is reference data by itself, or None. Only asked where no person is in sight."""
    word = reference_table(table.name)
    if word:
        return f"its name ({word}) speaks of a lookup"
    if table.kind in ("v", "S"):
        return "what it reads is judged instead"
    # A list of codes is looked up by its code: without a key, `code` and `name` may be anybody's.
    if table.keyed and table.columns and lookup_columns(column.name for column in table.columns.values()):
        return "its columns are those of a lookup"
    return None


def stray(column: Attribute) -> bool:
    """Whether a column of reference data still speaks of one person: plans.contact_email."""
    if speaks_of_person(column.comment):
        return True
    meaning = column_meaning(column.name)
    return meaning is not None and meaning.strong and meaning.kind in {"email", "phone"} and _wide(column)


def _telling(column: Attribute) -> bool:
    meaning = column_meaning(column.name)
    if meaning is None or not meaning.strong or meaning.kind == "secret":
        return False
    return _wide(column) and not column.listed


def _wide(column: Attribute) -> bool:
    """A flag or an enumerated type holds nobody's phone number, whatever it is called."""
    return column.type != "boolean" and column.typtype != "e"
