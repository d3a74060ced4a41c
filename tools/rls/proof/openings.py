"""Tables whose rows open records: grants, memberships, assignments; and under which conditions they live."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tools.rls.proof.chains import Chain
from tools.rls.proof.evidence import Evidence
from tools.rls.proof.graph import Test
from tools.rls.proof.keys import is_author
from tools.rls.proof.levels import accepts, level_column, ranks
from tools.rls.proof.lifecycles import condition, kind_of
from tools.rls.proof.model import Condition, Hop, Opening, Way

OPENS: Final = re.compile(
    r"grant|member|access|shar(e|ing)|assign|delegat|caregiver|carer|guardian|collaborat|invit|team|permission|role|"
    r"relation|link|connection|follow|trust|proxy|staff|participant|subscri|enrol"
)


@dataclass(slots=True, eq=False)
class Candidate:
    """One way in which rows of a table open records, with the chains that say so."""

    chain: Chain
    chains: list[Chain] = field(default_factory=list[Chain])

    @property
    def rows(self) -> set[int]:
        """The numbered rows of the table that policies look at."""
        return {chain.row for chain in self.chains}

    @property
    def relations(self) -> set[str]:
        """The tables whose policies look at it."""
        return {chain.way.table for chain in self.chains}


def candidates(evidence: Evidence) -> list[Candidate]:
    """The tables that open something, after the odd ones are left out."""
    found: dict[tuple[str, str, tuple[Hop, ...], tuple[Hop, ...], str], Candidate] = {}
    for chain in evidence.chains:
        if not chain.opening or not chain.anchor or not evidence.names_account(chain):
            continue
        if is_author(chain.column) and not chain.holder:
            continue
        key = (chain.opening, chain.anchor, chain.scope, chain.holder, chain.column)
        found.setdefault(key, Candidate(chain)).chains.append(chain)
    several = list(found.values())
    return [one for one in several if _counts(evidence, one, several)]


def _counts(evidence: Evidence, one: Candidate, several: list[Candidate]) -> bool:
    """Whether a table is made for opening: one policy that looks into a log by mistake opens nothing."""
    if OPENS.search(one.chain.opening.partition(".")[2]) or len(one.relations - {one.chain.opening}) > 1:
        return True
    relation = evidence.snapshot.relations.get(one.chain.opening)
    if relation is not None and any(kind_of(column) is not None for column in relation.columns.values()):
        return True
    rest = [other for other in several if other is not one and other.chain.anchor == one.chain.anchor]
    return not rest


def opening(
    evidence: Evidence, one: Candidate, anchor: str, scope: tuple[Hop, ...], records: set[str]
) -> Opening:
    """The opening, with its living conditions, levels and what its account may accept.

    What a level allows is read from policies on what hangs from the record itself, not from another record.
    """
    chain = one.chain
    account = Way(chain.holder, chain.holder_table, chain.column, chain.identity)
    level = level_column(evidence, chain.opening, one.rows)
    direct = [c for c in one.chains if not any(hop.target in records for hop in c.hops[:-1])]
    made = Opening(
        chain.opening, anchor, scope, account, conditions(evidence, chain.opening, one.rows, one.chains)
    )
    return Opening(
        made.table, anchor, scope, account, made.conditions, level,
        ranks(evidence, made, level, direct or one.chains) if level else (),
        accepts(evidence, made),
    )  # fmt: skip


def conditions(
    evidence: Evidence, table: str, rows: set[int], chains: Sequence[Chain] = ()
) -> tuple[Condition, ...]:
    """The living conditions of a table's rows: its own, and those of what the lookups join to them."""
    found = list(own_conditions(evidence, table, rows))
    places = _joined(evidence, table, rows)
    for hops, along in _on_the_way(chains).items():
        places.setdefault(hops, set()).update(along)
        for further, joined in _joined(evidence, hops[-1].target, along).items():
            back = further[0].columns == hops[-1].target_columns  # to the group that was passed over
            if not back and further[-1].target not in {table, *(hop.target for hop in hops)}:
                places.setdefault((*hops, *further), set()).update(joined)
    for hops, joined in sorted(places.items(), key=lambda item: repr(item[0])):
        found.extend(_referred(evidence, hops, joined))
    return tuple(found)


def own_conditions(
    evidence: Evidence, table: str, rows: set[int], hops: tuple[Hop, ...] = (), *, only_tested: bool = False
) -> list[Condition]:
    """The conditions that a table's own columns mean. `only_tested`: those that some lookup tests."""
    relation = evidence.snapshot.relations.get(table)
    if relation is None:
        return []
    tests = [test for row in rows for test in evidence.tests.get(row, ())]
    found: list[Condition] = []
    for column in relation.columns.values():
        mine = [test for test in tests if test.ref.column == column.name]
        if only_tested and not mine:
            continue
        asked, agreed = agreement(mine)
        one = condition(hops, table, column, tested=bool(mine), asked=asked, agreed=agreed)
        if one is not None:
            found.append(one)
    return found


