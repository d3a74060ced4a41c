"""A security definer function can be called without signing in and asks nobody.

What it finds
    Definer functions that anon may execute through the API, themselves or through a function that calls
    them, that read or write protected rows (or run dynamic SQL, or send HTTP requests made of an argument)
    without looking at auth.uid(), auth.jwt() or a request setting anywhere, or that only store auth.uid() or
    test it for being there while they fetch or change people's rows by an id that the caller chooses.
    Functions that compare an argument with a stored token, code or hash are left out, and so are plain
    counters and trigger functions. A yes-or-no helper of policies is a WARN: it tells anybody about anybody,
    and opens nothing.

Why it matters
    The function runs with its owner's rights: policies do not apply. Anybody on the internet who has the
    public key of the project can call it with any argument. Note that REVOKE ... FROM PUBLIC leaves
    Supabase's own grants to anon and authenticated in place.

Fix
    Revoke EXECUTE from public, anon and authenticated, or check the caller in the function's first statement.
    A helper that policies call keeps EXECUTE and moves to a schema that the API does not serve.

When to ignore
    A function whose answer is meant for everybody, such as the number of free appointments.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.definers import Unchecked, unchecked
from tools.rls.objects import Function, Policy
from tools.rls.privileges import PUBLIC
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.vectors import searched
from tools.rls.wording import function_name, listed, on_function, personal, quoted, rank, relying, remark


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    for found in unchecked(snapshot):
        if "anon" in found.callers and not searched(reach(snapshot), found.function):
            yield finding("anon_security_definer_function_executable", snapshot, found)


def finding(rule: str, snapshot: Snapshot, found: Unchecked) -> Finding:
    """The finding on one unchecked function, for this rule and its sibling."""
    function = found.function
    reads = listed(r.title for r in found.reads)
    writes = listed(r.title for r in found.writes)
    deeds = [f"reads {reads}"] * bool(reads) + [f"writes {writes}"] * bool(writes)
    deeds += ["runs dynamic SQL"] * found.dynamic + [
        "sends HTTP requests with the caller's text"
    ] * found.outward
    pairs = zip(function.arguments, function.argument_types, strict=True)
    chosen = [name for name, kind in pairs if name.endswith("id") or (name and kind == "uuid")]
    trust = f" The caller chooses {listed(chosen)}." if chosen else ""
    through = f" through {found.through.title}" if found.through else ""
    survived = _survived(function, found.callers)
    policies = reach(snapshot).policy_functions.get(function.oid, (function, ()))[1]
    if policies and function.returns == "boolean":
        return _oracle(rule, snapshot, found, policies)
    checks = "compares the caller with nothing" if found.stored else "never asks who is calling"
    silent = (
        "auth.uid() is stored and compared with nothing"
        if found.stored
        else "no auth.uid(), auth.jwt() or request setting in it or in what it calls"
    )
    ranks = [rank(snapshot, relation, found.callers) for relation in found.touches]
    mild = not (found.writes or found.dynamic or found.outward or function.argument_types) and not any(
        personal(snapshot, relation) or snapshot.exposure(relation) for relation in found.reads
    )  # one fixed answer about nobody, such as the number of the last migration
    return on_function(
        rule, Level.WARN if mild else Level.ERROR, function,
        f"{listed(found.callers)} can call {function.title}{through}: it {listed(deeds)} with the rights of"
        f" {function.owner} and {checks}.{trust}",
        evidence=f"security definer; {survived}; {silent}",
        fix=_moved(snapshot, function) if policies else _revoked(function, found),
        rank=min(ranks, default=10 if "anon" in found.callers else 30),
    )  # fmt: skip


def _oracle(rule: str, snapshot: Snapshot, found: Unchecked, policies: tuple[Policy, ...]) -> Finding:
    """A helper of policies that answers yes or no about anybody: it tells, and it opens nothing."""
    function = found.function
    return on_function(
        rule, Level.WARN, function,
        f"{listed(found.callers)} can ask {function.title} about anybody: it answers from"
        f" {listed(r.title for r in found.touches)} with the rights of {function.owner}.",
        evidence=f"security definer; {_survived(function, found.callers)}; {relying(policies)}",
        fix=_moved(snapshot, function),
        rank=42,
    )  # fmt: skip


def _revoked(function: Function, found: Unchecked) -> str:
    name, callers = function_name(function), ", ".join(quoted(name) for name in found.callers)
    note = (
        remark(f"in {name}: let the query find only rows of auth.uid(); or, if only services call it:") + "\n"
    )
    return (note if found.stored else "") + (
        f"revoke execute on function {name} from public, {callers};\n"
        f"grant execute on function {name} to service_role;"
    )


def _moved(snapshot: Snapshot, function: Function) -> str:
    """Policies need EXECUTE for their callers, and know the function by its oid: so it leaves the API."""
    reached = reach(snapshot)
    others = [f.title for f in snapshot.functions if function in reached.called_by(f) and f is not function]
    note = (
        "\n" + remark(f"then call it as private.{quoted(function.name)} in: {listed(others)}")
        if others
        else ""
    )
    return (
        "-- policies call it, so that revoking EXECUTE would break them: take it out of the API\n"
        "create schema if not exists private;\n"
        f"grant usage on schema private to {', '.join(quoted(role.name) for role in snapshot.callers)};\n"
        f"alter function {function_name(function)} set schema private;{note}"
    )


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
