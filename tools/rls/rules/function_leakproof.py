"""A function of your own is declared leakproof.

What it finds
    Functions outside the platform's schemas that are declared LEAKPROOF and that a caller may execute.

Why it matters
    Postgres may run a leakproof function on rows before the policies have sorted them out. If its errors,
    notices or timing say anything about its argument, they say it about other people's rows.

Fix
    alter function ... not leakproof.

When to ignore
    A function that was checked to be silent, total and of constant time.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import function_name, listed, on_function


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    for function in snapshot.functions:
        if not function.leakproof or function.schema in PLATFORM_SCHEMAS or function.is_trigger:
            continue
        callers = snapshot.executors(function, api=False)
        if callers:
            yield on_function(
                "function_leakproof", Level.WARN, function,
                f"{function.title} is declared leakproof: Postgres may run it for {listed(callers)} on rows"
                " that policies hide.",
                evidence="proleakproof is true",
                fix=f"alter function {function_name(function)} not leakproof;",
                rank=49,
            )  # fmt: skip


RULE = Rule(
    name="function_leakproof",
    title="A function of your own is declared leakproof",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
