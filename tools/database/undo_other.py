"""The way back of renames, owners, schemas, comments, sequences, publications, roles and enum labels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, LiteralString

from postgast import pg_query_pb2 as pb

from tools.database.changes import Change
from tools.database.dropping import dotted, object_kind
from tools.database.locks import range_name
from tools.database.reach import Name
from tools.database.spelling import deparsed, literal, quoted, signature, spell
from tools.errors import SergeiError

if TYPE_CHECKING:
    from tools.database.connection import Session

_OWNERS: Final[dict[str, LiteralString]] = {
    "SCHEMA": "select pg_catalog.pg_get_userbyid(nspowner)::text as owner from pg_catalog.pg_namespace"
    " where nspname = %(name)s",
    "PUBLICATION": "select pg_catalog.pg_get_userbyid(pubowner)::text as owner from pg_catalog.pg_publication"
    " where pubname = %(name)s",
    "TYPE": "select pg_catalog.pg_get_userbyid(typowner)::text as owner from pg_catalog.pg_type"
    " where oid = pg_catalog.to_regtype(%(name)s)",
    "FUNCTION": "select pg_catalog.pg_get_userbyid(proowner)::text as owner from pg_catalog.pg_proc"
    " where oid = pg_catalog.to_regprocedure(%(name)s)",
}
_SCHEMA: Final = """
select n.nspname::text as schema from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
_COMMENT: Final = """
select d.description::text as text
from pg_catalog.pg_get_object_address(%(kind)s, %(names)s::text[], '{}') a
left join pg_catalog.pg_description d
  on d.classoid = a.classid and d.objoid = a.objid and d.objsubid = a.objsubid
"""
_FUNCTION_COMMENT: Final = """
select pg_catalog.obj_description(pg_catalog.to_regprocedure(%(name)s), 'pg_proc') as text
"""
_SEQUENCE: Final = """
select c.oid::pg_catalog.regclass::text as name, pg_catalog.format_type(s.seqtypid, null) as type,
       s.seqincrement as step, s.seqmin as low, s.seqmax as high, s.seqstart as start, s.seqcache as cache,
       s.seqcycle as cycle
from pg_catalog.pg_sequence s join pg_catalog.pg_class c on c.oid = s.seqrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
_PUBLICATION: Final = """
select p.puballtables as everything,
       pg_catalog.concat_ws(', ', case when p.pubinsert then 'insert' end,
         case when p.pubupdate then 'update' end, case when p.pubdelete then 'delete' end,
         case when p.pubtruncate then 'truncate' end) as publish,
       p.pubviaroot as root,
       array(select r.prrelid::pg_catalog.regclass::text
                    || coalesce(' (' || (select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ')
                                         from pg_catalog.pg_attribute a where a.attrelid = r.prrelid
                                           and a.attnum = any (r.prattrs)) || ')', '')
                    || coalesce(' WHERE ' || pg_catalog.pg_get_expr(r.prqual, r.prrelid), '')
             from pg_catalog.pg_publication_rel r where r.prpubid = p.oid order by 1) as tables
from pg_catalog.pg_publication p where p.pubname = %(name)s
"""
_ROLE: Final = """
select rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
       rolconnlimit from pg_catalog.pg_roles where rolname = %(name)s
