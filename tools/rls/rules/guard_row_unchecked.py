"""A guard looks a row up with conditions, and goes on when there is none.

What it finds
    PL/pgSQL functions that answer yes or no: SELECT INTO a variable with a condition on a lifecycle or state
    column (deleted_at, status, ends_at ...), after which neither FOUND nor whether the variable is null is
    looked at, and a later answer does not depend on the variable.

Why it matters
    The conditions of the look-up decide nothing: where the row is deleted, ended or absent, later branches
    answer all the same, and every policy that calls the guard opens.

Fix
    Put `if not found then return false; end if;` behind the SELECT, or use INTO STRICT.

When to ignore
    The variable serves one branch alone, on purpose, and the others hold without the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls import plpgsql
from tools.rls.bodies import plpgsql_source
from tools.rls.facts import Facts, expression, statements
from tools.rls.objects import Function
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import IS_NULL, Node, conjuncts, constant
from tools.rls.wording import body_in_short, on_function, remark


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function, for the first such variable."""
    for function in snapshot.functions:
        source = plpgsql_source(function) if function.returns == "boolean" else None
        for names, text in source.assigned if source else ():
            if _conditional(text, names) and _goes_on(function, names[0]):
                yield on_function(
                    "guard_row_unchecked", Level.WARN, function,
                    f"{function.title} selects into {names[0]} with conditions, and answers yes further down"
                    " whether or not there was such a row: deleted, ended and absent ones count.",
                    evidence=body_in_short(function),
                    fix=remark("behind the SELECT: if not found then return false; end if;"),
                    rank=14,
                )  # fmt: skip
                break


def _conditional(text: str, names: tuple[str, ...]) -> bool:
    """Whether a SELECT INTO asks for something of the row itself: its state, not only which one it is."""
    read = statements(text) or ()
    select = read[0].root if len(read) == 1 else None
    test = select.one("where_clause") if select is not None and select.kind == "SelectStmt" else None
    return bool(names) and test is not None and any(map(_about_state, conjuncts(test)))


def _about_state(part: Node) -> bool:
    if part.kind == "NullTest":
        return part.number("nulltesttype") == IS_NULL
    sides = [side for name in ("lexpr", "rexpr") if (side := part.one(name)) is not None]
    columns = [[node for node in side.walk() if node.kind in ("ColumnRef", "ParamRef")] for side in sides]
    return part.kind == "A_Expr" and len(sides) == 2 and bool(columns[0]) and not columns[1]


def _goes_on(function: Function, name: str) -> bool:
    """Whether a yes is given behind the SELECT without FOUND, and without the variable in it."""
    into = re.search(rf"\binto\s+(?!strict\b)[^;]*?\b{re.escape(name)}\b[^;]*;", function.body, re.IGNORECASE)
    rest = function.body[into.end() :] if into else ""
    looked_at = rf"\bfound\b|\b{re.escape(name)}(\.\w+)?\s+is\s+(not\s+)?(null|distinct)\b|\bno_data_found\b"
    after = None if re.search(looked_at, rest, re.IGNORECASE) else plpgsql.read(rest)
    if after is None:
        return False
    depending = {name}
    for names, text in after.assigned:
        if depending & _words(text):
            depending.update(names)
    answers = [one for text in after.returned if (one := expression(text)) is not None]
    says_yes = any(constant(answer.root) is True for answer in answers)
    asked = [one for text in after.expressions if (one := expression(text)) is not None] if says_yes else []
    tables = [one for one in (*answers, *asked) if any(True for _ in one.sources())]
    return any(not depending & _named(one) for one in tables)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _named(facts: Facts) -> set[str]:
    return {word for column in facts.columns for word in (column.qualifier, column.name)}


RULE = Rule(
    name="guard_row_unchecked",
    title="A guard looks a row up with conditions, and goes on when there is none",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
