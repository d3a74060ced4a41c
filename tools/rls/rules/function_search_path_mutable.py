"""A security definer function looks names up in its caller's search_path.

What it finds
    Definer functions in SQL or PL/pgSQL without a search_path setting of their own. Bodies in BEGIN ATOMIC
    are left out (their names were bound when they were created), and so are functions that run as their
    caller.

Why it matters
    Whoever can choose the search_path, or create objects in a schema on it, decides which table or function
    an unqualified name means, and the answer runs with the owner's rights.

Fix
    alter function ... set search_path = ''; every name in the body must then be written with its schema.

When to ignore
    Rarely: the setting costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.objects import Function
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import function_name, listed, on_function


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function; the fix keeps the body working."""
    for function in snapshot.functions:
        if not function.definer or function.bound or function.search_path is not None:
            continue
        if function.language not in ("sql", "plpgsql") or function.schema in PLATFORM_SCHEMAS:
            continue
        bare = _unqualified(function)
        path = "public, pg_temp" if bare else "''"
        callers = () if function.is_trigger else snapshot.executors(function, api=False)
        who = f"{listed(callers)} may run it" if callers else "no API role may run it"
        if function.is_trigger:
            who = "it runs as a trigger, in the session of whoever writes"
        yield on_function(
            "function_search_path_mutable",
            Level.WARN,
            function,
            f"{function.title} runs with the rights of {function.owner} but resolves names in its"
            " caller's search_path.",
            evidence=f"security definer, proconfig has no search_path; {who}"
            + (f"; unqualified: {listed(bare)}" if bare else ""),
            fix=f"alter function {function_name(function)} set search_path = {path};",
            rank=40 if callers else 45,
        )


def _unqualified(function: Function) -> list[str]:
    names = {s.name for facts in body_of(function).facts for s in facts.sources() if not s.schema}
    return sorted(names)


RULE = Rule(
    name="function_search_path_mutable",
    title="A security definer function looks names up in its caller's search_path",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
