"""A membership is read from the token instead of from the rows.

What it finds
    Policies (or functions they reach) that compare a column with a claim of the token other than sub, email
    or role: auth.jwt() -> 'app_metadata' ->> 'family_id' = family_id. A role or permission in the token (as
    Supabase's own guide puts it there), and a claim that is compared with a fixed word, are left out.

Why it matters
    A token is signed once and believed until it expires. Whoever leaves a family, or is put out of it, keeps
    reading its rows until then, and a second membership cannot be told at all.

Fix
    Look the membership up: using (family_id in (select family_id from members where user_id = (select
    auth.uid()))).

When to ignore
    Tenants that never change and tokens that live for minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.objects import Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node, bare
from tools.rls.wording import body_in_short, function_name, listed, on_function, on_policy, relying, remark

_HOLDS = frozenset({"=", "?", "?|", "@>", "<@"})
_UNFOLDS = frozenset({"jsonb_array_elements_text", "json_array_elements_text", "jsonb_array_elements"})
_ARROWS = frozenset({"->", "->>", "#>", "#>>"})
_ROLE = re.compile(r"(^|_)(roles?|permissions?|scopes?|level|plan)$")
_IDENTITY = frozenset({"sub", "email", "role", "aal", "phone", "session_id", "aud", "iss", "user_metadata"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy or function that compares the claim."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            claims = sorted({claim for part in policy.parts() for claim in _claims(reached, part, relation)})
            if claims:
                yield on_policy(
                    "policy_trusts_token_claim", Level.WARN, relation, policy,
                    f"Policy {policy.name} on {relation.title} believes the token's claim"
                    f" {listed(claims)} for as"
                    " long as the token lives, also after access was taken away.",
                    fix=remark(
                        f"in {policy.title}: in place of the claim a look-up,",
                        "<id> in (select <id> from <memberships> where <member> = (select auth.uid()))",
                    ),
                    rank=25,
                )  # fmt: skip
    for function, policies in reached.policy_functions.values():
        claims = sorted({claim for part in body_of(function).facts for claim in _claims(reached, part, None)})
        if claims:
            yield on_function(
                "policy_trusts_token_claim", Level.WARN, function,
                f"{function.title} believes the token's claim {listed(claims)} for as long as the"
                " token lives;"
                f" {relying(policies)}.",
                evidence=body_in_short(function),
                fix=remark(f"create or replace {function_name(function)}, looking the membership up"),
                rank=25,
            )  # fmt: skip


def _claims(reached: Reach, facts: Facts, own: Relation | None) -> Iterator[str]:
    """Claims that equal, or hold, what stands in a column."""
    refs = {id(column.node): column for column in facts.columns}
    for one, other in _pairs(facts):
        column = refs.get(id(bare(_plain(one))))
        names = (_path(other) or _unfolded(other)) if column is not None else []
        # A name that is no column is a parameter: a fixed word such as a staff role comes in there.
        known = column is not None and reached.column(column, own, ("public",)) is not None
        if known and names and not _IDENTITY & set(names) and not _ROLE.search(names[-1]):
            yield ".".join(names)


def _plain(node: Node) -> Node:
    """What is turned into JSON to be looked for in a list."""
    turned = node.kind == "FuncCall" and node.words("funcname")[-1:] == ("to_jsonb",)
    return node.many("args")[0] if turned and node.many("args") else node


def _pairs(facts: Facts) -> Iterator[tuple[Node, Node]]:
    """What is compared with what, either way round; also `x in (select ...)`."""
    for comparison in facts.comparisons:
        if comparison.operator in _HOLDS:
            yield comparison.left, comparison.right
            yield comparison.right, comparison.left
    for node in facts.root.walk():
        test, query = node.one("testexpr"), node.one("subselect")
        if test is not None and query is not None:
            yield test, query


def _unfolded(node: Node) -> list[str]:
    """Keys of a claim that is a list, as `in (select jsonb_array_elements_text(claim))` goes through it."""
    calls = [one for one in node.walk() if one.kind == "FuncCall" and set(one.words("funcname")) & _UNFOLDS]
    for argument in (one for call in calls for one in call.many("args")):
        if path := _path(argument):
            return path
    return []


def _path(node: Node) -> list[str]:
    """Keys taken out of auth.jwt() in this expression; empty when it is not one."""
    node_or_none = bare(node)
    if node_or_none is None or node_or_none.kind != "A_Expr" or not set(node_or_none.words("name")) & _ARROWS:
        return []
    calls = [n.words("funcname") for n in node_or_none.walk() if n.kind == "FuncCall"]
    if ("auth", "jwt") not in calls:
        return []
    words = [n.word("sval") for c in node_or_none.walk() if c.kind == "A_Const" for n in c.children()]
    return [word.strip("{}") for word in reversed(words) if word]


RULE = Rule(
    name="policy_trusts_token_claim",
    title="A membership is read from the token instead of from the rows",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
