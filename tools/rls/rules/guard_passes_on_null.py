"""A guard refuses by a comparison that is null where the caller has no row, and null refuses nobody.

What it finds
    PL/pgSQL security definer functions that callers may execute through the API, which look the caller's role
    up (select role into r ... where user_id = auth.uid()) and then refuse by comparing it: if r <> 'admin'
    then raise, r not in (...), not is_admin. Functions that look at FOUND or at whether the variable is null,
    or that read it with a default, are left out.

Why it matters
    Whoever has no row at all, a stranger, gets null. null <> 'admin' is null, IF takes null for false, and
    the function goes on with its owner's rights: members are refused and outsiders let through.

Fix
    Compare with IS DISTINCT FROM, or refuse where the row is missing: if not found then raise.

When to ignore
    Never: where every caller surely has a row, the comparison costs nothing more with IS DISTINCT FROM.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import plpgsql_source
from tools.rls.facts import Facts, expression, statements
from tools.rls.objects import Function
from tools.rls.reach import mentions_identity
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import NOT, Node, bare, constant, disjuncts
from tools.rls.wording import body_in_short, function_name, listed, on_function, remark

_REFUSAL: Final = re.compile(
    r"\bif\b((?:(?!\bthen\b|\bif\b|;).)*)\bthen\s+raise\s+(exception|insufficient_privilege|sqlstate|')",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT: Final = re.compile(r"'(?:[^']|'')*'")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function, for the first such guard."""
    for function in snapshot.functions:
        served = function.definer and not function.is_trigger and function.schema not in PLATFORM_SCHEMAS
        callers = snapshot.executors(function) if served else ()
        found = _let_through(function) if callers else None
        if found is not None:
            name, condition = found
            yield on_function(
                "guard_passes_on_null", Level.ERROR, function,
                f"{function.title} lets {listed(callers)} through who have no row to look {name} up in: then"
                f" it is null, and `{condition}` is no reason to refuse.",
                evidence=body_in_short(function),
                fix=remark(
                    f"in {function_name(function)}: after the look-up, if not found then raise; or compare by"
                    " IS DISTINCT FROM"
                ),
                rank=9,
            )  # fmt: skip


def _let_through(function: Function) -> tuple[str, str] | None:
    """A variable that holds the caller's row's value, and the condition by which it refuses."""
    source = plpgsql_source(function)
    looked_up = (
        {name for names, text in source.assigned if _of_caller(text) for name in names} if source else ()
    )
    if not looked_up:
        return None
    body = _COMMENT.sub(" ", function.body)
    for refusal in _REFUSAL.finditer(body):
        facts = expression(refusal[1].strip())
        for name in _null_passes(facts) if facts is not None else ():
            if name in looked_up and not _looked_at(body, name):
                return name, " ".join(refusal[1].split())
    return None


def _of_caller(text: str) -> bool:
    """Whether a value comes out of the caller's row, and is null where there is none."""
    read = statements(text) or ()
    one = expression(text) if len(read) != 1 or read[0].root.kind != "SelectStmt" else read[0]
    select = one.root if one is not None else None
    if select is not None and select.kind == "SubLink":
        select = select.one("subselect")
    if one is None or select is None or select.kind != "SelectStmt" or not mentions_identity(one):
        return False
    plain = all(_plain(target.one("val")) for target in select.many("target_list"))
    return plain and bool(select.many("from_clause")) and select.one("where_clause") is not None


def _plain(value: Node | None) -> bool:
    """A column, or a comparison of one: count(*), exists and coalesce give an answer without a row."""
    return value is not None and not any(
        n.kind in ("FuncCall", "CoalesceExpr", "SubLink") for n in value.walk()
    )


def _null_passes(facts: Facts) -> Iterator[str]:
    """The variables of which null makes a whole condition null: every alternative compares them."""
    named = [_compared(part) for part in disjuncts(facts.root)]
    if all(named):
        yield from named


def _compared(part: Node) -> str:
    """The variable in v <> 'x', v not in (...), not v, not (v = 'x'); empty for anything else."""
    node = bare(part)
    negated = node is not None and node.kind == "BoolExpr" and node.number("boolop") == NOT
    if node is not None and negated:
        node = bare(next(iter(node.many("args")), None))
        if node is not None and node.kind == "ColumnRef":
            return _variable(node)
    if node is None or node.kind != "A_Expr" or node.words("name") != (("=",) if negated else ("<>",)):
        return ""
    left, right = bare(node.one("lexpr")), node.one("rexpr")
    fixed = right is not None and not any(inner.kind == "ColumnRef" for inner in right.walk())
    return _variable(left) if fixed and constant(left) is None else ""


def _variable(node: Node | None) -> str:
    words = node.words("fields") if node is not None and node.kind == "ColumnRef" else ()
    return words[0].lower() if words else ""


def _looked_at(body: str, name: str) -> bool:
    """Whether the body asks anywhere if there was a row, or if the variable is null."""
    variable = rf"\b{re.escape(name)}(\.\w+)?\s+is\s+(not\s+)?(null|distinct|true)\b"
    asked = rf"\bfound\b|\bno_data_found\b|\binto\s+strict\b|{variable}"
    return re.search(asked, _TEXT.sub("''", body), re.IGNORECASE) is not None


RULE = Rule(
    name="guard_passes_on_null",
    title="A guard refuses by a comparison that is null where the caller has no row, and null refuses nobody",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
