"""What is planned for one table, and small questions about rights that planning asks of the model."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.rls.design.conditions import is_caller
from tools.rls.design.existing import Right
from tools.rls.design.helpers import Library
from tools.rls.objects import Relation
from tools.rls.proof.model import Anchor, Belonging, Way
from tools.rls.wording import quoted


@dataclass(slots=True)
class Access:
    """What is planned for one table. A command without an entry is closed to API roles.

    `using` and `check` map commands to conditions; `everybody` is a condition for reading without signing in;
    `kept` are columns that stay as they were inserted; `filtered` are columns that policies compare.
    """

    table: Relation
    belonging: Belonging
    using: dict[str, str] = field(default_factory=dict[str, str])
    check: dict[str, str] = field(default_factory=dict[str, str])
    everybody: str = ""
    kept: list[str] = field(default_factory=list[str])
    filtered: list[str] = field(default_factory=list[str])
    functions: list[str] = field(default_factory=list[str])
    undo: list[str] = field(default_factory=list[str])
    questions: list[str] = field(default_factory=list[str])
    who: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that are open, in the usual order."""
        return tuple(
            c for c in ("SELECT", "INSERT", "UPDATE", "DELETE") if c in self.using or c in self.check
        )

    def allow(self, command: str, condition: str, who: str, check: str | None = None) -> None:
        """Open a command. UPDATE checks the new row by the same condition unless another is given."""
        self.who[command] = who
        if command != "INSERT":
            self.using[command] = condition
        if command in ("INSERT", "UPDATE"):
            self.check[command] = check or condition

    def keep(self, *columns: str) -> None:
        """Columns that nobody changes later."""
        self.kept.extend(name for name in columns if name in self.table.columns and name not in self.kept)


def by_caller(library: Library, table: Relation, way: Way) -> str:
    """That the caller signs with his own name, where he signs at all."""
    test = is_caller(library, table, way)
    return test if table.columns[way.column].required else f"({quoted(way.column)} is null or {test})"


def deciding(library: Library, table: Relation) -> list[str]:
    """Columns of the table that conditions of openings look at."""
    return list(
        dict.fromkeys(
            condition.column
            for opening in library.model.openings
            for condition in opening.conditions
            if condition.table == table.title and condition.column in table.columns
        )
    )


def ranked(library: Library, anchor: Anchor) -> bool:
    return any(
        "manage" in rank.rights
        for opening in library.model.openings
        if opening.anchor == anchor.table
        for rank in opening.ranks
    )


def most(library: Library, anchor: Anchor) -> Right:
    """The right that deleting needs: managing, where the model knows such a level."""
    return "manage" if ranked(library, anchor) else "write"


def first(library: Library, anchor: Anchor) -> Right:
    """The right that opening a record to others needs: owning, or managing where nobody owns it."""
    return "own" if library.ownable(anchor) else "manage"
