"""Fills a world: two families, everybody who was ever let in, and a row in every table for each side.

Around one living row of every opening stand its neighbours: the same row with one condition turned, for each
way to turn it and each rank. Whatever a policy or a helper tests, some pair of these differs in just that.
What has ended stands there with an expiry still to come as well, which may count where it should not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from tools.rls.objects import Key
from tools.rls.proof.actors import Spec
from tools.rls.proof.ground import Ground
from tools.rls.proof.model import STAFF, Anchor, Condition, Hop, Opening
from tools.rls.proof.side import FAR, Side, dead_values, living, top_rank
from tools.rls.proof.world import World
from tools.sandbox.scratch.fill import CannotFill, Row
from tools.sandbox.scratch.session import SqlFailure

OTHER: Final = "something else"
"""A value of a free text column that no policy has ever heard of."""
DEAD_TRIED: Final = 6
LAPSED_TRIED: Final = 3
_CREATED: Final = re.compile(r"(_by|creator|founder|author)$")
VALUES_TRIED: Final = 4
"""How many constants of one column get a row of their own."""


class Population(Ground):
    """Lets people into the records of a world: owners, and everybody who ever held an opening."""

    def build(self) -> World:
        """The whole population, in the order in which rows need one another."""
        for name in ("a", "b"):
            self.world.sides.append(self.side(name))
        for opening in self.model.openings:
            self.open(opening)
        self.lapse()
        self.visitor = self.account()
        return self.world

    def side(
        self, name: str, like: Side | None = None, change: tuple[Condition, str | None] | None = None
    ) -> Side:
        """A family with one record of every anchor; `change` turns one condition of a record."""
        side = Side(name, "")
        side.account = like.account if like else self.account(side=side)
        if like is not None:
            side.rows += [row for row in like.rows if row.table not in self.model.anchors]
        for anchor in self._anchors():
            if anchor.table not in self.snapshot.relations:
                value = like.records[anchor.table].values if like else {anchor.key: self.tenant(anchor)}
                side.records[anchor.table] = Row(anchor.table, 0, value)
                continue
            fixed: dict[str, str | None] = {
                way.column: side.account for way in anchor.owners if not way.hops and way.column
            }
            for condition in anchor.conditions:
                if not condition.hops:
                    fixed[condition.column] = living(
                        condition, nullable=self.nullable(anchor.table, condition.column)
                    )
            if change is not None and change[0].table == anchor.table:
                fixed[change[0].column] = change[1]
            elif like is not None and anchor.table in like.records:
                side.records[anchor.table] = side.add(like.records[anchor.table])
                continue
            try:
                row = side.add(self.filler.insert(anchor.table, fixed, side.rows))
            except (CannotFill, SqlFailure) as failure:
                self.gap(anchor.table, str(failure))
                continue
            side.records[anchor.table] = row
        for opening in self.model.openings if like is None else ():
            if opening.anchor != STAFF and not self._owned(opening.anchor):
                self.hold(opening, side, side.account, Spec(opening.name, top_rank(opening)))
        return side

    def lapse(self) -> None:
        """Owners whose account is not as their records ask for: suspended, closed."""
        anchors = self._anchors()
        turned: dict[tuple[str, str, str | None], None] = {}
        for condition in (one for anchor in anchors for one in anchor.conditions):
            if len(condition.hops) == 1 and self.is_mirror(condition.table):
                dead = self._dead(condition)[:LAPSED_TRIED]
                turned |= dict.fromkeys((condition.table, condition.column, value) for value in dead)
        for title, column, value in turned:
            said = "null" if value is None else value
            side = Side(f"c whose {column} is {said}", self.account({title: {column: value}}), lapsed=True)
            for anchor in anchors:
                own = {way.column: side.account for way in anchor.owners if not way.hops and way.column}
                mine = [one for one in anchor.conditions if not one.hops]
                if own and anchor.table in self.snapshot.relations:
                    with suppress(CannotFill, SqlFailure):
                        row = self.insert_living(anchor.table, own, mine, {}, side.rows)
                        side.records[anchor.table] = side.add(row)
            self.world.sides.append(side)

    def tenant(self, anchor: Anchor) -> str:
        """A new tenant's value, of the type of the columns that hold it."""
        kinds = {
            relation.columns[anchor.key].type
            for relation in self.snapshot.tables
            if anchor.key in relation.columns
        }
        if "uuid" in kinds or not kinds:
            return self.filler.fresh("uuid")
        self._numbers += 1
        numeric = kinds & {"bigint", "integer", "smallint", "numeric"}
        return str(self._numbers) if numeric else f"tenant-{self._numbers}"

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
                    key.target in titles and key.target != anchor.table for key in self._keys_of(anchor.table)
                )
            ]
            for anchor in free or waiting[:1]:
                done.append(anchor)
                waiting.remove(anchor)
        return done

    def _keys_of(self, title: str) -> tuple[Key, ...]:
        relation = self.snapshot.relations.get(title)
        return relation.foreign_keys if relation else ()

    def _owned(self, table: str) -> bool:
        """Whether a column of the record says whose it is; who merely created it needs an opening as well."""
        anchor = self.model.anchors.get(table)
        ways = anchor.owners if anchor else ()
        return any(not way.hops and not _CREATED.search(way.column) for way in ways)

    def open(self, opening: Opening) -> None:
        """Somebody for every rank, and for every way in which a living opening can have ended."""
        side = self.world.sides[0]
        ranks = [rank.value for rank in opening.ranks] or [""]
        specs: list[Spec] = [Spec(opening.name, rank) for rank in ranks]
        for condition in opening.conditions:
            for number, value in enumerate(self._dead(condition)):
                turned = ranks if number == 0 else [top_rank(opening)]
                specs += [Spec(opening.name, rank, ((condition, value),)) for rank in turned]
            if condition.kind == "future" and self.nullable(condition.table, condition.column):
                specs.append(Spec(opening.name, top_rank(opening), ((condition, FAR),), alive=True))
        specs += self._ended_with_an_end(opening)
        specs += [spec for spec in self.witnesses if spec.opening == opening.name and spec not in specs]
        for spec in specs:
            self._admit(opening, side, spec)

    def _ended_with_an_end(self, opening: Opening) -> list[Spec]:
        """Whoever has ended once more with an expiry still to come: elsewhere, none at all stands for that.

        `status = 'active' and expires_at is null or expires_at > now()` lets in only whom both are true of.
        """
        own = [c for c in opening.conditions if not c.hops]
        ends = [c for c in own if c.kind == "future" and self.nullable(c.table, c.column)]
        turned = [(c, self._dead(c)[:1]) for c in own if ends and c not in ends]
        return [
            Spec(opening.name, top_rank(opening), ((condition, value), (ends[0], FAR)))
            for condition, dead in turned
            for value in dead
        ]

    def _admit(self, opening: Opening, side: Side, spec: Spec) -> None:
        """A new account that holds this opening of the side's record."""
        changes = self._mirror_changes(opening, spec)
        account = self.account(changes)
        target = side
        for condition, value in spec.changes:
            grouped = (
                opening.account.hops
                and condition.hops[:1]
                and (condition.hops[0].columns == opening.account.hops[0].columns)
            )
            if condition.hops and condition.table in side.records and not grouped:
                target = self._changed_side(side, condition, value)
        row = self.hold(opening, target, account, spec)
        if row is not None:
            self.world.holders[account] = spec
            if spec.live:
                self.opened.setdefault(opening.name, row)
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
            self._group(opening, turned, near)
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
                made = any(row.table == conditions[0].table for row in near[len(side.rows) :])
                made |= conditions[0].table in side.records
                if self.is_mirror(conditions[0].table) or len(hops) != 1 or made:
                    continue
                shared: dict[str, str | None] = {
                    target: fixed[column]
                    for column, target in zip(hops[0].columns, hops[0].target_columns, strict=True)
                    if column in fixed
                }
                parent = self.insert_living(conditions[0].table, shared, conditions, turned, near)
                near.append(parent)
                fixed |= {
                    column: parent.values.get(target)
                    for column, target in zip(hops[0].columns, hops[0].target_columns, strict=True)
                }
            own = [condition for condition in opening.conditions if not condition.hops]
            if opening.level and spec.rank:
                fixed[opening.level] = spec.rank
            row = self.insert_living(opening.table, fixed, own, turned, near)
        except (CannotFill, SqlFailure) as failure:
            only_one = "already holds" in str(failure) and spec.live  # the record's owner has it
            if not only_one or not side.of(opening.table):
                self.gap(f"{spec.text()} in {opening.table}", str(failure))
            return None
        if spec.live and side.account == account:
            side.rows.extend([*near[len(side.rows) :], row])
        return row

    def _group(self, opening: Opening, turned: Mapping[Condition, str | None], near: list[Row]) -> None:
        """A group of its own for whoever is let in through one, so that nobody else's state matters."""
        hops = opening.account.hops
        if not hops:
            return
        for key in self._keys_of(opening.table):
            if set(hops[0].columns) <= set(key.columns) and key.target != hops[0].target:
                conditions = [c for c in opening.conditions if c.hops and c.table == key.target]
                near.append(self.insert_living(key.target, {}, conditions, turned, near))

    def _holder(
        self, opening: Opening, account: str, turned: Mapping[Condition, str | None], near: list[Row]
    ) -> dict[str, str | None]:
        """The columns of the opening that lead to the account, over the rows on the way (a provider)."""
        hops = opening.account.hops
        if not hops:
            return {opening.account.column: account}
        last = hops[-1]
        if self.is_mirror(last.target):
            return dict.fromkeys(hops[0].columns, account)
        conditions = [c for c in opening.conditions if c.hops == hops]
        row = self.insert_living(last.target, {opening.account.column: account}, conditions, turned, near)
        near.append(row)
        for number in range(len(hops) - 1, 0, -1):
            hop = hops[number]
            shared = dict(zip(hop.columns, (row.values.get(t) for t in hop.target_columns), strict=True))
            mine = [c for c in opening.conditions if c.hops == hops[:number]]
            row = self.insert_living(hop.table, shared, mine, turned, near)
            near.append(row)
        return dict(zip(hops[0].columns, (row.values.get(t) for t in hops[0].target_columns), strict=True))

    def _referred(self, opening: Opening) -> list[tuple[tuple[Hop, ...], list[Condition]]]:
        found: dict[tuple[Hop, ...], list[Condition]] = {}
        for condition in opening.conditions:
            if condition.hops:
                found.setdefault(condition.hops, []).append(condition)
        return list(found.items())

    def _mirror_changes(self, opening: Opening, spec: Spec) -> dict[str, dict[str, str | None]]:
        """What is turned in the account's own rows (a suspended account)."""
        found: dict[str, dict[str, str | None]] = {}
        for condition, value in spec.changes:
            if condition.hops and self.is_mirror(condition.table):
                found.setdefault(condition.table, {})[condition.column] = value
        return found

    def _dead(self, condition: Condition) -> tuple[str | None, ...]:
        nullable = self.nullable(condition.table, condition.column)
        relation = self.snapshot.relations.get(condition.table)
        column = relation.columns.get(condition.column) if relation else None
        labels = column.values if column else ()
        if not labels:
            known = self.model.constants.get((condition.table, condition.column), ())
            labels = (*known, OTHER)
        return dead_values(condition, labels, nullable=nullable)[:DEAD_TRIED]
