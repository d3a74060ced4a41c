"""All that policies say, gathered once: chains from rows to callers, tests, constants, identities."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from tools.rls.proof.chains import Chain, Chains, Graph, Pairs
from tools.rls.proof.flow import Flow, flow
from tools.rls.proof.graph import NOTHING, Frame, Test, Way
from tools.rls.proof.identities import complete, names_account, names_tenant
from tools.rls.proof.keys import USERS, Keys, Place, keys
from tools.rls.proof.model import Hop, Identity
from tools.rls.proof.scopes import Scope
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot


@dataclass(eq=False)
class Evidence:
    """What the policies of one snapshot say."""

    snapshot: Snapshot
    keys: Keys
    tables: list[str]
    places: list[Frame]
    ways: list[Way] = field(default_factory=list[Way])
    chains: list[Chain] = field(default_factory=list[Chain])
    leans: dict[str, dict[tuple[Hop, ...], int]] = field(
        default_factory=dict[str, dict[tuple[Hop, ...], int]]
    )
    """Table -> hops to a table whose own policies decide, as subqueries of its policies follow them."""
    tests: dict[int, dict[Test, None]] = field(default_factory=dict[int, dict[Test, None]])
    edges: dict[int, dict[int, Pairs]] = field(default_factory=dict[int, dict[int, Pairs]])
    own: set[int] = field(default_factory=set[int])
    """The numbers of policies' own rows."""
    constants: dict[Place, dict[str, None]] = field(default_factory=dict[Place, dict[str, None]])
    claims: dict[Identity, dict[str, None]] = field(default_factory=dict[Identity, dict[str, None]])
    identities: dict[Identity, None] = field(default_factory=dict[Identity, None])
    called: list[Frame] = field(default_factory=list[Frame])
    """What functions that callers may execute do beside the policies: they, too, ask for staff."""
    _below: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    frames: set[int] = field(default_factory=set[int])

    def of(self, table: str) -> list[Chain]:
        """The chains of one table's policies."""
        return self._by_table().get(table, [])

    _grouped: dict[str, list[Chain]] = field(default_factory=dict[str, list[Chain]])

    def _by_table(self) -> dict[str, list[Chain]]:
        if not self._grouped:
            for chain in self.chains:
                self._grouped.setdefault(chain.way.table, []).append(chain)
        return self._grouped

    def names_account(self, chain: Chain) -> bool:
        """Whether the column at the end of a chain names a person: by key, or by what it is compared with."""
        place = (chain.holder_table or chain.anchor, chain.column)
        if self.keys.is_account(*place):
            return not names_tenant(chain.identity)
        if self.keys.home(*place) is not None and chain.identity.kind != "role":
            return False
        return names_account(chain.identity) or chain.identity.kind == "role"

    @cached_property
    def usual_identity(self) -> Identity:
        """What accounts are compared with most."""
        counted = Counter(chain.identity for chain in self.chains if self.names_account(chain))
        return max(counted, key=lambda one: (counted[one], one.name)) if counted else Identity("uid")

    def wrong(self, chain: Chain) -> bool:
        """Whether the user id is compared with the key of something else."""
        place = (chain.holder_table or chain.anchor, chain.column)
        if chain.identity.kind != "uid" or self.keys.is_account(*place):
            return False
        return self.keys.home(*place) is not None

    def beside(self, row: int) -> dict[int, Pairs]:
        """The rows that a lookup joins to one of its rows: in the same query or in functions it calls."""
        frame = self.places[row]
        below = self._below.get(id(frame))
        if below is None:
            below = self._below[id(frame)] = {id(one) for one in frame.closure()}
        return {
            other: pairs
            for other, pairs in self.edges.get(row, {}).items()
            if other not in self.own and id(self.places[other]) in below
        }

    def add(self, frame: Frame) -> None:
        """Take in a frame's tests, equalities and constants, once."""
        if id(frame) in self.frames:
            return
        self.frames.add(id(frame))
        for test in frame.tests:
            self.tests.setdefault(test.ref.row, {})[test] = None
            if test.kind in ("equal", "unequal"):
                place = (self.tables[test.ref.row], test.ref.column)
                self.constants.setdefault(place, {})[test.value] = None
        for left, right in frame.equal:
            self.edges.setdefault(left.row, {}).setdefault(right.row, []).append((left.column, right.column))
            self.edges.setdefault(right.row, {}).setdefault(left.row, []).append((right.column, left.column))
        for identity, value in frame.claims:
            self.claims.setdefault(identity, {})[value] = None
            self.identities[identity] = None
        for _, identity in frame.asks:
            self.identities[identity] = None
        self.identities.update(dict.fromkeys(one for one in frame.seen if complete(one)))


