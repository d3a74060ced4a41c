"""Which column leads to which table: foreign keys, and what serves as one where there is none."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from tools.rls.objects import Relation
from tools.rls.proof.model import Hop
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot

Place = tuple[str, str]
"""A table's title and one of its columns."""

USERS: Final = "auth.users"
_NAMED: Final = re.compile(r"^(?:.*_)?([a-z0-9]+)_(?:id|uuid|key|code|ref)$")
_AUTHOR: Final = re.compile(
    r"(_by|_by_(id|user|user_id|account_id))$|(^|_)(author|creator|uploader|recorder|editor|modifier|actor|sender|"
    r"inviter|requester|reporter|submitter|approver|reviewer|grantor|granter|assigner|issuer)(_(id|user_id|account_id|email))?$"
)


class Keys:
    """Answers over one snapshot, each worked out once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.account: Place = (USERS, "id")
        """The key of the accounts' table."""
        self.asked: set[Place] = set()
        """Columns without a key that policies compare with the caller's identity."""
        self._parents: dict[Place, Place | None] = {}
        self._homes: dict[Place, Place | None] = {}
        self._guessed: dict[Place, Place | None] = {}
        self._named: dict[str, list[Relation]] = {}
        for relation in snapshot.tables:
            if not relation.partition:
                self._named.setdefault(relation.name, []).append(relation)

    def primary(self, table: str) -> str:
        """The one primary key column, or `id`, or the first column that is unique alone."""
        relation = self.snapshot.relations.get(table)
        if relation is None:
            return "id"
        if len(relation.primary_key) == 1:
            return relation.primary_key[0]
        if "id" in relation.columns:
            return "id"
        alone = [key.columns[0] for key in relation.keys if key.kind in "pu" and len(key.columns) == 1]
        return alone[0] if alone else next(iter(relation.columns), "id")

    def is_key(self, table: str, column: str) -> bool:
        """Whether a value names at most one row (also the `id` part of a partitioned table's key)."""
        relation = self.snapshot.relations.get(table)
        if relation is None:
            return False
        if any(key.kind in "pu" and key.columns == (column,) for key in relation.keys):
            return True
        if any(i.unique and i.predicate is None and i.columns == (column,) for i in relation.indexes):
            return True
        return column == self.primary(table) and column == "id"

    def parent(self, table: str, column: str) -> Place | None:
        """Where a foreign key (the shortest that has the column), or its name, says that the column leads."""
        place = (table, column)
        if place not in self._parents:
            self._parents[place] = self._parent(table, column)
        return self._parents[place]

    def _parent(self, table: str, column: str) -> Place | None:
        relation = self.snapshot.relations.get(table)
        if relation is None:
            return None
        keys = sorted((k for k in relation.foreign_keys if column in k.columns), key=lambda k: len(k.columns))
        for key in keys:
            if key.target in self.snapshot.relations or key.target == USERS:
                return key.target, key.target_columns[key.columns.index(column)]
        if relation.partition and relation.parents:
            return self.parent(relation.parents[0], column)
        return self.guessed(relation, column)

    def guessed(self, relation: Relation, column: str) -> Place | None:
        """`profile_id` leads to the table profiles of the same schema when the types agree."""
        place = (relation.title, column)
        if place not in self._guessed:
            self._guessed[place] = self._guess(relation, column)
        return self._guessed[place]

    def _guess(self, relation: Relation, column: str) -> Place | None:
        match = _NAMED.match(column)
        if match is None or (self.is_key(relation.title, column) and column == self.primary(relation.title)):
            return None
        stem = column.rpartition("_")[0]
        for word in dict.fromkeys((stem, match[1])):
            for name in _plurals(word):
                for target in self._named.get(name, ()):
                    key = self.primary(target.title)
                    if target is relation or key not in target.columns or target.schema != relation.schema:
                        continue
                    if target.columns[key].type == relation.columns[column].type:
                        return target.title, key
        return None

    def home(self, table: str, column: str) -> Place | None:
        """The table whose key the column holds, over composite keys; None where it leads nowhere."""
        place = (table, column)
        if place not in self._homes:
            self._homes[place] = None  # against circles
            step = self.parent(table, column)
            for _ in range(8):
                if step is None or self.is_key(*step):
                    break
                step = self.parent(*step) or None
            self._homes[place] = step
        return self._homes[place]

    def is_account(self, table: str, column: str) -> bool:
        """Whether a column holds an account's key: it leads to the accounts, perhaps over mirrors."""
        place: Place | None = (table, column)
        for _ in range(6):
            if place is None:
                return False
            if place == self.account or place in self.asked:
                return True
            place = self.parent(*place)
        return False

    def is_mirror(self, table: str) -> bool:
        """Whether a table has one row per account, with the account's key as its own."""
        return table == self.account[0] or self.is_account(table, self.primary(table))

    def hop(self, table: str, column: str) -> Hop | None:
        """The step from a column to its home."""
        home = self.home(table, column)
        return Hop(table, (column,), home[0], (home[1],)) if home is not None else None

    def direction(self, one: str, other: str, pairs: list[tuple[str, str]]) -> str:
        """`up` when `other` is the parent of `one` here, `down` the other way, else `beside`."""
        for a, b, word in ((one, other, "up"), (other, one, "down")):
            linked = [pair if word == "up" else (pair[1], pair[0]) for pair in pairs]
            relation = self.snapshot.relations.get(a)
            for key in relation.foreign_keys if relation is not None else ():
                if key.target == b and all(
                    p in linked for p in zip(key.columns, key.target_columns, strict=True)
                ):
                    return word
        for a, b in pairs:
            if self.is_key(other, b) and not self.is_key(one, a) and self._leads(one, a, other, b):
                return "up"
            if self.is_key(one, a) and not self.is_key(other, b) and self.home(other, b) in (None, (one, a)):
                return "down"
        for a, b in pairs:
            if self.is_key(other, b) and self.is_key(one, a):
                return "down" if self.home(other, b) == (one, a) else "up"
        return "beside"

    def _leads(self, one: str, a: str, other: str, b: str) -> bool:
        """Whether a column leads to that key, or to the one that the key itself mirrors (users)."""
        home = self.home(one, a)
        return home is None or home == (other, b) or home == self.home(other, b)

    def ours(self, table: str) -> bool:
        """Whether a table is one of the user's own."""
        return table.partition(".")[0] not in PLATFORM_SCHEMAS


def is_author(column: str) -> bool:
    """Whether a column is called like somebody who did something to the row, not like whom it is about."""
    return _AUTHOR.search(column) is not None


def _plurals(word: str) -> tuple[str, ...]:
    several = [word, word + "s", word + "es"]
    if word.endswith("y"):
        several.insert(1, word[:-1] + "ies")
    if word.endswith("person"):
        several.insert(1, word.removesuffix("person") + "people")
    if word.endswith("child"):
        several.insert(1, word + "ren")
    return tuple(several)


@lru_cache(maxsize=2)
def keys(snapshot: Snapshot) -> Keys:
    """The Keys of a snapshot (snapshots compare by identity)."""
    return Keys(snapshot)
