"""A policy compares a column that has no index.

What it finds
    Columns that a policy for reading, updating or deleting compares with the caller's values (`=`, `in`, `=
    any`), and columns by which a policy's functions and subqueries look the caller up, where no valid index
    begins with any of the columns compared together. Policies with an alternative that no index can serve
    are left out.

Why it matters
    Every request reads the whole table to find the few rows the policy allows.

Fix
    create index concurrently on ... (column).

When to ignore
    Tables that stay tiny.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import ANY, EQUALS_ANY, Node, bare, conjuncts, constant, disjuncts
from tools.rls.wording import listed, on_table, quoted, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table and column, with the policies and functions that use it."""
    reached = reach(snapshot)
    users: dict[tuple[str, str], list[str]] = {}
    for relation in snapshot.tables:
        if relation.rls and not relation.partition:
            for policy in relation.policies:
                for column in _row_columns(reached, relation, policy):
                    users.setdefault((relation.title, column), []).append(policy.title)
    for title, column, user in _lookups(reached):
        users.setdefault((title, column), []).append(user)
    for (title, column), several in sorted(users.items()):
        relation = snapshot.relations[title]
        if relation.schema not in PLATFORM_SCHEMAS:
            titles = list(dict.fromkeys(several))
            found = on_table(
                "policy_column_unindexed", Level.WARN, relation,
                f"{listed(titles, most=3)} compare{'s' if len(titles) == 1 else ''} {title}.{column},"
                " and no index begins with it.",
                evidence=f"indexes: {listed(i.name for i in relation.indexes) or 'none'}",
                fix=f"create index concurrently on {table_name(relation)} ({quoted(column)});",
                rank=58,
            )  # fmt: skip
            yield found.model_copy(update={"object": f"{title}.{column}"})


def _row_columns(reached: Reach, relation: Relation, policy: Policy) -> Iterator[str]:
    facts = policy.using
    if facts is None or not policy.permissive:
        return
    ways = [_sought(reached, relation, facts, way) for way in disjuncts(facts.root)]
    if all(ways):
        for columns in ways:
            if not _indexed(relation, columns):
                yield sorted(columns)[0]


def _sought(reached: Reach, relation: Relation, facts: Facts, way: Node) -> set[str]:
    """Own columns that this way compares with values from elsewhere; empty when none is."""
    found: set[str] = set()
    for part in conjuncts(way):
        for subject, other in _equalities(part):
            if subject is None or subject.kind != "ColumnRef" or constant(other) is not None:
                continue
            names = subject.words("fields")
            inside = facts.within(other).columns if other is not None else []
            if len(names) == 1 and not any(reached.column(c, relation) == (relation, c.name) for c in inside):
                found.add(names[0])
    return found & set(relation.columns)


def _equalities(part: Node) -> Iterator[tuple[Node | None, Node | None]]:
    if part.kind == "A_Expr" and part.words("name") == ("=",):
        left, right = part.one("lexpr"), part.one("rexpr")
        yield bare(left), right
        if part.number("kind") != EQUALS_ANY:  # no index serves `value = any(column)`
            yield bare(right), left
    elif part.kind == "SubLink" and part.number("sub_link_type") == ANY:
        yield bare(part.one("testexpr")), part.one("subselect")


def _lookups(reached: Reach) -> Iterator[tuple[str, str, str]]:
    """Columns by which the caller is looked up in other tables, without an index to do it by."""
    for unit in reached.units:
        equal: dict[str, set[str]] = {}
        for comparison in unit.facts.comparisons:
            if comparison.block is unit.block and comparison.operator == "=":
                for side in (comparison.left, comparison.right):
                    ref = next((c for c in unit.facts.columns if c.node is bare(side)), None)
                    found = reached.column(ref, path=unit.path) if ref is not None else None
                    origin = reached.base_column(*found) if found is not None else None
                    if origin is not None:
                        equal.setdefault(origin[0].title, set()).add(origin[1])
        for column, _ in identity_columns(unit.facts):
            found = reached.column(column, path=unit.path) if column.block is unit.block else None
            origin = reached.base_column(*found) if found is not None else None
            if (
                origin is not None
                and origin[0].is_table
                and not _indexed(origin[0], equal.get(origin[0].title, set()))
            ):
                user = unit.function.title if unit.function else unit.policy.title if unit.policy else ""
                yield origin[0].title, origin[1], user


def _indexed(relation: Relation, columns: set[str]) -> bool:
    return any(
        index.valid and index.predicate is None and index.columns and index.columns[0] in columns
        for index in relation.indexes
    )


RULE = Rule(
    name="policy_column_unindexed",
    title="A policy compares a column that has no index",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
