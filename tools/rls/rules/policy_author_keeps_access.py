"""Who once wrote a row keeps it after his own right to the record has ended.

What it finds
    Tables of people's data whose INSERT policy asks for a right to the record (a helper call on its parent)
    and for the caller's own name in a column, while an alternative of a policy for SELECT, UPDATE or DELETE
    asks for that name alone.

Why it matters
    A carer whose access was revoked, or a clinician who left, goes on reading, changing or deleting what he
    wrote, and what was added to those rows since.

Fix
    Ask for the right to the record as well: recorded_by = (select auth.uid()) and profile_id in (...).

When to ignore
    Rows that stay their writer's by design, such as private notes. Name it in the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.diffing.forms import Form
from tools.rls.gates import Gates, gates, names_caller
from tools.rls.objects import Policy, Relation
from tools.rls.snapshot import Snapshot
from tools.rls.wording import doing, on_policy, personal, quoted, remark

_KEPT: Final = ("SELECT", "UPDATE", "DELETE")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    every = gates(snapshot)
    for relation in snapshot.tables:
        if not relation.rls or not personal(snapshot, relation):
            continue
        authors = _authors(snapshot, every, relation)
        for policy in relation.policies if authors else ():
            commands = [command for command in _KEPT if policy.covers(command)]
            if policy.permissive and commands and snapshot.addressed(policy):
                kept = authors & _alone(every, relation, policy)
                if kept:
                    yield _finding(relation, policy, min(kept), commands)


def _authors(snapshot: Snapshot, every: Gates, relation: Relation) -> set[str]:
    """The columns that hold the writer's name in every new row that some gate on the record lets in."""
    found: set[str] | None = None
    for policy in relation.policies:
        if not (policy.permissive and policy.covers("INSERT") and snapshot.addressed(policy)):
            continue
        for alternative in every.literals(relation, policy, new_row=True):
            gated = any(every.gate(relation, one) for one in alternative)
            names = _named(alternative) if gated else set[str]()
            found = names if found is None else found & names
    return found or set()


def _alone(every: Gates, relation: Relation, policy: Policy) -> set[str]:
    """The columns whose naming the caller is enough for a present row, whatever plain values are asked."""
    found: set[str] = set()
    for alternative in every.literals(relation, policy, new_row=False):
        names = _named(alternative)
        if names and all(_plain(one) or names_caller(one) for one in alternative):
            found |= names
    return found


def _named(alternative: tuple[Form, ...]) -> set[str]:
    return {
        str(side[2])
        for one in alternative
        if names_caller(one)
        for side in one[1]
        if side[:2] == ("column", "")
    }


def _plain(form: Form) -> bool:
    """Whether a condition looks at the row's own values only."""
    return not any(word in repr(form) for word in ("'call'", "'query'", "'among'", "'relation'"))


def _finding(relation: Relation, policy: Policy, column: str, commands: list[str]) -> Finding:
    changes = commands != ["SELECT"]
    return on_policy(
        "policy_author_keeps_access", Level.WARN if changes else Level.INFO, relation, policy,
        f"Policy {policy.name} on {relation.title} lets whoever stands in {column} {doing(commands)} the row,"
        " also when the right to the record that writing it asked for has ended.",
        fix=remark(f"ask for the right to the record beside {quoted(column)}, as the INSERT policy does"),
        rank=24 if changes else 58,
    )  # fmt: skip


RULE = Rule(
    name="policy_author_keeps_access",
    title="Who once wrote a row keeps it after his own right to the record has ended",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
