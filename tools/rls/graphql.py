"""What pg_graphql shows of the schema: every relation that a role may SELECT from, with or without rows."""

from __future__ import annotations

from tools.findings import Finding, Level
from tools.rls.objects import Policy, Relation
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import DOMAIN, counted, listed, quoted, table_name


def shown_in_vain(snapshot: Snapshot, role: str, also: str = "") -> list[Relation]:
    """Tables whose names and columns `role` sees although no policy ever shows it a row of them.

    Those that `also` sees in vain as well are left out: they are told there.
    """
    if "pg_graphql" not in snapshot.extensions or role not in snapshot.roles:
        return []
    told = {table.title for table in shown_in_vain(snapshot, also)} if also else set[str]()
    caller = snapshot.roles[role]
    return [
        table
        for table in snapshot.tables
        if table.rls and not table.partition and table.schema not in PLATFORM_SCHEMAS
        and table.title not in told and snapshot.reachable(table.schema)
        and "SELECT" in snapshot.may(caller, table)
        and not any(_shows(snapshot, policy, role) for policy in table.policies)
    ]  # fmt: skip


def _shows(snapshot: Snapshot, policy: Policy, role: str) -> bool:
    return policy.permissive and policy.covers("SELECT") and role in snapshot.addressed(policy)


def finding(rule: str, role: str, tables: list[Relation]) -> Finding:
    """One finding for all of them: one cause, one script."""
    several = counted(len(tables), "table")
    return Finding(
        rule=rule, level=Level.WARN, domain=DOMAIN, object=f"role {role}",
        message=f"pg_graphql tells {role} the names, columns and relationships of {several}"
        f" that no policy ever shows it a row of: {listed(table.title for table in tables)}.",
        evidence=f"pg_graphql is installed; {role} holds SELECT; no permissive SELECT policy addresses it",
        fix="\n".join(f"revoke select on {table_name(table)} from {quoted(role)};" for table in tables),  # noqa: S608  a suggestion for people, never executed here
        rank=65,
    )  # fmt: skip
