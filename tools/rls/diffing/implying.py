"""Whether one condition lets through all that another one does: implication, proven or not.

A sequent proof over normal forms. `not` stands before atoms only, so that "is true" is monotone in the
literals and NULL needs no case of its own. What cannot be proven within the budget counts as not implied:
"implied" is always right, "not implied" may be for want of insight.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from tools.rls.diffing.forms import FALSE, TRUE, Form

_BUDGET: Final = 4_000
"""Steps of one proof; the largest policies of real schemas take some hundred."""


class Turn(StrEnum):
    """How what is let through changed from the old side to the new one."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"

    @property
    def back(self) -> Turn:
        """The same change seen from the new side to the old one."""
        return {Turn.WIDER: Turn.NARROWER, Turn.NARROWER: Turn.WIDER}.get(self, self)


Known = Callable[[str, str], Turn]
"""How a function or relation changed: `call`, `called`, `relation` or `owned` (see Normal), and its name."""


def turned(old: Form, new: Form, known: Known, query: bool = False) -> Turn:
    """How the condition (or query) changed, helpers and views having changed as `known` says."""
    wider = Proof(known, forward=True).implies(old, new, query=query)
    narrower = Proof(known, forward=False).implies(new, old, query=query)
    if wider and narrower:
        return Turn.SAME
    return Turn.WIDER if wider else Turn.NARROWER if narrower else Turn.OTHER


