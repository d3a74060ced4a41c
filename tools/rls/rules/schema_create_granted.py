"""API roles may create objects in a schema that others look names up in.

What it finds
    CREATE on public, on an exposed schema, or on a schema in the search_path of a security definer function,
    held by anon or authenticated (directly, through PUBLIC or through a role).

Why it matters
    Whoever can create a function or table where other people's code resolves names can replace what that code
    calls. With a definer function behind it, that is the owner's rights.

Fix
    revoke create on schema ... from the role (or from public).

When to ignore
    Never for roles that outsiders arrive as.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.privileges import PUBLIC, granted
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import DOMAIN, listed, quoted, shown


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per schema. On plain Postgres a role with CREATE by name was meant to have it."""
    paths = {name for f in snapshot.functions if f.definer for name in f.search_path or ()}
    for schema, acl in snapshot.schemas.items():
        if schema not in {"public", *snapshot.exposed, *paths} or schema in PLATFORM_SCHEMAS - {"extensions"}:
            continue
        if not snapshot.supabase and "CREATE" not in acl.get(PUBLIC, frozenset()):
            continue
        holders = [role.name for role in snapshot.callers if "CREATE" in granted(acl, role)]
        if holders:
            sources = [name for name in (PUBLIC, *holders) if "CREATE" in acl.get(name, frozenset())]
            yield Finding(
                rule="schema_create_granted",
                level=Level.ERROR if snapshot.supabase else Level.WARN,
                domain=DOMAIN,
                schema=schema,
                object=shown(f"schema {schema}"),
                message=shown(
                    f"{listed(holders)} may create objects in schema {schema} and so replace what other"
                    " code calls there."
                ),
                evidence=f"nspacl grants CREATE to {listed(sources) or 'a role they are member of'}",
                fix=f"revoke create on schema {quoted(schema)} from"
                f" {', '.join(n if n == PUBLIC else quoted(n) for n in sources or holders)};",
                rank=15,
            )


RULE = Rule(
    name="schema_create_granted",
    title="API roles may create objects in a schema that others look names up in",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
