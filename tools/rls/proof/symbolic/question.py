"""Questions to the solver about one policy and one opening, and its answers as people for the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tools.rls.proof.actors import Spec
from tools.rls.proof.model import Condition, Opening, Rank
from tools.rls.proof.symbolic.formula import TRUE, Formula, all_of, any_of, compared, negated, variables
from tools.rls.proof.symbolic.solver import Context, Solver, State
from tools.rls.proof.symbolic.states import Tested, far, others, pinned, same_class, spelling
from tools.rls.proof.symbolic.terms import Scalar, Space

_MOST: Final = 8
"""Witnesses per condition, and combinations per policy: more would show the same fault again."""


class Timeout(Exception):
    """The solver gave up."""


class Question:
    """One policy and one opening. `base` holds where the caller's row makes the difference."""

    def __init__(
        self,
        space: Space,
        opening: Opening,
        known: tuple[Tested, ...],
        base: tuple[Formula, ...],
        constants: Mapping[tuple[str, str], tuple[str, ...]],
        context: Context,
    ) -> None:
        self.space = space
        self.opening = opening
        self.known = known
        self.constants = constants
        columns = space.own.relation.columns
        self.level = space.cell(space.own, opening.level) if opening.level in columns else None
        asked = {name for formula in base for name in variables(formula)}
        self.others = tuple(
            (condition, value)
            for condition, value in others(space, known, opening.level)
            if asked & {str(value.atom), *variables(value.null)}
        )
        self._known_possible: dict[Formula, bool] = {}
        given = tuple(space.given.values())
        self._solver = Solver([*base, *given], context)
        self._free = Solver(given, context)

    def opens(self) -> bool:
        """Whether a living row is let through at all."""
        return self._passes(*(one.alive for one in self.known))

    def dead(self) -> Iterator[Spec]:
        """People that are let through although the model calls their row dead: each fault of one condition,
        then what passes only while several conditions fail together."""
        alone: list[Formula] = []
        for one in self.known:
            rest = [other.alive for other in self.known if other is not one]
            found = list(self._each_value(one, [one.dead, *rest]))
            if found:
                alone.append(one.alive)
            yield from found
        yield from self._together(alone)

    def levels(self, *, writes: bool) -> Iterator[Spec]:
        """People whose level gives no right to what they are let do."""
        if self.level is None or not self.opening.ranks:
            return
        ranks = self.opening.ranks
        values = tuple(rank.value for rank in ranks)
        fitting = [
            rank for rank in ranks if rank.rights & {"write", "manage"} or (rank.rights and not writes)
        ]
        asked = negated(self._one_of(self.level, [rank.value for rank in fitting]))
        if not writes or (self.opening.table, self.opening.level) not in self.space.labels:
            # What a value that the model does not rank means is nobody's guess.
            asked = all_of((asked, self._one_of(self.level, list(values))))
        fixed = [asked, *self._stranger(), *(one.alive for one in self.known)]
        condition = Condition((), self.opening.table, self.opening.level, "one_of", values)
        for value, state in self._values(self.level, fixed, condition):
            at = [*fixed, pinned(self.level, state)]
            if value in values:
                yield Spec(self.opening.name, value, self._besides(at))
            else:
                yield Spec(self.opening.name, "", ((condition, value), *self._besides(at)))

    def _stranger(self) -> Iterator[Formula]:
        """The caller is named by no other row: what he may do as author or owner is not his level's doing."""
        caller = self.space.caller.atom
        for name, (row, _) in self.space.cells.items():
            if row.hops is None and isinstance(caller, int):
                yield negated(compared("=", name, caller))

    # -- witnesses -----------------------------------------------------------------------

    def _each_value(self, one: Tested, fixed: list[Formula]) -> Iterator[Spec]:
        for value, state in self._values(one.value, fixed, one.condition):
            yield self._spec(((one.condition, value),), [*fixed, same_class(one.value, state)])

    def _together(self, blocked: list[Formula]) -> Iterator[Spec]:
        dead = any_of(one.dead for one in self.known)
        for _ in range(_MOST):
            if not self._passes(dead, *blocked):
                return
            kept = list(self.known)
            for one in self.known:
                fewer = [other for other in kept if other is not one]
                alive = [other.alive for other in self.known if other not in fewer]
                if fewer and self._passes(dead, *blocked, *alive):
                    kept = fewer
            alive = [other.alive for other in self.known if other not in kept]
            fixed = [*blocked, *(one.dead for one in kept), *alive]
            changes: list[tuple[Condition, str | None]] = []
            for one in kept:
                value, state = next(self._values(one.value, fixed, one.condition))
                changes.append((one.condition, value))
                fixed.append(same_class(one.value, state))
            yield self._spec(tuple(changes), fixed)
            blocked = [*blocked, any_of(one.alive for one in kept)]

    def _spec(self, changes: tuple[tuple[Condition, str | None], ...], fixed: list[Formula]) -> Spec:
        rank, chosen = self._rank(fixed)
        return Spec(self.opening.name, rank, (*changes, *self._besides([*fixed, chosen])))

    def _rank(self, fixed: list[Formula]) -> tuple[str, Formula]:
        """The weakest level that is let through."""
        level = self.level
        for rank in sorted(self.opening.ranks, key=_weight) if level is not None else ():
            chosen = self._one_of(level, [rank.value]) if level is not None else TRUE
            if self._passes(*fixed, chosen):
                return rank.value, chosen
        return "", TRUE

    def _besides(self, fixed: list[Formula]) -> tuple[tuple[Condition, str | None], ...]:
        """Columns outside the model that must have a certain value for the row to pass.

        Left out where a living row needs the same value on a row that the keys lead to.
        """
        changes: list[tuple[Condition, str | None]] = []
        alive = [one.alive for one in self.known]
        for condition, value in self.others:
            state = self._ask(*fixed)
            if state is None:
                return tuple(changes)
            here = same_class(value, state)
            if not self._essential(value, fixed, here):
                continue
            if condition.hops and not self._passes(*alive, negated(here)):
                continue
            text = spelling(self.space, value, state)
            changes.append((_as_condition(condition, value, text), text))
            fixed = [*fixed, here]
        return tuple(changes)

    def _essential(self, value: Scalar, fixed: list[Formula], here: Formula) -> bool:
        """Whether some other value of the column would not pass."""
        tries: list[Formula] = [value.null]
        atom = value.atom
        if isinstance(atom, str):
            known = negated(value.null)
            if value.kind == "boolean":
                tries += [all_of((known, compared("=", atom, number))) for number in (0, 1)]
            elif value.kind == "time":
                tries += [all_of((known, compared("<", atom, 0))), all_of((known, compared("<", 0, atom)))]
            else:
                tries += [all_of((known, compared("=", atom, number))) for number in self._numbers(value)]
        return any(self._possible(one) and not self._passes(*fixed, one) for one in tries if one != here)

    def _possible(self, value: Formula) -> bool:
        if value not in self._known_possible:
            self._known_possible[value] = self._free.possible(value) is not False
        return self._known_possible[value]

    # -- values --------------------------------------------------------------------------

    def _values(
        self, value: Scalar, fixed: list[Formula], condition: Condition
    ) -> Iterator[tuple[str | None, State]]:
        """The values of a column that pass, one of each class; names that the schema uses come first."""
        blocked: list[Formula] = []
        known = any_of(
            (value.null, *(compared("=", str(value.atom), n) for n in self._numbers(value, condition)))
        )
        for preferred in ([known], []) if value.kind in ("text", "number") else ([],):
            if not preferred and blocked:
                return
            for _ in range(_MOST):
                state = self._ask(*fixed, *preferred, *blocked)
                if state is None:
                    break
                if value.kind == "time":
                    state = self._usual(value, fixed, blocked, state)
                blocked.append(negated(same_class(value, state)))
                yield spelling(self.space, value, state), state
                if condition.kind == "null":
                    return

    def _usual(self, value: Scalar, fixed: list[Formula], blocked: list[Formula], state: State) -> State:
        """For a time: the past before the future, and far from now where that passes as well."""
        past = all_of((negated(value.null), compared("<", str(value.atom), 0)))
        state = self._ask(*fixed, *blocked, past) or state
        return self._ask(*fixed, same_class(value, state), far(value, state)) or state

    def _numbers(self, value: Scalar, condition: Condition | None = None) -> list[int]:
        """The values of a column that somebody named: labels, constants of policies, the model's own."""
        at = self.space.cells.get(str(value.atom))
        place = (at[0].relation.title, at[1]) if at is not None else ("", "")
        texts = [*self.space.labels.get(place, ()), *self.constants.get(place, ())]
        texts += condition.values if condition is not None else ()
        if place == (self.opening.table, self.opening.level):
            texts += [rank.value for rank in self.opening.ranks]
        found = [self.space.constant(text, value.kind) for text in dict.fromkeys(texts)]
        return [number for number in found if number is not None]

    def _one_of(self, value: Scalar, texts: list[str]) -> Formula:
        numbers = [self.space.constant(text, value.kind) for text in texts]
        equal = any_of(compared("=", str(value.atom), n) for n in numbers if n is not None)
        return all_of((negated(value.null), equal))

    def _passes(self, *formulas: Formula) -> bool:
        answer = self._solver.possible(*formulas)
        if answer is None:
            raise Timeout
        return answer

    def _ask(self, *formulas: Formula) -> State | None:
        answer = self._solver.ask(*formulas)
        if answer == "unknown":
            raise Timeout
        return answer if isinstance(answer, State) else None


def _weight(rank: Rank) -> int:
    return len(rank.rights)


def _as_condition(condition: Condition, value: Scalar, text: str | None) -> Condition:
    """The condition that this value meets."""
    where = (condition.hops, condition.table, condition.column)
    if text is None:
        return Condition(*where, "null")
    if value.kind == "boolean":
        return Condition(*where, "true" if text == "true" else "false")
    if value.kind == "time":
        return Condition(*where, "not_null")
    return Condition(*where, "one_of", (text,))
