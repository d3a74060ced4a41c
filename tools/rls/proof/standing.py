"""Who stands how to a row, by the model alone: what an actor is to the records that the row belongs to.

The words are what `[rls.expect]` uses: `owner`, `closed owner` (of a record that is not in force),
`profile_grants.grantee_account_id manage`, `ended`, `none`, `staff reviewer`, `anon`, with `+party` and
`+author` where the row also names the actor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tools.rls.proof.actors import Actor
from tools.rls.proof.model import STAFF, Anchor, Condition, Identity, Kind, Model, Opening, Way
from tools.rls.proof.world import NAMED, World, WorldRow

Record = tuple[str, str]
"""An anchor's table and the key of one of its rows."""

ORDER: Final = ("none", "ended", "opening", "owner")


@dataclass(frozen=True, slots=True)
class Hold:
    """One opening's row: who holds which record, alive or not."""

    opening: str
    record: Record
    identity: Identity
    value: str
    live: bool
    rights: frozenset[str]
    rank: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What an actor is to a row. `base` is one of ORDER, `anon` or `staff`."""

    base: str
    rights: frozenset[str] = frozenset()
    detail: str = ""
    party: bool = False
    author: bool = False
    closed: bool = False
    """Whether the record is not in force, as lookups test it: archived, or its owner's account ended."""

    @property
    def word(self) -> str:
        """As in `[rls.expect]`."""
        said = self.detail if self.base in ("opening", "staff") else self.base
        said = f"closed {said}" if self.closed else said
        return said + ("+party" if self.party else "") + ("+author" if self.author else "")

    @property
    def inside(self) -> bool:
        """Whether the record is open to the actor at all."""
        return self.base in ("opening", "owner")


