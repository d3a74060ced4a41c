"""A definer function glues a caller's text into SQL.

What it finds
    PL/pgSQL functions that run as their owner, that a caller may execute, and whose EXECUTE string contains a
    text argument, perhaps by way of variables, that went through neither quote_ident, quote_literal nor
    format with %I or %L.

Why it matters
    The caller writes part of the statement and it runs with the owner's rights, whatever check stands above
    it.

Fix
    Pass values with USING and names with format('%I', ...); better still, write the statement out.

When to ignore
    An argument that is compared with a fixed list before; then name the list in the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of, plpgsql_source
from tools.rls.facts import Facts, expression
from tools.rls.objects import Function
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node, constant
from tools.rls.wording import function_name, listed, on_function, remark

_SAFE = frozenset({"quote_ident", "quote_literal", "quote_nullable"})
_TEXT = ("text", "character varying", "name", "jsonb", "json", "citext")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    for function in snapshot.functions:
        callers = snapshot.executors(function, api=False) if function.definer else ()
        if not callers or function.is_trigger:
            continue
        texts = _texts(function)
        carried = _carried(function, texts)
        known = texts | frozenset(carried)
        found = {name for facts in body_of(function).dynamic for name in _glued(facts.root, known, facts)}
        glued = sorted({word for name in found for word in carried.get(name, {name})})
        if glued:
            yield on_function(
                "function_dynamic_sql", Level.ERROR, function,
                f"{function.title} puts {listed(glued)} into SQL unquoted: {listed(callers)} can run"
                " any statement"
                f" with the rights of {function.owner}.",
                evidence="security definer; EXECUTE of a string built from an argument",
                fix=remark(f"in {function_name(function)}: names by format('%I', ...), values through USING"),
                rank=5 if "anon" in callers else 15,
            )  # fmt: skip


def _texts(function: Function) -> frozenset[str]:
    pairs = zip(function.arguments, function.argument_types, strict=True)
    named = {name for name, kind in pairs if name and kind.startswith(_TEXT)}
    numbered = {f"${i + 1}" for i, kind in enumerate(function.argument_types) if kind.startswith(_TEXT)}
    return frozenset(named | numbered)


def _carried(function: Function, texts: frozenset[str]) -> dict[str, set[str]]:
    """Variables that SQL is put together in, with the arguments that went into them unquoted."""
    found: dict[str, set[str]] = {}
    source = plpgsql_source(function)
    for _ in source.assigned if source is not None else ():
        before = {name: set(words) for name, words in found.items()}
        for names, text in source.assigned if source is not None else ():
            facts = expression(text)
            for name in _glued(facts.root, texts | frozenset(found), facts) if facts is not None else ():
                for variable in names:
                    found.setdefault(variable, set()).update(found.get(name, {name}))
        if before == found:
            break
    return found


def _glued(node: Node, texts: frozenset[str], facts: Facts) -> Iterator[str]:
    """Text arguments that become part of the statement unquoted."""
    if node.kind == "ColumnRef":
        name = node.words("fields")[-1]
        if name in texts:
            yield name
    elif node.kind == "ParamRef" and f"${node.number('number')}" in texts:
        yield f"${node.number('number')}"
    elif node.kind == "FuncCall":
        name = node.words("funcname")[-1]
        arguments = node.many("args")
        if name in _SAFE:
            return
        if name == "format" and arguments:
            raw = constant(arguments[0])
            if isinstance(raw, str) and "%s" not in raw and "$s" not in raw:
                return
        for child in arguments:
            yield from _glued(child, texts, facts)
    else:
        for child in node.children():
            yield from _glued(child, texts, facts)


RULE = Rule(
    name="function_dynamic_sql",
    title="A definer function glues a caller's text into SQL",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
