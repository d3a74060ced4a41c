"""What a condition can come to for one kind of caller: true, false or null, as the set of what is possible.

Three-valued logic decides policies: a row is shown when the condition is true, and null hides it as false
does. Identity is known here (nobody, or somebody signed in), rows are not: a column can hold anything. What
is not understood can come to anything, so that a single possible outcome is a proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.objects import Relation
from tools.rls.reach import Reach
from tools.rls.sqltree import (
    AND,
    ANY,
    EQUALS_ANY,
    EXISTS,
    IS_NULL,
    NOT,
    OR,
    SCALAR,
    Node,
    bare,
    conjuncts,
    constant,
)

Outcome = frozenset[bool | None]
ALWAYS: Final[Outcome] = frozenset({True})
NEVER: Final[Outcome] = frozenset({False})
NULL: Final[Outcome] = frozenset({None})
OPEN: Final[Outcome] = frozenset({True, False})
UNKNOWN: Final[Outcome] = frozenset({True, False, None})

_DISTINCT, _NOT_DISTINCT = 4, 5
_TESTS: Final[dict[int, tuple[bool | None, bool]]] = {
    1: (True, True), 2: (True, False), 3: (False, True), 4: (False, False), 5: (None, True), 6: (None, False),
}  # fmt: skip
"""BooleanTest: IS [NOT] TRUE, FALSE, UNKNOWN as (what is asked for, whether it is)."""
_ARROWS: Final = frozenset({"->", "->>", "#>", "#>>"})
_SESSION: Final = {10: "", 11: "", 12: "", 13: "authenticator"}
"""SQLValueFunction: CURRENT_ROLE, CURRENT_USER, USER (the caller's role), SESSION_USER."""


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar: `null` (None: may be either), and `known` where the very value is."""

    null: bool | None
    known: str | bool | int | None = None


_ANYTHING: Final = Value(None)
_SOMETHING: Final = Value(null=False)
_NOTHING: Final = Value(null=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks (`role`, and whether somebody is signed in), and the row's table where columns mean it."""

    reach: Reach
    role: str
    signed_in: bool
    own: Relation | None = None
    depth: int = 0


def outcome(asked: Asked, node: Node | None) -> Outcome:
    """What a condition can come to."""
    node = bare(node)
    if node is None or asked.depth > 6:
        return UNKNOWN
    reading = _READINGS.get(node.kind)
    if reading is not None:
        return reading(asked, node)
    value = _value(asked, node)
    return _of(value)


def _of(value: Value) -> Outcome:
    if value.null:
        return NULL
    if isinstance(value.known, bool):
        return frozenset({value.known})
    return OPEN if value.null is False else UNKNOWN


def _logic(asked: Asked, node: Node) -> Outcome:
    parts = [outcome(asked, part) for part in node.many("args")]
    if node.number("boolop") == NOT:
        return frozenset(None if one is None else not one for one in parts[0])
    if node.number("boolop") == OR:
        return frozenset(_or(several) for several in product(*parts)) if len(parts) < 8 else _many(parts, OR)
    found = frozenset(_and(several) for several in product(*parts)) if len(parts) < 8 else _many(parts, AND)
    return found - ALWAYS if contradictory(node) else found


def _many(parts: list[Outcome], operator: int) -> Outcome:
    """Folded two by two: a long chain has too many combinations."""
    found = parts[0]
    for part in parts[1:]:
        join = _or if operator == OR else _and
        found = frozenset(join(pair) for pair in product(found, part))
    return found


def _or(several: tuple[bool | None, ...]) -> bool | None:
    return True if True in several else None if None in several else False


def _and(several: tuple[bool | None, ...]) -> bool | None:
    return False if False in several else None if None in several else True


def contradictory(node: Node) -> bool:
    """Whether an AND compares one column with two different constants, or asks for null and a value."""
    wanted: dict[tuple[str, ...], set[object]] = {}
    empty: set[tuple[str, ...]] = set()
    for part in conjuncts(node):
        left = bare(part.one("lexpr") or part.one("arg"))
        if left is None or left.kind != "ColumnRef":
            continue
        name = left.words("fields")
        if part.kind == "NullTest" and part.number("nulltesttype") == IS_NULL:
            empty.add(name)
        value = (
            constant(part.one("rexpr")) if part.kind == "A_Expr" and part.words("name") == ("=",) else None
        )
        if value is not None and part.number("kind") != EQUALS_ANY:
            wanted.setdefault(name, set()).add(value)
    return any(len(values) > 1 or name in empty for name, values in wanted.items())


def _null_test(asked: Asked, node: Node) -> Outcome:
    null = _value(asked, node.one("arg")).null
    if null is None:
        return OPEN
    return frozenset({null is (node.number("nulltesttype") == IS_NULL)})


def _boolean_test(asked: Asked, node: Node) -> Outcome:
    wanted, positive = _TESTS.get(node.number("booltesttype"), (None, True))
    return frozenset((one is wanted) is positive for one in outcome(asked, node.one("arg")))


def _comparison(asked: Asked, node: Node) -> Outcome:
    operator, kind = (node.words("name") or ("",))[-1], node.number("kind")
    left, right = _value(asked, node.one("lexpr")), _value(asked, node.one("rexpr"))
    if kind in (_DISTINCT, _NOT_DISTINCT):
        if left.null and right.null:
            return frozenset({kind == _NOT_DISTINCT})
        if left.null is not None and right.null is not None and left.null is not right.null:
            return frozenset({kind == _DISTINCT})
        return OPEN
    if kind == EQUALS_ANY:
        return _among(left, node.one("rexpr"))
    if left.null or right.null:
        return NULL
    if operator in ("=", "<>") and left.known is not None and type(left.known) is type(right.known):
        return frozenset({(left.known == right.known) is (operator == "=")})
    return OPEN if left.null is False and right.null is False else UNKNOWN


def _among(left: Value, right: Node | None) -> Outcome:
    array = bare(right)
    if left.null:
        return frozenset({False, None})
    if left.known is None or array is None or array.kind != "A_ArrayExpr":
        return UNKNOWN
    members = [constant(one) for one in array.many("elements")]
    if None in members:
        return UNKNOWN
    return frozenset({left.known in members})


def _sublink(asked: Asked, node: Node) -> Outcome:
    query = node.one("subselect")
    kind = node.number("sub_link_type")
    inside = replace(asked, own=None, depth=asked.depth + 1)
    where = query.one("where_clause") if query is not None else None
    # Aggregates give a row even where nothing is found, and a set operation has its conditions inside.
    plain = query is not None and query.one("larg") is None and not _aggregates(query)
    if plain and where is not None and True not in outcome(inside, where):
        return NEVER if kind in (EXISTS, ANY) else NULL if kind == SCALAR else UNKNOWN
    if kind == ANY and _value(asked, node.one("testexpr")).null:
        return frozenset({False, None})
    return OPEN if kind == EXISTS else UNKNOWN


def _aggregates(query: Node) -> bool:
    return any(node.kind == "FuncCall" for target in query.many("target_list") for node in target.walk())


def _coalesced(asked: Asked, node: Node) -> Outcome:
    found: set[bool | None] = set()
    for part in node.many("args"):
        one = outcome(asked, part)
        found |= one - NULL
        if None not in one:
            return frozenset(found)
    return frozenset(found | NULL)


def _case(asked: Asked, node: Node) -> Outcome:
    otherwise = node.one("defresult")
    found: Outcome = frozenset()
    for when in node.many("args"):
        chosen = outcome(asked, when.one("expr")) if node.one("arg") is None else UNKNOWN
        if True in chosen:
            found |= outcome(asked, when.one("result"))
        if chosen == ALWAYS:
            return found
    return found | (outcome(asked, otherwise) if otherwise is not None else NULL)


def _called(asked: Asked, node: Node) -> Outcome:
    inner = single(asked.reach, node)
    if inner is None:
        return _of(_value(asked, node))
    return outcome(replace(asked, own=None, depth=asked.depth + 1), inner)


def single(reach: Reach, node: Node) -> Node | None:
    """The one expression that a function's body consists of, for a call that means one function."""
    names = node.words("funcname")
    found = reach.snapshot.functions_named.get(".".join(names), ()) if len(names) == 2 else ()
    if len(found) != 1 or found[0].kind != "f" or names[0] == "auth":
        return None
    facts = body_of(found[0]).facts
    if len(facts) != 1 or not body_of(found[0]).complete or body_of(found[0]).dynamic:
        return None
    root = facts[0].root
    if root.kind != "SelectStmt":
        return root
    targets = root.many("target_list")
    if root.many("from_clause") or root.one("where_clause") or root.one("larg") or len(targets) != 1:
        return None
    return targets[0].one("val")


_READINGS: Final = {
    "BoolExpr": _logic,
    "NullTest": _null_test,
    "BooleanTest": _boolean_test,
    "A_Expr": _comparison,
    "SubLink": _sublink,
    "CoalesceExpr": _coalesced,
    "CaseExpr": _case,
    "FuncCall": _called,
}


# -- values ------------------------------------------------------------------------------


def _value(asked: Asked, node: Node | None) -> Value:
    node = bare(node)
    if node is None or asked.depth > 6:
        return _ANYTHING
    if node.kind == "A_Const":
        known = constant(node)
        return Value(null=False, known=known) if known is not None else _constant(node)
    if node.kind == "ColumnRef":
        return _column(asked, node)
    if node.kind == "FuncCall":
        return _function(asked, node)
    if node.kind == "SQLValueFunction":
        role = _SESSION.get(node.number("op"))
        return _SOMETHING if role is None else _role(asked, role or asked.role)
    if node.kind == "CoalesceExpr":
        return _first(asked, node.many("args"))
    if node.kind == "A_Expr":
        return _expression(asked, node)
    if node.kind in ("BoolExpr", "NullTest", "BooleanTest"):
        found = outcome(asked, node)
        return _NOTHING if found == NULL else Value(None if None in found else False)
    return _ANYTHING


def _constant(node: Node) -> Value:
    return _NOTHING if node.number("isnull") else _SOMETHING


def _role(asked: Asked, name: str) -> Value:
    """A role's name is known on Supabase, where callers are anon and authenticated; elsewhere it is any."""
    return Value(null=False, known=name) if asked.reach.snapshot.supabase else _SOMETHING


def _column(asked: Asked, node: Node) -> Value:
    names = node.words("fields")
    column = asked.own.columns.get(names[-1]) if asked.own is not None and len(names) == 1 else None
    return _SOMETHING if column is not None and column.required else _ANYTHING


def _function(asked: Asked, node: Node) -> Value:
    names = node.words("funcname")
    if names[:1] == ("auth",) and asked.reach.snapshot.supabase:
        return _identity(asked, names[-1])
    if names[-1] == "current_setting":
        return _setting(asked, node)
    inner = single(asked.reach, node)
    if inner is None:
        return _ANYTHING
    return _value(replace(asked, own=None, depth=asked.depth + 1), inner)


def _identity(asked: Asked, name: str) -> Value:
    if name == "role":
        return _role(asked, asked.role)
    if name in ("uid", "email"):
        return Value(null=not asked.signed_in) if name == "uid" or not asked.signed_in else _ANYTHING
    return _SOMETHING if name == "jwt" else _ANYTHING


def _setting(asked: Asked, node: Node) -> Value:
    arguments = node.many("args")
    name = constant(arguments[0]) if arguments else None
    if name == "request.jwt.claim.sub" and asked.reach.snapshot.supabase and not asked.signed_in:
        return _NOTHING if len(arguments) > 1 and constant(arguments[1]) is True else _ANYTHING
    return _ANYTHING


def _first(asked: Asked, several: tuple[Node, ...]) -> Value:
    for one in several:
        value = _value(asked, one)
        if value.null is None:
            rest = [_value(asked, other).null for other in several]
            return _SOMETHING if False in rest else _ANYTHING
        if value.null is False:
            return value
    return _NOTHING


def _expression(asked: Asked, node: Node) -> Value:
    operator = (node.words("name") or ("",))[-1]
    left, right = _value(asked, node.one("lexpr")), _value(asked, node.one("rexpr"))
    if operator in _ARROWS and _path(node) and not asked.signed_in:
        return _role(asked, asked.role) if _path(node) == ["role"] else _NOTHING
    if left.null or right.null:
        return _NOTHING
    if node.number("kind") in (_DISTINCT, _NOT_DISTINCT):
        return _SOMETHING
    return _ANYTHING


def _path(node: Node) -> list[str]:
    """Keys taken out of auth.jwt(); empty when it is not what the arrows start from."""
    keys = list(_keys(node))
    return keys[1:] if keys[:1] == [""] else []


def _keys(node: Node | None) -> Iterator[str]:
    node = bare(node)
    if node is None:
        return
    if node.kind == "FuncCall" and node.words("funcname") == ("auth", "jwt"):
        yield ""
    elif node.kind == "A_Expr" and set(node.words("name")) & _ARROWS:
        yield from _keys(node.one("lexpr"))
        key = constant(node.one("rexpr"))
        yield str(key).strip("{}") if key is not None else "?"
