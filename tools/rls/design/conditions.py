"""What a policy asks of a row: its scope by every path, its parties and its author, as SQL expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tools.rls.design.existing import Right
from tools.rls.design.helpers import UID, Library
from tools.rls.design.queries import Joins, identity
from tools.rls.objects import Relation
from tools.rls.proof.model import Anchor, Belonging, Hop, Identity, Model, Way
from tools.rls.wording import quoted


def together(tests: Sequence[str], word: str) -> str:
    """The tests joined by `and` or `or`, in brackets where they are several."""
    several = list(dict.fromkeys(tests))
    return several[0] if len(several) == 1 else "(" + f" {word} ".join(several) + ")"


def via(
    library: Library, table: Relation, hops: Sequence[Hop], column: str, test: Callable[[str], str]
) -> str:
    """`test` asked of a column at the end of the hops: of the row's own column where that says the same."""
    if not hops:
        return test(quoted(column))
    if len(hops) == 1 and hops[0].target_columns.count(column) == 1:
        return test(quoted(hops[0].columns[hops[0].target_columns.index(column)]))
    first, rest = hops[0], tuple(hops[1:])
    joins = Joins(library.snapshot, first.target, avoid=table.name)
    tied = [
        f"{joins.first}.{quoted(theirs)} = {quoted(table.name)}.{quoted(ours)}"
        for ours, theirs in zip(first.columns, first.target_columns, strict=True)
    ]
    value = joins.value(rest, column)
    return f"exists (select {joins.clauses('    ', also=[*tied, test(value)])})"


def is_caller(library: Library, table: Relation, way: Way) -> str:
    """That the row names the caller in this way."""
    kind = library.snapshot.relations[way.table].columns[way.column].type
    return via(
        library, table, way.hops, way.column, lambda value: f"{value} = {identity(way.identity, kind)}"
    )


def is_account(model: Model, anchor: Anchor) -> Identity | None:
    """The identity that this anchor's key equals, where its rows are the callers themselves."""
    if any(opening.anchor == anchor.table for opening in model.openings):
        return None
    for way in anchor.owners:
        if not way.hops and way.column == anchor.key:
            return way.identity
    return UID if anchor.table == model.accounts else None


def in_scope(library: Library, table: Relation, path: Sequence[Hop], anchor: Anchor, right: Right) -> str:
    """That the row belongs, by this path, to a record on which the caller has the right."""
    who = is_account(library.model, anchor)
    kind = library.key_type(anchor)
    if who is not None:
        return via(library, table, path, anchor.key, lambda value: f"{value} = {identity(who, kind)}")
    keys = library.keys(anchor.table, right)
    return via(library, table, path, anchor.key, lambda value: f"{value} = any (array(select {keys}()))")


def scope(library: Library, table: Relation, belonging: Belonging, right: Right) -> str:
    """That every record which the row belongs to is one of the caller's. Paths that may be null may be null.

    All of them, for reading as for writing: a row with two parents of different people is nobody's.
    """
    firm: list[str] = []
    loose: list[tuple[str, str]] = []
    for path, title in zip(belonging.paths, belonging.anchors, strict=False):
        anchor = library.model.anchors.get(title)
        if anchor is None:
            continue
        test = in_scope(library, table, path, anchor, right)
        optional = [name for hop in path[:1] for name in hop.columns if not table.columns[name].required]
        if optional:
            loose.append((quoted(optional[-1]), test))
        else:
            firm.append(test)
    if not firm and len(loose) == 1:
        return loose[0][1]
    tests = firm + [f"({column} is null or {test})" for column, test in loose]
    if not firm and loose:
        tests.append("(" + " or ".join(f"{column} is not null" for column, _ in loose) + ")")
    return " and ".join(dict.fromkeys(tests))


def primary(table: Relation, belonging: Belonging) -> tuple[str, ...]:
    """The columns of the row that say whose it is: of the shortest path that cannot be null, or the first."""
    paths = [path for path in belonging.paths if path]
    firm = [p for p in paths if all(table.columns[name].required for name in p[0].columns)]
    best = min(firm or paths, key=len, default=())
    return best[0].columns if best else ()
