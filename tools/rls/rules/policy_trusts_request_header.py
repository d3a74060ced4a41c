"""Access is decided by a header that the caller writes.

What it finds
    current_setting('request.headers') or current_setting('request.cookies') (also in the older form
    request.header.x) in a policy or in a function that policies reach. Comparing it with a column that
    holds a secret (token, api_key, invite_code) is left out: whoever knows the secret may pass.

Why it matters
    PostgREST hands every header on as it came. x-user-id, x-tenant-id, x-role and x-forwarded-for are
    whatever the caller wants them to be.

Fix
    Take the identity from auth.uid(), or from app_metadata in the token.

When to ignore
    A header that a proxy of your own overwrites, if the API cannot be reached around it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.definers import SECRET
from tools.rls.facts import Facts
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import constant
from tools.rls.wording import (
    body_in_short,
    function_name,
    listed,
    on_function,
    on_policy,
    rank,
    relying,
    remark,
)

_FORGED = ("request.header", "request.cookie")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy with it, and one per function."""
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            named = sorted({name for part in policy.parts() for name in _headers(part)})
            if named:
                yield on_policy(
                    "policy_trusts_request_header", Level.ERROR, relation, policy,
                    f"Policy {policy.name} on {relation.title} decides by {listed(named)}, which every caller"
                    " writes as he likes.",
                    fix=remark(f"in {policy.title}: auth.uid(), or a claim of app_metadata, in its place"),
                    rank=rank(snapshot, relation, snapshot.addressed(policy)),
                )  # fmt: skip
    for function, policies in reach(snapshot).policy_functions.values():
        named = sorted({name for facts in body_of(function).facts for name in _headers(facts)})
        if named:
            callers = {name for policy in policies for name in snapshot.addressed(policy)}
            yield on_function(
                "policy_trusts_request_header", Level.ERROR, function,
                f"{function.title} decides by {listed(named)}, which every caller writes as he likes;"
                f" {relying(policies)}.",
                evidence=body_in_short(function),
                fix=remark(f"in {function_name(function)}: auth.uid(), or a claim of app_metadata"),
                rank=min(rank(snapshot, snapshot.relations[p.relation], callers) for p in policies),
            )  # fmt: skip


def _headers(facts: Facts) -> Iterator[str]:
    """Settings that hold what the caller sent, unless they are compared with a secret."""
    if any(SECRET.search(column.name) for column in facts.columns):
        return
    for call in facts.calls:
        name = constant(call.arguments[0]) if call.name == "current_setting" and call.arguments else None
        if isinstance(name, str) and name.startswith(_FORGED):
            yield name


RULE = Rule(
    name="policy_trusts_request_header",
    title="Access is decided by a header that the caller writes",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
