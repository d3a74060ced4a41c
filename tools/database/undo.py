"""How to take a change back, as SQL where that is possible. Old definitions are read before they go.

Last statement first. A comment stands where no SQL brings something back, and says how to keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from postgast import PgQueryError, to_drop
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from tools.database.changes import Change
from tools.database.dropping import clause, names_dropped
from tools.database.locks import range_name
from tools.database.reach import Name, name_of, strings
from tools.database.spelling import expression, quoted, signature, spell
from tools.database.undo_access import undo_grants
from tools.database.undo_drop import function, policy, trigger, undo_drop, view
from tools.database.undo_other import publication_again, undo_other
from tools.database.undo_table import free_name, read_state, undo_alter

if TYPE_CHECKING:
    from tools.database.connection import Database, Session

COPIES: Final = "undo_copies"
"""A schema of one's own for copies: rights that new tables get by default do not reach into it."""


async def undo(database: Database, changes: Sequence[Change]) -> str:
    """The script that takes the changes back."""
    granted = await undo_grants(database, changes)
    lines: list[str] = []
    async with database.session() as session:
        for index in reversed(range(len(changes))):
            lines += granted[index] if index in granted else await _one(session, changes[index])
    return "\n".join(dict.fromkeys(line for line in lines if line))


async def _one(session: Session, change: Change) -> list[str]:
    node = change.piece.node
    if change.rows or isinstance(node, pb.TruncateStmt):
        return await _rows(session, change)
    if isinstance(node, pb.CreatePolicyStmt):
        return [f"DROP POLICY {quoted(node.policy_name)} ON {spell(range_name(node.table))};"]
    if isinstance(node, pb.AlterPolicyStmt):
        old = await policy(session, range_name(node.table), node.policy_name)
        drop = f"DROP POLICY {quoted(node.policy_name)} ON {spell(range_name(node.table))};"
        return [drop, *old] if old else _none(change)
    if isinstance(node, pb.DropStmt):
        old = await undo_drop(session, node)
        if node.remove_type == pb.OBJECT_PUBLICATION:
            old = [
                line for parts in names_dropped(node) for line in await publication_again(session, parts[-1])
            ]
        cascade = node.behavior == pb.DROP_CASCADE and old
        return (old or _none(change)) + (["-- what CASCADE took along is not in this"] if cascade else [])
    if isinstance(node, pb.AlterTableStmt):
        return await undo_alter(session, node)
    if isinstance(node, pb.CreateFunctionStmt):
        named = name_of(strings(node.funcname))
        old = await function(session, named, signature(node), extras=False) if node.replace else []
        return old or _drop(change)
    if isinstance(node, pb.AlterFunctionStmt):
        named = name_of(strings(node.func.objname))
        wrapped = pb.Node()
        wrapped.object_with_args.CopyFrom(node.func)
        return await function(session, named, signature(wrapped), extras=False) or _none(change)
    if isinstance(node, pb.ViewStmt):
        old = (
            await view(session, range_name(node.view), replace_columns=_columns(node)) if node.replace else []
        )
        return old or _drop(change)
    if isinstance(node, pb.CreateTrigStmt):
        table = range_name(node.relation)
        old = await trigger(session, table, node.trigname) if node.replace else []
        drop = f"DROP TRIGGER {quoted(node.trigname)} ON {spell(table)};"
        return [drop, *old]
    if isinstance(node, pb.IndexStmt):
        return await _index(session, node)
    return await undo_other(session, change) or _drop(change) or _none(change)


def _none(change: Change) -> list[str]:
    return [f"-- {change.command}: no SQL takes this back; note the old state, or restore from a backup"]


def _columns(node: pb.ViewStmt) -> int:
    """How many columns the view will have; -1 when a star hides it."""
    query = unwrap_node(node.query)
    targets = query.target_list if isinstance(query, pb.SelectStmt) else ()
    return -1 if "a_star" in str(targets) or not targets else len(targets)


