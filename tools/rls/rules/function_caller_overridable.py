"""A function works for whomever the caller names, and for the caller only when nobody is named.

What it finds
    SECURITY DEFINER functions that callers may run, that read or write protected rows, and whose only look at
    the identity is a fallback: coalesce(p_user_id, auth.uid()), or a CASE that takes one or the other. Where
    the identity comes first, the finding is for anon alone, who has none.

Why it matters
    The argument wins. Whoever passes another account's id gets what that account may see, with the rights of
    the function's owner; that auth.uid() stands in the text makes it look checked.

Fix
    Take the identity from auth.uid() alone. Where staff work for others, test for that role first, in the
    same function.

When to ignore
    A function that shows the same to everybody, whosever id is passed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.definers import touching
from tools.rls.objects import Function
from tools.rls.reach import Reach, is_identity, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import Node, bare
from tools.rls.wording import body_in_short, counted, listed, on_function, remark


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    reached = reach(snapshot)
    for function in snapshot.functions:
        callers = () if function.is_trigger or not function.definer else snapshot.executors(function)
        choices = _choices(reached, function) if callers else None
        if not choices:
            continue
        named = dict.fromkeys(name for name, first in choices if first) or dict.fromkeys(
            n for n, _ in choices
        )
        able = callers if any(first for _, first in choices) else tuple(c for c in callers if c == "anon")
        found = touching(snapshot, reached, function, able, None) if able else None
        if found is None or not found.touches:
            continue
        tables = [relation.title for relation in found.touches]
        yield on_function(
            "function_caller_overridable", Level.ERROR, function,
            f"{function.title} works for whomever {listed(able)} names in {listed(named)}; the caller's own"
            f" identity is only the fallback. It reaches {counted(len(tables), 'table')}: {listed(tables)}.",
            evidence=body_in_short(function),
            fix=remark(f"use auth.uid() alone in place of {listed(named)}"),
            rank=2 if "anon" in able else 8,
        )  # fmt: skip


def _choices(reached: Reach, function: Function) -> list[tuple[str, bool]]:
    """Argument, and whether the identity comes after it, of each choice; none if the caller is asked too."""
    body = body_of(function)
    asked = any(f.schema not in PLATFORM_SCHEMAS and reached.speaks(f) for f in reached.called_by(function))
    if not body.complete or body.dynamic or asked:
        return []
    found: list[tuple[str, bool]] = []
    for facts in body.facts:
        identities = {id(call.node) for call in facts.calls if is_identity(call)}
        for node in facts.root.walk() if identities else ():
            values = _values(node)
            own = [any(id(part) in identities for part in value.walk()) for value in values]
            named = [_argument(value, function) for value in values]
            if any(own) and any(named):
                argument = next(name for name in named if name)
                before = node.kind == "CaseExpr" or named.index(argument) < own.index(True)
                found.append((argument, before))
                identities -= {id(part) for part in node.walk()}
        if identities:
            return []
    return found


def _values(node: Node) -> tuple[Node, ...]:
    """What a COALESCE or a CASE may give, in its order."""
    if node.kind == "CoalesceExpr":
        return node.many("args")
    if node.kind == "CaseExpr":
        last = node.one("defresult")
        results = [result for when in node.many("args") if (result := when.one("result"))]
        return (*results, *([last] if last else ()))
    return ()


def _argument(node: Node, function: Function) -> str:
    """The argument that a value is, bare or cast; empty for anything else."""
    inner = bare(node)
    if inner is None:
        return ""
    if inner.kind == "ParamRef":
        number = inner.number("number")
        return f"${number}" if number else ""
    name = inner.words("fields")[-1] if inner.kind == "ColumnRef" else ""
    return name if name in function.arguments else ""


RULE = Rule(
    name="function_caller_overridable",
    title="A function works for whomever the caller names, and for the caller only when nobody is named",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