"""
_FLAGS: Final = {
    "rolsuper": "SUPERUSER", "rolinherit": "INHERIT", "rolcreaterole": "CREATEROLE",
    "rolcreatedb": "CREATEDB",
    "rolcanlogin": "LOGIN", "rolreplication": "REPLICATION", "rolbypassrls": "BYPASSRLS",
}  # fmt: skip
_ADDRESSES: Final = {
    "TABLE": "table", "VIEW": "view", "MATERIALIZED VIEW": "materialized view", "INDEX": "index",
    "SEQUENCE": "sequence", "COLUMN": "table column", "POLICY": "policy", "TRIGGER": "trigger",
    "TABCONSTRAINT": "table constraint", "SCHEMA": "schema", "TYPE": "type", "PUBLICATION": "publication",
    "EXTENSION": "extension", "RULE": "rule",
}  # fmt: skip


async def undo_other(session: Session, change: Change) -> list[str]:
    """The lines for this statement; none when it is not of these kinds or its object is not there."""
    node = change.piece.node
    undo = _UNDOERS.get(node.DESCRIPTOR.name)
    return await undo(session, node) if undo else []


async def _rename(_: Session, node: pb.RenameStmt) -> list[str]:
    other = pb.RenameStmt()
    other.CopyFrom(node)
    if node.subname:
        other.subname, other.newname = node.newname, node.subname
    elif node.HasField("relation"):
        other.relation.relname, other.newname = node.newname, node.relation.relname
    elif node.object.HasField("string"):
        other.object.string.sval, other.newname = node.newname, node.object.string.sval
    else:
        names = _name_list(other)
        if names is None:
            return []
        other.newname, names[-1].string.sval = names[-1].string.sval, node.newname
    return [f"{deparsed('rename_stmt', other)};"]


def _name_list(node: pb.RenameStmt) -> Any:
    """The list of name parts of the renamed object, to be changed in place."""
    kind = node.object.WhichOneof("node")
    if kind == "object_with_args":
        return node.object.object_with_args.objname
    if kind == "type_name":
        return node.object.type_name.names
    return node.object.list.items if kind == "list" else None


async def _owner(session: Session, node: pb.AlterOwnerStmt) -> list[str]:
    kind = object_kind(node.object_type)
    kind = {"PROCEDURE": "FUNCTION", "ROUTINE": "FUNCTION", "DOMAIN": "TYPE"}.get(kind, kind)
    parts = dotted(node.object)
    name = signature(node.object) if kind == "FUNCTION" else ".".join(parts)
    if kind not in _OWNERS or not name:
        return []
    rows = await session.fetch(_OWNERS[kind], {"name": name})
    if not rows:
        return []
    other = pb.AlterOwnerStmt()
    other.CopyFrom(node)
    other.newowner.roletype, other.newowner.rolename = pb.ROLESPEC_CSTRING, rows[0]["owner"]
    return [f"{deparsed('alter_owner_stmt', other)};"]


async def _schema(session: Session, node: pb.AlterObjectSchemaStmt) -> list[str]:
    if not node.HasField("relation"):
        return []
    old = range_name(node.relation)
    rows = await session.fetch(_SCHEMA, {"schema": old.schema or "", "name": old.name})
    other = pb.AlterObjectSchemaStmt()
    other.CopyFrom(node)
    other.relation.schemaname = node.newschema
    other.newschema = rows[0]["schema"] if rows else ""
    return [f"{deparsed('alter_object_schema_stmt', other)};"] if rows else []


async def _comment(session: Session, node: pb.CommentStmt) -> list[str]:
    kind, old = object_kind(node.objtype), ""
    await session.run("SAVEPOINT comment")
    try:
        if kind in {"FUNCTION", "PROCEDURE", "ROUTINE"}:
            rows = await session.fetch(_FUNCTION_COMMENT, {"name": signature(node.object)})
        elif kind in _ADDRESSES:
            rows = await session.fetch(_COMMENT, {"kind": _ADDRESSES[kind], "names": dotted(node.object)})
        else:
            return []
        old = rows[0]["text"] or ""
    except SergeiError:
        await session.run("ROLLBACK TO SAVEPOINT comment")
        return ["-- COMMENT: its object is not there yet"]
    other = pb.CommentStmt()
    other.CopyFrom(node)
    other.comment = old
    return [f"{deparsed('comment_stmt', other)};"]


async def _sequence(session: Session, node: pb.AlterSeqStmt) -> list[str]:
    name = range_name(node.sequence)
    rows = await session.fetch(_SEQUENCE, {"schema": name.schema or "", "name": name.name})
    if not rows:
        return []
    row = rows[0]
    text = (
        f"ALTER SEQUENCE {row['name']} AS {row['type']} INCREMENT {row['step']} MINVALUE {row['low']}"
        f" MAXVALUE {row['high']} START {row['start']} CACHE {row['cache']}"
        f" {'' if row['cycle'] else 'NO '}CYCLE;"
    )
    lines = [text]
    if '"restart"' in str(node.options):
        # The number itself moves while a person reads, and a yes is bound to what is shown.
        lines.append(
            f"-- RESTART: note last_value and is_called of {row['name']} now; setval() brings them back"
        )
    return lines


async def _publication(session: Session, node: pb.AlterPublicationStmt) -> list[str]:
    rows = await session.fetch(_PUBLICATION, {"name": node.pubname})
    if not rows:
        return []
    row, name = rows[0], quoted(node.pubname)
    if node.options:
        root = "true" if row["root"] else "false"
        said = f"publish = {literal(row['publish'])}, publish_via_partition_root = {root}"
        return [f"ALTER PUBLICATION {name} SET ({said});"]
    if row["tables"]:
        return [f"ALTER PUBLICATION {name} SET TABLE {', '.join(row['tables'])};"]
    added = [item.publication_obj_spec.pubtable.relation for item in node.pubobjects]
    shown = ", ".join(spell(range_name(relation)) for relation in added if relation.relname)
    return [f"ALTER PUBLICATION {name} DROP TABLE {shown};"] if shown else []


async def _role(session: Session, node: pb.AlterRoleStmt) -> list[str]:
    rows = await session.fetch(_ROLE, {"name": node.role.rolename})
    if not rows:
        return []
    flags = " ".join(word if rows[0][flag] else f"NO{word}" for flag, word in _FLAGS.items())
    return [f"ALTER ROLE {quoted(node.role.rolename)} {flags} CONNECTION LIMIT {rows[0]['rolconnlimit']};"]


async def _enum(_: Session, node: pb.AlterEnumStmt) -> list[str]:
    name = spell(Name(None, "")) if not node.type_name else ".".join(map(quoted, dotted_names(node)))
    if node.old_val:
        return [f"ALTER TYPE {name} RENAME VALUE {literal(node.new_val)} TO {literal(node.old_val)};"]
    return [f"-- ALTER TYPE {name}: a value of an enum cannot be taken away again"]


def dotted_names(node: pb.AlterEnumStmt) -> list[str]:
    """The parts of the type's name."""
    return [item.string.sval for item in node.type_name]