class Proof:
    """One direction. `forward`: the left side is the old state, the right side the new one."""

    def __init__(self, known: Known, *, forward: bool) -> None:
        self.known = known
        self.forward = forward
        self.steps = 0

    def implies(self, left: Form, right: Form, *, query: bool = False) -> bool:
        """Whether `right` is true wherever `left` is (whether it gives every row that `left` gives)."""
        if query:
            return self._contains(left, right, targets=True)
        return self._sequent((left,), (right,))

    def _sequent(self, given: tuple[Form, ...], wanted: tuple[Form, ...]) -> bool:
        """Whether one of `wanted` is true wherever all of `given` are."""
        self.steps += 1
        if self.steps > _BUDGET:
            return False
        for i, form in enumerate(given):  # first what does not branch
            if form[0] in ("and", "known"):
                return self._sequent((*given[:i], *given[i + 1 :], *_parts(form)), wanted)
        for i, form in enumerate(wanted):
            if form[0] in ("or", "known"):
                return self._sequent(given, (*wanted[:i], *wanted[i + 1 :], *_parts(form)))
        return self._closed(given, wanted) or self._branches(given, wanted)

    def _branches(self, given: tuple[Form, ...], wanted: tuple[Form, ...]) -> bool:
        for i, form in enumerate(given):
            if form[0] == "or":
                rest = given[:i] + given[i + 1 :]
                return all(self._sequent((*rest, part), wanted) for part in form[1])
        for i, form in enumerate(wanted):
            if form[0] == "and":
                rest = wanted[:i] + wanted[i + 1 :]
                return all(self._sequent(given, (*rest, part)) for part in form[1])
        return False

    def _closed(self, given: tuple[Form, ...], wanted: tuple[Form, ...]) -> bool:
        if FALSE in given or TRUE in wanted:
            return True
        if any(form[0] == "not" and form[1] in given for form in given):
            return True
        return any(self.atom(one, other) for one in given for other in wanted)

    def atom(self, one: Form, other: Form) -> bool:
        """Whether one literal implies another."""
        if one == other:
            return self._steady(one)
        if one[0] == "not" and other[0] == "not":
            return self._not(one[1], other[1])
        if other[0] == "not":
            return self._excludes(one, other[1])
        if one[0] != other[0]:
            return (one[0], other[0]) == ("<", "<=") and one[1:] == other[1:] and self._steady(one)
        match one[0]:
            case "in":
                return one[1] == other[1] and one[2] <= other[2] and self._steady(one[1])
            case "exists":
                return self._contains(one[1], other[1], targets=False)
            case "among":
                same = one[1] == other[1] and self._steady(one[1])
                return same and self._contains(one[2], other[2], targets=True)
            case "call" | "called" | "scalar" | "array":
                return one == other and self._steady(one)
            case _:
                return False

    def _not(self, one: Form, other: Form) -> bool:
        """not x implies not y: for lists and NULL tests the other way round; else only when nothing moved."""
        if one[0] == other[0] == "in":
            return one[1] == other[1] and other[2] <= one[2] and self._steady(one[1])
        return one == other and self._still(one)

    def _excludes(self, one: Form, other: Form) -> bool:
        """A comparison that is true had no NULL in it, and no other value."""
        if other[0] == "null":
            sides = {"in": one[1:2], "<": one[1:], "<=": one[1:], "among": one[1:2]}.get(str(one[0]), ())
            sides = tuple(one[1]) if one[0] == "=" else sides
            return other[1] in sides and self._still(other[1])
        same = one[0] == other[0] == "in" and one[1] == other[1]
        return same and not one[2] & other[2] and self._still(one[1])

    # -- what changed beneath an unchanged text --------------------------------------------

    def _steady(self, form: Form) -> bool:
        """Whether a literal is true at the right side wherever it is at the left: helpers may have moved."""
        if form[0] == "not":
            return self._still(form[1])
        if form[0] in ("call", "called"):
            return self._moved(form[0], form[1]) and all(self._still(part) for part in form[2])
        if form[0] == "exists":
            return self._contains(form[1], form[1], targets=False)
        if form[0] == "among":
            return self._still(form[1]) and self._contains(form[2], form[2], targets=True)
        return self._still(form)

    def _still(self, form: object) -> bool:
        """Whether nothing that the form reaches changed at all."""
        if isinstance(form, frozenset):
            return all(self._still(part) for part in form)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  forms
        if not isinstance(form, tuple):
            return True
        parts: Form = form  # pyright: ignore[reportUnknownVariableType]  a form
        match parts:
            case ("call" | "called" | "relation" | "owned" as kind, str(name), *_) if (
                self.known(kind, name) is not Turn.SAME
            ):
                return False
            case _:
                pass
        return all(self._still(part) for part in parts)

    def _moved(self, kind: str, name: str) -> bool:
        """Whether what a function or view gave at the left it gives at the right as well."""
        turn = self.known(kind, name)
        return turn in (Turn.SAME, Turn.WIDER if self.forward else Turn.NARROWER)

    # -- queries ---------------------------------------------------------------------------

    def _contains(self, one: Form, other: Form, *, targets: bool) -> bool:
        """Whether `other` gives every row of `one` (without targets: one where `one` gives one)."""
        if one[0] == "union":
            return all(self._contains(arm, other, targets=targets) for arm in one[1])
        if other[0] == "union":
            return any(self._contains(one, arm, targets=targets) for arm in other[1])
        if one[0] != "query" or other[0] != "query":
            return one == other and self._still(one)
        if one[4] != other[4] or (targets and not self._targets(one[1], other[1])):
            return False
        whole = one == other and self._still(one)
        if one[4] or any(source[0] == "join" for source in (*one[2], *other[2])):
            # Grouping, limits and outer joins: fewer rows beneath may be other rows above.
            return whole
        if whole or not (targets and any(_computed(target) for target in one[1])):
            return whole or (self._sources(one[2], other[2]) and self._sequent((one[3],), (other[3],)))
        return False

    def _sources(self, one: Form, other: Form) -> bool:
        """Whether every relation that `other` joins is joined by `one` too, and gives no less."""
        left = list(one)
        for source in other:
            if source not in left:
                return False
            left.remove(source)
            moved = self._moved(*source[:2]) if source[0] in ("relation", "owned") else self._still(source)
            if not moved:
                return False
        return True

    def _targets(self, one: Form, other: Form) -> bool:
        """The same outputs; a set-returning helper may give more."""
        return one == other and all(self._steady(target) for target in one)


def _parts(form: Form) -> tuple[Form, ...]:
    return (form[1],) if form[0] == "known" else tuple(form[1])


def _computed(target: Form) -> bool:
    """Whether an output may be an aggregate, or anything else that depends on more than its own row."""
    if target[0] in ("call", "called"):
        return "." not in target[1]
    return target[0] not in ("column", "const", "param", "text", "ColumnRef")
