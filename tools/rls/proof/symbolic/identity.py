"""Expressions that say who calls: auth.uid(), a claim, a setting, the role."""

from __future__ import annotations

from tools.rls.proof.model import Identity
from tools.rls.sqltree import Node, bare, constant

_SUBJECT = (("sub",),)


def identity_of(node: Node | None) -> Identity | None:
    """The identity that an expression reads, or None. Casts and `(select ...)` around it do not matter."""
    node = bare(node)
    if node is None:
        return None
    if node.kind == "SQLValueFunction":
        # CURRENT_ROLE, CURRENT_USER, USER, SESSION_USER in libpg_query's protobuf.
        return Identity("role", ()) if node.number("op") in (11, 12, 13, 14, 15) else None
    if _is_nullif(node):
        return identity_of(node.one("lexpr"))
    if node.kind == "CoalesceExpr":
        return identity_of(next(iter(node.many("args")), None))
    if node.kind == "FuncCall":
        return _called(node)
    path = _claim(node)
    if path is None:
        return None
    return Identity("uid") if path in _SUBJECT else Identity("claim", path)


def same(one: Identity, other: Identity) -> bool:
    """Whether two identities are the same value."""
    return one.kind == other.kind and (one.kind in ("uid", "role") or one.path == other.path)


def _is_nullif(node: Node) -> bool:
    return node.kind == "A_Expr" and node.number("kind") == 6


def _called(node: Node) -> Identity | None:
    names = node.words("funcname")
    if names == ("auth", "uid"):
        return Identity("uid")
    if names == ("auth", "email"):
        return Identity("claim", ("email",))
    if names[-1:] == ("current_setting",) and node.many("args"):
        name = constant(node.many("args")[0])
        if not isinstance(name, str):
            return None
        if name == "request.jwt.claim.sub":
            return Identity("uid")
        if name.startswith("request.jwt.claim."):
            return Identity("claim", (name.removeprefix("request.jwt.claim."),))
        return Identity("setting", (name,)) if name != "request.jwt.claims" else None
    return None


def _claim(node: Node) -> tuple[str, ...] | None:
    """The path of `auth.jwt() -> 'a' ->> 'b'`, or of the same over the claims setting."""
    if node.kind != "A_Expr":
        return None
    operator = node.words("name")[-1:]
    if operator in (("->",), ("->>",)):
        key = constant(node.one("rexpr"))
        around = _path_below(bare(node.one("lexpr")))
        return (*around, str(key)) if around is not None and key is not None else None
    if operator in (("#>",), ("#>>",)):
        key = constant(node.one("rexpr"))
        around = _path_below(bare(node.one("lexpr")))
        if around is not None and isinstance(key, str) and key.startswith("{"):
            return (*around, *key.strip("{}").split(","))
    return None


def _path_below(node: Node | None) -> tuple[str, ...] | None:
    if node is None:
        return None
    if node.kind == "FuncCall":
        names = node.words("funcname")
        if names == ("auth", "jwt"):
            return ()
        if names[-1:] == ("current_setting",) and node.many("args"):
            return () if constant(node.many("args")[0]) == "request.jwt.claims" else None
        return None
    if _is_nullif(node):
        return _path_below(bare(node.one("lexpr")))
    return _claim(node)