@dataclass(slots=True, eq=False)
class Standings:
    """Standings over one world, each worked out once."""

    world: World
    holds: dict[tuple[Record, str], list[Hold]] = field(default_factory=dict[tuple[Record, str], list[Hold]])
    _known: dict[tuple[int, str, str], Standing] = field(default_factory=dict[tuple[int, str, str], Standing])
    _scopes: dict[tuple[str, str], frozenset[Record]] = field(
        default_factory=dict[tuple[str, str], frozenset[Record]]
    )

    def __post_init__(self) -> None:
        for opening in self.model.openings:
            if opening.anchor == STAFF:  # it opens no record
                continue
            rights = {rank.value: rank.rights for rank in opening.ranks}
            for row in self.world.rows.get(opening.table, ()):
                self._hold(opening, row, rights)

    def _hold(self, opening: Opening, row: WorldRow, rights: Mapping[str, frozenset[str]]) -> None:
        """Remember who holds what by this row: several people where it names a group."""
        rank = row.values.get(opening.level) or "" if opening.level else ""
        allowed = rights.get(rank, frozenset({"read"})) if opening.ranks else ALL
        target = self.world.follow(row, opening.scope) if opening.scope else row
        if target is None:
            return
        record: Record = (opening.anchor, self._key(target))
        own = all(self.world.meets(c, row) for c in opening.conditions if not _personal(opening, c))
        for way in self._members(row, opening.account):
            value = way[-1].values.get(opening.account.column)
            if value is None:
                continue
            live = own and all(
                self._met(opening, c, way) for c in opening.conditions if _personal(opening, c)
            )
            hold = Hold(opening.name, record, opening.account.identity, value, live, allowed, rank)
            self.holds.setdefault((record, value), []).append(hold)

    def _members(self, row: WorldRow, account: Way) -> list[list[WorldRow]]:
        """Every way from an opening's row to an account, as the rows along it."""
        ways = [[row]]
        for hop in account.hops:
            ways = [
                [*way, target]
                for way in ways
                if None not in way[-1].key(hop.columns)
                for target in self.world.find(hop.target, hop.target_columns, way[-1].key(hop.columns))
            ]
        return ways

    def _met(self, opening: Opening, condition: Condition, way: Sequence[WorldRow]) -> bool:
        """Whether a condition holds on the way to this account, from the row where their paths part."""
        shared = 0
        for mine, hop in zip(condition.hops, opening.account.hops, strict=False):
            if mine != hop:
                break
            shared += 1
        row = way[min(shared, len(way) - 1)]
        return self.world.meets(replace(condition, hops=condition.hops[shared:]), row)

    @property
    def model(self) -> Model:
        """The model that is judged by."""
        return self.world.model

    # -- rows ----------------------------------------------------------------------------

    def scopes(self, row: WorldRow) -> frozenset[Record]:
        """The records that a row belongs to, along every path that is not null."""
        known = self._scopes.get((row.table, row.id)) if row.id else None
        if known is None:
            found: set[Record] = set()
            belonging = self.model.tables.get(row.table)
            for hops in belonging.paths if belonging else ():
                target = self.world.follow(row, hops)
                if target is not None:
                    found.add((target.table, self._key(target)))
            if row.table in NAMED:
                name = row.values.get(NAMED[row.table]) or ""
                for one in self.world.strays.get(name, (name,)):
                    found |= self._named(one)
            known = frozenset(found)
            if row.id:
                self._scopes[row.table, row.id] = known
        return known

    def _named(self, name: str) -> set[Record]:
        """A stored object or a message belongs to the record, or the account, that its name was made of."""
        account, key = self.world.paths.get(name, ("", ""))
        anchor = next((title for title in self.model.anchors if (title, key) in self._records()), "")
        if anchor:
            return {(anchor, key)}
        return {(self.model.accounts, account)} if account else set()

    def _depth(self, record: Record) -> tuple[bool, Record]:
        """Records below others first: what somebody is to a patient says more than what he is to a clinic."""
        belonging = self.model.tables.get(record[0])
        return not (belonging and any(belonging.paths)), record

    def _records(self) -> set[Record]:
        return {
            (row.table, self._key(row))
            for title in self.model.anchors
            for row in self.world.rows.get(title, ())
        }

    def standing(self, actor: Actor, row: WorldRow) -> Standing:
        """What the actor is to the row: the best over the records that it belongs to."""
        key = (id(actor), row.table, row.id)
        if row.id and key in self._known:
            return self._known[key]
        found = self._standing(actor, row)
        if row.id:
            self._known[key] = found
        return found

    def _standing(self, actor: Actor, row: WorldRow) -> Standing:
        belonging = self.model.tables.get(row.table)
        party = author = False
        if belonging is not None:
            party = any(self._is(actor, row, way) for way in belonging.parties)
            author = any(self._is(actor, row, way) for way in belonging.authors)
        scopes = self.scopes(row)
        best = Standing("none")
        for record in sorted(scopes, key=self._depth):
            one = self.to_record(actor, record)
            if not row.id and record[0] == row.table:
                one = self._new_record(actor, row, one)
            if (ORDER.index(one.base), len(one.rights)) > (ORDER.index(best.base), len(best.rights)):
                best = one
        if best.base != "owner" and not best.inside and actor.staff:
            best = Standing("staff", detail=f"staff {actor.staff}")
        if best.base in ("none", "ended") and actor.role == "anon":
            best = Standing("anon")
        if not scopes and belonging is not None and self._theirs(belonging.kind, party=party, author=author):
            best = Standing("owner", ALL)
        return replace(best, party=party, author=author)

    @staticmethod
    def _theirs(kind: Kind, *, party: bool, author: bool) -> bool:
        """Whether a row that belongs to no record is the account's own: a message about nobody's record."""
        return party if kind is Kind.SCOPED else kind is Kind.OWN and (party or author)

    def _new_record(self, actor: Actor, row: WorldRow, known: Standing) -> Standing:
        """What the actor is to a record as an attack would leave it: its owner, or inside one above it."""
        anchor = self.model.anchors[row.table]
        if any(self._is(actor, row, way) for way in anchor.owners):
            return Standing("owner", ALL)
        for hops in anchor.parents:
            target = self.world.follow(row, hops)
            if target is not None:
                above = self.to_record(actor, (target.table, self._key(target)))
                if above.inside:
                    return Standing("opening", above.rights, "parent")
        for record in self._named_above(row, anchor):  # nobody's yet, where the actor is at home
            above = self.to_record(actor, record)
            if above.inside:
                return Standing("opening", above.rights, "parent")
        return known

    def _named_above(self, row: WorldRow, anchor: Anchor) -> list[Record]:
        """The other records that a new record of nobody's names: the clinic that a patient comes to."""
        if any(way.hops or row.values.get(way.column) for way in anchor.owners):
            return []
        return [
            (key.target, row.values.get(key.columns[0]) or "")
            for key in self.world.snapshot.relations[row.table].foreign_keys
            if key.target in self.model.anchors
            and key.target_columns == (self.model.anchors[key.target].key,)
        ]

    # -- records -------------------------------------------------------------------------

    def to_record(self, actor: Actor, record: Record, depth: int = 0) -> Standing:
        """What the actor is to one record, also through the records above it."""
        table, key = record
        if table == self.model.accounts:
            return Standing("owner", ALL) if actor.account and actor.account == key else Standing("none")
        anchor = self.model.anchors.get(table)
        rows = self.world.find(table, (anchor.key,), (key,)) if anchor else []
        if anchor is None or not rows:
            return Standing("none")
        row = rows[0]
        if any(self._is(actor, row, way) for way in anchor.owners):
            lasting = all(self.world.meets(condition, row) for condition in anchor.conditions)
            return Standing("owner", ALL, closed=not lasting)
        best = Standing("none")
        for value in sorted(self.values(actor)):
            for hold in self.holds.get((record, value), ()):
                if self.identity(actor, hold.identity) != hold.value:
                    continue
                one = (
                    Standing("opening", hold.rights, f"{hold.opening} {hold.rank}".strip())
                    if hold.live
                    else Standing("ended")
                )
                if (ORDER.index(one.base), len(one.rights)) > (ORDER.index(best.base), len(best.rights)):
                    best = one
        opened = any(opening.anchor == table for opening in self.model.openings)
        if not best.inside and not opened and any(self.identity(actor, i) == key for i in anchor.claims):
            best = Standing("opening", ALL, "claim")
        for hops in anchor.parents if depth < 4 else ():
            target = self.world.follow(row, hops)
            if target is not None:
                one = self.to_record(actor, (target.table, self._key(target)), depth + 1)
                if (ORDER.index(one.base), len(one.rights)) > (ORDER.index(best.base), len(best.rights)):
                    best = one if one.base != "owner" else Standing("opening", one.rights, "parent")
        return best

    def values(self, actor: Actor) -> set[str]:
        """Every value by which rows may name the actor."""
        found = {self.identity(actor, identity) for identity in self.model.identities}
        return {value for value in (*found, actor.account) if value}

    def identity(self, actor: Actor, identity: Identity) -> str | None:
        """What an identity source gives for this actor."""
        match identity.kind:
            case "uid":
                return actor.account or None
            case "setting":
                return actor.settings.get(identity.path[0])
            case "role":
                return actor.role
            case _:
                return None if identity.forged and actor.forger else _claim(actor.claims, identity.path)

    def _is(self, actor: Actor, row: WorldRow, way: Way) -> bool:
        value = self.identity(actor, way.identity)
        return value is not None and any(
            target.values.get(way.column) == value for target in self.world.reach(row, way.hops)
        )

    def _key(self, row: WorldRow) -> str:
        anchor = self.model.anchors.get(row.table)
        return row.values.get(anchor.key if anchor else "id") or ""


def _personal(opening: Opening, condition: Condition) -> bool:
    """Whether a condition is about a row on the way to the account."""
    return bool(condition.hops and opening.account.hops and condition.hops[0] == opening.account.hops[0])


ALL: Final = frozenset({"read", "write", "manage"})


def _claim(claims: Mapping[str, object], path: tuple[str, ...]) -> str | None:
    value: object = claims
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  JSON
    return str(value) if isinstance(value, (str, int)) else None  # pyright: ignore[reportUnknownArgumentType]