async def _index(session: Session, node: pb.IndexStmt) -> list[str]:
    """DROP INDEX, also of one whose name PostgreSQL chooses."""
    table, name = range_name(node.relation), node.idxname
    word = "DROP INDEX CONCURRENTLY" if node.concurrent else "DROP INDEX"
    state = await read_state(session, table)
    schema = state["schema"] if state else table.schema
    if not name and state:
        keys = [
            part.name or "expr"
            for item in [*node.index_params, *node.index_including_params]
            if isinstance(part := unwrap_node(item), pb.IndexElem)
        ]
        name = free_name([state["name"], *keys, "idx"], state)
    if node.if_not_exists and state and name in state["taken"]:
        return [f"-- index {name}: nothing changes, it is there already"]
    return [f"{word} {spell(Name(schema, name))};" if name else "-- DROP INDEX with the name that it gets"]


async def _rows(session: Session, change: Change) -> list[str]:
    """Rows: no values are kept. An INSERT of constants can be deleted by its key."""
    node = change.piece.node
    if isinstance(node, pb.InsertStmt):
        keys = await _inserted(session, node)
        return [keys or f"-- INSERT into {change.tables[0]}: DELETE the new rows by their keys"]
    where = clause(node.where_clause) if isinstance(node, pb.UpdateStmt | pb.DeleteStmt) else ""
    joined = bool(
        (isinstance(node, pb.UpdateStmt) and node.from_clause)
        or (isinstance(node, pb.DeleteStmt) and node.using_clause)
    )
    lines = [
        f"-- {change.command}: {change.lost} do not come back; no values are kept. To keep them, run before:",
        f"--   CREATE SCHEMA IF NOT EXISTS {COPIES};",
    ]
    for table in change.tables:
        copy = spell(Name(COPIES, f"{table.name}_before"))
        kept = f" {where}" if where and not joined else ""
        # A comment for a person, never run by us: the clause is the statement's own.
        query = f"CREATE TABLE {copy} AS SELECT * FROM {spell(table)}{kept};"  # noqa: S608  shown, not run
        lines.append(f"--   {query}".replace("\n", " "))
    return [
        *lines,
        "-- (patients' data: nobody else may read that schema; drop the copy when it is not needed)",
    ]


async def _inserted(session: Session, node: pb.InsertStmt) -> str:
    """DELETE by primary key, when every row gives it as constants; else an empty string."""
    state = await read_state(session, range_name(node.relation))
    values = unwrap_node(node.select_stmt)
    if not state or node.HasField("on_conflict_clause") or not isinstance(values, pb.SelectStmt):
        return ""
    primary = next((k["text"] for k in state["constraints"].values() if k["text"].startswith("PRIMARY")), "")
    keys = [part.strip() for part in primary.removeprefix("PRIMARY KEY (").rstrip(")").split(",") if part]
    ordered = sorted(state["columns"], key=lambda name: state["columns"][name]["position"])
    named = [
        part.name for item in node.cols if isinstance(part := unwrap_node(item), pb.ResTarget)
    ] or ordered
    places = [named.index(key) for key in keys if key in named]
    if not keys or len(places) != len(keys) or not values.values_lists:
        return ""
    rows: list[str] = []
    for item in values.values_lists:
        row = unwrap_node(item)
        given = row.items if isinstance(row, pb.List) else ()
        if not all(at < len(given) and isinstance(unwrap_node(given[at]), pb.A_Const) for at in places):
            return ""
        rows.append(f"({', '.join(expression(given[at]) for at in places)})")
    columns = ", ".join(map(quoted, keys))
    table = spell(range_name(node.relation))
    return f"DELETE FROM {table} WHERE ({columns}) IN ({', '.join(rows)});"  # noqa: S608  shown, not run


def _drop(change: Change) -> list[str]:
    try:
        return [f"{to_drop(change.piece.text)};"]
    except (PgQueryError, ValueError):
        return []
