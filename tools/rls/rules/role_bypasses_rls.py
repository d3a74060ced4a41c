"""A role that callers arrive as can put row level security aside.

What it finds
    anon or authenticated (on plain Postgres: a role that is bound by policies) that is a superuser or has
    BYPASSRLS, or that can SET ROLE to such a role. The attribute is not inherited and shows in no grant;
    membership is enough to become the other role.

Why it matters
    Policies are not asked for such a role: every table is open to every caller.

Fix
    alter role ... nobypassrls, or revoke the membership.

When to ignore
    A role that only people with full access log in as; give it no part in the API.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import Snapshot
from tools.rls.wording import DOMAIN, listed, quoted, shown


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per role; silent where it reaches no table with row level security."""
    guarded = [table for table in snapshot.tables if table.rls]
    for role in snapshot.callers:
        free = [
            n for n in sorted(role.settable) if snapshot.roles[n].superuser or snapshot.roles[n].bypassrls
        ]
        itself = role.superuser or role.bypassrls
        if not (itself or free) or not any(role.name in snapshot.exposure(table) for table in guarded):
            continue
        how = "has BYPASSRLS" if itself else f"can SET ROLE to {listed(free)}"
        undo = f"alter role {quoted(role.name)} nobypassrls nosuperuser;" if itself else (
            "\n".join(f"revoke {quoted(name)} from {quoted(role.name)};" for name in free)
        )  # fmt: skip
        yield Finding(
            rule="role_bypasses_rls",
            level=Level.ERROR if snapshot.supabase else Level.WARN,
            domain=DOMAIN,
            object=shown(f"role {role.name}"),
            message=shown(f"Role {role.name} {how}: no policy binds whoever arrives as it."),
            evidence=f"pg_roles.rolbypassrls, rolsuper, pg_auth_members of {shown(role.name)}",
            fix=undo,
            rank=0 if role.name == "anon" else 8,
        )


RULE = Rule(
    name="role_bypasses_rls",
    title="A role that callers arrive as can put row level security aside",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
