"""Which tables hold records that belong to somebody: opened by rows of others, owned, or named by a claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from tools.rls.proof.chains import Chain, virtual
from tools.rls.proof.evidence import Evidence
from tools.rls.proof.keys import is_author
from tools.rls.proof.model import Anchor, Condition, Hop, Identity, Opening, Way
from tools.rls.proof.openings import Candidate, candidates, opening, own_conditions


@dataclass(slots=True, eq=False)
class Records:
    """The anchors, and what opens them."""

    anchors: dict[str, Anchor] = field(default_factory=dict[str, Anchor])
    openings: list[Opening] = field(default_factory=list[Opening])
    doubts: list[str] = field(default_factory=list[str])
    carried: dict[Identity, str] = field(default_factory=dict[Identity, str])
    """Claims and settings that name a record, and are held against rows that name the caller as well."""


def records(evidence: Evidence) -> Records:
    """Anchors and openings of a schema."""
    found = Records()
    opened = candidates(evidence)
    owners = _owners(evidence, {one.chain.anchor for one in opened})
    titles = {one.chain.anchor for one in opened} | set(owners)
    canon = {title: _canonical(evidence, title, titles) for title in sorted(titles)}
    known = {canon[one.chain.anchor] for one in opened} | {canon[one] for one in owners}
    claims = _claims(evidence, known, found)
    for title in sorted({*canon.values(), *claims}):
        ways = tuple(
            dict.fromkeys(way for one in canon if canon[one] == title for way in owners.get(one, ()))
        )
        if not ways and evidence.keys.is_mirror(title):
            key = evidence.keys.primary(title)
            ways = (Way((), title, key, evidence.usual_identity),)
        found.anchors[title] = Anchor(
            title,
            _key(evidence, title, claims.get(title, ())),
            ways,
            tuple(claim.identity for claim in claims.get(title, ())),
            (),
            _conditions(evidence, title, ways),
        )
    for one in opened:
        anchor = canon[one.chain.anchor]
        found.openings.append(
            opening(evidence, one, anchor, _scope(evidence, one, anchor), set(found.anchors))
        )
    found.openings = [_with_record(one, found.anchors[one.anchor]) for one in _merged(found.openings)]
    for title, anchor in found.anchors.items():
        found.anchors[title] = replace(anchor, parents=_parents(evidence, title, found.anchors))
    return found


def _key(evidence: Evidence, title: str, claims: tuple[Chain, ...] | list[Chain]) -> str:
    if title.startswith("("):
        return title.strip("()")
    return evidence.keys.primary(title)


def _canonical(evidence: Evidence, title: str, titles: set[str]) -> str:
    """Accounts are one anchor under one name: the mirror that openings lead to, where there is one."""
    if title != evidence.keys.account[0]:
        return title
    mirrors = [one for one in sorted(titles) if one != title and evidence.keys.is_mirror(one)]
    return mirrors[0] if mirrors else title


def _scope(evidence: Evidence, one: Candidate, anchor: str) -> tuple[Hop, ...]:
    if one.chain.anchor == anchor or not one.chain.scope:
        return one.chain.scope
    last = one.chain.scope[-1]
    return (*one.chain.scope[:-1], Hop(last.table, last.columns, anchor, (evidence.keys.primary(anchor),)))


def _with_record(one: Opening, anchor: Anchor) -> Opening:
    """What is tested of the record itself holds for everybody it is opened to, whatever one lookup forgot."""
    known = {(condition.hops, condition.column) for condition in one.conditions}
    more = [
        replace(condition, hops=one.scope)
        for condition in anchor.conditions
        if not condition.hops and one.scope and (one.scope, condition.column) not in known
    ]
    return replace(one, conditions=(*one.conditions, *more)) if more else one


def _merged(openings: list[Opening]) -> list[Opening]:
    """One opening for each table, anchor and account, however many lookups were read."""
    found: dict[tuple[str, str, tuple[Hop, ...], Way], Opening] = {}
    for one in openings:
        found.setdefault((one.table, one.anchor, one.scope, one.account), one)
    return sorted(found.values(), key=lambda one: (one.anchor, one.table, one.account.text()))


# -- owners ------------------------------------------------------------------------------------


def _owners(evidence: Evidence, opened: set[str]) -> dict[str, tuple[Way, ...]]:
    """Tables with a column that names the owner, where other tables hang from their rows or open them."""
    named: dict[str, dict[Way, int]] = {}
    passed: Counter[str] = Counter()
    upwards: Counter[str] = Counter()
    for chain in evidence.chains:
        if chain.opening or not chain.anchor:
            if chain.anchor and chain.hops and chain.way.table != chain.anchor:
                upwards[chain.way.table] += 1
                passed.update({hop.target for hop in chain.hops} - {chain.way.table})
            continue
        if not evidence.names_account(chain) or evidence.wrong(chain):
            continue
        if chain.hops:
            passed.update({hop.target for hop in chain.hops})
            upwards[chain.way.table] += 1
        elif chain.way.part == "check":
            continue
        way = Way((), chain.anchor, chain.column, chain.identity)
        counted = named.setdefault(chain.anchor, {})
        counted[way] = counted.get(way, 0) + 1
    for table, leaned in evidence.leans.items():
        passed.update({hops[-1].target for hops in leaned} - {table})
    found: dict[str, tuple[Way, ...]] = {}
    for title, counted in named.items():
        if title.startswith("(") or (_is_account_table(evidence, title) and title not in opened):
            continue
        if title not in opened and (not passed[title] or upwards[title] > sum(counted.values())):
            continue
        found[title] = _best(evidence, title, counted, opened)
    return {title: ways for title, ways in found.items() if ways}


def _is_account_table(evidence: Evidence, title: str) -> bool:
    return title == evidence.keys.account[0] or evidence.keys.is_mirror(title)


def _best(evidence: Evidence, title: str, counted: dict[Way, int], opened: set[str]) -> tuple[Way, ...]:
    """The columns that name the owner; one that names the author counts where there is nothing better."""
    ways = sorted(counted, key=lambda way: (-counted[way], way.column))
    real = [way for way in ways if not is_author(way.column)]
    if real:
        return tuple(real)
    return tuple(ways[:1]) if title in opened or not _has_better(evidence, title) else ()


def _has_better(evidence: Evidence, title: str) -> bool:
    """Whether a table with an author belongs to something else over a key that must be set."""
    relation = evidence.snapshot.relations.get(title)
    return relation is not None and any(
        column.required
        and not evidence.keys.is_account(title, column.name)
        and (home := evidence.keys.home(title, column.name)) is not None
        and home[0] != title
        and any(chain.way.table == title and chain.opening for chain in evidence.of(title))
        for column in relation.columns.values()
    )


def _conditions(evidence: Evidence, title: str, owners: tuple[Way, ...]) -> tuple[Condition, ...]:
    """What lookups test of the record itself, and of its owner's account."""
    rows = {
        chain.row
        for chain in evidence.chains
        if chain.anchor == title
        and not chain.opening
        and chain.way.part == "using"
        and evidence.names_account(chain)
    }
    for chain in evidence.chains:
        if chain.anchor == title and chain.opening:
            rows |= {row for row in evidence.beside(chain.row) if evidence.tables[row] == title}
    found = own_conditions(evidence, title, rows, only_tested=True)
    for way in owners:
        hop = evidence.keys.hop(title, way.column)
        if hop is None or hop.target == title or hop.target == evidence.keys.account[0]:
            continue
        joined = {
            other
            for row in rows
            for other, pairs in evidence.beside(row).items()
            if evidence.tables[other] == hop.target and any(a == way.column for a, _ in pairs)
        }
        found.extend(own_conditions(evidence, hop.target, joined, (hop,), only_tested=True))
    return tuple(found)


