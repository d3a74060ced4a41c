"""Tables to come are granted to outsiders in advance.

What it finds
    ALTER DEFAULT PRIVILEGES that grant new relations to PUBLIC anywhere, or to anon or authenticated in an
    exposed schema other than public. Supabase's own defaults for public, storage and graphql_public are
    part of the platform and are left out: there rls_disabled_in_public tells of each table that was
    forgotten.

Why it matters
    It changes nothing today. Whoever creates the next table and forgets row level security has published it
    without a single GRANT, and what was revoked from an old table comes back with its successor.

Fix
    alter default privileges ... revoke ... from the role; grant table by table.

When to ignore
    A schema of reference data that everybody may read.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.privileges import PUBLIC
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import DOMAIN, doing, listed, quoted, shown

_PLATFORM = PLATFORM_SCHEMAS | {"public"}


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per role that creates and schema."""
    names = {role.name for role in snapshot.callers} if snapshot.supabase else set[str]()
    for default in snapshot.default_privileges:
        if default.kind != "r":
            continue
        served = default.schema == "" or (
            default.schema not in _PLATFORM and snapshot.reachable(default.schema)
        )
        held = {n: h for n, h in default.acl.items() if h and (n == PUBLIC or (served and n in names))}
        if not held:
            continue
        where = f"in schema {default.schema}" if default.schema else "in every schema"
        inside = f" in schema {quoted(default.schema)}" if default.schema else ""
        given = listed("everybody" if name == PUBLIC else name for name in held)
        roles = ", ".join(name if name == PUBLIC else quoted(name) for name in held)
        verbs = doing(privilege for several in held.values() for privilege in several)
        yield Finding(
            rule="default_privileges_open",
            level=Level.WARN,
            domain=DOMAIN,
            schema=default.schema or None,
            object=shown(f"default privileges of {default.creator} {where}"),
            message=shown(
                f"Every table that {default.creator} creates {where} lets {given} {verbs} it from the start."
            ),
            evidence=f"pg_default_acl of {shown(default.creator)}",
            fix=f"alter default privileges for role {quoted(default.creator)}{inside} revoke all on tables"
            f" from {roles};",
            rank=48,
        )


RULE = Rule(
    name="default_privileges_open",
    title="Tables to come are granted to outsiders in advance",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
