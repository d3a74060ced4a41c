"""What plpgsql_check said of the functions, as facts about them: without values, and without false alarms.

The extension plans the statements of a body, and PostgreSQL evaluates IMMUTABLE calls on constants while it
plans. What such a call raises may quote a row, so only messages that were raised by the analysis itself, and
that quote nothing but what stands in the function's own definition, are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.database.faults import condition
from tools.rls.objects import BodyError
from tools.rls.wording import listed

Row = Mapping[str, Any]
Said = list[tuple[BodyError, str]]
_MAKES: Final = re.compile(
    r"\bcreate\s+(?:(?:local|global|temp|temporary|unlogged)\s+)*table\s+(?:if\s+not\s+exists\s+)?([\w.\"$]+)",
    re.IGNORECASE,
)
_RUNNING: Final = re.compile(r"^(?:PL/\S+|SQL) function ", re.MULTILINE)
_ANALYSIS: Final = ("at assignment to ", "SQL expression ", "SQL statement ")
_PARTS: Final = re.compile(r'"([^"]*)"')
_DEPENDS: Final = re.compile(r"\btg_(?:table_name|table_schema|relname|relid|argv|name)\b", re.IGNORECASE)
_HANDLED: Final = re.compile(
    r"\bwhen\b[^;]*?\b(?:undefined_\w+|invalid_schema_name|sqlstate\s*'(?:42|3F)\w+')", re.IGNORECASE
)
_ASKS: Final = re.compile(
    r"\b(?:to_reg\w+|pg_extension|pg_class|pg_tables|information_schema\.tables)\b", re.IGNORECASE
)
_ABSENT: Final = frozenset({"42P01", "42883", "42704", "3F000", "42703"})
_SEARCHED: Final = frozenset({"42P01", "42883", "42704"})
_OWN_PART: Final = ("22", "2F", "42", "3F")


@dataclass(frozen=True, slots=True)
class Unit:
    """One check: a function, and for a trigger function the table and the names of the transition tables."""

    function: int
    relation: int = 0
    old_table: str = ""
    new_table: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """`errors` by function, empty where a body was read and is right; functions that are missing were not."""

    errors: Mapping[int, tuple[BodyError, ...]] = field(default_factory=dict[int, tuple[BodyError, ...]])
    gaps: tuple[tuple[str, str], ...] = ()
    statements: int = 0


def concluded(
    functions: Iterable[Row],
    units: Iterable[Unit],
    found: Mapping[Unit, list[Row] | str],
    statements: int,
    hidden: frozenset[str] = frozenset(),
) -> Checked:
    """The errors of each function from the rows of each unit, or from why there are none.

    In schemas that are `hidden` from the login, a search_path finds nothing.
    """
    rows = {int(row["oid"]): row for row in functions}
    per_function: dict[int, list[Unit]] = {}
    for unit in units:
        per_function.setdefault(unit.function, []).append(unit)
    made = {name for row in rows.values() for name in _made(str(row["body"] or ""))}
    errors: dict[int, tuple[BodyError, ...]] = {}
    unread: dict[str, list[str]] = {}
    for oid, own in per_function.items():
        row = rows[oid]
        answers = [found.get(unit, "there was no time left") for unit in own]
        body = str(row["body"] or "")
        said = [_read(answer, row, hidden) for answer in answers if not isinstance(answer, str)]
        reasons = {answer for answer in answers if isinstance(answer, str)}
        reasons |= {
            reason for one in said for error, reason in one if reason and not _expected(error, body, made)
        }
        for reason in sorted(reasons):
            unread.setdefault(reason, []).append(f"{row['schema']}.{row['name']}()")
        kept = _merged([[error for error, reason in one if not reason] for one in said], body)
        told = tuple(error for error in kept if not _expected(error, body, made))
        # A body may switch the check off for itself, in a comment or with a pragma.
        if told or not (kept or reasons or "plpgsql_check" in body):
            errors[oid] = told
    gaps = tuple((f"body of {listed(sorted(set(names)))}", reason) for reason, names in unread.items())
    return Checked(errors, gaps, statements)


def _read(rows: list[Row], function: Row, hidden: frozenset[str]) -> Said:
    """Each error, with the reason why it says nothing about the function itself, if there is one."""
    said: Said = []
    for row in rows:
        code, context = str(row["sqlstate"] or ""), str(row["context"] or "")
        line, statement = int(row["lineno"] or 0), str(row["statement"] or "")
        running = bool(context) and (not context.startswith(_ANALYSIS) or bool(_RUNNING.search(context)))
        message = str(row["message"] or "")
        if code == "42501" or (code in _SEARCHED and _unseen(message, function, hidden)):
            reason = "the connected role lacks privileges that plpgsql_check needs to read all of it"
        elif running or not code.startswith(_OWN_PART):
            reason = f"plpgsql_check could not read a statement of it ({condition(code)})"
        else:
            reason = ""
        known = f"{function['definition']}\n{function['body']}".lower()
        quotes = [part for whole in _PARTS.findall(message) for part in re.split(r"[.(), ]+", whole)]
        if reason or any(part.lower() not in known for part in quotes if part):
            message = condition(code)
        said.append((BodyError(code, message, line, statement), reason))
    return said


def _unseen(message: str, function: Row, hidden: frozenset[str]) -> bool:
    """Whether a name without a schema may be in one that the login has no USAGE on."""
    own = next((entry for entry in function["config"] if entry.startswith("search_path=")), None)
    path = hidden if own is None else {part.strip(' "') for part in own.partition("=")[2].split(",")}
    return "." not in message.partition("(")[0] and bool(path & hidden)


def _merged(said: list[list[BodyError]], body: str) -> tuple[BodyError, ...]:
    """Errors over all tables of a trigger function.

    One that tells its tables apart has a branch for each: only what fails with every table is an error.
    """
    every = list(dict.fromkeys(error for one in said for error in one))
    if len(said) > 1 and _DEPENDS.search(body):
        every = [error for error in every if all(error in one for one in said)]
    return tuple(sorted(every, key=lambda error: (error.line, error.sqlstate, error.message)))


def _expected(error: BodyError, body: str, made: set[str]) -> bool:
    """Whether the body knows that the name may be absent, or a function here makes the table when it runs."""
    if error.sqlstate not in _ABSENT:
        return False
    names = {part.split(".")[-1].lower() for part in _PARTS.findall(error.message)}
    if error.sqlstate == "42P01" and makes_tables(body):
        return True
    return bool(names & made) or expects_absence(body)


def expects_absence(body: str) -> bool:
    """Whether a body asks first if a name is there, or handles that it is not."""
    return bool(_HANDLED.search(body) or _ASKS.search(body))


def makes_tables(body: str) -> bool:
    """Whether a body creates tables, under whatever name, so that their absence now means nothing."""
    return "create table" in body.lower() or "create temp" in body.lower()


def _made(body: str) -> list[str]:
    return [name.replace('"', "").split(".")[-1].lower() for name in _MAKES.findall(body)]
