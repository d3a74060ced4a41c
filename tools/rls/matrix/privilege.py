"""Whether a role holds a privilege on a relation, and on which of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tools.rls.objects import Relation
from tools.rls.privileges import Role, granted
from tools.rls.snapshot import Snapshot

READS_ALL: Final = "pg_read_all_data"
WRITES_ALL: Final = "pg_write_all_data"
"""Predefined roles: their members read or write every table, and use every schema, without any ACL entry."""


@dataclass(frozen=True, slots=True)
class Held:
    """`columns` are those the privilege is limited to, None for all; `why` it is held, or not."""

    yes: bool
    why: str
    columns: tuple[str, ...] | None = None


def held(snapshot: Snapshot, role: Role, relation: Relation, privilege: str) -> Held:
    """Whether `role` holds SELECT, INSERT, UPDATE, DELETE or TRUNCATE, by whatever way."""
    if role.superuser:
        return Held(True, "superuser")
    for member, privileges in (
        (READS_ALL, ("SELECT",)),
        (WRITES_ALL, ("INSERT", "UPDATE", "DELETE")),
    ):
        if member in role.effective and privilege in privileges:
            return Held(True, f"member of {member}")
    if not (snapshot.usable(role, relation.schema) or role.effective & {READS_ALL, WRITES_ALL}):
        return Held(False, f"no USAGE on schema {relation.schema}")
    if privilege in granted(relation.acl, role):
        return Held(True, through(relation, role, privilege))
    columns = tuple(
        name for name, column in relation.columns.items() if privilege in granted(column.acl, role)
    )
    if not columns:
        return Held(False, f"{privilege} is not granted")
    return Held(True, f"{privilege} on columns", None if len(columns) == len(relation.columns) else columns)


def through(relation: Relation, role: Role, privilege: str) -> str:
    """Whose grant gives the privilege: the role's own, PUBLIC's, or that of a role it is a member of."""
    if privilege in relation.acl.get(role.name, ()):
        return "owner" if relation.owner == role.name else "granted"
    if privilege in relation.acl.get("public", ()):
        return "granted to PUBLIC"
    givers = sorted(name for name in role.effective if privilege in relation.acl.get(name, ()))
    return f"member of {givers[0]}" if givers else "granted"
