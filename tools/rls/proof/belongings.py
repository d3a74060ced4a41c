"""What the rows of every table belong to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Final

from tools.rls.accounts import published
from tools.rls.objects import Relation
from tools.rls.proof.chains import Chain
from tools.rls.proof.anchors import Records, claimed
from tools.rls.proof.evidence import Evidence
from tools.rls.proof.graph import Way as Alternative
from tools.rls.proof.keys import is_author
from tools.rls.proof.model import Belonging, Condition, Hop, Identity, Kind, Opening, Way
from tools.rls.proof.staffing import asks_staff
from tools.rls.storage import OBJECTS

Path = tuple[Hop, ...]
_DEPTH: Final = 5
_TRIED: Final = 60
"""Paths along keys that are looked at for one table."""
_OPEN: Final = re.compile(
    r"public|publish|listed|visib|shared|approv|verified|discover|active|enabled|status|state|featured"
)
_OPEN_VALUE: Final = re.compile(
    r"^(public|published|listed|visible|everyone|all|anyone|open|verified|approved|active|live|available)$"
)


class Belongings:
    """Reads what each table belongs to, given the records and what opens them."""

    def __init__(self, evidence: Evidence, records: Records, staff: list[Opening]) -> None:
        self.evidence = evidence
        self.keys = evidence.keys
        self.snapshot = evidence.snapshot
        self.records = records
        self.staff = staff
        self.openings: dict[str, list[Opening]] = {}
        for one in records.openings:
            self.openings.setdefault(one.table, []).append(one)
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
        return dict(sorted(found.items()))

    def _partition(self, relation: Relation, found: dict[str, Belonging]) -> Belonging:
        title = relation.title
        parent = relation
        while parent.partition and parent.parents and parent.parents[0] in self.snapshot.relations:
            parent = self.snapshot.relations[parent.parents[0]]
        whole = found.get(parent.title)
        if whole is None:
            return Belonging(title, Kind.UNCLASSIFIED)

        def moved(hops: Path) -> Path:
            return (replace(hops[0], table=title), *hops[1:]) if hops else hops

        def renamed(way: Way) -> Way:
            return replace(way, hops=moved(way.hops), table=way.table if way.hops else title)

        return replace(
            whole,
            table=title,
            paths=tuple(moved(hops) for hops in whole.paths),
            parties=tuple(renamed(way) for way in whole.parties),
            authors=tuple(renamed(way) for way in whole.authors),
            open_rows=replace(whole.open_rows, table=title) if whole.open_rows else None,
            why=f"a partition of {parent.title}",
        )

    def of(self, relation: Relation) -> Belonging:
        """One table."""
        title = relation.title
        voted = self.voted(title)
        paths = self.paths(relation, voted)
        parties, authors = self.accounts(relation, bool(paths))
        anchors = tuple(dict.fromkeys(self._end(title, hops) for hops in paths))
        kind, why = self.kind(relation, paths, voted, parties, authors)
        if kind is Kind.OWN:
            paths, anchors = (), ()
            if not parties:
                parties, authors = authors, ()
        return Belonging(
            title, kind, paths, anchors, parties, authors, self.open_rows(relation, kind), why=why
        )

    # -- paths ---------------------------------------------------------------------------

    def voted(self, title: str) -> dict[Path, tuple[int, bool]]:
        """The paths that policies follow: how many do, and whether one for reading does."""
        found: dict[Path, tuple[int, bool]] = {}
        for chain in self.evidence.of(title):
            path = self._path(chain)
            if path:
                times, reads = found.get(path, (0, False))
                found[path] = (times + 1, reads or chain.way.reads)
        return found

    def _path(self, chain: Chain) -> Path | None:
        """A chain's hops to the nearest record; None where it leads to none."""
        hops = chain.hops
        if not chain.anchor or self.evidence.wrong(chain):
            return None
        if not chain.opening and not self.evidence.names_account(chain):
            title = claimed(self.evidence, chain)
            if title is None or title not in self.records.anchors:
                return None
            if title != chain.anchor:
                key = self.records.anchors[title].key
                hops = (*hops, Hop(chain.anchor, (chain.column,), title, (key,)))
        hops = tuple(self._canonical(hop) for hop in hops)
        for i, hop in enumerate(hops):
            if hop.target in self.records.anchors:
                return hops[: i + 1]
        return None

    def _canonical(self, hop: Hop) -> Hop:
        if hop.target in self.records.anchors or hop.target != self.keys.account[0]:
            return hop
        mirror = next((one for one in self.records.anchors if self.keys.is_mirror(one)), None)
        return replace(hop, target=mirror, target_columns=(self.keys.primary(mirror),)) if mirror else hop

    def paths(self, relation: Relation, voted: dict[Path, tuple[int, bool]]) -> tuple[Path, ...]:
        """The paths of a table: what its policies follow, and keys that lead to the same records another way."""
        title = relation.title
        if title in self.records.anchors:
            return ((),)
        opened = {one.anchor for one in self.openings.get(title, ())}
        chosen = {
            path: known for path, known in voted.items() if not opened or self._end(title, path) in opened
        }
        most = max((times for times, _ in chosen.values()), default=0)
        reading = any(reads and times * 2 >= most for times, reads in chosen.values())
        found = [
            path for path, (times, reads) in chosen.items() if times * 2 >= most and (reads or not reading)
        ]  # fmt: skip
        if not found:
            found = [path for path in self._leaned(title) if path]
        by_key = self._by_key(relation)
        if not found:
            wanted = [path for path in by_key if not opened or self._end(title, path) in opened]
            shortest = min((len(path) for path in wanted), default=0)
            found = [path for path in wanted if len(path) == shortest and not self._nullable(relation, path)]
            found = found or [path for path in wanted if len(path) == shortest]
        ends = {self._end(title, path) for path in found}
        first = {column for path in found for column in path[0].columns}
        for path in by_key:
            # A composite key that shares a column with the first path leads to the same record by itself.
            if self._end(title, path) in ends and not first & set(path[0].columns) and path not in found:
                found.append(path)
        return tuple(sorted(found, key=lambda path: (path not in chosen, len(path), repr(path))))

    def _leaned(self, title: str) -> list[Path]:
        found: list[Path] = []
        for hops in self.evidence.leans.get(title, {}):
            target = hops[-1].target
            if target in self.records.anchors:
                found.append(hops)
            elif target != title and target in self.snapshot.relations and len(hops) < _DEPTH:
                inner = [path for path in self.voted(target) if path] or self._by_key(
                    self.snapshot.relations[target]
                )[:1]
                found.extend((*hops, *path) for path in inner[:1])
        return found

    def _by_key(self, relation: Relation) -> list[Path]:
        """Paths along keys to the nearest records, shortest first; keys to authors and accounts are none."""
        found: list[Path] = []
        waiting: list[Path] = [()]
        tried = 0
        while waiting and tried < _TRIED:
            path = waiting.pop(0)
            tried += 1
            passed = {relation.title, *(hop.target for hop in path)}
            for hop in self._hops(self._end(relation.title, path)):
                longer = (*path, hop)
                if hop.target in self.records.anchors:
                    found.append(longer)
                elif hop.target not in passed and len(longer) < _DEPTH:
                    waiting.append(longer)
        first: dict[tuple[tuple[str, ...], str], Path] = {}
        for path in sorted(found, key=len):
            first.setdefault((path[0].columns, path[-1].target), path)
        return list(first.values())

    def _hops(self, title: str) -> list[Hop]:
        relation = self.snapshot.relations.get(title)
        if relation is None or not self.keys.ours(title):
            return []
        found: list[Hop] = []
        for key in relation.foreign_keys:
            if key.target != title and not self._is_person_key(title, key.columns):
                found.append(Hop(title, key.columns, key.target, key.target_columns))
        targets: dict[str, set[str]] = {}
        for key in relation.foreign_keys:
            for name in key.columns:
                targets.setdefault(name, set()).add(key.target)
        for name in relation.columns:
            # A column of a composite key counts alone where it leads further than the key itself.
            home = self.keys.home(title, name)
            if home is None or home[0] in {title, *targets.get(name, ())}:
                continue
            if not self._is_person_key(title, (name,)):
                found.append(Hop(title, (name,), home[0], (home[1],)))
        return found

    def _is_person_key(self, title: str, columns: tuple[str, ...]) -> bool:
        if len(columns) != 1:
            return False
        if is_author(columns[0]):
            return True
        target = self.keys.home(title, columns[0])
        return self.keys.is_account(title, columns[0]) and (
            target is None or target[0] not in self.records.anchors
        )

    def _nullable(self, relation: Relation, path: Path) -> bool:
        return not all(c in relation.columns and relation.columns[c].required for c in path[0].columns)

    def _end(self, title: str, path: Path) -> str:
        return path[-1].target if path else title

    # -- accounts ------------------------------------------------------------------------

    def accounts(self, relation: Relation, scoped: bool) -> tuple[tuple[Way, ...], tuple[Way, ...]]:
        """Accounts that a row is about, and those that only wrote it."""
        title = relation.title
        identity = self._identity(title)
        asked = self._asked(title)
        parties: dict[Way, None] = {}
        authors: dict[Way, None] = {}
        for one in self.openings.get(title, ()):
            if one.account.table != title or one.account.hops or one.scope:
                parties[one.account] = None
        if title in self.records.anchors:
            parties = {}
        owners = {
            way.column
            for anchor in self.records.anchors.values()
            if anchor.table == title
            for way in anchor.owners
        }
        for name in relation.columns:
            if name in owners or any(way.column == name and not way.hops for way in parties):
                continue
            if not self.keys.is_account(title, name) and name not in asked:
                continue
            way = Way((), title, name, asked.get(name, (identity, False))[0])
            reads = asked.get(name, (identity, False))[1]
            if not is_author(name) and (reads or not scoped):
                parties[way] = None
            else:
                authors[way] = None
        return tuple(parties), tuple(authors)

    def _asked(self, title: str) -> dict[str, tuple[Identity, bool]]:
        """The columns that the table's own policies compare with the caller; whether in a USING."""
        found: dict[str, tuple[Identity, bool]] = {}
        for chain in self.evidence.of(title):
            if chain.anchor != title or chain.hops or chain.opening or not self.evidence.names_account(chain):
                continue
            known = found.get(chain.column)
            using = chain.way.part == "using"
            found[chain.column] = (chain.identity, using or (known is not None and known[1]))
        return found

    def _identity(self, title: str) -> Identity:
        counted = Counter(
            chain.identity for chain in self.evidence.chains if self.evidence.names_account(chain)
        )
        return max(counted, key=lambda one: (counted[one], one.name)) if counted else Identity("uid")

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
        if paths and (not asked or any(self._shared(self._end(title, path)) for path in paths)):
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
        if relation.rls or not exposed:
            return Kind.SERVICE, "no policy" if relation.rls else "no privilege for API roles"
        if paths:
            return Kind.SCOPED, "by its keys; row level security is off"
        accounts = self.accounts(relation, scoped=False)
        if any(accounts):
            return Kind.OWN, "by its keys to accounts; row level security is off"
        if all(privileges <= {"SELECT"} for privileges in exposed.values()):
            return Kind.REFERENCE, "API roles may only read it"
        return Kind.UNCLASSIFIED, ""

    def _shared(self, title: str) -> bool:
        return any(one.anchor == title for one in self.records.openings)

    def _asks(self, way: Alternative) -> bool:
        return any(frame.asks or frame.claims or frame.seen for frame in way.frame.closure())

    def _only_staff(self, way: Alternative) -> bool:
        return asks_staff(self.evidence, way, self.staff) and not any(
            chain.anchor and chain.way is way and (chain.hops or chain.opening)
            for chain in self.evidence.of(way.table)
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
