"""Anybody can list the files of a public bucket.

What it finds
    Public buckets with a SELECT policy on storage.objects that shows every row of the bucket.

Why it matters
    A public bucket needs no SELECT policy to serve a file by its address. With one, callers list all names,
    and names tell who has which document.

Fix
    Drop the SELECT policy, or restrict it to the caller's folder.

When to ignore
    Buckets whose list of names is public as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.storage import buckets_of, object_policies, unowned
from tools.rls.wording import listed, on_policy, quoted


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    public = {bucket.id for bucket in snapshot.buckets if bucket.public}
    for objects, policy, callers in object_policies(snapshot):
        if policy.command != "SELECT" or policy.using is None:
            continue
        named = {bucket for way in unowned(reached, policy.using) for bucket in buckets_of(policy.using, way)}
        if named and named <= public:
            yield on_policy(
                "public_bucket_allows_listing",
                Level.WARN,
                objects,
                policy,
                f"Policy {policy.name} lets {listed(callers)} list every file name in"
                f" {listed(sorted(named))}.",
                fix=f"drop policy {quoted(policy.name)} on storage.objects;",
                rank=45,
            )


RULE = Rule(
    name="public_bucket_allows_listing",
    title="Anybody can list the files of a public bucket",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
