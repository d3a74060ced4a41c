"""Normal forms and what can be done with them: AND, OR, NOT, comparisons."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Form: TypeAlias = tuple[Any, ...]
TRUE: Final[Form] = ("const", True)
FALSE: Final[Form] = ("const", False)
PLAIN: Final = 1
"""The A_Expr kind of an ordinary operator."""


def both(parts: list[Form]) -> Form:
    """AND, flattened."""
    return _joined("and", parts, TRUE, FALSE)


def either(parts: list[Form]) -> Form:
    """OR, flattened."""
    return _joined("or", parts, FALSE, TRUE)


def _joined(word: str, parts: list[Form], neutral: Form, deciding: Form) -> Form:
    flat = {inner for part in parts for inner in (part[1] if part[0] == word else (part,))} - {neutral}
    if deciding in flat:
        return deciding
    flat = _lists_merged(flat, negative=word == "and")
    if not flat:
        return neutral
    return next(iter(flat)) if len(flat) == 1 else (word, frozenset(flat))


def _lists_merged(forms: set[Form], *, negative: bool) -> set[Form]:
    """`x = 1 or x = 2` is one list, and so is `x <> 1 and x <> 2`."""
    lists: dict[Form, frozenset[Form]] = {}
    others: set[Form] = set()
    for form in forms:
        inner = form[1] if negative and form[0] == "not" else form
        if inner[0] == "in" and (form[0] == "not") == negative:
            lists[inner[1]] = lists.get(inner[1], frozenset()) | inner[2]
        else:
            others.add(form)
    merged: list[Form] = [("in", value, constants) for value, constants in lists.items()]
    return others | {("not", form) if negative else form for form in merged}


def negated(form: Form) -> Form:
    """NOT, moved inwards: De Morgan's laws and the turning of comparisons hold with NULL as well."""
    match form[0]:
        case "not":
            return form[1]
        case "and":
            return either([negated(part) for part in form[1]])
        case "or":
            return both([negated(part) for part in form[1]])
        case "const" if isinstance(form[1], bool):
            return FALSE if form[1] else TRUE
        case "<":
            return ("<=", form[2], form[1])
        case "<=":
            return ("<", form[2], form[1])
        case _:
            return ("not", form)


def compared(name: str, one: Form, other: Form) -> Form:
    """A comparison: with a constant as a list of one, `>` turned round."""
    match name:
        case "=":
            for value, known in ((one, other), (other, one)):
                if known[0] == "const" and value[0] != "const":
                    return ("in", value, frozenset({known}))
            return ("=", frozenset({one, other}))
        case "<>":
            return negated(compared("=", one, other))
        case "<" | "<=":
            return (name, one, other)
        case ">" | ">=":
            return (name.replace(">", "<"), other, one)
        case _:
            return ("operator", PLAIN, name, one, other)
