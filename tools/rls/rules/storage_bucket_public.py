"""A bucket is public although its policies treat the files as private.

What it finds
    Public buckets that a SELECT policy on storage.objects restricts by owner, folder or function.

Why it matters
    The public flag serves every file to anybody who knows or guesses its address, without asking a policy.
    The policies then guard the list of names and not the files.

Fix
    Make the bucket private and hand out signed URLs.

When to ignore
    Files that are meant to be public while only the listing is private, such as profile pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.storage import buckets_of, object_policies, unowned
from tools.rls.wording import DOMAIN, listed, literal, shown


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per bucket."""
    reached = reach(snapshot)
    for bucket in snapshot.buckets:
        if not bucket.public:
            continue
        private = [
            policy.name
            for _, policy, _ in object_policies(snapshot)
            if policy.covers("SELECT") and policy.using is not None
            and bucket.id in buckets_of(policy.using)
            and not any(bucket.id in buckets_of(policy.using, way) for way in unowned(reached, policy.using))
        ]  # fmt: skip
        if private:
            yield Finding(
                rule="storage_bucket_public",
                level=Level.ERROR,
                domain=DOMAIN,
                schema="storage",
                table="buckets",
                object=shown(f"bucket {bucket.id}"),
                message=shown(
                    f"Bucket {bucket.id} is public: its files are served to anybody with the address, past"
                    f" policy {listed(private)}."
                ),
                evidence="storage.buckets.public is true",
                fix=f"update storage.buckets set public = false where id = {literal(bucket.id)};",  # noqa: S608  a suggestion for people, never executed here
                rank=1,
            )


RULE = Rule(
    name="storage_bucket_public",
    title="A bucket is public although its policies treat the files as private",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
