"""What is measured: each condition of a policy, a helper or a view together with the rows it is asked about.

A block's FROM text may be followed by `cross join lateral (select ...)`, in which the atoms are evaluated:
names keep the meaning that they have where the condition stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import postgast
from postgast import deparse
from postgast import pg_query_pb2 as pb

from tools.rls.objects import Policy, Relation
from tools.rls.proof.coverage.trees import Split, constant_truth, is_condition, split, together
from tools.rls.sqltree import UNREADABLE

TOO_LONG: Final = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One condition. `froms` are FROM clauses, outermost first; each sees those before it.

    `aliases` maps names in FROM to relations as written. `reason` is set where it cannot be measured.
    """

    where: str
    split: Split
    froms: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str = ""
    joined: bool = False
    """Several relations take part, so that rows multiply."""
    inner: bool = False
    """It is a subquery of a condition: its tables are seen as the caller sees them."""
    roles: frozenset[str] = frozenset()
    """Whom the policy is for; empty for everybody."""


def policy_blocks(policy: Policy, relation: Relation) -> Iterator[Block]:
    """USING and WITH CHECK (once when they are the same), and the subqueries in them."""
    table = f"{_quoted(relation.schema)}.{_quoted(relation.name)}"
    texts = {"USING": policy.using_text, "WITH CHECK": policy.check_text}
    if policy.using_text == policy.check_text:
        del texts["WITH CHECK"]
    for part, text in texts.items():
        node = parsed_expression(text) if text else None
        if node is None:
            continue
        where = f"{policy.title} {part}"
        aliases = {relation.name: relation.title}
        for block in _condition(where, node, (table,), aliases):
            yield replace(block, roles=frozenset(policy.roles))


def select_blocks(
    where: str, select: Any, outer: tuple[str, ...], *, boolean: bool = False, inner: bool = False
) -> Iterator[Block]:
    """The conditions of a SELECT (a protobuf SelectStmt): of each side of a UNION, WHERE and inner joins.

    `boolean`: the query's one column is itself a condition.
    """
    if select.op != pb.SETOP_NONE and select.op != pb.SET_OPERATION_UNDEFINED:
        yield from select_blocks(where, select.larg, outer, boolean=boolean, inner=inner)
        yield from select_blocks(where, select.rarg, outer, boolean=boolean, inner=inner)
        return
    if select.HasField("with_clause"):
        yield Block(where, Split(0, ("WITH ...",), ()), reason="a query with WITH is not taken apart")
        return
    conditions: list[Any] = []
    items: list[Any] = []
    aliases: dict[str, str] = {}
    for item in select.from_clause:
        _joined(item, items, conditions, aliases)
    if select.HasField("where_clause"):
        conditions.append(select.where_clause)
    targets = [target.res_target.val for target in select.target_list]
    if boolean and len(targets) == 1 and is_condition(targets[0]):
        conditions.append(targets[0])
    text = _from_text(items)
    froms = (*outer, text) if text else outer
    if conditions:
        yield from _condition(where, together(conditions), froms, aliases, inner=inner)
    for target in targets if not (boolean and conditions) else ():
        yield from _inner(where, target, froms)
    for item in select.from_clause:
        yield from _outer_joins(where, item)


def parsed_expression(text: str) -> Any | None:
    """A value expression as a protobuf Node."""
    if len(text) > TOO_LONG:
        return None
    try:
        statements = postgast.parse(f"select {text}").stmts
    except UNREADABLE:
        return None
    if len(statements) != 1 or len(statements[0].stmt.select_stmt.target_list) != 1:
        return None
    return statements[0].stmt.select_stmt.target_list[0].res_target.val


def parsed_selects(text: str) -> list[Any] | None:
    """The SELECTs of a script, or None where it cannot be parsed or holds other statements."""
    if len(text) > TOO_LONG:
        return None
    try:
        statements = [raw.stmt for raw in postgast.parse(text).stmts]
    except UNREADABLE:
        return None
    if any(statement.WhichOneof("node") != "select_stmt" for statement in statements):
        return None
    return [statement.select_stmt for statement in statements]


def _condition(
    where: str, node: Any, froms: tuple[str, ...], aliases: Mapping[str, str], *, inner: bool = False
) -> Iterator[Block]:
    if constant_truth(node) is None:
        joined = len(froms) > 1 or len(aliases) > 1
        yield Block(where, split(node), froms, aliases, joined=joined, inner=inner)
    yield from _inner(where, node, froms)


def _inner(where: str, node: Any, froms: tuple[str, ...]) -> Iterator[Block]:
    """The subqueries of an expression, each over the rows around it."""
    for select in _subselects(node):
        yield from select_blocks(where, select, froms, inner=True)


def _subselects(node: Any) -> Iterator[Any]:
    """The subqueries in an expression, the outermost ones only."""
    if isinstance(node, pb.SubLink):
        if node.HasField("testexpr"):
            yield from _subselects(node.testexpr)
        yield node.subselect.select_stmt
        return
    for descriptor, value in node.ListFields():
        if descriptor.message_type is None:
            continue
        values = value if _repeated(value) else (value,)
        for part in values:
            yield from _subselects(part)


def _repeated(value: Any) -> bool:
    return not hasattr(value, "ListFields")


def _joined(item: Any, items: list[Any], conditions: list[Any], aliases: dict[str, str]) -> None:
    """Inner joins become a list of relations and their ON conditions; other joins stay as they are."""
    kind = item.WhichOneof("node")
    join = item.join_expr
    if (
        kind == "join_expr"
        and join.jointype == pb.JOIN_INNER
        and not join.is_natural
        and not join.using_clause
    ):
        _joined(join.larg, items, conditions, aliases)
        _joined(join.rarg, items, conditions, aliases)
        if join.HasField("quals"):
            conditions.append(join.quals)
        return
    items.append(item)
    for relation in _relations(item):
        name = relation.relname
        title = f"{relation.schemaname}.{name}" if relation.schemaname else name
        aliases[relation.alias.aliasname if relation.HasField("alias") else name] = title


def _relations(item: Any) -> Iterator[Any]:
    kind = item.WhichOneof("node")
    if kind == "range_var":
        yield item.range_var
    elif kind == "join_expr":
        yield from _relations(item.join_expr.larg)
        yield from _relations(item.join_expr.rarg)


def _outer_joins(where: str, item: Any) -> Iterator[Block]:
    if item.WhichOneof("node") != "join_expr":
        return
    join = item.join_expr
    yield from _outer_joins(where, join.larg)
    yield from _outer_joins(where, join.rarg)
    if join.jointype != pb.JOIN_INNER and join.HasField("quals"):
        yield Block(where, split(join.quals), reason="it stands in the ON of an outer join")


def _from_text(items: list[Any]) -> str:
    if not items:
        return ""
    tree = pb.ParseResult()
    select = tree.stmts.add().stmt.select_stmt
    for item in items:
        select.from_clause.add().CopyFrom(item)
    return deparse(tree).removeprefix("SELECT").strip().removeprefix("FROM").strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
