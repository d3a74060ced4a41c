"""A storage policy searches the path for the caller's id instead of comparing a folder.

What it finds
    Policies on storage.objects that look for the caller's id anywhere in the name: like '%' || id || '%',
    position(id in name), strpos(name, id), name ~ id.

Why it matters
    The caller chooses the names of the own uploads. A path such as {other account}/{own id}.pdf passes:
    files are written into, or replaced in, another person's folder.

Fix
    (storage.foldername(name))[1] = (select auth.uid())::text.

When to ignore
    Never for buckets that people upload to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.mending import UID
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node, bare, constant
from tools.rls.storage import object_policies
from tools.rls.wording import altered, listed, on_policy, remark, signed_in

_FOLDER = "(storage.foldername(name))[1] = (select auth.uid())::text"
_LIKE = frozenset({"~~", "~~*", "~", "~*"})
_FINDERS = frozenset({"position", "strpos"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    for objects, policy, addressed in object_policies(snapshot):
        callers = signed_in(addressed)
        if callers and any(_loose(reached, part) for part in policy.parts()):
            yield on_policy(
                "storage_policy_loose_path", Level.ERROR, objects, policy,
                f"Policy {policy.name} accepts any path that contains the caller's id:"
                f" {listed(callers)} can use"
                " other people's folders.",
                fix=_by_folder(objects, policy),
                rank=9,
            )  # fmt: skip


def _by_folder(objects: Relation, policy: Policy) -> str:
    """The policy comparing the first folder, where the search stands as it is usually printed."""
    caller = rf"\(*{UID}\)*(?:::text)?\)?"
    searches = (
        rf"\(name ~~\*? \(\('%'::text \|\| {caller} \|\| '%'::text\)\)",
        rf"\((?:\"position\"|strpos)\(name, {caller}\) > 0\)",
    )
    clauses: list[str] = []
    for word, text in (("using", policy.using_text), ("with check", policy.check_text)):
        if text:
            mended = re.sub("|".join(searches), f"({_FOLDER})", text)
            if mended == text:
                return remark(f"in {policy.title}, in place of the search in name:", _FOLDER)
            clauses.append(f"{word} ({mended})")
    return altered(policy, objects, "\n  ".join(clauses))


def _loose(reached: Reach, facts: Facts) -> bool:
    for comparison in facts.comparisons:
        subject = bare(comparison.left)
        if comparison.operator in _LIKE and subject is not None and subject.kind == "ColumnRef":
            pattern = bare(comparison.right)
            anywhere = comparison.operator.startswith("~") and comparison.operator not in ("~~", "~~*")
            if (
                pattern is not None
                and reached.identifies(facts.within(pattern))
                and (anywhere or _floating(pattern))
            ):
                return True
    return any(
        call.name in _FINDERS
        and reached.identifies(facts.within(call.node))
        and "name" in _columns(call.node)
        for call in facts.calls
    )


def _floating(pattern: Node) -> bool:
    """Whether the leftmost part of a || b || c begins with a wildcard."""
    first: Node | None = pattern
    while first is not None and first.kind == "A_Expr" and first.words("name") == ("||",):
        first = bare(first.one("lexpr"))
    value = constant(first)
    return isinstance(value, str) and value.startswith("%")


def _columns(node: Node) -> set[str]:
    return {inner.words("fields")[-1] for inner in node.walk() if inner.kind == "ColumnRef"}


RULE = Rule(
    name="storage_policy_loose_path",
    title="A storage policy searches the path for the caller's id instead of comparing a folder",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
