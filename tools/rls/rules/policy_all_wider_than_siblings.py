"""A FOR ALL policy opens writing more widely than the table's own policies for it.

What it finds
    Permissive FOR ALL policies that let through every row which the table's permissive policies for INSERT,
    UPDATE or DELETE let through, and more, where a caller holds the privilege. Helpers are unfolded, and
    level words such as 'read' and 'write' ordered by what the helper does with them.

Why it matters
    Permissive policies are OR-ed: beside a wider FOR ALL policy the stricter ones have no effect. Mostly it
    was meant for reading, and everybody who may read can write.

Fix
    Make it a policy FOR SELECT.

When to ignore
    Never: either the FOR ALL policy is too wide, or the others are not needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.diffing.forms import FALSE, Form, either
from tools.rls.objects import Policy, Relation
from tools.rls.ordering import Ordering, ordering, said
from tools.rls.snapshot import Snapshot
from tools.rls.wording import doing, listed, on_policy, personal, quoted, remark, table_name

_COMMANDS = ("INSERT", "UPDATE", "DELETE")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per FOR ALL policy, with the commands that it opens and the policies that it overrides."""
    known: dict[object, bool] = {}
    for relation in snapshot.relations.values():
        permissive = [policy for policy in relation.policies if policy.permissive] if relation.rls else []
        every = [policy for policy in permissive if policy.command == "ALL"]
        others = [policy for policy in permissive if policy.command in _COMMANDS]
        for policy in every if others else ():
            overridden = _overridden(snapshot, relation, policy, others, known)
            if overridden:
                yield _finding(snapshot, relation, policy, overridden)


def _overridden(
    snapshot: Snapshot, relation: Relation, policy: Policy, others: list[Policy], known: dict[object, bool]
) -> dict[str, list[Policy]]:
    """By command, the policies that have no effect beside this one."""
    order, found = ordering(snapshot), dict[str, list[Policy]]()
    exposure = snapshot.exposure(relation)
    for command in _COMMANDS:
        callers = {n for n in snapshot.addressed(policy) if command in exposure.get(n, frozenset())}
        own = [p for p in others if p.command == command and callers & set(snapshot.addressed(p))]
        texts = tuple(said(relation, p, new_row=new_row) for p in (policy, *own) for new_row in (False, True))
        if own and (command, texts) not in known:
            known[command, texts] = _wider(order, relation, policy, own, command)
        if own and known[command, texts]:
            found[command] = own
    return found


def _wider(order: Ordering, relation: Relation, policy: Policy, own: list[Policy], command: str) -> bool:
    strictly = False
    for new_row in (False, True):
        if (command == "INSERT" and not new_row) or (command == "DELETE" and new_row):
            continue
        wide = _form(order, relation, policy, new_row)
        narrow = either([_form(order, relation, one, new_row) for one in own])
        if not order.implies(narrow, wide):
            return False
        strictly |= not order.implies(wide, narrow)
    return strictly


def _form(order: Ordering, relation: Relation, policy: Policy, new_row: bool) -> Form:
    form = order.form(relation, policy, new_row=new_row, unfolded=True)
    return form if form is not None else FALSE


def _finding(
    snapshot: Snapshot, relation: Relation, policy: Policy, overridden: dict[str, list[Policy]]
) -> Finding:
    names = dict.fromkeys(one.name for several in overridden.values() for one in several)
    return on_policy(
        "policy_all_wider_than_siblings", Level.ERROR, relation, policy,
        f"Policy {policy.name} is FOR ALL and lets {listed(snapshot.addressed(policy))} {doing(overridden)}"
        f" {relation.title} beyond what {listed(names)} {'allows' if len(names) == 1 else 'allow'}:"
        f" {'that policy has' if len(names) == 1 else 'those policies have'} no effect.",
        fix=f"drop policy {quoted(policy.name)} on {table_name(relation)};\n"
        f"create policy {quoted(policy.name)} on {table_name(relation)} for select"
        f" to {', '.join(quoted(role) for role in policy.roles)}\n  using ({policy.using_text});\n"
        + remark("and policies of their own for what else it should open"),
        rank=5 if personal(snapshot, relation) else 25,
    )  # fmt: skip


RULE = Rule(
    name="policy_all_wider_than_siblings",
    title="A FOR ALL policy opens writing more widely than the table's own policies for it",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
