"""A view gives the accounts of auth.users to API roles.

What it finds
    Views without security_invoker and materialized views in an exposed schema that read auth.users and that
    anon or authenticated may SELECT from.

Why it matters
    E-mail addresses, phone numbers, sign-in times and metadata of every person who has an account become one
    request away.

Fix
    Copy the few columns that people may see into a table of your own with row level security, kept by a
    trigger; drop the view or revoke it from the API roles.

When to ignore
    A view whose own condition returns the caller's single row. A table of one's own is still the better way.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.reach import reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import grants, listed, on_table, quoted, rank, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per view."""
    reached = reach(snapshot)
    for view in snapshot.relations.values():
        if view.kind not in "vm" or view.invoker or view.schema in PLATFORM_SCHEMAS:
            continue
        exposure = {name: held for name, held in snapshot.exposure(view).items() if "SELECT" in held}
        if exposure and any(table.title == "auth.users" for table in reached.base_tables(view)):
            yield on_table(
                "auth_users_exposed",
                Level.ERROR,
                view,
                f"{view.title} shows rows of auth.users to {listed(exposure)}: columns"
                f" {listed(view.columns)}.",
                evidence=f"reads auth.users as {view.owner}; {grants(exposure)}",
                fix=f"revoke all on {table_name(view)} from {', '.join(quoted(role) for role in exposure)};",
                rank=rank(snapshot, view, exposure) // 2,
            )


RULE = Rule(
    name="auth_users_exposed",
    title="A view gives the accounts of auth.users to API roles",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
