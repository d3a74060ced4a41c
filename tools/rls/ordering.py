"""Which of two conditions of one snapshot is the narrower: helpers unfolded, level words ordered.

`can_access(p, 'write')` implies `can_access(p, 'read')` when every test of the level in the body says so,
although the body is a procedure that cannot be unfolded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, cast

from tools.rls.diffing.forms import FALSE, TRUE, Form, both, compared, either, negated
from tools.rls.diffing.implying import Proof, Turn
from tools.rls.diffing.normal import Normal
from tools.rls.diffing.unfolding import source, substituted, unfold
from tools.rls.facts import expression
from tools.rls.objects import Function, Policy, Relation
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot

_SIGNED_IN: Final = ("in", ("call", "auth.role/0", (), ()), frozenset({("const", "authenticated")}))
_DECIDED: Final = re.compile(
    r"\bif\b((?:(?!\bif\b|\bthen\b|\belse\b).)*)\bthen\s+return\s+(true|false)\s*;\s*end\s+if\s*;",
    re.IGNORECASE | re.DOTALL,
)
_RETURNED: Final = re.compile(r"\breturn\b([^;]*);", re.IGNORECASE)
_BRANCHES: Final = re.compile(r"\b(if|elsif|else|case|loop|while|for|exception)\b", re.IGNORECASE)


class Ordering:
    """Proofs over one snapshot. "Implied" is always right, "not implied" may be for want of insight."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.unfold = unfold(snapshot)
        self._forms: dict[tuple[object, ...], Form | None] = {}
        self._words: dict[tuple[str, tuple[Form, ...], tuple[Form, ...]], bool] = {}

    def form(
        self, relation: Relation, policy: Policy, *, new_row: bool, unfolded: bool = False
    ) -> Form | None:
        """A policy's USING, or what a new row must satisfy; worked out once where tables repeat a text."""
        key = (*said(relation, policy, new_row=new_row), unfolded)
        if key not in self._forms:
            form = self.unfold.condition(relation, policy, new_row=new_row, unfolded=unfolded)
            self._forms[key] = settled(form) if form is not None else None
        return self._forms[key]

    def implies(self, one: Form, other: Form) -> bool:
        """Whether `other` is true wherever `one` is."""
        return _Proof(self.looser).implies(settled(one), settled(other))

    def contained(self, one: Form, other: Form) -> bool:
        """Whether a query gives every row that another one gives."""
        return _Proof(self.looser).implies(settled(one), settled(other), query=True)

    def narrower(self, one: Form, other: Form) -> bool:
        """Whether `one` implies `other`, and nothing shows that they are the same."""
        return self.implies(one, other) and not self.implies(other, one)

    def looser(self, one: Form, other: Form) -> bool:
        """Whether a call implies another call of the same function that differs in a constant argument."""
        if one[:2] != other[:2] or one[3:] != other[3:]:
            return False
        key = (one[1], one[2], other[2])
        if key not in self._words:
            self._words[key] = False  # a body that asks itself decides nothing
            self._words[key] = self._looser(one, other)
        return self._words[key]

    def _looser(self, one: Form, other: Form) -> bool:
        differing = [i for i, (a, b) in enumerate(zip(one[2], other[2], strict=True)) if a != b]
        if not differing or any(one[2][i][0] != "const" or other[2][i][0] != "const" for i in differing):
            return False
        found = self.snapshot.functions_named.get(one[1].rpartition("/")[0], ())
        if len(found) != 1 or found[0].language != "plpgsql" or found[0].returns != "boolean":
            return False
        parts = _decisions(found[0], {found[0].arguments[i] for i in differing})
        if parts is None:
            return False
        normal = Normal(self.snapshot, reach(self.snapshot).path(found[0]), function=found[0])
        for says, text in parts:
            facts = expression(text)
            if facts is None:
                return False
            form = normal.condition(facts.root)
            left, right = (cast("Form", substituted(form, call[2])) for call in (one, other))
            if not (self.implies(left, right) if says else self.implies(right, left)):
                return False
        return True


class _Proof(Proof):
    """Nothing moved between the sides: both are of one snapshot."""

    def __init__(self, looser: Callable[[Form, Form], bool]) -> None:
        super().__init__(_unmoved, forward=True)
        self.looser = looser

    def atom(self, one: Form, other: Form) -> bool:
        """As for any proof; calls of one function may be ordered by a level word."""
        if one[0] == other[0] and one[0] in ("call", "called") and one != other:
            return self.looser(one, other)
        return super().atom(one, other)


def said(relation: Relation, policy: Policy, *, new_row: bool) -> tuple[object, ...]:
    """What a policy's condition depends on: equal for two tables, it is the same condition."""
    own = (policy.command in ("SELECT", "DELETE"), policy.check_text or policy.using_text)
    text = own if new_row else (False, policy.using_text)
    name = relation.name if relation.name in (text[1] or "") else ""
    return (new_row, *text, name, tuple(relation.columns))


@lru_cache(maxsize=2)
def ordering(snapshot: Snapshot) -> Ordering:
    """The Ordering of a snapshot (snapshots compare by identity)."""
    return Ordering(snapshot)


def settled(form: Form) -> Form:
    """The form with comparisons of constants decided, as they arise when arguments are put in."""
    return cast("Form", _settled(form))


def _settled(form: Any) -> Any:
    if isinstance(form, frozenset):
        return frozenset(_settled(part) for part in cast("frozenset[Any]", form))
    if not isinstance(form, tuple) or not form:
        return form  # pyright: ignore[reportUnknownVariableType]  a word, a number, or ()
    parts: Form = tuple(_settled(part) for part in cast("Form", form))
    if parts == _SIGNED_IN:
        return TRUE
    match parts[0]:
        case "and" | "or":
            return (both if parts[0] == "and" else either)(list(parts[1]))
        case "not" if len(parts) == 2:
            return negated(parts[1])
        case "in" if parts[1][0] == "const":
            return TRUE if parts[1] in parts[2] else FALSE
        case "=" if len(parts) == 2:
            return _equal(tuple(parts[1]))
        case _:
            return parts


def _equal(sides: tuple[Form, ...]) -> Form:
    if len(sides) == 2:
        if all(side[0] == "const" for side in sides):
            return FALSE  # two sides of a set differ
        return compared("=", *sides)
    return ("=", frozenset(sides))


def _decisions(function: Function, names: set[str]) -> list[tuple[bool, str]] | None:
    """The conditions that mention a parameter, and whether the function says yes where they are true.

    None when one stands anywhere else than in `if ... then return true|false` and `return ...`.
    """
    body = source(function)
    named = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
    found = [(says.lower() == "true", text) for text, says in _DECIDED.findall(body)]
    rest = _DECIDED.sub(" ", body)
    found += [(True, text) for text in _RETURNED.findall(rest)]
    if named.search(_RETURNED.sub(" ", rest)) or _BRANCHES.search(rest):
        return None
    return [(says, text) for says, text in found if named.search(text)]


def _unmoved(kind: str, name: str) -> Turn:
    del kind, name
    return Turn.SAME
