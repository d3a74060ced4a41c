"""A message queue can be read or filled from outside.

What it finds
    Queue tables of pgmq (pgmq.q_... and their archives pgmq.a_...) without row level security on which a
    caller holds a privilege, while pgmq_public or pgmq is an exposed schema.

Why it matters
    Whoever reads the queue reads every job's payload; whoever writes it gives orders to the workers.

Fix
    Enable row level security on the queue's tables and revoke what callers do not need.

When to ignore
    Never for jobs that carry anything about people.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import Snapshot
from tools.rls.wording import doing, grants, listed, on_table, quoted, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per queue table."""
    if not {"pgmq", "pgmq_public"} & set(snapshot.exposed):
        return
    data = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
    for table in snapshot.relations.values():
        if table.schema != "pgmq" or not table.name.startswith(("q_", "a_")) or table.rls:
            continue
        held = {role.name: snapshot.may(role, table) & data for role in snapshot.callers}
        exposure = {name: privileges for name, privileges in held.items() if privileges}
        if exposure:
            every = frozenset[str]().union(*exposure.values())
            roles = ", ".join(quoted(role) for role in exposure)
            yield on_table(
                "insecure_queue_exposed_in_api", Level.ERROR, table,
                f"Queue {table.title} has no row level security: {listed(exposure)} can {doing(every)} it"
                " through the API.",
                evidence=f"relrowsecurity is false; {grants(exposure)}",
                fix=f"alter table {table_name(table)} enable row level security;\n"
                f"revoke all on {table_name(table)} from {roles};",
                rank=5 if "anon" in exposure else 22,
            )  # fmt: skip


RULE = Rule(
    name="insecure_queue_exposed_in_api",
    title="A message queue can be read or filled from outside",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
