"""The roles of a source, made in the sandbox's server where they are missing.

Roles belong to the server and outlive a scratch database: those made here are dropped after it. A role that
is there already is left as it is, and what differs is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from psycopg import sql

from tools.sandbox.scratch.admin import Admin
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.source import Membership, Role

_PLATFORM = re.compile(r"postgres$|supabase_|dashboard_user$|pgbouncer$")
"""Roles that administer a platform: no request acts as one of them, and here they are never quite alike."""


def make_roles(admin: Admin, roles: Sequence[Role], memberships: Sequence[Membership]) -> None:
    """Create what is missing. Where an existing role differs, it is a gap of `admin`."""
    session = admin.session
    there = {
        name: (bypass, superuser)
        for name, bypass, superuser in session.rows(
            "select rolname, rolbypassrls, rolsuper from pg_catalog.pg_roles"
        )
    }
    linked = set(
        session.rows(
            "select r.rolname, m.rolname from pg_catalog.pg_auth_members a"
            " join pg_catalog.pg_roles r on r.oid = a.roleid join pg_catalog.pg_roles m on m.oid = a.member"
        )
    )
    session.commit()
    # Memberships first: the one by which the copy acts as a role must not close a circle with them.
    made = [
        role.name
        for role in roles
        if role.name not in there
        and admin.create_role(
            role.name, bypass_rls=role.bypass_rls or role.superuser, inherit=role.inherit, admit=False
        )
    ]
    admin.gaps += _differences(roles, there)
    known = {*there, *made}
    for item in memberships:
        if (item.role, item.member) in linked or not {item.role, item.member} <= known:
            continue
        if item.role in admin.unsafe:
            admin.notes.append(
                f"role {item.member} is not made a member of {item.role}: it concerns a server"
            )
        elif item.member in made:
            _join(session, item)
        elif not _PLATFORM.match(item.member):
            reason = f"it is a member of {item.role} in the source but not in the copy"
            admin.gaps.append((f"role {item.member}", reason))
    session.commit()
    admin.admit(role.name for role in roles)


def _join(session: ScratchSession, item: Membership) -> None:
    words = sql.SQL("grant {} to {}").format(sql.Identifier(item.role), sql.Identifier(item.member))
    if session.server_version >= 160000:
        words += sql.SQL(" with inherit {}").format(sql.SQL("true" if item.inherit else "false"))
    session.run(words)


def _differences(roles: Sequence[Role], there: dict[str, tuple[bool, bool]]) -> Iterator[tuple[str, str]]:
    for role in roles:
        if role.name not in there or _PLATFORM.match(role.name):
            continue
        here = any(there[role.name])
        if (role.bypass_rls or role.superuser) != here:
            said = "bypasses row level security in the source but not in the copy"
            other = "bypasses row level security in the copy but not in the source"
            yield f"role {role.name}", other if here else said


def drop_roles(session: ScratchSession, names: Sequence[str]) -> None:
    """Drop roles made for a copy; one that another database uses stays."""
    for name in reversed(names):
        try:
            with session.savepoint():
                session.run(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))
        except SqlFailure:
            continue
    session.commit()
