"""Policies do not bind the role that owns the tables.

What it finds
    Tables with row level security and without FORCE, owned by a role that is neither superuser nor
    BYPASSRLS, where a caller is or can become the owner (an ERROR), or where nobody but the owner holds a
    privilege, so that the policies bind nobody at all. An owner that only migrations use, beside a role for
    the application, is left out, and so are Supabase's own owners: they have BYPASSRLS, and FORCE does not
    bind them.

Why it matters
    The owner of a table is not asked for its policies. An application that connects as the owner has no
    isolation whatever the policies say.

Fix
    Let the application connect as a role of its own, or alter table ... force row level security.

When to ignore
    A database in which row level security is being prepared.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.privileges import PUBLIC
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import DOMAIN, counted, listed, shown, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per owner."""
    owned: dict[str, list[Relation]] = {}
    for table in snapshot.tables:
        owner = snapshot.roles.get(table.owner)
        if owner is None or owner.superuser or owner.bypassrls or table.schema in PLATFORM_SCHEMAS:
            continue
        if table.rls and table.policies and not table.forced:
            owned.setdefault(table.owner, []).append(table)
    for owner, tables in sorted(owned.items()):
        arriving = [r.name for r in snapshot.callers if owner in r.effective or owner in r.settable]
        alone = not snapshot.supabase and _connects(snapshot, owner) and not any(map(_others, tables))
        if not arriving and not alone:
            continue
        who = f"{listed(arriving)} arrives as it" if arriving else "nobody else holds a privilege on them"
        yield Finding(
            rule="rls_not_forced",
            level=Level.ERROR if arriving else Level.WARN,
            domain=DOMAIN,
            object=shown(f"owner {owner}"),
            message=shown(
                f"Policies do not bind {owner}, which owns {counted(len(tables), 'table')}"
                f" ({listed(table.title for table in tables)}), and {who}."
            ),
            evidence="relforcerowsecurity is false; the owner is neither superuser nor BYPASSRLS",
            fix="\n".join(f"alter table {table_name(t)} force row level security;" for t in tables),
            rank=7 if arriving else 41,
        )


def _connects(snapshot: Snapshot, owner: str) -> bool:
    return snapshot.roles[owner].login or any(
        r.login and owner in r.settable for r in snapshot.roles.values()
    )


def _others(table: Relation) -> bool:
    """Whether a role other than the owner (or everybody) holds a privilege on the table or a column."""
    acls = [table.acl, *(column.acl for column in table.columns.values())]
    return any(held and (name == PUBLIC or name != table.owner) for acl in acls for name, held in acl.items())


RULE = Rule(
    name="rls_not_forced",
    title="Policies do not bind the role that owns the tables",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
