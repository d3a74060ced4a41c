"""Provisional policies for tables that have none, from keys and names: what the model is then read from.

They live in a scratch copy and only until the model was inferred from them. What they guess (this table opens
that one, this column names the owner) is shown to a person as part of the model, and can be corrected there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tools.rls.objects import Relation
from tools.rls.proof.keys import Keys, is_author, keys
from tools.rls.proof.lifecycles import kind_of
from tools.rls.proof.openings import OPENS
from tools.rls.snapshot import Snapshot
from tools.rls.wording import quoted, table_name

_HOLDER: Final = re.compile(
    r"grantee|member|care(r|giver)|delegate|viewer|guest|collaborat|participant|recipient|invitee|assignee|shared_with|"
    r"provider|clinician|doctor|nurse|therapist|follower|staff"
)
_OWNER: Final = re.compile(r"owner|(^|_)(user|account|holder|subject)_?id$|^(user|account)$")
_LISTED: Final = re.compile(r"(^|_)(code|slug|key|name)$")


@dataclass(slots=True)
class Sketch:
    """What the tables seem to be. `policies` are statements; `guesses` are sentences for a person."""

    snapshot: Snapshot
    caller: str
    tables: tuple[Relation, ...]
    openings: dict[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])
    """Table -> (anchor, column that leads to it, column of the account)."""
    owners: dict[str, str] = field(default_factory=dict[str, str])
    """Anchor -> column of the owner."""
    guesses: list[str] = field(default_factory=list[str])

    @property
    def keys(self) -> Keys:
        """Where columns lead."""
        return keys(self.snapshot)

    # -- what the tables are --------------------------------------------------------------

    def study(self) -> None:
        """Find openings first, then who owns what they open, then other owned tables with children."""
        for table in self.tables:
            found = self._opening(table)
            if found is not None:
                self.openings[table.title] = found
        for table in self.tables:
            if table.title in self.openings:
                continue
            owner = self._owner(table)
            if owner and (self._opened(table) or self._children(table)):
                self.owners[table.title] = owner

    def accounts(self, table: Relation) -> list[str]:
        """Columns that hold an account's key, by the order of the table."""
        return [name for name in table.columns if self.keys.is_account(table.title, name)]

    def parents(self, table: Relation) -> list[tuple[str, str]]:
        """(column, table it leads to) of keys that lead to something else than accounts."""
        found: list[tuple[str, str]] = []
        for name in table.columns:
            home = self.keys.home(table.title, name)
            if home is not None and home[0] != table.title and not self.keys.is_account(table.title, name):
                found.append((name, home[0]))
        return found

    def _opening(self, table: Relation) -> tuple[str, str, str] | None:
        """A table whose rows let an account into something: by its name, with a life of its own."""
        lives = any(kind_of(column) is not None for column in table.columns.values())
        named = OPENS.search(table.name) is not None
        people = [name for name in self.accounts(table) if not is_author(name)]
        parents = self.parents(table)
        if not people or not named or not (lives or len(table.columns) <= 6):
            return None
        holders = [name for name in people if _HOLDER.search(name)] or people
        if parents:
            return (
                parents[0][1],
                parents[0][0],
                holders[-1 if len(people) > 1 and not _HOLDER.search(people[0]) else 0],
            )
        rest = [name for name in people if name != holders[0]]
        if not rest:
            return None
        home = self.keys.home(table.title, rest[0])
        return (home[0], rest[0], holders[0]) if home is not None else None

    def _owner(self, table: Relation) -> str:
        people = self.accounts(table)
        named = [name for name in people if _OWNER.search(name) and not is_author(name)]
        plain = [name for name in people if not is_author(name)]
        if self.keys.is_mirror(table.title):
            return self.keys.primary(table.title)
        if named or plain:
            return (named or plain)[0]
        if people and not self.parents(table):
            self.guesses.append(f"Is {people[0]} of {table.title} its owner? No other column names one.")
            return people[0]
        return ""

    def _opened(self, table: Relation) -> bool:
        return any(anchor == table.title for anchor, _, _ in self.openings.values())

    def _children(self, table: Relation) -> bool:
        return any(parent == table.title for other in self.tables for _, parent in self.parents(other))

    # -- policies that say so -------------------------------------------------------------

    def policies(self) -> list[str]:
        """Row level security on, and one policy for reading, per table."""
        lines: list[str] = []
        for table in self.tables:
            condition = self._condition(table)
            if condition:
                name = table_name(table)
                lines.append(f"alter table {name} enable row level security;")
                lines.append(f"create policy sergei_sketch on {name} for select using ({condition});")
        return lines

    def _condition(self, table: Relation) -> str:
        key = self.keys.primary(table.title)
        if table.title in self.openings:
            anchor, column, account = self.openings[table.title]
            return " or ".join([self._mine(account), *self._owned(anchor, column)])
        anchors = [anchor for anchor, _, _ in self.openings.values()]
        if table.title in self.owners or table.title in anchors:
            tests = [self._mine(self.owners[table.title])] if table.title in self.owners else []
            return " or ".join([*tests, *self._let_in(table.title, key)])
        for column in table.columns:
            home = self.keys.home(table.title, column)
            if home is None or home[0] == table.title:
                continue
            if home[0] in anchors or home[0] in self.owners:
                return " or ".join([*self._owned(home[0], column), *self._let_in(home[0], column)])
        people = [name for name in self.accounts(table) if not is_author(name)]
        if people:
            return self._mine(people[0])
        if not self.parents(table) and not self.accounts(table):
            return self._listed(table)
        return ""

    def _listed(self, table: Relation) -> str:
        """A list that is the same for everybody: no way to a person, and its key is a word."""
        key = self.keys.primary(table.title)
        if _LISTED.search(key) or (self._children(table) and _LISTED.search(" ".join(table.columns))):
            self.guesses.append(
                f"Is {table.title} the same for everybody? It is readable and not writable now."
            )
            return "true"
        return ""

    def _mine(self, column: str) -> str:
        return f"{quoted(column)} = {self.caller}"

    def _owned(self, anchor: str, column: str) -> list[str]:
        owner = self.owners.get(anchor, "")
        if not owner:
            return self._let_in(anchor, column)
        key = self.keys.primary(anchor)
        if owner == key:
            return [self._mine(column)]
        return [_looked_up(column, key, anchor, self._mine(owner))]

    def _let_in(self, anchor: str, column: str) -> list[str]:
        return [
            _looked_up(column, scope, title, self._mine(account))
            for title, (target, scope, account) in self.openings.items()
            if target == anchor
        ]


def _looked_up(column: str, key: str, title: str, test: str) -> str:
    schema, _, name = title.partition(".")
    look = " ".join(["select", f"o.{quoted(key)}", "from", quoted(schema, name), "o where", f"o.{test}"])
    return f"{quoted(column)} in ({look})"


def sketch(snapshot: Snapshot, titles: Iterable[str], caller: str) -> Sketch:
    """The sketch of some tables that have no policies; `caller` is the SQL of the caller's identity."""
    wanted = set(titles)
    tables = tuple(
        r for r in snapshot.relations.values() if r.title in wanted and r.is_table and not r.partition
    )
    made = Sketch(snapshot, caller, tables)
    made.study()
    return made
