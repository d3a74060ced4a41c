"""States of rows that expectations tell apart: `status = revoked`, `deleted_at set`, `expires_at past`.

An expectation's key is a command, alone or with what it is narrowed to:

    update                        who may change a row at all
    update profile_id             who may change this column
    update status = revoked       who may change a row that is in this state
    update to status = active     who may bring a row into this state
    update to revoked_at unset    who may bring back what had ended
    insert created_at             who may choose its value in a new row
    insert level = manage         who may add a row in this state; select and delete alike
    insert path = of two records  files: a path through one record's folder to another's (storage.py)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tools.rls.proof.graph import Test
from tools.rls.proof.side import FUTURE, NOW_TEXT, PAST, TRUE

_STATE: Final = re.compile(r"(?P<column>.+?) (?:= (?P<value>.*)|(?P<word>set|unset|past|future))", re.DOTALL)
TO: Final = "to "


@dataclass(frozen=True, slots=True)
class State:
    """What a column of a row holds: a value, anything, nothing, a time that is past or still to come."""

    column: str
    kind: Literal["is", "set", "unset", "past", "future"]
    value: str = ""

    @property
    def text(self) -> str:
        """As a key of an expectation has it."""
        return f"{self.column} = {self.value}" if self.kind == "is" else f"{self.column} {self.kind}"

    @property
    def sample(self) -> str | None:
        """A value that is in this state."""
        return {"is": self.value, "future": FUTURE, "unset": None}.get(self.kind, PAST)

    def holds(self, values: Mapping[str, str | None]) -> bool:
        """Whether a row is in this state; times are compared as ISO text."""
        value = values.get(self.column)
        if value is None or self.kind == "unset":
            return value is None and self.kind == "unset"
        match self.kind:
            case "is":
                return value == self.value or (self.value == "true" and value in TRUE)
            case "set":
                return True
            case "past":
                return value <= NOW_TEXT
            case "future":
                return value > NOW_TEXT


@dataclass(frozen=True, slots=True)
class Key:
    """What one expectation is about. `columns` is empty unless it is about changing them."""

    command: str
    columns: tuple[str, ...] = ()
    state: State | None = None
    to: bool = False

    @property
    def text(self) -> str:
        """As sergei.toml has it."""
        rest = self.state.text if self.state else ", ".join(self.columns)
        return f"{self.command.lower()} {TO if self.to else ''}{rest}".strip()


def key_of(text: str) -> Key | None:
    """The key that a text means; None where it means nothing."""
    command, _, rest = text.strip().partition(" ")
    command = command.upper()
    if command not in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        return None
    if not rest:
        return Key(command)
    to = command == "UPDATE" and rest.startswith(TO)
    found = _STATE.fullmatch(rest.removeprefix(TO) if to else rest)
    if found is not None:
        kind = found["word"] or "is"
        state = State(found["column"], kind, found["value"] or "")  # pyright: ignore[reportArgumentType]  as matched
        return Key(command, state=state, to=to)
    if command not in ("INSERT", "UPDATE") or to:
        return None
    columns = tuple(name.strip() for name in rest.split(","))
    return Key(command, columns) if all(columns) else None


def keys_of(texts: Iterable[str]) -> Iterator[Key]:
    """The keys among an expectation's texts."""
    for text in texts:
        key = key_of(text)
        if key is not None:
            yield key


def tested(test: Test) -> tuple[State, ...]:
    """The states that a condition tells apart from the usual one."""
    column = test.ref.column
    match test.kind:
        case "equal" | "unequal":
            return (State(column, "is", test.value),)
        case "null" | "not_null":
            return (State(column, "set"),)
        case "future" | "past":
            return State(column, "past"), State(column, "future")
        case "true" | "false":
            return (State(column, "is", "true"),)


def given_state(key: str) -> tuple[str, State | None]:
    """`given public.grants status = revoked`: a table and the state of a row that a call names."""
    word, _, rest = key.partition(" ")
    table, _, state = rest.partition(" ")
    found = key_of(f"select {state}") if word == "given" and state else None
    return table, found.state if found else None
