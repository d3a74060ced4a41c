"""A storage policy looks at the bucket and not at whose file it is.

What it finds
    Permissive policies on storage.objects with a way to pass that never asks who the caller is: neither the
    path (storage.foldername(name)), nor owner_id, nor a function. Being signed in is not enough. For UPDATE
    USING decides: whose files can be replaced. Reading a public bucket is left to
    public_bucket_allows_listing.

Why it matters
    Everybody the policy addresses reads, replaces or deletes every person's documents in the bucket.

Fix
    Compare the folder with what the caller may reach:
    (storage.foldername(name))[1] = (select auth.uid())::text.

When to ignore
    Buckets with files that are the same for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node, conjuncts, disjuncts
from tools.rls.storage import buckets_of, object_policies, unowned
from tools.rls.truth import SIGNED_IN, truth_of
from tools.rls.wording import altered, listed, literal, on_policy, remark, signed_in

_FOLDER = "(storage.foldername(name))[1] = (select auth.uid())::text"
_DEEDS = {
    "SELECT": "read anybody's files",
    "INSERT": "put files into anybody's folder",
    "UPDATE": "replace anybody's files",
    "DELETE": "delete anybody's files",
    "ALL": "read and change anybody's files",
}


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    public = {bucket.id for bucket in snapshot.buckets if bucket.public}
    for objects, policy, addressed in object_policies(snapshot):
        restricted = any(not p.permissive and p.covers(policy.command) for p in objects.policies)
        # An UPDATE of own files whose WITH CHECK names the bucket alone takes nothing from others.
        parts = [policy.using] if policy.command == "UPDATE" and policy.using is not None else policy.parts()
        ways = [(part, way) for part in parts for way in unowned(reached, part)]
        named = sorted({bucket for part, way in ways for bucket in buckets_of(part, way)})
        harmless = policy.command == "SELECT" and bool(named) and set(named) <= public
        if not ways or restricted or harmless:
            continue
        tested = all(_tests_sign_in(reached, way, objects) for _, way in ways)
        callers = signed_in(addressed) if tested else addressed
        where = f"in {listed(named)}" if named else "in every bucket"
        yield on_policy(
            "storage_policy_without_owner",
            Level.ERROR,
            objects,
            policy,
            f"Policy {policy.name} lets {listed(callers)} {_DEEDS[policy.command]} {where}: it never asks"
            " whose they are.",
            fix=_owned(reached, objects, policy),
            rank=_rank(policy, callers, bool(named) and set(named) <= public),
        )


def _owned(reached: Reach, objects: Relation, policy: Policy) -> str:
    """The policy with the caller's folder asked for where nothing is asked."""
    clauses: list[str] = []
    for word, text, facts in (
        ("using", policy.using_text, policy.using),
        ("with check", policy.check_text, policy.check),
    ):
        loose = list(unowned(reached, facts)) if facts is not None else []
        if text is None or facts is None:
            continue
        if len(loose) == len(list(disjuncts(facts.root))):
            text = f"({text}) and {_FOLDER}"
        else:
            for bucket in {name for way in loose for name in buckets_of(facts, way)}:
                alone = f"(bucket_id = {literal(bucket)}::text)"
                text = text.replace(f"OR {alone}", f"OR ({alone} AND {_FOLDER})")
                text = text.replace(f"{alone} OR", f"({alone} AND {_FOLDER}) OR")
            if loose and text in (policy.using_text, policy.check_text):
                return remark(
                    f"in {policy.title}, to each alternative that names a bucket alone:", f"and {_FOLDER}"
                )
        clauses.append(f"{word} ({text})")
    return altered(policy, objects, "\n  ".join(clauses))


def _rank(policy: Policy, callers: tuple[str, ...], public: bool) -> int:
    """Files of a public bucket are read by anybody in any case: only the writing is new."""
    if "anon" in callers:
        return 10 if public else 0
    return 25 if public else 9


def _tests_sign_in(reached: Reach, way: Node, objects: Relation) -> bool:
    return any(truth_of(reached, part, objects) == SIGNED_IN for part in conjuncts(way))


RULE = Rule(
    name="storage_policy_without_owner",
    title="A storage policy looks at the bucket and not at whose file it is",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
