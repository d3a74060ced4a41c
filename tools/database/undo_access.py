"""The way back of GRANT, REVOKE, default privileges and role memberships: measured, not guessed.

    privileges now ── the statement, in a transaction that is rolled back ──▶ privileges then ──▶ difference

These statements change nothing but the catalog and lock no table. Only measuring knows what was granted
before, what ALL or ALL TABLES IN SCHEMA covers, and which column privileges a REVOKE takes along.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from postgast import pg_query_pb2 as pb

from tools.database.changes import Change
from tools.database.connection import Limits
from tools.database.outside import event_trigger
from tools.database.spelling import quoted
from tools.errors import SergeiError

if TYPE_CHECKING:
    from tools.database.connection import Database, Session

_BRIEF: Final = Limits(statement=10.0, lock=0.5, idle=10.0)
_LISTS: Final = """
select 'class' as kind, c.oid::int8 as oid, 0 as part, c.relacl::text as acl
from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and c.relnamespace <> 'pg_catalog'::pg_catalog.regnamespace
union all
select 'column', a.attrelid::int8, a.attnum, a.attacl::text from pg_catalog.pg_attribute a
where a.attacl is not null
union all
select 'function', p.oid::int8, 0, p.proacl::text from pg_catalog.pg_proc p
union all
select 'schema', n.oid::int8, 0, n.nspacl::text from pg_catalog.pg_namespace n
union all
select 'type', t.oid::int8, 0, t.typacl::text from pg_catalog.pg_type t where t.typacl is not null
union all
select 'database', d.oid::int8, 0, d.datacl::text from pg_catalog.pg_database d
union all
select 'default', d.defaclrole::int8 * 4294967296 + d.defaclnamespace::int8, ascii(d.defaclobjtype),
       d.defaclacl::text
from pg_catalog.pg_default_acl d
"""
# `object` is how a GRANT names it; `scope` the rest of ALTER DEFAULT PRIVILEGES.
_RIGHTS: Final = """
with things as (
  select 'class' as kind, c.oid::int8 as oid, 0 as part,
         case c.relkind when 'S' then 'SEQUENCE ' else 'TABLE ' end || c.oid::pg_catalog.regclass as object,
         coalesce(c.relacl, pg_catalog.acldefault(case c.relkind when 'S' then 's'::"char" else 'r' end,
                                                  c.relowner)) as acl, '' as column
  from pg_catalog.pg_class c where c.oid::int8 = any (%(class)s::int8[])
  union all
  select 'column', a.attrelid::int8, a.attnum, 'TABLE ' || a.attrelid::pg_catalog.regclass, a.attacl,
         a.attname::text
  from pg_catalog.pg_attribute a where a.attrelid::int8 = any (%(column)s::int8[])
  union all
  select 'function', p.oid::int8, 0,
         case p.prokind when 'p' then 'PROCEDURE ' else 'FUNCTION ' end || p.oid::pg_catalog.regprocedure,
         coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), ''
  from pg_catalog.pg_proc p where p.oid::int8 = any (%(function)s::int8[])
  union all
  select 'schema', n.oid::int8, 0, 'SCHEMA ' || pg_catalog.quote_ident(n.nspname),
         coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)), ''
  from pg_catalog.pg_namespace n where n.oid::int8 = any (%(schema)s::int8[])
  union all
  select 'type', t.oid::int8, 0, 'TYPE ' || t.oid::pg_catalog.regtype,
         coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)), ''
  from pg_catalog.pg_type t where t.oid::int8 = any (%(type)s::int8[])
  union all
  select 'database', d.oid::int8, 0, 'DATABASE ' || pg_catalog.quote_ident(d.datname),
         coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba)), ''
  from pg_catalog.pg_database d where d.oid::int8 = any (%(database)s::int8[])
  union all
  select 'default', k.owner::int8, 0,
         pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(k.owner)) || '|'
         || coalesce(' IN SCHEMA ' || pg_catalog.quote_ident(n.nspname), '') || '|'
         || case k.code when 'r' then 'TABLES' when 'S' then 'SEQUENCES' when 'f' then 'FUNCTIONS'
                        when 'T' then 'TYPES' else 'SCHEMAS' end,
         coalesce(d.defaclacl, case when k.namespace = 0 then pg_catalog.acldefault(
             case k.code when 'S' then 's' else k.code end::"char", k.owner) end), ''
  from unnest(%(owners)s::oid[], %(namespaces)s::oid[], %(codes)s::text[]) k (owner, namespace, code)
  left join pg_catalog.pg_namespace n on n.oid = k.namespace
  left join pg_catalog.pg_default_acl d on d.defaclrole = k.owner and d.defaclnamespace = k.namespace
    and d.defaclobjtype = k.code::"char")
