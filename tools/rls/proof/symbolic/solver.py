"""z3 behind three typed methods. Its own annotations say little, so nothing of it leaves this module."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any as Untyped
from typing import Final, Literal, TypeVar

from tools.rls.proof.symbolic.formula import All, Always, Any, Compared, Flag, Formula, Not

EFFORT: Final = 4_000_000
"""z3's own count of steps, about a second. A clock would need a thread for every question, and would make
answers depend on the machine's load."""
_SEED: Final = 7
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class State:
    """One assignment that satisfies what was asked. Names that it does not mention do not matter."""

    numbers: dict[str, int]
    flags: dict[str, bool]


class Context:
    """Terms of one run.

    z3 numbers them as they come, and the numbers decide which of several states it shows: a context of its
    own makes a run independent of the ones before.
    """

    def __init__(self) -> None:
        import z3  # pyright: ignore[reportMissingTypeStubs]  it has none

        self.z3: Untyped = z3
        self.context: Untyped = self.z3.Context()


class Solver:
    """Formulas that hold throughout, and questions on top of them."""

    def __init__(self, given: Iterable[Formula] = (), context: Context | None = None) -> None:
        context = context or Context()
        self._z3: Untyped = context.z3
        self._context: Untyped = context.context
        # The incremental core, one thread, fixed seeds: the same question has the same answer everywhere.
        self._solver: Untyped = self._z3.SimpleSolver(ctx=self._context)
        self._solver.set("rlimit", EFFORT)
        self._solver.set("random_seed", _SEED)
        self._known: dict[Formula, Untyped] = {}
        self._names: dict[str, Untyped] = {}
        self._flags: set[str] = set()
        for formula in given:
            self.require(formula)

    def require(self, formula: Formula) -> None:
        """Let a formula hold from now on."""
        self._solver.add(self._term(formula))

    def possible(self, *formulas: Formula) -> bool | None:
        """Whether there is such a state; None where it is too hard to say."""
        answer = self._asked(formulas, lambda: True)
        return None if answer == "unknown" else answer != "unsat"

    def ask(self, *formulas: Formula) -> State | Literal["unsat", "unknown"]:
        """A state in which the formulas hold, on top of what is required; "unknown" where it is too hard."""
        return self._asked(formulas, lambda: self._state(self._solver.model()))

    def _asked(
        self, formulas: Iterable[Formula], found: Callable[[], _T]
    ) -> _T | Literal["unsat", "unknown"]:
        self._solver.push()
        try:
            for formula in formulas:
                self._solver.add(self._term(formula))
            answer = self._solver.check()
            if answer == self._z3.sat:
                return found()
            return "unsat" if answer == self._z3.unsat else "unknown"
        finally:
            self._solver.pop()

    def _state(self, model: Untyped) -> State:
        numbers: dict[str, int] = {}
        flags: dict[str, bool] = {}
        for name, term in self._names.items():
            value = model.eval(term)
            if name in self._flags:
                if self._z3.is_true(value) or self._z3.is_false(value):
                    flags[name] = bool(self._z3.is_true(value))
            elif self._z3.is_int_value(value):
                numbers[name] = int(value.as_long())
        return State(numbers, flags)

    def _term(self, formula: Formula) -> Untyped:
        known = self._known.get(formula)
        if known is None:
            known = self._known[formula] = self._built(formula)
        return known

    def _built(self, formula: Formula) -> Untyped:
        match formula:
            case Always(value):
                return self._z3.BoolVal(value, self._context)
            case Flag(name):
                self._flags.add(name)
                return self._name(name, self._z3.Bool)
            case Compared(operator, left, right):
                one, other = self._side(left), self._side(right)
                return one == other if operator == "=" else one < other
            case Not(part):
                return self._z3.Not(self._term(part), self._context)
            case All(parts):
                return self._z3.And([self._term(part) for part in parts])
            case Any(parts):
                return self._z3.Or([self._term(part) for part in parts])

    def _side(self, side: str | int) -> Untyped:
        return (
            self._z3.IntVal(side, self._context) if isinstance(side, int) else self._name(side, self._z3.Int)
        )

    def _name(self, name: str, make: Untyped) -> Untyped:
        if name not in self._names:
            self._names[name] = make(name, self._context)
        return self._names[name]
