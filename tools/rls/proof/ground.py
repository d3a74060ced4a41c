"""The ground of a world: accounts with the rows that mirror them, and living rows as tables allow them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tools.rls.objects import Key
from tools.rls.proof.actors import Spec
from tools.rls.proof.model import Condition, Model
from tools.rls.proof.side import FAR, Side, living
from tools.rls.proof.world import World
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.fill import CannotFill, Filler, Row
from tools.sandbox.scratch.session import SqlFailure


class Ground:
    """Makes accounts and living rows in one world. What cannot be made becomes a gap of the world."""

    def __init__(
        self, snapshot: Snapshot, model: Model, filler: Filler, witnesses: Sequence[Spec] = ()
    ) -> None:
        self.snapshot = snapshot
        self.model = model
        self.filler = filler
        self.witnesses = witnesses
        self.world = World(model, snapshot, [])
        self.staff: dict[str, tuple[str, str, bool]] = {}
        """Account -> (staff role, opening, living)."""
        self.visitor = ""
        """An account that no row names: new rows of openings are made for it."""
        self.opened: dict[str, Row] = {}
        """Opening -> a living row of it."""
        self._numbers = 0
        self.mirrored: tuple[tuple[str, str], ...] = tuple(self.mirrors())

    def account(
        self, changes: Mapping[str, Mapping[str, str | None]] | None = None, side: Side | None = None
    ) -> str:
        """A new account and the rows that mirror it. `changes`: table -> column -> value in a mirror."""
        changes = changes or {}
        accounts = self.model.accounts
        if not accounts:
            return self.filler.fresh("uuid")
        self._numbers += 1
        fixed: dict[str, str | None] = {}
        relation = self.snapshot.relations.get(accounts)
        if relation is not None and "email" in relation.columns:
            fixed["email"] = f"person{self._numbers}@example.test"
        row = self.filler.insert(accounts, {**fixed, **changes.get(accounts, {})})
        key = self.key_of(accounts)
        account = row.values.get(key) or ""
        rows = [row]
        for title, column in self.mirrored:
            held: dict[str, str | None] = {column: account}
            mirror = self.snapshot.relations[title]
            if "email" in mirror.columns and "email" in fixed:
                held["email"] = fixed["email"]
            for condition in self.account_conditions(title):
                held[condition.column] = living(condition, nullable=self.nullable(title, condition.column))
            try:
                rows.append(self.filler.insert(title, {**held, **changes.get(title, {})}, rows))
            except (CannotFill, SqlFailure) as failure:
                self.gap(title, str(failure))
        if side is not None:
            side.rows.extend(rows)
        return account

    def mirrors(self) -> Iterator[tuple[str, str]]:
        """Tables with one row per account: their key is the account's key. With the key column."""
        known = {self.model.accounts}
        waiting = True
        while waiting:
            waiting = False
            for relation in self.snapshot.tables:
                if relation.title in known:
                    continue
                for key in relation.foreign_keys:
                    if key.target in known and key.columns == relation.primary_key and len(key.columns) == 1:
                        known.add(relation.title)
                        waiting = True
                        anchor = self.model.anchors.get(relation.title)
                        belonging = self.model.tables.get(relation.title)
                        staffed = any(o.table == relation.title for o in self.model.openings)
                        if anchor is None and not staffed and belonging is not None:
                            yield relation.title, key.columns[0]
                        break

    def insert_living(
        self,
        table: str,
        fixed: Mapping[str, str | None],
        conditions: Sequence[Condition],
        turned: Mapping[Condition, str | None],
        near: Sequence[Row],
    ) -> Row:
        """A living row, but for what is turned.

        Where the table's own checks want an expiry, it gets one; where they forbid the rest (a withdrawn
        consent has no end), only what is turned is fixed.
        """
        wanted = self.wanted(conditions, turned)
        ends = {
            c.column: FAR
            for c in conditions
            if c.kind == "future" and c not in turned and wanted[c.column] is None
        }
        kept = {c.column: turned[c] for c in conditions if c in turned}
        kept |= {c.column: wanted[c.column] for c in conditions if c.kind == "one_of"}
        tries = [wanted, {**wanted, **ends}, kept, {c.column: turned[c] for c in conditions if c in turned}]
        why = ""
        for values in tries:
            for other in ({}, self._apart(table, fixed)):
                try:
                    return self.filler.insert(table, {**fixed, **values, **other}, near)
                except (CannotFill, SqlFailure) as failure:
                    why = why or str(failure)
                if not other and not self._twins(table):
                    break
        raise CannotFill(table, why.removeprefix(f"{table}: "))

    def _twins(self, table: str) -> list[Key]:
        """Keys of a table that lead to the same records as another of its keys: from and to."""
        relation = self.snapshot.relations.get(table)
        keys = [key for key in relation.foreign_keys if len(key.columns) == 1] if relation else []
        targets = [key.target for key in keys]
        return [key for key in keys if targets.count(key.target) > 1]

    def _apart(self, table: str, fixed: Mapping[str, str | None]) -> dict[str, str | None]:
        """Twins that are not fixed lead to the other family, where both ends must not be the same."""
        found: dict[str, str | None] = {}
        for key in self._twins(table):
            record = next((side.records.get(key.target) for side in reversed(self.world.sides[:2])), None)
            if record is not None and key.columns[0] not in fixed:
                found[key.columns[0]] = record.values.get(key.target_columns[0])
        return found

    def wanted(
        self, conditions: Iterable[Condition], turned: Mapping[Condition, str | None]
    ) -> dict[str, str | None]:
        """Values for a row: living, but for what is turned."""
        found: dict[str, str | None] = {}
        for condition in conditions:
            if condition in turned:
                found[condition.column] = turned[condition]
            else:
                found[condition.column] = living(
                    condition, nullable=self.nullable(condition.table, condition.column)
                )
        return found

    def account_conditions(self, title: str) -> list[Condition]:
        return [
            condition
            for one in (*self.model.openings, *self.model.anchors.values())
            for condition in one.conditions
            if condition.hops and condition.table == title
        ]

    def is_mirror(self, title: str) -> bool:
        return title == self.model.accounts or any(title == mirror for mirror, _ in self.mirrored)

    def nullable(self, title: str, column: str) -> bool:
        relation = self.snapshot.relations.get(title)
        found = relation.columns.get(column) if relation else None
        return found is not None and not found.required

    def key_of(self, title: str) -> str:
        return next(iter(self.snapshot.relations[title].primary_key), "id")

    def gap(self, what: str, why: str) -> None:
        if (what, why) not in self.world.gaps:
            self.world.gaps.append((what, why))
