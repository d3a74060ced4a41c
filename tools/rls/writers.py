"""Who may write a table through the API, and which of its columns no policy says anything about."""

from __future__ import annotations

from collections.abc import Iterable

from tools.rls.accounts import pinned
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach
from tools.rls.snapshot import Snapshot


def written(snapshot: Snapshot, relation: Relation, command: str) -> tuple[str, ...]:
    """The callers that hold the privilege and, with row level security, a permissive policy for it.

    Rows of a partition are written through its parent.
    """
    exposure = snapshot.exposure(relation)
    callers = {name for name, held in exposure.items() if command in held}
    if relation.rls:
        callers &= {name for policy in _opening(relation, command) for name in snapshot.addressed(policy)}
    if relation.partition:
        above = [snapshot.relations[title] for title in relation.parents if title in snapshot.relations]
        callers |= {name for parent in above for name in written(snapshot, parent, command)}
    return tuple(role.name for role in snapshot.callers if role.name in callers)


def free_columns(reached: Reach, relation: Relation, columns: Iterable[str], command: str) -> list[str]:
    """Those columns that some caller may write in a new row without any policy looking at them."""
    snapshot = reached.snapshot
    policies: list[Policy | None] = list(_opening(relation, command)) if relation.rls else [None]
    found: set[str] = set()
    for policy in policies:
        names = snapshot.addressed(policy) if policy is not None else tuple(snapshot.exposure(relation))
        kept = pinned(relation, policy, command) if policy is not None else set[str]()
        callers = [snapshot.roles[name] for name in names if name in written(snapshot, relation, command)]
        found |= {
            column
            for column in set(columns) & set(relation.columns) - kept
            if any(snapshot.may_column(role, relation, column, command) for role in callers)
        }
    return sorted(found)


def _opening(relation: Relation, command: str) -> Iterable[Policy]:
    return (policy for policy in relation.policies if policy.permissive and policy.covers(command))
