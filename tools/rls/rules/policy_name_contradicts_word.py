"""A policy is named for one role and asks a helper for another.

What it finds
    Policies whose name holds a word that other policies hand to the same helper (has_role(org_id, 'admin')),
    while this one hands it other words and not that one: "admins invite" that asks for 'assistant'.

Why it matters
    The name tells what was meant. One word exchanged opens the policy to another role, and nobody who reads
    the list of policies sees it.

Fix
    Hand over the word that the name says, or rename the policy.

When to ignore
    A name that speaks of somebody else than who is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Function, Policy
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import constant
from tools.rls.wording import listed, on_policy, rank, remark

_WORD: Final = re.compile(r"[a-z]+")
_POLICIES: Final = 2
"""How many other policies must hand over the word for it to be one of the helper's."""


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    given = {policy.title: _words(reached, policy) for policy in snapshot.policies}
    uses: dict[tuple[int, str], int] = {}
    for words in given.values():
        for oid, every in words.items():
            for word in every:
                uses[oid, word] = uses.get((oid, word), 0) + 1
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            said = set(_WORD.findall(policy.name.lower()))
            said |= {word.removesuffix("s") for word in said}
            for oid, mine in given.get(policy.title, {}).items():
                meant = sorted(
                    word for word in said - mine if not said & mine and uses.get((oid, word), 0) >= _POLICIES
                )
                if meant and snapshot.addressed(policy):
                    function = snapshot.function_by_oid[oid]
                    yield on_policy(
                        "policy_name_contradicts_word", Level.WARN, relation, policy,
                        f"Policy {policy.name} on {relation.title} asks {_called(function)} for"
                        f" {listed(map(repr, sorted(mine)))}, and not for '{meant[0]}', as its name says and"
                        " other policies ask.",
                        fix=remark(f"hand over '{meant[0]}', or rename the policy"),
                        rank=rank(snapshot, relation, snapshot.addressed(policy)),
                    )  # fmt: skip


def _words(reached: Reach, policy: Policy) -> dict[int, set[str]]:
    """The words that a policy hands to each helper."""
    found: dict[int, set[str]] = {}
    for part in policy.parts():
        for call in part.calls:
            words = {value for one in call.arguments if isinstance(value := constant(one), str)}
            for function in reached.resolve(call) if words else ():
                found.setdefault(function.oid, set()).update(words)
    return found


def _called(function: Function) -> str:
    return f"{function.schema}.{function.name}()"


RULE = Rule(
    name="policy_name_contradicts_word",
    title="A policy is named for one role and asks a helper for another",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
