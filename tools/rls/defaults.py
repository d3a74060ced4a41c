"""What a call leaves out: `is_member(team_id)` passes `auth.uid()` too where its parameter's default says so.

The catalog prints a call without the arguments that it took from defaults, so that a policy may ask who the
caller is without a word of it in its own text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from tools.rls.facts import Facts, statements
from tools.rls.objects import Function
from tools.rls.sqltree import Node

_RESULTS: Final = frozenset({2, 5})
"""Modes of parameters that nobody passes: OUT and TABLE."""


@lru_cache(maxsize=4_000)
def default_values(function: Function) -> Mapping[int, Facts]:
    """The defaults of a function's parameters, by their position among those that are passed."""
    parsed = statements(function.definition) if function.defaults else None
    if not parsed or parsed[0].root.kind != "CreateFunctionStmt":
        return {}
    passed = [one for one in parsed[0].root.many("parameters") if one.number("mode") not in _RESULTS]
    found = ((at, parameter.one("defexpr")) for at, parameter in enumerate(passed))
    return {at: parsed[0].within(value) for at, value in found if value is not None}


def omitted(function: Function, given: Sequence[Node]) -> Mapping[int, Facts]:
    """The defaults that a call with these arguments relies on."""
    if not function.defaults or len(given) >= len(function.argument_types):
        return {}
    taken: set[int] = set()
    for at, argument in enumerate(given):
        name = argument.word("name") if argument.kind == "NamedArgExpr" else ""
        taken.add(function.arguments.index(name) if name in function.arguments else at)
    return {at: facts for at, facts in default_values(function).items() if at not in taken}
