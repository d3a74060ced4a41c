"""Several permissive policies apply to the same role and command.

What it finds
    Tables on which a caller that holds the privilege is addressed by more than one permissive policy for one
    command. FOR ALL counts for each command.

Why it matters
    Permissive policies are OR-ed: each is worked out for every row, and the widest one decides. A condition
    that is tightened in one of them changes nothing.

Fix
    Put the conditions into one policy per command and role, joined by OR; drop the others.

When to ignore
    Policies kept apart on purpose for reading, on a table that stays small.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import altered, listed, on_table, quoted, remark, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table, with every role and command."""
    for table in snapshot.tables:
        if not table.rls or len(table.policies) < 2 or table.schema in PLATFORM_SCHEMAS:
            continue
        shared: dict[tuple[str, ...], list[str]] = {}
        for name, held in snapshot.exposure(table).items():
            for command in sorted(held):
                several = tuple(
                    policy.name
                    for policy in table.policies
                    if policy.permissive and policy.covers(command) and name in snapshot.addressed(policy)
                )
                if len(several) > 1:
                    shared.setdefault(several, []).append(f"{command} by {name}")
        if shared:
            cases = "; ".join(f"{listed(where)}: {listed(names)}" for names, where in shared.items())
            yield on_table(
                "multiple_permissive_policies", Level.WARN, table,
                f"{table.title} has several permissive policies for the same role and command: the"
                " widest decides"
                " and all of them are worked out.",
                evidence=cases,
                fix="\n".join(_joined(table, names) for names in shared),
                rank=62,
            )  # fmt: skip


def _joined(table: Relation, names: tuple[str, ...]) -> str:
    """One policy with the conditions OR-ed: written out where all are for the same command and roles."""
    several = [policy for policy in table.policies if policy.name in names]
    if len({(policy.command, policy.roles) for policy in several}) > 1:
        return remark(
            f"{listed(quoted(name) for name in names)} overlap for some commands or roles only:",
            "give each command one policy, with their conditions joined by OR",
        )
    clauses = [
        f"{word} ({' or '.join(dict.fromkeys(text for text in texts if text))})"
        for word, texts in (
            ("using", [policy.using_text for policy in several]),
            ("with check", [policy.check_text or policy.using_text for policy in several]),
        )
        if all(texts) and (word == "using" or any(policy.check_text for policy in several))
    ]
    drops = [f"drop policy {quoted(policy.name)} on {table_name(table)};" for policy in several[1:]]
    return "\n".join([altered(several[0], table, "\n  ".join(clauses)), *drops])


RULE = Rule(
    name="multiple_permissive_policies",
    title="Several permissive policies apply to the same role and command",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
