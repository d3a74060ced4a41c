"""Who tries what: every write that an actor attempts, on his own rows and on everybody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tools.rls.objects import Relation
from tools.rls.proof import storage
from tools.rls.proof.actors import Actor
from tools.rls.proof.model import Belonging, Kind
from tools.rls.proof.offices import appointments
from tools.rls.proof.reading import addressable
from tools.rls.proof.side import Side
from tools.rls.proof.standing import Record, Standings
from tools.rls.proof.world import World, WorldRow
from tools.rls.proof.writing import (
    Templates,
    Write,
    blind,
    inserts,
    mixes,
    moves,
    raises,
    takes,
    touches,
    trusted_tables,
    upserts,
)

SAMPLED: Final = 2
"""Rows of one kind (same record, same standing) that writes are tried on."""
WRITING: Final = frozenset({"INSERT", "UPDATE", "DELETE"})
WORD: Final = re.compile(r"[A-Za-z_]\w*")


@dataclass(eq=False)
class Tactics:
    """The writes of one world's actors. `seen`: actor -> relation -> ids that he reads."""

    world: World
    standings: Standings
    templates: Templates
    seen: Mapping[Actor, Mapping[str, frozenset[str]]]
    finer: bool = False
    """Whether expectations tell apart more than whose a row is."""

    def writes_of(self, actor: Actor) -> Iterator[Write]:
        """Every write that an actor tries."""
        for title, belonging in self.world.model.tables.items():
            relation = self.world.snapshot.relations.get(title)
            if relation is not None and title in self.world.rows:
                may = self.may(actor, relation)
                if "INSERT" in may and belonging.kind is not Kind.UNCLASSIFIED:
                    yield from self._new_rows(actor, belonging)
                if may:
                    yield from self._old_rows(actor, title, may)

    def may(self, actor: Actor, relation: Relation) -> frozenset[str]:
        """Commands that the role has at all and that this actor is chosen to try on this table."""
        role = self.world.snapshot.roles.get(actor.role)
        if role is None or not addressable(self.world.snapshot, relation):
            return frozenset()
        may = self.world.snapshot.may(role, relation) & WRITING
        if actor not in self.leading and relation.title not in self.trusted:
            may &= self.examples.get(relation.title, frozenset())
        return may

    def _new_rows(self, actor: Actor, belonging: Belonging) -> Iterator[Write]:
        leading = actor in self.leading
        if belonging.table == storage.OBJECTS:
            yield from storage.uploads(self.world, actor, None if leading else self._used_paths)
            if leading and self.finer:
                yield from storage.strays(self.world, actor, self._used_paths)
            return
        if leading and actor.spec is not None and actor.spec.live:
            yield from mixes(self.world, self.templates, actor, belonging, self.world.sides[0])
        if leading and actor.account == self.world.sides[1].account:
            yield from mixes(self.world, self.templates, actor, belonging, self.world.sides[1])
            yield from upserts(self.world, self.templates, actor, belonging)
        brought = self._brought(actor, belonging) if leading else []
        for side in self.world.sides[: 2 if leading else 1]:
            named = [*brought, *self._in_other_names(actor, belonging, side)]
            named += self._owned_by(actor, belonging) if leading else []
            named += appointments(self.world, actor, belonging.table) if leading else []
            yield from inserts(self.world, self.templates, actor, side, belonging, named)

    def _in_other_names(self, actor: Actor, belonging: Belonging, side: Side) -> list[dict[str, str | None]]:
        """For those who may write in this side's records: somebody else as the row's author."""
        living = actor.spec is not None and actor.spec.live and side is self.world.sides[0]
        authors = [way.column for way in belonging.authors if not way.hops]
        if not authors or not actor.account or not (living or actor.account == side.account):
            return []
        other = next(one.account for one in self.world.sides if one.account != actor.account)
        return [dict.fromkeys(authors, other)]

    def _owned_by(self, actor: Actor, belonging: Belonging) -> list[dict[str, str | None]]:
        """For a new record that may be nobody's yet: the caller as its owner, or somebody who has none."""
        relation = self.world.snapshot.relations[belonging.table]
        anchor = self.world.model.anchors.get(belonging.table)
        people = [account for account in (actor.account, self.templates.visitor) if account]
        ways = anchor.owners if anchor is not None and actor.account else ()
        free = [way.column for way in ways if not way.hops and not relation.columns[way.column].required]
        return [{column: account} for column in free for account in people]

    def _brought(self, actor: Actor, belonging: Belonging) -> list[dict[str, str | None]]:
        """For a second parent that a policy of INSERT speaks of: a row that is the actor's own, or none."""
        relation = self.world.snapshot.relations[belonging.table]
        policies = [policy for policy in relation.policies if policy.covers("INSERT")]
        said = {
            name for policy in policies for name in WORD.findall(policy.check_text or policy.using_text or "")
        }
        leading = {name for hops in belonging.paths for hop in hops[:1] for name in hop.columns}
        found: list[dict[str, str | None]] = []
        for key in relation.foreign_keys:
            column = key.columns[0]
            if len(key.columns) > 1 or column in leading or column not in said:
                continue
            if key.target in self.world.model.tables:
                found += [
                    {column: row.values.get(key.target_columns[0])} for row in self._owned(actor, key.target)
                ]
            if not relation.columns[column].required:
                found.append({column: None})
        return found

    def _owned(self, actor: Actor, title: str) -> list[WorldRow]:
        """A row that belongs to the actor himself, where there is one."""
        if self.world.model.accounts == title or not actor.account:
            return []
        rows = self.world.rows.get(title, ())
        return [row for row in rows if self.standings.standing(actor, row).base == "owner"][:1]

    def _old_rows(self, actor: Actor, title: str, may: frozenset[str]) -> Iterator[Write]:
        leading = actor in self.leading
        every: Sequence[WorldRow] = self.world.rows[title]
        if title == storage.OBJECTS:
            every = [row for row in every if row.values.get("name") in self._used_paths]
        rows = self.sample(actor, every, SAMPLED if leading else 1)
        yield from touches(self.world, actor, rows, self.templates.shapes_generated, may)
        if actor.name in self.blind_actors and title != storage.OBJECTS:
            yield from self._blindly(actor, title, may)
        if "UPDATE" not in may:
            return
        own = [row for row in rows if self.own(actor, row)]
        if leading:
            yield from moves(self.world, actor, own[:3], self.world.sides[0])
        if leading:
            yield from takes(self.world, actor, rows)
        if actor.account == self.world.sides[1].account:  # into the own record
            theirs = [row for row in rows if not self.own(actor, row)]
            yield from moves(self.world, actor, theirs[:2], self.world.sides[1])
        if title in self.trusted:
            yield from raises(self.world, actor, rows if leading else own, self.world.sides[0])

    def _blindly(self, actor: Actor, title: str, may: frozenset[str]) -> Iterator[Write]:
        """Whatever there is, as the first family's row tells and one that the actor wrote in former times."""
        first = next((row for row in self.world.sides[0].rows if row.table == title), None)
        if first is not None:
            yield from blind(self.world, actor, WorldRow(title, "", dict(first.values)), may)
        for row in self.world.rows[title]:
            standing = self.standings.standing(actor, row)
            if standing.author and not standing.inside:
                yield from blind(self.world, actor, row, may, where=" where true")
                return

    @cached_property
    def blind_actors(self) -> frozenset[str]:
        """Who writes without naming a row: strangers, the other family, and the leading ended ones."""
        leading = [
            actor for actor in self.leading if not (actor.spec and actor.spec.live) and not actor.staff
        ]
        return frozenset(a.name for a in leading if not a.name.startswith("owner of a"))

    @cached_property
    def trusted(self) -> frozenset[str]:
        """Tables whose rows decide about access."""
        return trusted_tables(self.world.model)

    @cached_property
    def leading(self) -> frozenset[Actor]:
        """Actors who try everything: strangers, owners, staff, the living, and one of every kind of ended."""
        kinds: set[tuple[str, str]] = set()
        found: set[Actor] = set()
        lapsed = {side.account for side in self.world.sides if side.lapsed}
        for actor in self.world.actors:
            if actor.account in lapsed:
                continue
            spec = actor.spec
            kind = (spec.opening, "".join(c.column for c, _ in spec.changes)) if spec else (actor.name, "")
            first = spec is not None and spec.opening not in {opening for opening, _ in kinds}
            if spec is None or spec.live or first:
                found.add(actor)
            if spec is not None and not spec.live:
                kinds.add(kind)
        return frozenset(found)

    @property
    def leading_in_order(self) -> list[Actor]:
        """The same as the world lists them."""
        return [actor for actor in self.world.actors if actor in self.leading]

    @cached_property
    def examples(self) -> dict[str, frozenset[str]]:
        """Table -> commands, so that together they have every distinct policy: what the other actors try."""
        known: set[tuple[object, ...]] = set()
        found: dict[str, frozenset[str]] = {}
        for title in self.world.tables:
            relation = self.world.snapshot.relations[title]
            belonging = self.world.model.tables.get(title)
            depth = len(belonging.paths[0]) if belonging and belonging.paths else -1
            triggers = tuple(sorted(trigger.function for trigger in relation.triggers if trigger.before))
            for command in ("INSERT", "UPDATE", "DELETE"):
                covering = [policy for policy in relation.policies if policy.covers(command)]
                texts = sorted(f"{policy.using_text} {policy.check_text}" for policy in covering)
                mark = (command, relation.rls, tuple(texts), triggers, depth)
                if mark not in known:
                    known.add(mark)
                    found[title] = found.get(title, frozenset()) | {command}
        return found

    @cached_property
    def _used_paths(self) -> frozenset[str]:
        """Layouts of stored files that some owner reads: those that policies are about."""
        files = {row.id: row.values.get("name") or "" for row in self.world.rows.get(storage.OBJECTS, ())}
        seen = {one for mine in self.seen.values() for one in mine.get(storage.OBJECTS, ())}
        return frozenset(name for one, name in files.items() if one in seen)

    @cached_property
    def _families(self) -> frozenset[Record]:
        """The records of the families; those that holders brought along are all alike."""
        return self._records(lapsed=False)

    @cached_property
    def _lapsed(self) -> frozenset[Record]:
        """The records of those whose account is not in force: for their own attacks alone."""
        return self._records(lapsed=True) - self._families

    def _records(self, *, lapsed: bool) -> frozenset[Record]:
        anchors = self.world.model.anchors
        return frozenset(
            (table, record.values.get(anchors[table].key) or "")
            for side in self.world.sides
            if side.lapsed is lapsed
            for table, record in side.records.items()
        )

    def sample(self, actor: Actor, rows: Sequence[WorldRow], most: int) -> list[WorldRow]:
        """A few rows of every kind: by the record they belong to and what the actor is to them."""
        count: dict[tuple[object, ...], int] = {}
        found: list[WorldRow] = []
        for row in rows:
            records = self.standings.scopes(row)
            if records & self._lapsed and not self.own(actor, row):
                continue
            records &= self._families
            kind = (self.standings.standing(actor, row), records, row.values.get("bucket_id"))
            count[kind] = count.get(kind, 0) + 1
            if count[kind] <= most:
                found.append(row)
        return found

    def own(self, actor: Actor, row: WorldRow) -> bool:
        """Whether the actor has anything to do with a row."""
        standing = self.standings.standing(actor, row)
        return standing.inside or standing.party or standing.author