async def publication_again(session: Session, name: str) -> list[str]:
    """CREATE PUBLICATION as it was; nothing when there is none or it publishes whole schemas."""
    rows = await session.fetch(_PUBLICATION, {"name": name})
    if not rows or not (rows[0]["tables"] or rows[0]["everything"]):
        return []
    row, root = rows[0], "true" if rows[0]["root"] else "false"
    what = "FOR ALL TABLES" if row["everything"] else f"FOR TABLE {', '.join(row['tables'])}"
    said = f"publish = {literal(row['publish'])}, publish_via_partition_root = {root}"
    owner = await session.fetch(_OWNERS["PUBLICATION"], {"name": name})
    return [
        f"CREATE PUBLICATION {quoted(name)} {what} WITH ({said});",
        f"ALTER PUBLICATION {quoted(name)} OWNER TO {quoted(owner[0]['owner'])};",
    ]


async def _created(_: Session, node: Any) -> list[str]:
    """What is created under one plain name."""
    if isinstance(node, pb.CreatePublicationStmt):
        return [f"DROP PUBLICATION {quoted(node.pubname)};"]
    if isinstance(node, pb.CreateRoleStmt):
        return [f"DROP ROLE {quoted(node.role)};"]
    names = [item.string.sval for item in node.defnames] if isinstance(node, pb.CreateStatsStmt) else []
    return [f"DROP STATISTICS {'.'.join(map(quoted, names))};"] if names else []


_UNDOERS: Final[dict[str, Callable[[Session, Any], Awaitable[list[str]]]]] = {
    "RenameStmt": _rename, "AlterOwnerStmt": _owner, "AlterObjectSchemaStmt": _schema,
    "CommentStmt": _comment,
    "AlterSeqStmt": _sequence, "AlterPublicationStmt": _publication, "AlterRoleStmt": _role,
    "AlterEnumStmt": _enum, "CreatePublicationStmt": _created, "CreateRoleStmt": _created,
    "CreateStatsStmt": _created,
}  # fmt: skip
