"""What the rows of every table belong to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tools.rls.accounts import published
from tools.rls.objects import Relation
from tools.rls.proof.anchors import Records
from tools.rls.proof.evidence import Evidence
from tools.rls.proof.graph import Way as Alternative
from tools.rls.proof.keys import is_author
from tools.rls.proof.model import Belonging, Condition, Identity, Kind, Opening, Way
from tools.rls.proof.paths import Path, Paths, end
from tools.rls.proof.staffing import asks_staff
from tools.rls.proof.world import MESSAGES
from tools.rls.storage import OBJECTS

PARTITION: Final = "a partition of "
_OPEN: Final = re.compile(
    r"public|publish|listed|visib|shared|approv|verified|discover|active|enabled|status|state|featured"
)
_OPEN_VALUE: Final = re.compile(
    r"^(public|published|listed|visible|everyone|all|anyone|open|verified|approved|active|live|available)$"
)


def as_partition(whole: Belonging, title: str) -> Belonging:
    """A partition belongs to what its table belongs to."""

    def renamed(way: Way) -> Way:
        return replace(way, hops=moved(way.hops, title), table=way.table if way.hops else title)

    return replace(
        whole,
        table=title,
        paths=tuple(moved(hops, title) for hops in whole.paths),
        parties=tuple(renamed(way) for way in whole.parties),
        authors=tuple(renamed(way) for way in whole.authors),
        open_rows=replace(whole.open_rows, table=title) if whole.open_rows else None,
        why=f"{PARTITION}{whole.table}",
    )


def moved(hops: Path, title: str) -> Path:
    """The same path from another table."""
    return (replace(hops[0], table=title), *hops[1:]) if hops else hops


class Belongings:
    """Reads what each table belongs to, given the records and what opens them."""

    def __init__(self, evidence: Evidence, records: Records, staff: list[Opening]) -> None:
        self.evidence = evidence
        self.keys = evidence.keys
        self.snapshot = evidence.snapshot
        self.records = records
        self.staff = staff
        self.paths = Paths(evidence, records)
        self.openings = self.paths.openings
        self._ways: dict[str, list[Alternative]] = {}
        for way in evidence.ways:
            self._ways.setdefault(way.table, []).append(way)

    def all(self) -> dict[str, Belonging]:
        """Every table of the user's schemas, partitions like their parents, and storage.objects."""
        found: dict[str, Belonging] = {}
        for relation in self.snapshot.tables:
            if not relation.partition:
                found[relation.title] = self.of(relation)
        for relation in self.snapshot.tables:
            if relation.partition:
                found[relation.title] = self._partition(relation, found)
        stored = self.snapshot.relations.get(OBJECTS)
        if stored is not None and stored.policies:
            found[OBJECTS] = Belonging(OBJECTS, Kind.SCOPED, why="the path of a file tells whose it is")
        messages = self.snapshot.relations.get(MESSAGES)
        if messages is not None and messages.policies:
            found[MESSAGES] = Belonging(MESSAGES, Kind.SCOPED, why="the name of a channel tells whose it is")
        return dict(sorted(found.items()))

    def _partition(self, relation: Relation, found: dict[str, Belonging]) -> Belonging:
        parent = relation
        while parent.partition and parent.parents and parent.parents[0] in self.snapshot.relations:
            parent = self.snapshot.relations[parent.parents[0]]
        whole = found.get(parent.title)
        return as_partition(whole, relation.title) if whole else Belonging(relation.title, Kind.UNCLASSIFIED)

    def of(self, relation: Relation) -> Belonging:
        """One table."""
        title = relation.title
        voted = self.paths.voted(title)
        paths = self.paths.of(relation, voted)
        parties, authors = self.accounts(relation, paths)
        anchors = tuple(dict.fromkeys(end(title, hops) for hops in paths))
        kind, why = self.kind(relation, paths, voted, parties, authors)
        if kind is Kind.OWN:
            paths, anchors = (), ()
            if not parties:
                parties, authors = authors, ()
        open_rows, expect = self.open_rows(relation, kind), self.expect(relation, kind, parties)
        return Belonging(title, kind, paths, anchors, parties, authors, open_rows, expect, why)

    # -- accounts ------------------------------------------------------------------------

    def accounts(
        self, relation: Relation, paths: tuple[Path, ...]
    ) -> tuple[tuple[Way, ...], tuple[Way, ...]]:
        """Accounts that a row is about, and those that only wrote it."""
        title = relation.title
        identity = self.evidence.usual_identity
        asked = self._asked(title)
        parties: dict[Way, None] = {}
        authors: dict[Way, None] = {}
        for one in self.openings.get(title, ()):
            if one.account.table != title or one.account.hops or one.scope:
                parties[one.account] = None
        if title in self.records.anchors:
            parties = {}
        led = {hop.columns[0] for path in paths for hop in path[:1] if len(hop.columns) == 1}
        owners = {
            way.column for one in self.records.anchors.values() if one.table == title for way in one.owners
        }
        key = self.keys.primary(title) if self.keys.is_mirror(title) else ""
        for name in relation.columns:
            if name in owners | led or any(way.column == name and not way.hops for way in parties):
                continue
            if not self.keys.is_account(title, name) and name not in asked:
                continue
            way = Way((), title, name, asked.get(name, (identity, False))[0])
            reads = asked.get(name, (identity, False))[1]
            if name == key or (not is_author(name) and (reads or not paths)):
                parties[way] = None
            else:
                authors[way] = None
        return tuple(parties), tuple(authors)

    def _asked(self, title: str) -> dict[str, tuple[Identity, bool]]:
        """The columns that the table's own policies compare with the caller; whether that lets him in."""
        found: dict[str, tuple[Identity, bool]] = {}
        for chain in self.evidence.of(title):
            if chain.anchor != title or chain.hops or chain.opening or not self.evidence.names_account(chain):
                continue
            known = found.get(chain.column)
            lets_in = chain.way.part == "using" and (chain.way.reads or chain.alone)
            found[chain.column] = (chain.identity, lets_in or (known is not None and known[1]))
        return found

    # -- kinds ---------------------------------------------------------------------------

    def kind(
        self,
        relation: Relation,
        paths: tuple[Path, ...],
        voted: dict[Path, tuple[int, bool]],
        parties: tuple[Way, ...],
        authors: tuple[Way, ...],
    ) -> tuple[Kind, str]:
        """What a table is, and why in a few words."""
        title = relation.title
        ways = self._ways.get(title, [])
        if title in self.records.anchors:
            return Kind.SCOPED, "its rows are the records themselves"
        if not relation.policies:
            return self._unruled(relation, paths)
        asking = [way for way in ways if self._asks(way)]
        if asking and all(self._only_staff(way) for way in asking) and not self._open_ways(ways):
            return Kind.STAFF, "every policy asks for a staff role"
        asked = self._asked(title)
        if voted and paths:
            return Kind.SCOPED, "its policies follow the key"
        if paths and (not asked or any(self._shared(end(title, path)) for path in paths)):
            return Kind.SCOPED, "by its keys"
        if asked or (asking and (parties or authors)):
            return Kind.OWN, "its policies compare the account"
        if paths:
            return Kind.SCOPED, "by its keys"
        if not asking and self._reads_only(relation):
            if not parties and not authors:
                return Kind.REFERENCE, "policies ask for nobody, and no key leads to a person"
            if published(self.snapshot, relation):
                return Kind.OWN, "published by accounts"
        if parties or authors:
            return Kind.OWN, "by its keys to accounts"
        return Kind.UNCLASSIFIED, ""

    def _unruled(self, relation: Relation, paths: tuple[Path, ...]) -> tuple[Kind, str]:
        """A table without policies."""
        exposed = self.snapshot.exposure(relation)
        # Supabase grants everything on every table: a part of it was given on purpose, and a policy was lost.
        chosen = any(len(privileges) < 4 for privileges in exposed.values())
        if (relation.rls and not chosen) or not exposed:
            return Kind.SERVICE, "no policy" if relation.rls else "no privilege for API roles"
        if paths:
            return Kind.SCOPED, "by its keys; it has no policy"
        accounts = self.accounts(relation, ())
        if any(accounts):
            return Kind.OWN, "by its keys to accounts; it has no policy"
        if all(privileges <= {"SELECT"} for privileges in exposed.values()):
            return Kind.REFERENCE, "API roles may only read it"
        return Kind.UNCLASSIFIED, ""

    def _shared(self, title: str) -> bool:
        return any(one.anchor == title for one in self.records.openings)

    def _asks(self, way: Alternative) -> bool:
        return any(frame.asks or frame.claims or frame.seen for frame in way.frame.closure())

    def _only_staff(self, way: Alternative) -> bool:
        return asks_staff(self.evidence, way, self.staff) and not any(
            chain.way is way and self.paths.path(chain) for chain in self.evidence.of(way.table)
        )

    def _open_ways(self, ways: list[Alternative]) -> bool:
        return any(way.reads and not self._asks(way) for way in ways)

    def _reads_only(self, relation: Relation) -> bool:
        """Whether no policy lets a caller write, or no API role holds the privilege."""
        writes = {"INSERT", "UPDATE", "DELETE"}
        held = {p for privileges in self.snapshot.exposure(relation).values() for p in privileges} & writes
        return not any(
            policy.permissive and any(policy.covers(one) for one in held) for policy in relation.policies
        )

    def expect(self, relation: Relation, kind: Kind, parties: tuple[Way, ...]) -> dict[str, frozenset[str]]:
        """What policies say about reading that differs from the defaults."""
        ways = [way for way in self._ways.get(relation.title, ()) if way.reads]
        if kind is Kind.OWN and published(self.snapshot, relation) and self._everybody(ways):
            return {"SELECT": frozenset({"anyone"})}
        columns = {way.column for way in parties if not way.hops}
        if kind is Kind.SCOPED and ways and all(self._both(way, columns) for way in ways):
            return {"SELECT": frozenset(f"{word}+party" for word in self._insiders(relation.title))}
        return {}

    def _everybody(self, ways: list[Alternative]) -> bool:
        """Whether an alternative for reading lets every row pass."""
        return any(
            not any(f.tests or f.equal or f.asks or f.claims for f in way.frame.closure()) for way in ways
        )

    def _both(self, way: Alternative, columns: set[str]) -> bool:
        """Whether an alternative asks that the row names the caller and that its record is open to him."""
        chains = [chain for chain in self.evidence.of(way.table) if chain.way is way and not chain.alone]
        named = any(
            not c.hops and not c.opening and c.anchor == way.table and c.column in columns for c in chains
        )
        return named and any(self.paths.path(chain) for chain in chains)

    def _insiders(self, title: str) -> list[str]:
        """The words for those to whom a table's records are open."""
        ends = {end(title, path) for path in self.paths.voted(title)}
        words = ["owner"]
        for one in self.records.openings:
            if one.anchor in ends:
                words += [f"{one.name} {rank.value}" for rank in one.ranks] or [one.name]
        anchors = [self.records.anchors[title] for title in ends if title in self.records.anchors]
        words += ["claim"] if any(anchor.claims for anchor in anchors) else []
        return words + (["parent"] if any(anchor.parents for anchor in anchors) else [])

    def open_rows(self, relation: Relation, kind: Kind) -> Condition | None:
        """The test that opens a row to everybody: is_public, status = 'published'."""
        if kind in (Kind.SERVICE, Kind.STAFF):
            return None
        for way in self._ways.get(relation.title, ()):
            if not way.reads or self._asks(way):
                continue
            tests = [test for frame in way.frame.closure() for test in frame.tests if test.ref.row == way.row]
            for test in tests:
                if not _OPEN.search(test.ref.column):
                    continue
                if test.kind == "true":
                    return Condition((), relation.title, test.ref.column, "true")
                values = tuple(t.value for t in tests if t.ref == test.ref and t.kind == "equal")
                if values and all(_OPEN_VALUE.search(value) for value in values):
                    return Condition((), relation.title, test.ref.column, "one_of", values)
        return None