def gather(snapshot: Snapshot) -> Evidence:
    """Read every policy (storage's too)."""
    following, key = flow(snapshot), keys(snapshot)
    found = Evidence(snapshot, key, following.tables, following.places)
    reading = Chains(following, key)
    kept: list[tuple[Way, Graph]] = []
    for policy in snapshot.policies:
        for way in following.ways(policy):
            graph = Graph(way.frame)
            for frame in graph.frames:
                found.add(frame)
            found.ways.append(way)
            found.own.add(way.row)
            kept.append((way, graph))
    _find_accounts(found, kept)
    _call(found, following)
    for way, graph in kept:
        found.chains.extend(reading.of(way, graph))
        _lean(found, way)
    return found


def _call(found: Evidence, following: Flow) -> None:
    for function in found.snapshot.functions:
        if function.is_trigger or not found.snapshot.executors(function):
            continue
        frame = Frame()
        following.enter(
            function, [NOTHING] * len(function.arguments), [""] * len(function.arguments), Scope(frame)
        )
        for one in frame.closure():
            if id(one) not in found.frames:
                found.called.append(one)
                for test in one.tests:
                    if test.kind in ("equal", "unequal"):
                        place = (found.tables[test.ref.row], test.ref.column)
                        found.constants.setdefault(place, {})[test.value] = None
                for identity, value in one.claims:
                    found.claims.setdefault(identity, {})[value] = None
                    found.identities[identity] = None


_NAMED: Final = frozenset({"user_id", "owner_id"})
"""On Supabase these are accounts without a key, too, and where no policy asks for them."""


def _find_accounts(found: Evidence, kept: list[tuple[Way, Graph]]) -> None:
    """Which table holds the accounts, and which columns without a key name one."""
    key, votes = found.keys, Counter[Place]()
    for _, graph in kept:
        for ref, identity in graph.asks:
            place = (found.tables[ref.row], ref.column)
            if names_tenant(identity) or not (names_account(identity) or identity.kind == "role"):
                continue
            home = key.home(*place)
            if identity.path[-1:] == ("email",):
                continue
            if home is not None:
                votes[home] += 1
            elif key.is_key(*place) and place[1] == key.primary(place[0]):
                votes[place] += 1
            else:
                key.asked.add(place)
    if USERS not in found.snapshot.relations or not _leads_to_users(key, votes):
        best = max(votes, key=lambda place: (votes[place], place), default=None)
        key.account = best if best is not None else (USERS, "id")
    _spread(found)


def _spread(found: Evidence) -> None:
    """Columns without a key that name an account as well, by their names."""
    key = found.keys
    # What bears the name of a column that is asked for holds the same; a file's name is its path.
    names = {column for table, column in key.asked if table.partition(".")[0] not in PLATFORM_SCHEMAS}
    usual = _NAMED if key.account == (USERS, "id") else frozenset[str]()
    for relation in found.snapshot.tables:
        for name in (names | usual) & set(relation.columns):
            if name not in names and relation.columns[name].type != "uuid":
                continue
            if key.home(relation.title, name) is None and not key.is_key(relation.title, name):
                key.asked.add((relation.title, name))


def _leads_to_users(key: Keys, votes: Counter[Place]) -> bool:
    return not votes or key.snapshot.supabase or any(key.is_account(*place) for place in votes)


def _lean(found: Evidence, way: Way) -> None:
    """Subqueries of the policy itself read with the caller's rights: there the parent's policies decide."""
    graph: dict[int, Pairs] = {}
    for left, right in (pair for part in way.parts for pair in part.equal):
        for one, other in ((left, right), (right, left)):
            if one.row == way.row:
                graph.setdefault(other.row, []).append((one.column, other.column))
    for row, pairs in graph.items():
        parent = found.tables[row]
        relation = found.snapshot.relations.get(parent)
        if relation is None or not relation.rls or found.keys.direction(way.table, parent, pairs) != "up":
            continue
        hop = Hop(way.table, tuple(a for a, _ in pairs), parent, tuple(b for _, b in pairs))
        counted = found.leans.setdefault(way.table, {})
        counted[(hop,)] = counted.get((hop,), 0) + 1
