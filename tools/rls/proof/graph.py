"""What the conditions of policies compare with what, functions and views unfolded.

A `Frame` is one evaluated expression: the rows of tables that take part are numbered (one number for every
FROM entry, also of the views behind it), and equalities, identities and tests name columns of those rows.
Frames of called functions hang below; one that was evaluated for the same arguments is shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tools.rls.objects import Function, Policy
from tools.rls.proof.model import Identity


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of one numbered row."""

    row: int
    column: str


@dataclass(frozen=True, slots=True)
class Const:
    """A constant as text; a boolean is `true` or `false`."""

    value: str


@dataclass(frozen=True, slots=True)
class Now:
    """The current time or date, also moved by an interval."""


Source = Ref | Const | Now | Identity
Sources = frozenset[Source]
NOTHING: Sources = frozenset()


def union(several: Iterable[Sources]) -> Sources:
    """All sources together."""
    found: set[Source] = set()
    for one in several:
        found |= one
    return frozenset(found)


def ordered(sources: Sources) -> list[Source]:
    """In the same order in every run, for a model that is the same in every run."""
    return sorted(sources, key=repr) if len(sources) > 1 else list(sources)


TestKind = Literal["equal", "unequal", "null", "not_null", "future", "past", "true", "false"]


@dataclass(frozen=True, slots=True)
class Test:
    """A column of a row is tested. `value` is the constant of equal and unequal."""

    ref: Ref
    kind: TestKind
    value: str = ""


@dataclass(slots=True, eq=False)
class Frame:
    """The facts of one evaluated expression or body. What stands under NOT is left out, tests aside."""

    function: Function | None = None
    equal: dict[tuple[Ref, Ref], None] = field(default_factory=dict[tuple[Ref, Ref], None])
    same: dict[tuple[Ref, Ref], None] = field(default_factory=dict[tuple[Ref, Ref], None])
    """Columns of one row that are compared with each other."""
    asks: dict[tuple[Ref, Identity], None] = field(default_factory=dict[tuple[Ref, Identity], None])
    tests: dict[Test, None] = field(default_factory=dict[Test, None])
    claims: dict[tuple[Identity, str], None] = field(default_factory=dict[tuple[Identity, str], None])
    seen: dict[Identity, None] = field(default_factory=dict[Identity, None])
    gated: set[tuple[Ref, Identity] | int] = field(default_factory=set[tuple[Ref, Identity] | int])
    """Asks, and frames below by id, that stand beside another one in an AND."""
    inner: dict[int, Frame] = field(default_factory=dict[int, "Frame"])

    def closure(self) -> Iterator[Frame]:
        """This frame and every frame below it, once."""
        known: dict[int, Frame] = {}
        waiting: list[Frame] = [self]
        while waiting:
            frame = waiting.pop()
            if id(frame) not in known:
                known[id(frame)] = frame
                waiting.extend(frame.inner.values())
        yield from known.values()

    def alone(self) -> set[tuple[Ref, Identity]]:
        """The asks that let somebody in without another one beside them."""
        known: set[int] = set()
        found: set[tuple[Ref, Identity]] = set()
        waiting: list[Frame] = [self]
        while waiting:
            frame = waiting.pop()
            if id(frame) not in known:
                known.add(id(frame))
                found.update(ask for ask in frame.asks if ask not in frame.gated)
                waiting.extend(one for key, one in frame.inner.items() if key not in frame.gated)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One alternative of a policy's USING or WITH CHECK; `row` is the number of the policy's own row."""

    policy: Policy
    part: Literal["using", "check"]
    row: int
    frame: Frame
    parts: tuple[Frame, ...] = ()
    """The frames of its conjuncts."""

    @property
    def reads(self) -> bool:
        """Whether it lets rows be read."""
        return self.part == "using" and self.policy.permissive and self.policy.covers("SELECT")

    @property
    def table(self) -> str:
        """The policy's table."""
        return self.policy.relation
