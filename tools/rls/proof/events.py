"""What happens in a campaign: violations of the model, and what calls of functions did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.rls.objects import Function
from tools.rls.proof.actors import Actor
from tools.rls.proof.states import Key
from tools.rls.proof.verdict import Kind
from tools.rls.proof.world import WorldRow
from tools.rls.proof.writing import Write


@dataclass(frozen=True, slots=True, eq=False)
class Violation:
    """Something that went through and should not have. `row` is what was reached."""

    kind: Kind
    actor: Actor
    command: str
    row: WorldRow
    statements: tuple[str, ...]
    write: Write | None = None
    function: str = ""
    note: str = ""
    narrow: Key | None = None
    """The narrower expectation that it breaks: the record as such is open to the actor."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row that a call wrote: what the caller was to it before, and the columns that became others."""

    table: str
    word: str
    columns: frozenset[str]
    row: WorldRow
    after: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """The row's values afterwards."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call: with which rows, and what it did."""

    actor: Actor
    function: Function
    given: tuple[WorldRow, ...]
    statement: str
    changes: tuple[Change, ...]
