"""The model in a few readable lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.rls.proof.belongings import PARTITION
from tools.rls.proof.model import STAFF, Anchor, Belonging, Condition, Hop, Kind, Model, Opening
from tools.rls.wording import listed, shown


def lines(model: Model) -> list[str]:
    """One fact per line: accounts, records, openings with their conditions, tables in groups, questions."""
    return [shown(line) for line in _lines(model)]


def _lines(model: Model) -> Iterator[str]:
    accounts = f"{model.accounts}, " if model.accounts else ""
    callers = ", ".join(
        one.name + (" (people write it themselves)" if one.forged else "") for one in model.identities
    )
    yield f"callers: {accounts}known by {callers or 'nothing'}"
    for anchor in model.anchors.values():
        yield _record(anchor)
    for opening in model.openings:
        if opening.anchor != STAFF:
            yield from _opening(opening)
    yield from _staff(model)
    yield from _tables(model)
    for doubt in model.doubts:
        yield f"question: {doubt}"


def _record(anchor: Anchor) -> str:
    parts: list[str] = []
    if anchor.owners:
        parts.append("owned by " + " or ".join(way.text() for way in anchor.owners))
    if anchor.claims:
        parts.append("of whoever's " + " or ".join(one.name for one in anchor.claims) + " names them")
    if anchor.parents:
        parts.append("also for insiders of " + listed(hops[-1].target for hops in anchor.parents))
    said = f"records: {anchor.table}" + (", " + ", ".join(parts) if parts else "")
    return said + (f"; while {_conditions(anchor.conditions)}" if anchor.conditions else "")


def _opening(opening: Opening) -> Iterator[str]:
    by = path_words(opening.scope)
    yield f"opening: {opening.table} opens {opening.anchor} by {by} to {opening.account.text()}"
    if opening.conditions:
        yield f"    while {_conditions(opening.conditions)}"
    if opening.ranks:
        held = [f"{rank.value} may {_rights(rank.rights)}" for rank in opening.ranks]
        yield f"    {opening.level}: {', '.join(held)}"
    for column, old, new in opening.accepts:
        yield f"    the account itself may turn {column} from {old} to {new}"


def _conditions(conditions: Sequence[Condition]) -> str:
    return ", ".join(one.text() + ("" if one.tested else " (nothing tests it)") for one in conditions)


def _rights(rights: frozenset[str]) -> str:
    return listed(right for right in ("read", "write", "manage") if right in rights)


def path_words(hops: Sequence[Hop]) -> str:
    """`document_id`, or `document_id -> documents.profile_id`."""
    words = [", ".join(hops[0].columns)] if hops else []
    words += [f"{hop.table.partition('.')[2]}.{', '.join(hop.columns)}" for hop in hops[1:]]
    return " -> ".join(words)


def _staff(model: Model) -> Iterator[str]:
    """Staff roles, those that are asked for alike on one line."""
    groups: dict[str, list[str]] = {}
    for role in model.staff:
        needs = [f"{claim} = {_own_name(value, role.name)}" for claim, value in role.claims.items()]
        opening = next(
            (one for one in model.openings if one.anchor == STAFF and one.table == role.opening), None
        )
        if opening is not None:
            living = f" while {_conditions(opening.conditions)}" if opening.conditions else ""
            flag = opening.level.removeprefix("is_") == role.name
            said = f" whose {opening.level} is true" if flag else f" with this {opening.level}"
            level = said if opening.level else ""
            needs.append(f"a row in {opening.table}{level}{living}")
        groups.setdefault(" and ".join(needs), []).append(role.name)
    for needs, names in groups.items():
        yield f"staff: {listed(names)}" + (f", by {needs}" if needs else "")


def _own_name(value: str, name: str) -> str:
    return "the role's name" if value == name else value


def _tables(model: Model) -> Iterator[str]:
    groups: dict[tuple[Kind, tuple[str, ...], tuple[str, ...]], list[Belonging]] = {}
    for one in model.tables.values():
        if one.table in model.anchors or one.why.startswith(PARTITION):
            continue
        paths = tuple(path_words(hops) for hops in one.paths[:1]) if one.kind is Kind.SCOPED else ()
        groups.setdefault((one.kind, one.anchors[:1] if paths else (), paths), []).append(one)
    order = list(Kind)
    for (kind, anchors, paths), several in sorted(
        groups.items(), key=lambda g: (order.index(g[0][0]), -len(g[1]))
    ):
        yield _group(kind, anchors, paths, several)
    opened = [one for one in model.tables.values() if one.open_rows and one.kind in (Kind.SCOPED, Kind.OWN)]
    for one in opened:
        if one.open_rows is not None and not one.why.startswith(PARTITION):
            yield f"rows of {one.table} whose {one.open_rows.text()} are for everybody"
    for one in model.tables.values():
        for command, words in one.expect.items() if not one.why.startswith(PARTITION) else ():
            narrowed = all(word.endswith("+party") for word in words)
            whom = (
                "those to whom the record is open and whom the row names"
                if narrowed
                else listed(sorted(words))
            )
            yield f"{command} on {one.table} is for {whom}"


def _group(kind: Kind, anchors: tuple[str, ...], paths: tuple[str, ...], several: list[Belonging]) -> str:
    names = listed([one.table for one in several], most=8)
    number = "1 table" if len(several) == 1 else f"{len(several)} tables"
    one = len(several) == 1
    match kind:
        case Kind.SCOPED if anchors:
            return f"{number} {'belongs' if one else 'belong'} to {anchors[0]} by {paths[0]}: {names}"
        case Kind.SCOPED:
            return f"{number} {'belongs' if one else 'belong'} to records by their path: {names}"
        case Kind.OWN:
            said = sorted({way.text() for belonging in several for way in belonging.parties})
            return f"{number} {'belongs' if one else 'belong'} to accounts by {listed(said)}: {names}"
        case Kind.REFERENCE:
            return f"{number} {'is' if one else 'are'} the same for everybody: {names}"
        case Kind.SERVICE:
            return f"{number} {'is' if one else 'are'} for services only: {names}"
        case Kind.STAFF:
            return f"{number} {'is' if one else 'are'} for staff only: {names}"
        case Kind.UNCLASSIFIED:
            return f"{number} {'is' if one else 'are'} unclassified: {names}"