def agreement(tests: list[Test]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All constants that rows are compared with, and those that at least half of the rows accept."""
    by_row: dict[int, set[str]] = {}
    for test in tests:
        if test.kind == "equal":
            by_row.setdefault(test.ref.row, set()).add(test.value)
    counted = Counter(value for values in by_row.values() for value in values)
    agreed = tuple(sorted(value for value, times in counted.items() if times * 2 >= len(by_row)))
    return tuple(sorted(counted)), agreed


def _on_the_way(chains: Sequence[Chain]) -> dict[tuple[Hop, ...], set[int]]:
    """The rows between an opening and its account, such as the members of a team that is let in."""
    found: dict[tuple[Hop, ...], set[int]] = {}
    for chain in chains:
        for hops, row in chain.route:
            found.setdefault(hops, set()).add(row)
    return found


def _joined(evidence: Evidence, table: str, rows: set[int]) -> dict[tuple[Hop, ...], set[int]]:
    """The rows that lookups join to a table's rows over its keys, by the hops that lead there."""
    found: dict[tuple[Hop, ...], set[int]] = {}
    for start in rows:
        waiting: list[tuple[int, tuple[Hop, ...]]] = [(start, ())]
        seen = {start}
        while waiting:
            row, hops = waiting.pop()
            for other, pairs in evidence.beside(row).items():
                if other in seen or len(hops) > 2:
                    continue
                one, parent = evidence.tables[row], evidence.tables[other]
                if evidence.keys.direction(one, parent, pairs) != "up":
                    continue
                seen.add(other)
                hop = Hop(one, tuple(a for a, _ in pairs), parent, tuple(b for _, b in pairs))
                longer = (*hops, _whole(evidence, hop))
                found.setdefault(longer, set()).add(other)
                waiting.append((other, longer))
    for hops in _consents(evidence, table):
        found.setdefault(hops, set())
    return found


def _whole(evidence: Evidence, hop: Hop) -> Hop:
    """The hop with the columns of its foreign key in the key's own order."""
    relation = evidence.snapshot.relations.get(hop.table)
    for key in relation.foreign_keys if relation is not None else ():
        if key.target == hop.target and set(key.columns) == set(hop.columns):
            return Hop(hop.table, key.columns, hop.target, key.target_columns)
    return hop


def _consents(evidence: Evidence, table: str) -> list[tuple[Hop, ...]]:
    """A consent that a row names by a key counts even where no lookup joins it."""
    relation = evidence.snapshot.relations.get(table)
    return [
        (Hop(table, key.columns, key.target, key.target_columns),)
        for key in (relation.foreign_keys if relation is not None else ())
        if "consent" in key.target.partition(".")[2]
    ]


def _referred(evidence: Evidence, hops: tuple[Hop, ...], rows: set[int]) -> list[Condition]:
    table = hops[-1].target
    if table == evidence.keys.account[0]:
        return []
    tested = {test.ref.column for row in rows for test in evidence.tests.get(row, ())}
    everywhere = {
        test.ref.column
        for row, tests in evidence.tests.items()
        if evidence.tables[row] == table and row not in evidence.own
        for test in tests
    }
    living = own_conditions(evidence, table, rows, hops)
    used = any(one.column in tested for one in living) or "consent" in table.partition(".")[2]
    found = [one for one in living if used or one.column in everywhere]
    found.extend(_purposes(evidence, hops, rows, {one.column for one in found}))
    return found


def _purposes(evidence: Evidence, hops: tuple[Hop, ...], rows: set[int], known: set[str]) -> list[Condition]:
    """What every lookup demands of a row that is referred to, such as the purpose of a consent."""
    demanded: dict[str, Counter[str]] = {}
    for row in rows:
        for column in {
            test.ref.column for test in evidence.tests.get(row, ()) if test.kind == "equal"
        } - known:
            values = {t.value for t in evidence.tests[row] if t.kind == "equal" and t.ref.column == column}
            demanded.setdefault(column, Counter()).update(values)
    found: list[Condition] = []
    for column, counted in sorted(demanded.items()):
        values = tuple(sorted(value for value, times in counted.items() if times * 2 > len(rows)))
        if values:
            found.append(Condition(hops, hops[-1].target, column, "one_of", values))
    return found