select t.object, t.column, t.kind,
       coalesce((select pg_catalog.quote_ident(r.rolname) from pg_catalog.pg_roles r where r.oid = a.grantee),
                'PUBLIC') as grantee,
       a.privilege_type as privilege, bool_or(a.is_grantable) as grantable
from things t cross join lateral pg_catalog.aclexplode(t.acl) a
group by 1, 2, 3, 4, 5
"""
_MEMBERS: Final = """
select pg_catalog.pg_get_userbyid(m.roleid)::text as role,
       pg_catalog.pg_get_userbyid(m.member)::text as member, bool_or(m.admin_option) as admin
from pg_catalog.pg_auth_members m group by 1, 2
"""


class Right(NamedTuple):
    """One privilege of one role on one object (or column), with or without the right to pass it on."""

    object: str
    column: str
    kind: str
    grantee: str
    privilege: str
    grantable: bool


Key = tuple[str, int, int]


async def undo_grants(database: Database, changes: Sequence[Change]) -> dict[int, list[str]]:
    """The way back of each statement about privileges, by its index among the changes."""
    granting = {index for index, change in enumerate(changes) if is_grant(change)}
    if not granting:
        return {}
    async with database.session() as session:
        reason = await event_trigger(session, [changes[index] for index in granting])
    if reason:
        return {index: [f"-- {changes[index].command}: not measured, because {reason}"] for index in granting}
    back: dict[int, list[str]] = {}
    try:
        async with database.session(read_only=False, keep=False, limits=_BRIEF) as session:
            for index in sorted(granting):
                back[index] = await _measured(session, changes[index])
    except SergeiError as error:
        said = f"-- not measured: {error.message}"
        return {index: back.get(index, [f"-- {changes[index].command} {said}"]) for index in granting}
    return back


def is_grant(change: Change) -> bool:
    """Whether the statement changes nothing but privileges or memberships."""
    return isinstance(change.piece.node, pb.GrantStmt | pb.GrantRoleStmt | pb.AlterDefaultPrivilegesStmt)


async def _measured(session: Session, change: Change) -> list[str]:
    joins = isinstance(change.piece.node, pb.GrantRoleStmt)
    lists, members = await _lists(session, joins), await _members(session, joins)
    await session.run("SAVEPOINT measure")
    try:
        await session.plain(change.piece.text, utility=True)
    except SergeiError as error:
        await session.run("ROLLBACK TO SAVEPOINT measure")
        if error.code == "42501":
            return [f"-- {change.command}: not measured, because this login may not do it"]
        return [f"-- {change.command}: its object is not there yet; the way back is the one of what makes it"]
    after, joined = await _lists(session, joins), await _members(session, joins)
    changed = {key for key in lists.keys() | after.keys() if lists.get(key) != after.get(key)}
    tables = {oid for kind, oid, _ in changed if kind == "class"}
    # A REVOKE on a table takes its column privileges along: they must be known to be given again.
    changed |= {key for key in lists.keys() | after.keys() if key[0] == "column" and key[1] in tables}
    then = await _rights(session, changed)
    await session.run("ROLLBACK TO SAVEPOINT measure")
    now = await _rights(session, changed)
    # What follows is measured on top of this statement, as it will run.
    await session.plain(change.piece.text, utility=True)
    lines = _difference(now, then) + _memberships(members, joined)
    return lines or [f"-- {change.command}: nothing changes, it is so already"]


async def _lists(session: Session, joins: bool) -> dict[Key, str | None]:
    """Every list of privileges; nothing for a statement about memberships."""
    rows = [] if joins else await session.fetch(_LISTS)
    return {(row["kind"], row["oid"], row["part"]): row["acl"] for row in rows if row["acl"] is not None}


async def _rights(session: Session, keys: Collection[Key]) -> set[Right]:
    if not keys:
        return set()
    kinds = ("class", "column", "function", "schema", "type", "database")
    values: dict[str, Any] = {kind: [oid for have, oid, _ in keys if have == kind] for kind in kinds}
    defaults = [(oid >> 32, oid & 0xFFFFFFFF, chr(part)) for kind, oid, part in keys if kind == "default"]
    values["owners"], values["namespaces"], values["codes"] = (
        [list(column) for column in zip(*defaults, strict=True)] if defaults else ([], [], [])
    )
    return {Right(**row) for row in await session.fetch(_RIGHTS, values)}


def _difference(old: set[Right], new: set[Right]) -> list[str]:
    """Statements from `new` to `old`: first take away, then give back."""
    lines: list[str] = []
    plain_old = {right[:5] for right in old}
    plain_new = {right[:5] for right in new}
    for right in sorted(new - old):
        if right[:5] not in plain_old:
            lines.append(_statement("REVOKE", right))
        elif right.grantable:
            lines.append(_statement("REVOKE", right, "GRANT OPTION FOR "))
    taken = {(right.object, right.grantee, right.privilege) for right in new - old if not right.column}
    lines += [
        _statement("GRANT", right)
        for right in sorted(old)
        if (right not in new and (right[:5] not in plain_new or right.grantable))
        or (right.column and (right.object, right.grantee, right.privilege) in taken)
    ]
    return _joined(lines)


def _statement(verb: str, right: Right, option: str = "") -> str:
    what = f"{option}{right.privilege}" + (f" ({quoted(right.column)})" if right.column else "")
    who = f"{'FROM' if verb == 'REVOKE' else 'TO'} {right.grantee}"
    who += " WITH GRANT OPTION" if verb == "GRANT" and right.grantable else ""
    if right.kind == "default":
        role, scope, kinds = right.object.split("|")
        return f"ALTER DEFAULT PRIVILEGES FOR ROLE {role}{scope} {verb} {what} ON {kinds} {who};"
    return f"{verb} {what} ON {right.object} {who};"


def _joined(lines: list[str]) -> list[str]:
    """GRANT SELECT ON x TO y; GRANT INSERT ON x TO y; become one statement."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        before, _, after = line.partition(" ON ")
        verb, option, privilege = before.rpartition("GRANT OPTION FOR ")
        if not option:
            head, _, privilege = before.rpartition("GRANT " if "GRANT " in before else "REVOKE ")
            verb = head + ("GRANT " if "GRANT " in before else "REVOKE ")
        grouped.setdefault((verb + option, after), []).append(privilege)
    return [f"{verb}{', '.join(what)} ON {after}" for (verb, after), what in grouped.items()]


async def _members(session: Session, joins: bool) -> dict[tuple[str, str], bool]:
    if not joins:
        return {}  # they are the whole server's: what others change meanwhile is not ours to undo
    return {(row["role"], row["member"]): row["admin"] for row in await session.fetch(_MEMBERS)}


def _memberships(old: dict[tuple[str, str], bool], new: dict[tuple[str, str], bool]) -> list[str]:
    fresh = sorted(new.keys() - old.keys())
    lines = [f"REVOKE {quoted(role)} FROM {quoted(member)};" for role, member in fresh]
    for pair in sorted(old):
        name = f"{quoted(pair[0])} TO {quoted(pair[1])}"
        if pair not in new or (old[pair] and not new[pair]):
            lines.append(f"GRANT {name}{' WITH ADMIN OPTION' if old[pair] else ''};")
        elif new[pair] and not old[pair]:
            lines.append(f"REVOKE ADMIN OPTION FOR {quoted(pair[0])} FROM {quoted(pair[1])};")
    return lines
