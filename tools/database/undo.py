"""How to take a change back, as SQL where that is possible. Old definitions are read before they go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import Message
from postgast import PgQueryError, deparse, to_drop
from postgast import pg_query_pb2 as pb
from psycopg.sql import SQL, Identifier

from tools.database.changes import Change, dropped_kind, names_dropped
from tools.database.reach import Name, name_of, strings

if TYPE_CHECKING:
    from tools.database.connection import Session

_POLICY: Final = """
select n.nspname::text as schema, c.relname::text as table, p.polname::text as name,
       p.polpermissive as permissive,
       case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
            when 'd' then 'DELETE' else 'ALL' end as command,
       array(select case when r = 0 then null else pg_catalog.pg_get_userbyid(r)::text end
             from unnest(p.polroles) r) as roles,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using,
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check
from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where p.polname = %(policy)s and c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
_FUNCTION: Final = """
select pg_catalog.pg_get_functiondef(p.oid) as definition
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.proname = %(name)s and p.prokind in ('f', 'p')
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_function_is_visible(p.oid))
order by p.oid
"""
_RELATION: Final = """
select case c.relkind when 'i' then pg_catalog.pg_get_indexdef(c.oid)
            else 'CREATE OR REPLACE VIEW ' || c.oid::pg_catalog.regclass || ' AS '
                 || pg_catalog.pg_get_viewdef(c.oid) end as definition
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'i') and c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
_TRIGGER: Final = """
select pg_catalog.pg_get_triggerdef(t.oid) as definition
from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where t.tgname = %(trigger)s and c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
_NONE: Final = "-- {command}: no way back short of a backup"
_TOGGLES: Final = {
    pb.AT_EnableRowSecurity: pb.AT_DisableRowSecurity,
    pb.AT_DisableRowSecurity: pb.AT_EnableRowSecurity,
    pb.AT_ForceRowSecurity: pb.AT_NoForceRowSecurity,
    pb.AT_NoForceRowSecurity: pb.AT_ForceRowSecurity,
}


async def undo(session: Session, changes: Sequence[Change]) -> str:
    """The script that takes the changes back, last one first; a comment stands where there is no way back."""
    lines = [await _one(session, change) for change in reversed(changes)]
    return "\n".join(line for line in lines if line)


async def _one(session: Session, change: Change) -> str:
    node = change.piece.node
    if isinstance(node, pb.CreatePolicyStmt):
        table = Name(node.table.schemaname or None, node.table.relname)
        drop = SQL("DROP POLICY {} ON {};").format(Identifier(node.policy_name), _identifier(table))
        return drop.as_string(session.connection)
    if isinstance(node, pb.AlterPolicyStmt):
        table = Name(node.table.schemaname or None, node.table.relname)
        old = await _old_policy(session, table, node.policy_name)
        drop = SQL("DROP POLICY {} ON {};").format(Identifier(node.policy_name), _identifier(table))
        return f"{drop.as_string(session.connection)}\n{old}" if old else _NONE.format(command=change.command)
    if isinstance(node, pb.DropStmt):
        return await _dropped(session, node) or _NONE.format(command=change.command)
    if isinstance(node, pb.GrantStmt):
        return _turned(node) + "  -- only what was not granted (or revoked) before"
    if isinstance(node, pb.AlterTableStmt):
        return _toggled(node) or _NONE.format(command=change.command)
    if isinstance(node, pb.CreateFunctionStmt):
        old = await _definitions(session, _FUNCTION, name_of(strings(node.funcname)))
        return old if node.replace and old else _drop(change)
    if isinstance(node, pb.ViewStmt):
        name = Name(node.view.schemaname or None, node.view.relname)
        old = await _definitions(session, _RELATION, name)
        return old if node.replace and old else _drop(change)
    return _drop(change) or _NONE.format(command=change.command)


async def _dropped(session: Session, node: pb.DropStmt) -> str:
    kind, found = dropped_kind(node), list[str]()
    for parts in names_dropped(node):
        if kind == "POLICY":
            found.append(await _old_policy(session, name_of(parts[:-1]), parts[-1]))
        elif kind in {"FUNCTION", "PROCEDURE", "ROUTINE"}:
            found.append(await _definitions(session, _FUNCTION, name_of(parts)))
        elif kind in {"VIEW", "INDEX"}:
            found.append(await _definitions(session, _RELATION, name_of(parts)))
        elif kind == "TRIGGER":
            found.append(await _definitions(session, _TRIGGER, name_of(parts[:-1]), trigger=parts[-1]))
    return "\n".join(found) if found and all(found) else ""


async def _definitions(session: Session, query: Any, name: Name, **more: str) -> str:
    rows = await session.fetch(query, {"schema": name.schema or "", "name": name.name, **more})
    return "\n".join(f"{str(row['definition']).rstrip().rstrip(';')};" for row in rows)


async def _old_policy(session: Session, table: Name, policy: str) -> str:
    rows = await session.fetch(_POLICY, {"schema": table.schema or "", "name": table.name, "policy": policy})
    if not rows:
        return ""
    row = rows[0]
    roles = SQL(", ").join(SQL("PUBLIC") if role is None else Identifier(role) for role in row["roles"])
    text = SQL("CREATE POLICY {} ON {} AS {} FOR {} TO {}").format(
        Identifier(row["name"]),
        Identifier(row["schema"], row["table"]),
        SQL("PERMISSIVE" if row["permissive"] else "RESTRICTIVE"),
        SQL(row["command"]),
        roles,
    )
    said = text.as_string(session.connection)
    said += f" USING ({row['using']})" if row["using"] else ""
    return said + (f" WITH CHECK ({row['check']})" if row["check"] else "") + ";"


def _identifier(name: Name) -> Identifier:
    return Identifier(name.schema, name.name) if name.schema else Identifier(name.name)


def _turned(node: pb.GrantStmt) -> str:
    other = pb.GrantStmt()
    other.CopyFrom(node)
    other.is_grant = not node.is_grant
    return f"{_deparsed(other, 'grant_stmt')};"


def _toggled(node: pb.AlterTableStmt) -> str:
    other = pb.AlterTableStmt()
    other.CopyFrom(node)
    for item in other.cmds:
        if item.alter_table_cmd.subtype == pb.AT_AddColumn:
            item.alter_table_cmd.name = getattr(item.alter_table_cmd, "def").column_def.colname
            item.alter_table_cmd.ClearField("def")
            item.alter_table_cmd.subtype = pb.AT_DropColumn
            continue
        if item.alter_table_cmd.subtype not in _TOGGLES:
            return ""
        item.alter_table_cmd.subtype = _TOGGLES[item.alter_table_cmd.subtype]
    return f"{_deparsed(other, 'alter_table_stmt')};"


def _deparsed(node: Message, field: str) -> str:
    tree = pb.ParseResult()
    getattr(tree.stmts.add().stmt, field).CopyFrom(node)
    return deparse(tree)


def _drop(change: Change) -> str:
    try:
        return f"{to_drop(change.piece.text)};"
    except (PgQueryError, ValueError):
        return ""
