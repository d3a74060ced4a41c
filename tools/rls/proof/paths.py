"""The paths along which rows lead to records: what policies follow; keys, where they follow none."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Final

from tools.rls.objects import Relation
from tools.rls.proof.anchors import Records, claimed
from tools.rls.proof.chains import Chain
from tools.rls.proof.evidence import Evidence
from tools.rls.proof.keys import is_author
from tools.rls.proof.model import Hop, Opening

Path = tuple[Hop, ...]
_DEPTH: Final = 5
_MANY: Final = 6
"""Tables under a record from which on one policy that opens the record itself to others is an odd one."""
_TRIED: Final = 60
"""Paths along keys that are looked at for one table."""


def end(title: str, path: Path) -> str:
    """The table that a path leads to."""
    return path[-1].target if path else title


class Paths:
    """Reads the paths of tables, given the records and what opens them."""

    def __init__(self, evidence: Evidence, records: Records) -> None:
        self.evidence = evidence
        self.keys = evidence.keys
        self.snapshot = evidence.snapshot
        self.records = records
        self.openings: dict[str, list[Opening]] = {}
        for one in records.openings:
            self.openings.setdefault(one.table, []).append(one)

    def voted(self, title: str) -> dict[Path, tuple[int, bool]]:
        """The paths that policies follow: how many do, and whether one for reading does."""
        policies: dict[Path, set[str]] = {}
        reads: set[Path] = set()
        for chain in self.evidence.of(title):
            path = self.path(chain)
            if path:
                policies.setdefault(path, set()).add(chain.way.policy.name)
                if chain.way.reads:
                    reads.add(path)
        return {path: (len(names), path in reads) for path, names in policies.items()}

    def path(self, chain: Chain) -> Path | None:
        """A chain's hops to the nearest record; None where it leads to none."""
        hops = self.whole(chain)
        for i, hop in enumerate(hops):
            if hop.target in self.records.anchors:
                return hops[: i + 1]
        return None

    def whole(self, chain: Chain) -> Path:
        """A chain's hops to the last record on its way."""
        hops = chain.hops
        if not chain.anchor or self.evidence.wrong(chain):
            return ()
        if not chain.opening and not self.evidence.names_account(chain):
            title = claimed(self.evidence, chain)
            if title is None or title not in self.records.anchors:
                return ()
            if title != chain.anchor:
                key = self.records.anchors[title].key
                hops = (*hops, Hop(chain.anchor, (chain.column,), title, (key,)))
        hops = tuple(self._canonical(hop) for hop in hops)
        last = max((i for i, hop in enumerate(hops) if hop.target in self.records.anchors), default=-1)
        return hops[: last + 1]

    @cached_property
    def _beyond(self) -> dict[tuple[str, Path], set[str]]:
        """(record, hops on to a record above it) -> the policies that let insiders of that one in."""
        found: dict[tuple[str, Path], set[str]] = {}
        for chain in self.evidence.chains:
            step = self._onward(chain)
            if step is not None and chain.alone:
                found.setdefault(step, set()).add(chain.way.policy.title)
        return found

    def _onward(self, chain: Chain) -> tuple[str, Path] | None:
        hops, title = self.whole(chain), chain.way.table
        near = 0 if title in self.records.anchors else len(self.path(chain) or ())
        return (end(title, hops[:near]), hops[near:]) if hops[near:] else None

    def _meant(self, step: tuple[str, Path]) -> bool:
        """Whether policies mean to let the insiders of a record above in.

        Where much hangs from the record, one policy that does is an odd one; two are meant.
        """
        title, rest = step
        if rest in self.records.anchors[title].parents:
            return False
        below = {
            one.way.table for one in self.evidence.chains if any(hop.target == title for hop in one.hops)
        }
        return len(below) < _MANY or len(self._beyond.get(step, ())) > 1

    def _further(self, title: str) -> list[Path]:
        """Paths past the nearest record, to one above it whose insiders read this table, too."""
        found: dict[Path, None] = {}
        for chain in self.evidence.of(title):
            step = self._onward(chain) if chain.alone and chain.way.reads else None
            if step is not None and self._meant(step):
                found[self.whole(chain)] = None
        return list(found)

    def _canonical(self, hop: Hop) -> Hop:
        if hop.target in self.records.anchors or hop.target != self.keys.account[0]:
            return hop
        mirror = next((one for one in self.records.anchors if self.keys.is_mirror(one)), None)
        return replace(hop, target=mirror, target_columns=(self.keys.primary(mirror),)) if mirror else hop

    def of(self, relation: Relation, voted: dict[Path, tuple[int, bool]]) -> tuple[Path, ...]:
        """What a table's policies follow, and keys that lead to the same records another way."""
        title = relation.title
        if title in self.records.anchors:
            return ((), *self._further(title))
        opened = {one.anchor for one in self.openings.get(title, ())}
        held = {
            c for one in self.openings.get(title, ()) for hop in one.account.hops[:1] for c in hop.columns
        }
        chosen = {
            path: known
            for path, known in voted.items()
            if not opened or end(title, path) in opened or (known[1] and not held & set(path[0].columns))
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
            wanted = [path for path in by_key if not opened or end(title, path) in opened]
            shortest = min((len(path) for path in wanted), default=0)
            found = [path for path in wanted if len(path) == shortest and not self._nullable(relation, path)]
            found = found or [path for path in wanted if len(path) == shortest]
        ends = {end(title, path) for path in found}
        first = {column for path in found for column in path[0].columns}
        for path in by_key:
            # A composite key that shares a column with the first path leads to the same record by itself.
            if end(title, path) in ends and not first & set(path[0].columns) and path not in found:
                found.append(path)
        found += [path for path in self._further(title) if path not in found]
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
            for hop in self._hops(end(relation.title, path)):
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
        found = [
            Hop(title, key.columns, key.target, key.target_columns)
            for key in relation.foreign_keys
            if key.target != title and not self._is_person_key(title, key.columns)
        ]
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
        if not self.keys.is_account(title, columns[0]):
            return False
        target = self.keys.home(title, columns[0])
        if target is None or target[0] not in self.records.anchors:
            return True
        # Where accounts are the records, only the columns that name the record's subject lead to one.
        subjects = {h.columns for one in self.records.openings if one.anchor == target[0] for h in one.scope}
        return columns not in subjects

    def _nullable(self, relation: Relation, path: Path) -> bool:
        return not all(c in relation.columns and relation.columns[c].required for c in path[0].columns)
