"""An extension puts its objects into the schema that the API serves.

What it finds
    Extensions (other than plpgsql) that are installed in public or in another exposed schema.

Why it matters
    Their functions become endpoints of the API, callable by whoever may execute them, and their names mix
    with your own: an unqualified call in a definer function may mean either.

Fix
    alter extension ... set schema extensions; an extension that cannot be moved is dropped and created anew
    there.

When to ignore
    An extension whose types are used under public.name in code that cannot be changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import Snapshot
from tools.rls.wording import DOMAIN, quoted, remark, shown


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per extension; plain Postgres has no API whose schema it could be."""
    for extension in snapshot.installed if snapshot.supabase else ():
        if extension.name == "plpgsql" or extension.schema not in {"public", *snapshot.exposed}:
            continue
        name = quoted(extension.name)
        move = f"create schema if not exists extensions;\nalter extension {name} set schema extensions;"
        anew = remark(f"it cannot be moved: drop extension {name}, create extension {name} schema extensions")
        yield Finding(
            rule="extension_in_public", level=Level.WARN, domain=DOMAIN, schema=extension.schema,
            object=shown(f"extension {extension.name}"),
            message=shown(
                f"Extension {extension.name} is installed in {extension.schema}, which the API serves: its"
                " functions can be called from outside."
            ),
            evidence=f"pg_extension.extnamespace is {shown(extension.schema)}",
            fix=move if extension.relocatable else anew,
            rank=63,
        )  # fmt: skip


RULE = Rule(
    name="extension_in_public",
    title="An extension puts its objects into the schema that the API serves",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
