"""A policy allows what no privilege lets anybody ask for.

What it finds
    Permissive policies that name anon or authenticated (or, on plain Postgres, some other role) while none of
    the roles named holds a privilege on the table, or on a column of it, for the policy's commands.

Why it matters
    Privileges are looked at before policies: the request fails with 42501 "permission denied" and the policy
    is never asked. Either people are shut out by a forgotten grant, or the policy is a leftover that misleads
    whoever reads it.

Fix
    Grant the privilege, or drop the policy.

When to ignore
    A policy that is prepared for a later migration.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Policy
from tools.rls.privileges import PUBLIC
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import listed, on_policy, quoted, table_name

_COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    for table in snapshot.tables:
        if not table.rls or table.schema in PLATFORM_SCHEMAS or not snapshot.reachable(table.schema):
            continue
        for policy in table.policies:
            callers = _named(snapshot, policy)
            wanted = {command for command in _COMMANDS if policy.covers(command)}
            if not callers or any(snapshot.may(snapshot.roles[name], table) & wanted for name in callers):
                continue
            commands = "all" if policy.command == "ALL" else policy.command.lower()
            roles = ", ".join(quoted(name) for name in callers)
            yield on_policy(
                "policy_without_privilege", Level.WARN, table, policy,
                f"Policy {policy.name} allows {listed(callers)} {policy.command} on {table.title}, and none"
                " of them holds the privilege: every request fails before a policy is asked.",
                fix=f"grant {commands} on {table_name(table)} to {roles};\n"
                f"-- or: drop policy {quoted(policy.name)} on {table_name(table)};",
                rank=47,
            )  # fmt: skip


def _named(snapshot: Snapshot, policy: Policy) -> tuple[str, ...]:
    """The callers that a permissive policy names one by one, when it names nobody else."""
    callers = snapshot.addressed(policy)
    others = set(policy.roles) - set(callers)
    return callers if policy.permissive and PUBLIC not in policy.roles and not others else ()


RULE = Rule(
    name="policy_without_privilege",
    title="A policy allows what no privilege lets anybody ask for",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
