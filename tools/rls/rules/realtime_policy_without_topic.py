"""A realtime policy lets callers into every channel.

What it finds
    Permissive policies on realtime.messages that neither look at realtime.topic() (or the topic column) nor
    ask who the caller is.

Why it matters
    These policies decide who may join private channels. Without the topic, everybody the policy addresses
    can join any channel by its name and receives what is broadcast there.

Fix
    Compare the topic with what the caller may reach:
    using (realtime.topic() = any (array(select 'profile:' || id from ...))).

When to ignore
    Channels that carry nothing about people.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import bare, disjuncts
from tools.rls.wording import altered, listed, on_policy


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    messages = snapshot.relations.get("realtime.messages")
    for policy in messages.policies if messages is not None and messages.rls else ():
        callers = snapshot.addressed(policy)
        if messages is None or not policy.permissive or not callers:
            continue
        if any(_unbound(reached, part) for part in policy.parts()):
            clause = "with check" if policy.command == "INSERT" else "using"
            yield on_policy(
                "realtime_policy_without_topic",
                Level.ERROR,
                messages,
                policy,
                f"Policy {policy.name} lets {listed(callers)} into every private channel: it never"
                " looks at the topic.",
                fix=altered(
                    policy,
                    messages,
                    f"{clause} (realtime.topic() = any (array(select <topics of the caller>)))",
                ),
                rank=12,
            )


def _unbound(reached: Reach, facts: Facts) -> bool:
    for way in disjuncts(facts.root):
        part = facts.within(way)
        topic = any(call.name == "topic" for call in part.calls) or any(
            c.name == "topic" for c in part.columns
        )
        subject = bare(way.one("arg")) if way.kind == "NullTest" else None
        signed_in = subject is not None and subject.kind == "FuncCall"
        if not topic and (signed_in or not reached.identifies(part)):
            return True
    return False


RULE = Rule(
    name="realtime_policy_without_topic",
    title="A realtime policy lets callers into every channel",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