# -- claims and parents --------------------------------------------------------------------------


def _claims(evidence: Evidence, known: set[str], found: Records) -> dict[str, list[Chain]]:
    """Records whose key stands in a claim, a setting or the role; only a doubt where rows open them."""
    held: dict[str, list[Chain]] = {}
    # A claim that is held against a row which names the account as well opens nothing by itself.
    checked = {chain.asked for chain in evidence.chains if evidence.names_account(chain)}
    for chain in evidence.chains:
        if not chain.anchor or chain.opening or evidence.names_account(chain) or evidence.wrong(chain):
            continue
        title = claimed(evidence, chain)
        if chain.asked in checked and chain.asked not in evidence.own:
            if title is not None:
                found.carried.setdefault(chain.identity, title)
            continue
        if title is not None:
            held.setdefault(title, []).append(chain)
    result: dict[str, list[Chain]] = {}
    for title, chains in sorted(held.items()):
        if title in known:
            rest = sum(1 for chain in evidence.chains if chain.anchor == title and chain.opening)
            if len(chains) <= rest:
                names = ", ".join(sorted({chain.identity.name for chain in chains}))
                found.doubts.append(
                    f"{names} names a row of {title}, which other rows open: is the claim taken away at once "
                    "when they end?"
                )
                continue
        kept: dict[Identity, Chain] = {}
        for chain in chains:
            kept.setdefault(chain.identity, chain)
        result[title] = list(kept.values())
    return result


def claimed(evidence: Evidence, chain: Chain) -> str | None:
    """The anchor whose key a claim or setting is compared with; None for a test of anything else."""
    table = chain.anchor
    home = evidence.keys.home(table, chain.column)
    if home is not None:
        return home[0]
    if evidence.keys.is_key(table, chain.column) and chain.column == evidence.keys.primary(table):
        return table
    relation = evidence.snapshot.relations.get(table)
    column = relation.columns.get(chain.column) if relation is not None else None
    if column is None or column.values or column.type == "boolean":
        return None
    return virtual(chain.column)


def _parents(evidence: Evidence, title: str, anchors: dict[str, Anchor]) -> tuple[tuple[Hop, ...], ...]:
    """The anchors above, where the policies of most tables under this one let their insiders read."""
    votes: dict[tuple[Hop, ...], set[str]] = {}
    tables: set[str] = set()
    for chain in evidence.chains:
        if not chain.way.reads or not chain.anchor:
            continue
        at = next((i for i, hop in enumerate(chain.hops) if hop.table == title), None)
        if chain.anchor == title or any(hop.target == title for hop in chain.hops) or at == 0:
            tables.add(chain.way.table)
        rest = chain.hops[at:] if at is not None else ()
        if rest and chain.alone and rest[-1].target in anchors and rest[-1].target != title:
            votes.setdefault(rest, set()).add(chain.way.table)
    return tuple(sorted((hops for hops, held in votes.items() if len(held) * 2 > len(tables)), key=repr))
