"""A subquery in a policy is not tied to the row.

What it finds
    EXISTS in a policy over a grant or membership table that never mentions the row being checked, although
    the table says to which profile or family each grant belongs; typically `g.profile_id = profile_id`,
    where the inner table's column hides the outer one and Postgres stores `g.profile_id = g.profile_id`. A
    plain "is this caller on the staff list?" is left out: such a table has nothing in common with the row.
    Also one alternative inside the subquery that is not tied to the row where the others are.

Why it matters
    Whoever holds any grant passes for every row: one shared profile opens all of them.

Fix
    Qualify the outer column: g.profile_id = observations.profile_id.

When to ignore
    A membership that really opens the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Block, Column, Facts
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import EXISTS, alternatives, bare
from tools.rls.wording import altered, listed, on_policy, quoted, rank, remark, signed_in, table_name

_SAME = re.compile(r"(?P<left>[\w\"]+\.(?P<column>\w+|\"[^\"]+\")) = (?P=left)(?![\w.])")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            loose = sorted({name for part in policy.parts() for name in _loose(reached, relation, part)})
            if loose and policy.permissive:
                yield _finding(snapshot, relation, policy, loose)


def _finding(snapshot: Snapshot, relation: Relation, policy: Policy, loose: list[str]) -> Finding:
    return on_policy(
        "policy_subquery_uncorrelated", Level.ERROR, relation, policy,
        f"Policy {policy.name} on {relation.title} asks whether any row of {listed(loose)} fits, not"
        " whether one"
        " fits this row: a single grant opens every row.",
        fix=_tied(relation, policy)
        or remark(f"in {policy.title}: tie the subquery to the row, g.<id> = {table_name(relation)}.<id>"),
        rank=rank(snapshot, relation, signed_in(snapshot.addressed(policy))),
    )  # fmt: skip


def _tied(relation: Relation, policy: Policy) -> str | None:
    """The policy with `g.column = g.column` comparing the row's column, where it has one of that name."""
    clauses: list[str] = []
    tied = False
    for word, text in (("using", policy.using_text), ("with check", policy.check_text)):
        if text:
            mended = _SAME.sub(lambda found: _outer(relation, found), text)
            tied |= mended != text
            clauses.append(f"{word} ({mended})")
    return altered(policy, relation, "\n  ".join(clauses)) if tied else None


def _outer(relation: Relation, found: re.Match[str]) -> str:
    name = found["column"].strip('"')
    return (
        f"{found['left']} = {table_name(relation)}.{quoted(name)}" if name in relation.columns else found[0]
    )


def _loose(reached: Reach, own: Relation, facts: Facts) -> Iterator[str]:
    for block in facts.blocks:
        if block.link != EXISTS:
            continue
        if _mentions_row(reached, own, facts, block):
            yield from _partly_loose(reached, own, facts, block)
            continue
        tautology = _tautology(facts, block)
        for source in block.sources:
            table = reached.relation(source)
            if table is not None and (tautology or _shares(own, table, _asked(facts, block))):
                yield table.title


def _mentions_row(reached: Reach, own: Relation, facts: Facts, block: Block) -> bool:
    return _row_among(reached, own, facts.columns, block)


def _row_among(reached: Reach, own: Relation, columns: Iterable[Column], block: Block) -> bool:
    return any(
        block in column.block.chain() and not any(reached.belongs(column, b) for b in column.block.chain())
        and reached.column(column, own) == (own, column.name)
        for column in columns
        if column.qualifier
    )  # fmt: skip


def _partly_loose(reached: Reach, own: Relation, facts: Facts, block: Block) -> Iterator[str]:
    """The tables that some alternative looks through without being tied to the row, as others are."""
    parts = alternatives(block.test) if block.test is not None else []
    nodes = [{id(node) for one in part for node in one.walk()} for part in parts]
    columns = [[column for column in facts.columns if id(column.node) in inside] for inside in nodes]
    tied = [_row_among(reached, own, each, block) for each in columns]
    aliases = {source.alias: reached.relation(source) for source in block.sources}
    for each, is_tied in zip(columns, tied, strict=True):
        if not is_tied and any(tied):
            tables = (aliases.get(column.qualifier) for column in each)
            yield from (table.title for table in tables if table is not None)


def _tautology(facts: Facts, block: Block) -> bool:
    for comparison in facts.comparisons:
        left, right = bare(comparison.left), bare(comparison.right)
        if comparison.block is not block or comparison.operator != "=" or left is None or right is None:
            continue
        if left.kind == right.kind == "ColumnRef" and left.words("fields") == right.words("fields"):
            return True
    return False


def _asked(facts: Facts, block: Block) -> set[str]:
    return {column.name for column, _ in identity_columns(facts) if column.block is block}


def _shares(own: Relation, table: Relation, asked: set[str]) -> bool:
    """Whether both belong to the same thing, apart from the caller's own column."""
    targets = {key.target for key in own.foreign_keys} | {own.title}
    keys = [key for key in table.foreign_keys if not all(column.endswith("_by") for column in key.columns)]
    return bool(asked) and any(key.target in targets and not asked & set(key.columns) for key in keys)


RULE = Rule(
    name="policy_subquery_uncorrelated",
    title="A subquery in a policy is not tied to the row",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
