"""Whether a policy's condition is true for everybody, or for everybody who is signed in."""

from __future__ import annotations

from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach
from tools.rls.sqltree import AND, IS_NULL, OR, Node, bare, conjuncts, constant, disjuncts

EVERYONE = 2
SIGNED_IN = 1
NOBODY = 0


def truth(reach: Reach, facts: Facts, own: Relation) -> int:
    """EVERYONE when the condition holds for any row and caller, SIGNED_IN when for any row once signed in."""
    return truth_of(reach, facts.root, own)


def truth_of(reach: Reach, node: Node | None, own: Relation, depth: int = 0) -> int:
    """As truth(), for a part of a condition."""
    node = bare(node)
    if node is None or depth > 5:
        return NOBODY
    if node.kind == "BoolExpr" and node.number("boolop") == OR:
        return max(truth_of(reach, part, own, depth) for part in disjuncts(node))
    if node.kind == "BoolExpr" and node.number("boolop") == AND:
        return min(truth_of(reach, part, own, depth) for part in conjuncts(node))
    value = constant(node)
    if value is not None:
        return EVERYONE if value is True else NOBODY
    if node.kind == "NullTest" and node.number("nulltesttype") != IS_NULL:
        return _not_null(node, own)
    if node.kind == "A_Expr" and node.words("name") == ("=",):
        return _equal(node, own)
    if node.kind == "FuncCall":
        return _called(reach, node, own, depth)
    return NOBODY


def _not_null(node: Node, own: Relation) -> int:
    subject = bare(node.one("arg"))
    if subject is not None and subject.kind == "FuncCall" and subject.words("funcname") == ("auth", "uid"):
        return SIGNED_IN
    column = _own_column(subject, own)
    return EVERYONE if column and own.columns[column].required else NOBODY


def _equal(node: Node, own: Relation) -> int:
    left, right = bare(node.one("lexpr")), bare(node.one("rexpr"))
    one, other = constant(left), constant(right)
    if one is not None and other is not None:
        return EVERYONE if one == other else NOBODY
    column = _own_column(left, own)
    if column and column == _own_column(right, own):
        return EVERYONE if own.columns[column].required else NOBODY
    for call, value in ((left, other), (right, one)):
        if call is not None and call.kind == "FuncCall" and call.words("funcname") == ("auth", "role"):
            return SIGNED_IN if value == "authenticated" else NOBODY
    return NOBODY


def _called(reach: Reach, node: Node, own: Relation, depth: int) -> int:
    """A function whose whole body is one condition counts as that condition."""
    names = node.words("funcname")
    found = reach.snapshot.functions_named.get(".".join(names), ()) if len(names) == 2 else ()
    if len(found) != 1 or found[0].kind != "f":
        return NOBODY
    facts = body_of(found[0]).facts
    if len(facts) != 1:
        return NOBODY
    root = facts[0].root
    if root.kind != "SelectStmt":
        return truth_of(reach, root, own, depth + 1) if found[0].language == "plpgsql" else NOBODY
    targets = root.many("target_list")
    if root.many("from_clause") or root.one("where_clause") or len(targets) != 1:
        return NOBODY
    return truth_of(reach, targets[0].one("val"), own, depth + 1)


def _own_column(node: Node | None, own: Relation) -> str:
    if node is None or node.kind != "ColumnRef":
        return ""
    names = node.words("fields")
    return names[-1] if len(names) == 1 and names[-1] in own.columns else ""


def open_to(reach: Reach, policy: Policy, callers: tuple[str, ...], level: int) -> tuple[str, ...]:
    """The callers among those addressed that a condition of this truth lets through."""
    if level == EVERYONE:
        return callers
    return tuple(name for name in callers if name != "anon") if level == SIGNED_IN else ()
