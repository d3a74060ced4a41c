"""A foreign key holds on to a unique constraint of the auth schema.

What it finds
    Foreign keys of your own tables to a column of the auth schema that is unique and not the primary key,
    such as auth.users (email) or auth.users (phone).

Why it matters
    Supabase changes these constraints when it upgrades the auth service. With a foreign key on one of them
    the upgrade fails, and signing in with it.

Fix
    Refer to auth.users (id); keep the address in a column of your own.

When to ignore
    Never on a hosted project.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import listed, on_table, quoted, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per foreign key."""
    for table in snapshot.relations.values():
        for key in table.foreign_keys if table.schema not in PLATFORM_SCHEMAS else ():
            target = snapshot.relations.get(key.target)
            if target is None or target.schema != "auth":
                continue
            primary = target.primary_key
            if set(primary) == set(key.target_columns):
                continue
            found = on_table(
                "fkey_to_auth_unique", Level.ERROR, table,
                f"Foreign key {quoted(key.name)} of {table.title} refers to {target.title}"
                f" ({listed(key.target_columns)}), a constraint that upgrades of the auth service replace:"
                " they fail, and signing in with them.",
                evidence=f"{listed(key.columns)} references {target.title} ({listed(key.target_columns)})",
                fix=f"alter table {table_name(table)} drop constraint {quoted(key.name)};",
                rank=38,
            )  # fmt: skip
            yield found.model_copy(update={"object": f"{found.object} {key.name}"})


RULE = Rule(
    name="fkey_to_auth_unique",
    title="A foreign key holds on to a unique constraint of the auth schema",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
