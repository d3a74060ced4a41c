"""One alternative of a condition includes another, whose further conditions hold nothing back.

What it finds
    Policies, and the functions that they call, in which one alternative of an OR (or one arm of a UNION) lets
    through all that another one does: A or (A and B). Also two permissive policies for the same command, of
    which one is the other with a further condition.

Why it matters
    B was written to hold something back (a status, a parent, a second check) and does not: whatever A lets
    through is open. Mostly the wider alternative was added later for one special case.

Fix
    Take the wider alternative out, or give it its own condition; where all that it opens is meant, take the
    narrower one out.

When to ignore
    Never: one of the two is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.diffing.forms import Form
from tools.rls.diffing.normal import Normal
from tools.rls.facts import Facts
from tools.rls.objects import Function, Policy, Relation
from tools.rls.ordering import Ordering, ordering, settled
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import OR, Node, conjuncts, disjuncts
from tools.rls.wording import body_in_short, listed, on_function, on_policy, personal, quoted, remark

_UNION = 2
_FIX = remark("take the wider alternative out, or the narrower one where all that the wider opens is meant")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy or function."""
    reached, order = reach(snapshot), ordering(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            if not snapshot.addressed(policy):
                continue
            normal = Normal(snapshot, own=relation)
            found = [names for part in policy.parts() for names in _in_condition(order, normal, part)]
            if found:
                yield _of_policy(snapshot, relation, policy, found[0])
        if relation.rls and len(relation.policies) > 1:
            yield from _beside(snapshot, order, relation)
    for function, policies in reached.policy_functions.values():
        names = _in_function(reached, order, function)
        if names is not None:
            yield _of_function(function, policies, names)


def _in_condition(order: Ordering, normal: Normal, facts: Facts) -> Iterator[list[str]]:
    """For each absorbed alternative of any OR in a condition: what its further conditions look at.

    Compared as written: that a helper includes another one is mostly meant.
    """
    for node in facts.root.walk():
        if node.kind != "BoolExpr" or node.number("boolop") != OR:
            continue
        parts = list(disjuncts(node))
        forms = [normal.condition(part) for part in parts]
        for narrow, form in zip(parts, forms, strict=True):
            for other in forms:
                if form[0] == "and" and other != form and order.narrower(form, other):
                    yield _further(normal, facts, narrow, other)


def _further(normal: Normal, facts: Facts, narrow: Node, wide: Form) -> list[str]:
    """The columns and functions of the conditions that the narrower alternative adds."""
    kept = wide[1] if wide[0] == "and" else {wide}
    names: dict[str, None] = {}
    for part in conjuncts(narrow):
        if normal.condition(part) not in kept:
            inner = facts.within(part)
            own = [column.name for column in inner.columns]
            names |= dict.fromkeys(own or [f"{call.name}()" for call in inner.calls])
    return list(names)


def _beside(snapshot: Snapshot, order: Ordering, relation: Relation) -> Iterator[Finding]:
    """Permissive policies for one command of which one includes the other."""
    several = [policy for policy in relation.policies if policy.permissive and snapshot.addressed(policy)]
    for wide in several:
        for narrow in several:
            if wide is narrow or wide.command != narrow.command or not _addresses(wide, narrow):
                continue
            forms = [_forms(order, relation, policy) for policy in (narrow, wide)]
            pairs = [(a, b) for a, b in zip(*forms, strict=True) if a is not None and b is not None]
            if pairs and all(a[0] == "and" and order.narrower(a, b) and not _repeats(a, b) for a, b in pairs):
                yield on_policy(
                    "policy_alternative_absorbed", Level.WARN, relation, wide,
                    f"Policy {wide.name} on {relation.title} leaves policy {narrow.name} idle: it lets"
                    f" {listed(snapshot.addressed(narrow))} do the same without its further conditions.",
                    fix=remark(
                        f"drop policy {quoted(wide.name)} where the conditions of {quoted(narrow.name)} are"
                        " meant, and the narrower one where they are not"
                    ),
                    rank=_rank(snapshot, relation),
                )  # fmt: skip
                break


def _repeats(narrow: Form, wide: Form) -> bool:
    """Whether the wider one asks all that the narrower one asks in one alternative: nothing is lost."""
    parts = wide[1] if wide[0] == "and" else {wide}
    choices = [set(part[1]) if part[0] == "or" else {part} for part in parts]
    asked = [set(part[1]) if part[0] == "and" else {part} for part in narrow[1]]
    return all(any(one & choice for choice in choices) for one in asked)


def _addresses(wide: Policy, narrow: Policy) -> bool:
    return "public" in wide.roles or set(narrow.roles) <= set(wide.roles)


def _forms(order: Ordering, relation: Relation, policy: Policy) -> list[Form | None]:
    """USING and what a new row must satisfy, as written, without what is true for everybody signed in."""
    return [order.form(relation, policy, new_row=new_row) for new_row in (False, True)]


def _in_function(reached: Reach, order: Ordering, function: Function) -> list[str] | None:
    """The further conditions of an absorbed arm that the function writes itself; None when there is none.

    What it takes over whole from another function is not its own condition.
    """
    body, path = body_of(function), reached.path(function)
    for facts in body.facts:
        for names in _in_condition(order, Normal(reached.snapshot, path, function=function), facts):
            return names
    if len(body.facts) != 1 or body.dynamic or not body.complete:
        return None
    facts = body.facts[0]
    arms = list(_arms(facts.root))
    if len(arms) < 2:
        return None
    whole = Normal(reached.snapshot, path, function=function, owned=function.definer, unfold=order.unfold)
    forms = [settled(whole.query(arm)) for arm in arms]
    for arm, form in zip(arms, forms, strict=True):
        if form[0] != "query" or form[3][0] != "and" or not arm.many("from_clause"):
            continue
        for other in forms:
            if other is not form and order.contained(form, other) and not order.contained(other, form):
                return list(_tested(facts, arm))
    return None


def _tested(facts: Facts, arm: Node) -> dict[str, None]:
    """The columns that an arm tests in WHERE, apart from the one that names the caller."""
    where = arm.one("where_clause")
    inside = {id(node) for node in where.walk()} if where is not None else set[int]()
    asked = {id(column.node) for column, _ in identity_columns(facts)}
    return dict.fromkeys(c.name for c in facts.columns if id(c.node) in inside - asked)


def _arms(root: Node) -> Iterator[Node]:
    """The SELECTs of a UNION, also where it is all that an outer SELECT gives."""
    if root.kind == "SelectStmt" and root.number("op") == _UNION:
        for side in (root.one("larg"), root.one("rarg")):
            if side is not None:
                yield from _arms(side)
    elif root.kind == "SelectStmt":
        yield root


def _of_policy(snapshot: Snapshot, relation: Relation, policy: Policy, names: list[str]) -> Finding:
    about = f" on {listed(names)}" if names else ""
    return on_policy(
        "policy_alternative_absorbed", Level.WARN, relation, policy,
        f"Policy {policy.name} on {relation.title} has an alternative that includes another one: the further"
        f" condition{about} holds nothing back.",
        fix=_FIX,
        rank=_rank(snapshot, relation),
    )  # fmt: skip


def _of_function(function: Function, policies: tuple[Policy, ...], names: list[str]) -> Finding:
    about = f" on {listed(dict.fromkeys(names))}" if names else ""
    return on_function(
        "policy_alternative_absorbed", Level.WARN, function,
        f"{function.title} has an alternative that includes another one: the further condition{about} holds"
        f" nothing back, for {len(policies)} {'policy' if len(policies) == 1 else 'policies'}.",
        evidence=body_in_short(function),
        fix=_FIX,
        rank=26,
    )  # fmt: skip


def _rank(snapshot: Snapshot, relation: Relation) -> int:
    return 26 if personal(snapshot, relation) else 45


RULE = Rule(
    name="policy_alternative_absorbed",
    title="One alternative of a condition includes another, whose further conditions hold nothing back",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
