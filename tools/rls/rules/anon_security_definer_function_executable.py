"""A security definer function can be called without signing in and asks nobody.

What it finds
    Definer functions that anon may execute through the API, themselves or through a function that calls
    them, that read or write protected rows (or run dynamic SQL) without looking at auth.uid(), auth.jwt()
    or a request setting anywhere. Functions that compare an argument with a stored token or hash are left
    out, and so are trigger functions, which nobody can call.

Why it matters
    The function runs with its owner's rights: policies do not apply. Anybody on the internet who has the
    public key of the project can call it with any argument. Note that REVOKE ... FROM PUBLIC leaves
    Supabase's own grants to anon and authenticated in place.

Fix
    Revoke EXECUTE from public, anon and authenticated, or check the caller in the function's first statement.

When to ignore
    A function whose answer is meant for everybody, such as the number of free appointments.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.definers import Unchecked, unchecked
from tools.rls.objects import Function
from tools.rls.privileges import PUBLIC
from tools.rls.snapshot import Snapshot
from tools.rls.wording import function_name, listed, on_function, rank


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    for found in unchecked(snapshot):
        if "anon" in found.callers:
            yield finding("anon_security_definer_function_executable", snapshot, found)


def finding(rule: str, snapshot: Snapshot, found: Unchecked) -> Finding:
    """The finding on one unchecked function, for this rule and its sibling."""
    function = found.function
    reads = listed(r.title for r in found.reads)
    writes = listed(r.title for r in found.writes)
    deeds = [f"reads {reads}"] * bool(reads) + [f"writes {writes}"] * bool(writes)
    deeds += ["runs dynamic SQL"] * found.dynamic
    chosen = [name for name in function.arguments if name.endswith("id")]
    trust = f" The caller chooses {listed(chosen)}." if chosen else ""
    through = f" through {found.through.title}" if found.through else ""
    survived = _survived(function, found.callers)
    ranks = [rank(snapshot, relation, found.callers) for relation in found.touches]
    return on_function(
        rule, Level.ERROR, function,
        f"{listed(found.callers)} can call {function.title}{through}: it {listed(deeds)} with the rights of"
        f" {function.owner} and checks nobody.{trust}",
        evidence=f"security definer; {survived}; no auth.uid(), auth.jwt() or request setting in it or"
        " in what it calls",
        fix=f"revoke execute on function {function_name(function)} from public, {', '.join(found.callers)};\n"
        f"grant execute on function {function_name(function)} to service_role;",
        rank=min(ranks, default=10 if "anon" in found.callers else 30),
    )  # fmt: skip


def _survived(function: Function, callers: tuple[str, ...]) -> str:
    named = [name for name in callers if "EXECUTE" in function.acl.get(name, frozenset())]
    if "EXECUTE" in function.acl.get(PUBLIC, frozenset()):
        return "EXECUTE is granted to PUBLIC"
    return f"EXECUTE is granted to {listed(named)} by name, which a REVOKE from PUBLIC does not touch"


RULE = Rule(
    name="anon_security_definer_function_executable",
    title="A security definer function can be called without signing in and asks nobody",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
