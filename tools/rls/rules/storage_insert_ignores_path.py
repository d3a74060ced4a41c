"""Files may be put at any path of a bucket that is read by path.

What it finds
    INSERT policies on storage.objects that never look at the name (the path) of the new file, only at the
    bucket, the owner or who is signed in, while another policy opens files of the same bucket by their path.

Why it matters
    Whoever uploads chooses the path: a file is planted in another person's folder, where that person and the
    carers read it as theirs.

Fix
    Compare the folder in WITH CHECK as the policy for SELECT does.

When to ignore
    A bucket whose paths tell nothing about whose a file is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.storage import buckets_of, object_policies, unowned
from tools.rls.wording import listed, on_policy, remark, signed_in

_PATH: Final = frozenset({"name", "path_tokens"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached, every = reach(snapshot), list(object_policies(snapshot))
    by_path = [
        (policy, buckets_of(policy.using)) for _, policy, _ in every
        if policy.covers("SELECT") and policy.using is not None and _looks_at_path(policy.using)
    ]  # fmt: skip
    for objects, policy, addressed in every:
        facts, callers = policy.new_row, signed_in(addressed)
        if not policy.covers("INSERT") or facts is None or not callers or _looks_at_path(facts):
            continue
        if any(True for _ in unowned(reached, facts)):
            continue  # whoever is signed in: storage_policy_without_owner says that
        mine = buckets_of(facts)
        reading = next((p for p, theirs in by_path if not mine or not theirs or mine & theirs), None)
        if reading is not None:
            yield on_policy(
                "storage_insert_ignores_path", Level.ERROR, objects, policy,
                f"Policy {policy.name} lets {listed(callers)} put files at any path, and policy"
                f" {reading.name} opens files by their path: they can be put into other people's folders.",
                fix=remark(f"compare the folder in WITH CHECK, as {reading.name} does"),
                rank=9,
            )  # fmt: skip


def _looks_at_path(facts: Facts) -> bool:
    return any(column.name in _PATH for column in facts.columns)


RULE = Rule(
    name="storage_insert_ignores_path",
    title="Files may be put at any path of a bucket that is read by path",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
