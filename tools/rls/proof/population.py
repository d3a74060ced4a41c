"""Fills a world: two families, everybody who was ever let in, and a row in every table for each side.

Around one living row of every opening stand its neighbours: the same row with one condition turned, for each
way to turn it and each rank. Whatever a policy or a helper tests, some pair of these differs in just that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from tools.rls.proof.actors import Spec
from tools.rls.proof.model import STAFF, Anchor, Belonging, Condition, Hop, Kind, Model, Opening
from tools.rls.proof.side import FUTURE, Side, dead_values, living, top_rank
from tools.rls.proof.world import World
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.fill import CannotFill, Filler, Row
from tools.sandbox.scratch.session import SqlFailure

OTHER: Final = "something else"
"""A value of a free text column that no policy has ever heard of."""
DEAD_TRIED: Final = 6
_CREATED: Final = re.compile(r"(_by|creator|founder|author)$")
VALUES_TRIED: Final = 4
"""How many constants of one column get a row of their own."""


class Population:
    """Builds one world. Tables that cannot be filled become gaps of the world."""

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
        self._numbers = 0
        self.mirrored: tuple[tuple[str, str], ...] = tuple(self.mirrors())

    def build(self) -> World:
        """The whole population, in the order in which rows need one another."""
        for name in ("a", "b"):
            self.world.sides.append(self.side(name))
        for opening in self.model.openings:
            self.open(opening)
        for side in list(self.world.sides):
            self.fill(side)
        self.neighbours()
        self.visitor = self.account()
        for side in self.world.sides[:2]:
            self.spare(side)
        return self.world

    # -- accounts and records ------------------------------------------------------------

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
        key = self._key(accounts)
        account = row.values.get(key) or ""
        rows = [row]
        for title, column in self.mirrored:
            held: dict[str, str | None] = {column: account}
            mirror = self.snapshot.relations[title]
            if "email" in mirror.columns and "email" in fixed:
                held["email"] = fixed["email"]
            for condition in self._account_conditions(title):
                held[condition.column] = living(condition, nullable=self._nullable(title, condition.column))
            try:
                rows.append(self.filler.insert(title, {**held, **changes.get(title, {})}, rows))
            except (CannotFill, SqlFailure) as failure:
                self._gap(title, str(failure))
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
                keys = {key.columns for key in relation.keys if key.kind == "p"}
                for key in relation.foreign_keys:
                    if key.target in known and key.columns in keys and len(key.columns) == 1:
                        known.add(relation.title)
                        waiting = True
                        anchor = self.model.anchors.get(relation.title)
                        belonging = self.model.tables.get(relation.title)
                        staffed = any(o.table == relation.title for o in self.model.openings)
                        if anchor is None and not staffed and belonging is not None:
                            yield relation.title, key.columns[0]
                        break

    def side(
        self, name: str, like: Side | None = None, change: tuple[Condition, str | None] | None = None
    ) -> Side:
        """A family with one record of every anchor; `change` turns one condition of a record."""
        side = Side(name, "")
        side.account = like.account if like else self.account(side=side)
        if like is not None:
            side.rows += [row for row in like.rows if row.table not in self.model.anchors]
        for anchor in self._anchors():
            fixed: dict[str, str | None] = {
                way.column: side.account for way in anchor.owners if not way.hops and way.column
            }
            for condition in anchor.conditions:
                if not condition.hops:
                    fixed[condition.column] = living(
                        condition, nullable=self._nullable(anchor.table, condition.column)
                    )
            if change is not None and change[0].table == anchor.table:
                fixed[change[0].column] = change[1]
            elif like is not None and anchor.table in like.records:
                continue
            try:
                row = side.add(self.filler.insert(anchor.table, fixed, side.rows))
            except (CannotFill, SqlFailure) as failure:
                self._gap(anchor.table, str(failure))
                continue
            side.records[anchor.table] = row
        for opening in self.model.openings if like is None else ():
            if opening.anchor != STAFF and not self._owned(opening.anchor):
                self.hold(opening, side, side.account, Spec(opening.name, top_rank(opening)))
        return side

    def _anchors(self) -> list[Anchor]:
        """Anchors, those first that others point at; the accounts themselves are no record."""
        waiting = [a for a in self.model.anchors.values() if a.table != self.model.accounts]
        done: list[Anchor] = []
        while waiting:
            titles = {anchor.table for anchor in waiting}
            free = [
                anchor
                for anchor in waiting
                if not any(
                    key.target in titles and key.target != anchor.table
                    for key in self.snapshot.relations[anchor.table].foreign_keys
                )
            ]
            for anchor in free or waiting[:1]:
                done.append(anchor)
                waiting.remove(anchor)
        return done

    def _owned(self, table: str) -> bool:
        """Whether a column of the record says whose it is; who merely created it needs an opening as well."""
        anchor = self.model.anchors.get(table)
        ways = anchor.owners if anchor else ()
        return any(not way.hops and not _CREATED.search(way.column) for way in ways)

    # -- openings ------------------------------------------------------------------------

    def open(self, opening: Opening) -> None:
        """Somebody for every rank, and for every way in which a living opening can have ended."""
        side = self.world.sides[0]
        ranks = [rank.value for rank in opening.ranks] or [""]
        specs: list[Spec] = [Spec(opening.name, rank) for rank in ranks]
        for condition in opening.conditions:
            for number, value in enumerate(self._dead(condition)):
                turned = ranks if number == 0 else [top_rank(opening)]
                specs += [Spec(opening.name, rank, ((condition, value),)) for rank in turned]
        specs += [spec for spec in self.witnesses if spec.opening == opening.name and spec not in specs]
        for spec in specs:
            self._admit(opening, side, spec)

    def _admit(self, opening: Opening, side: Side, spec: Spec) -> None:
        """A new account that holds this opening of the side's record."""
        changes = self._mirror_changes(opening, spec)
        account = self.account(changes)
        target = side
        for condition, value in spec.changes:
            if condition.hops and condition.table == opening.anchor and opening.anchor in side.records:
                target = self._changed_side(side, condition, value)
        if self.hold(opening, target, account, spec) is not None:
            self.world.holders[account] = spec
            if opening.anchor == STAFF:
                self.staff[account] = (spec.rank, opening.name, spec.live)

    def _changed_side(self, side: Side, condition: Condition, value: str | None) -> Side:
        """The side with the same owner whose record fails a condition (an archived profile)."""
        name = f"{side.name}, {condition.column} {'null' if value is None else value}"
        known = next((one for one in self.world.sides if one.name == name), None)
        if known is None:
            known = self.side(name, like=side, change=(condition, value))
            self.world.sides.append(known)
        return known

    def hold(self, opening: Opening, side: Side, account: str, spec: Spec) -> Row | None:
        """The opening's row for one account, with what it refers to; None where it cannot be made."""
        turned = dict(spec.changes)
        near = list(side.rows)
        fixed: dict[str, str | None] = {}
        try:
            holder = self._holder(opening, account, turned, near)
            fixed.update(holder)
            if opening.scope and opening.anchor in side.records and len(opening.scope) == 1:
                hop, record = opening.scope[0], side.records[opening.anchor]
                fixed |= {
                    column: record.values.get(target)
                    for column, target in zip(hop.columns, hop.target_columns, strict=True)
                }
            for hops, conditions in self._referred(opening):
                if hops == opening.account.hops[: len(hops)] or conditions[0].table == opening.anchor:
                    continue
                if self._is_mirror(conditions[0].table) or len(hops) != 1:
                    continue
                shared: dict[str, str | None] = {
                    target: fixed[column]
                    for column, target in zip(hops[0].columns, hops[0].target_columns, strict=True)
                    if column in fixed
                }
                parent = self._insert(conditions[0].table, shared, conditions, turned, near)
                near.append(parent)
                fixed |= {
                    column: parent.values.get(target)
                    for column, target in zip(hops[0].columns, hops[0].target_columns, strict=True)
                }
            own = [condition for condition in opening.conditions if not condition.hops]
            if opening.level and spec.rank:
                fixed[opening.level] = spec.rank
            row = self._insert(opening.table, fixed, own, turned, near)
        except (CannotFill, SqlFailure) as failure:
            self._gap(f"{spec.text()} in {opening.table}", str(failure))
            return None
        if spec.live and side.account == account:
            side.rows.extend([*near[len(side.rows) :], row])
        return row

    def _insert(
        self,
        table: str,
        fixed: Mapping[str, str | None],
        conditions: Sequence[Condition],
        turned: Mapping[Condition, str | None],
        near: Sequence[Row],
    ) -> Row:
        """A living row, but for what is turned. Where the table's own checks want an expiry, it gets one; where
        they forbid the rest (a withdrawn consent has no end), only what is turned is fixed."""
        wanted = self._wanted(conditions, turned)
        ends = {
            c.column: FUTURE
            for c in conditions
            if c.kind == "future" and c not in turned and wanted[c.column] is None
        }
        kept = {c.column: turned[c] for c in conditions if c in turned}
        kept |= {c.column: wanted[c.column] for c in conditions if c.kind == "one_of"}
        tries = [wanted, {**wanted, **ends}, kept, {c.column: turned[c] for c in conditions if c in turned}]
        for number, values in enumerate(tries):
            try:
                return self.filler.insert(table, {**fixed, **values}, near)
            except (CannotFill, SqlFailure):
                if number == len(tries) - 1:
                    raise
        raise CannotFill(table, "no state of it could be made")

    def _holder(
        self, opening: Opening, account: str, turned: Mapping[Condition, str | None], near: list[Row]
    ) -> dict[str, str | None]:
        """The columns of the opening that lead to the account, over the rows on the way (a provider)."""
        hops = opening.account.hops
        if not hops:
            return {opening.account.column: account}
        last = hops[-1]
        if self._is_mirror(last.target):
            return dict.fromkeys(hops[0].columns, account)
        conditions = [
            c for c in opening.conditions if c.hops == hops[: len(c.hops)] and c.table == last.target
        ]
        row = self._insert(last.target, {opening.account.column: account}, conditions, turned, near)
        near.append(row)
        for hop in reversed(hops[1:]):
            shared = dict(zip(hop.columns, (row.values.get(t) for t in hop.target_columns), strict=True))
            row = self.filler.insert(hop.table, shared, near)
            near.append(row)
        return dict(zip(hops[0].columns, (row.values.get(t) for t in hops[0].target_columns), strict=True))

    def _referred(self, opening: Opening) -> list[tuple[tuple[Hop, ...], list[Condition]]]:
        found: dict[tuple[Hop, ...], list[Condition]] = {}
        for condition in opening.conditions:
            if condition.hops:
                found.setdefault(condition.hops, []).append(condition)
        return list(found.items())

    def _wanted(
        self, conditions: Iterable[Condition], turned: Mapping[Condition, str | None]
    ) -> dict[str, str | None]:
        """Values for a row: living, but for what is turned."""
        found: dict[str, str | None] = {}
        for condition in conditions:
            if condition in turned:
                found[condition.column] = turned[condition]
            else:
                found[condition.column] = living(
                    condition, nullable=self._nullable(condition.table, condition.column)
                )
        return found

    def _mirror_changes(self, opening: Opening, spec: Spec) -> dict[str, dict[str, str | None]]:
        """What is turned in the account's own rows (a suspended account)."""
        found: dict[str, dict[str, str | None]] = {}
        for condition, value in spec.changes:
            if condition.hops and self._is_mirror(condition.table):
                found.setdefault(condition.table, {})[condition.column] = value
        return found

    def _dead(self, condition: Condition) -> tuple[str | None, ...]:
        nullable = self._nullable(condition.table, condition.column)
        relation = self.snapshot.relations.get(condition.table)
        column = relation.columns.get(condition.column) if relation else None
        labels = column.values if column else ()
        if not labels:
            known = self.model.constants.get((condition.table, condition.column), ())
            labels = (*known, OTHER)
        return dead_values(condition, labels, nullable=nullable)[:DEAD_TRIED]

    def _account_conditions(self, title: str) -> list[Condition]:
        return [
            condition
            for opening in self.model.openings
            for condition in opening.conditions
            if condition.hops and condition.table == title
        ]

    def _is_mirror(self, title: str) -> bool:
        return title == self.model.accounts or any(title == mirror for mirror, _ in self.mirrored)

    # -- everything else -----------------------------------------------------------------

    def fill(self, side: Side) -> None:
        """A row of every table for this side, parents first; written and received by its owner."""
        staffed = {opening.table for opening in self.model.openings if opening.anchor == STAFF}
        plain = side in self.world.sides[:2]
        for belonging in self._ordered():
            title = belonging.table
            if title in side.records or title in staffed or self._is_mirror(title):
                continue
            if title in self._tables() and side.of(title) is not None:
                continue
            if not plain and (belonging.kind is not Kind.SCOPED or title in self._tables()):
                continue
            if title in self.model.anchors and title != self.model.accounts:
                continue
            self._place(side, belonging, side.account, side.account)
        if side.name != "a":
            return
        ended = next((account for account, spec in self.world.holders.items() if not spec.live), "")
        for belonging in self._ordered():
            if (
                belonging.kind is Kind.SCOPED
                and belonging.authors
                and ended
                and belonging.table not in self._tables()
            ):
                self._place(side, belonging, ended, side.account, keep=False)

    def _place(
        self, side: Side, belonging: Belonging, author: str, party: str, *, keep: bool = True
    ) -> Row | None:
        """A row of a table for a side, written by `author` and about `party`; None (and a gap) if impossible."""
        fixed: dict[str, str | None] = {
            way.column: author
            for way in belonging.authors
            if not way.hops and self._takes(belonging.table, way.column)
        }
        fixed |= {way.column: party for way in belonging.parties if not way.hops}
        alive: list[Condition] = []
        for opening in self.model.openings:
            if opening.table == belonging.table:
                own = [condition for condition in opening.conditions if not condition.hops]
                alive = own
        for hops in belonging.paths:
            anchor = hops[-1].target if hops else ""
            if len(hops) == 1 and anchor in side.records:
                record = side.records[anchor]
                fixed |= {
                    column: record.values.get(target)
                    for column, target in zip(hops[0].columns, hops[0].target_columns, strict=True)
                }
        try:
            row = self._insert(belonging.table, fixed, alive, {}, side.rows)
        except (CannotFill, SqlFailure) as failure:
            self._gap(belonging.table, str(failure))
            return None
        return side.add(row) if keep else row

    def spare(self, side: Side) -> None:
        """Parents without children, for tables in which a row more would be a row twice."""
        for belonging in self._ordered():
            relation = self.snapshot.relations[belonging.table]
            keyed = {name for key in relation.foreign_keys for name in key.columns}
            linking = any(key.kind in "pu" and set(key.columns) <= keyed for key in relation.keys)
            if not linking or belonging.table in self.model.anchors or self._is_mirror(belonging.table):
                continue
            for key in relation.foreign_keys:
                parent = self.model.tables.get(key.target)
                if parent is None or key.target in self.model.anchors or self._is_mirror(key.target):
                    continue
                if key.target not in {row.table for row in side.spares}:
                    row = self._place(side, parent, side.account, side.account, keep=False)
                    if row is not None:
                        side.spares.append(row)

    def neighbours(self) -> None:
        """For every constant that a policy compares a column with: a row that has it, and one that has not."""
        for (title, column), constants in sorted(self.model.constants.items()):
            side = self.world.sides[0]
            row = side.of(title)
            belonging = self.model.tables.get(title)
            if row is None or belonging is None or title in self.model.anchors or title in self._tables():
                continue
            others = [value for value in self.filler.candidates(title, column) if value not in constants]
            for value in [*constants[:VALUES_TRIED], *others[:2]]:
                if value != row.values.get(column):
                    try:
                        self.filler.variant(row, {column: value})
                    except (CannotFill, SqlFailure):
                        continue  # a value that the table itself refuses needs no row

    def _ordered(self) -> list[Belonging]:
        """Tables, parents before children as far as keys are no circle."""
        known = [b for b in self.model.tables.values() if b.table in self.snapshot.relations]
        known = [
            b
            for b in known
            if not self.snapshot.relations[b.table].partition and b.table != "storage.objects"
        ]
        titles = {belonging.table for belonging in known}
        done: list[Belonging] = []
        placed: set[str] = set()
        waiting = list(known)
        while waiting:
            free = [
                b
                for b in waiting
                if all(
                    key.target in placed or key.target == b.table or key.target not in titles
                    for key in self.snapshot.relations[b.table].foreign_keys
                )
            ] or waiting[:1]
            for belonging in free:
                done.append(belonging)
                placed.add(belonging.table)
                waiting.remove(belonging)
        return done

    def _tables(self) -> set[str]:
        return {opening.table for opening in self.model.openings}

    def _takes(self, title: str, column: str) -> bool:
        return column in self.snapshot.relations[title].columns

    def _nullable(self, title: str, column: str) -> bool:
        relation = self.snapshot.relations.get(title)
        found = relation.columns.get(column) if relation else None
        return found is not None and not found.required

    def _key(self, title: str) -> str:
        relation = self.snapshot.relations[title]
        found = next((key.columns[0] for key in relation.keys if key.kind == "p"), "id")
        return found

    def _gap(self, what: str, why: str) -> None:
        if (what, why) not in self.world.gaps:
            self.world.gaps.append((what, why))
