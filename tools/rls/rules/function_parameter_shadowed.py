"""A parameter is hidden by a column of the same name.

What it finds
    SQL functions in which a comparison has a parameter's name on one side, written without qualification, and
    the same column on the other: in SQL functions the column wins, so `m.user_id = user_id` compares a column
    with itself.

Why it matters
    The comparison is true for every row. A helper that should answer "is this caller a member of that
    family?" answers "is this caller a member of any?", and every policy that calls it is open.

Fix
    Rename the parameter (p_user_id), or write $1 or function_name.user_id.

When to ignore
    Never: the comparison does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.mending import redefined
from tools.rls.objects import Function
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import bare
from tools.rls.wording import body_in_short, function_name, listed, on_function, quoted, relying, remark


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    reached = reach(snapshot)
    for function in snapshot.functions:
        if function.language != "sql" or not any(function.arguments):
            continue
        shadowed = sorted(set(_shadowed(reached, function)))
        if shadowed:
            policies = reached.policy_functions.get(function.oid, (function, ()))[1]
            used = f" {relying(policies)}." if policies else ""
            yield on_function(
                "function_parameter_shadowed",
                Level.ERROR if policies or function.definer else Level.WARN,
                function,
                f"In {function.title} the column {listed(shadowed)} hides the parameter of that name: the"
                f" comparison holds for every row.{used}",
                evidence=body_in_short(function),
                fix=redefined(function, lambda text, of=function, names=shadowed: _qualified(text, of, names))
                or remark(
                    f"in {function_name(function)}: write ${function.arguments.index(shadowed[0]) + 1}"
                    f" in place of the bare name {shadowed[0]}"
                ),
                rank=20 if policies else 30,
            )


def _qualified(text: str, function: Function, names: list[str]) -> str:
    """The body with `column = name` and `name = column` naming the parameter as function.name."""
    for name in names:
        meant = f"{quoted(function.name)}.{quoted(name)}"
        bare, full = rf"(?<![\w.\"]){re.escape(name)}\b(?!\s*[.(])", rf"[\w\"]+\.\"?{re.escape(name)}\"?"
        text = re.sub(
            rf"({full}\s*=\s*){bare}", lambda found, to=meant: found[1] + to, text, flags=re.IGNORECASE
        )
        text = re.sub(
            rf"{bare}(\s*=\s*{full})", lambda found, to=meant: to + found[1], text, flags=re.IGNORECASE
        )
    return text


def _shadowed(reached: Reach, function: Function) -> Iterator[str]:
    path = reached.path(function)
    for facts in body_of(function).facts:
        refs = {id(column.node): column for column in facts.columns}
        for comparison in facts.comparisons:
            left, right = bare(comparison.left), bare(comparison.right)
            one, other = refs.get(id(left)), refs.get(id(right))
            if one is None or other is None or one.name != other.name or one.name not in function.arguments:
                continue
            if "" not in (one.qualifier, other.qualifier) or function.name in (
                one.qualifier,
                other.qualifier,
            ):
                continue
            meant = reached.column(one, path=path)
            if meant is not None and meant == reached.column(other, path=path):
                yield one.name


RULE = Rule(
    name="function_parameter_shadowed",
    title="A parameter is hidden by a column of the same name",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
