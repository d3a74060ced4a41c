"""How a policy's row leads to the caller: over keys to parents, into the table that opens, to the account."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tools.rls.proof.flow import Flow
from tools.rls.proof.graph import Frame, Ref, Way
from tools.rls.proof.keys import Keys, Place
from tools.rls.proof.model import Hop, Identity

Path = tuple[Hop, ...]
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Step:
    """From one numbered row to another over equal columns."""

    start: int
    end: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """What one alternative of a policy says: `table`'s row leads over `hops` to a row of `anchor`, and

    * `opening` is set: a row of that table, found over `scope`, opens the record to the account that `holder`
      hops and `column` name;
    * else the record names the caller itself in `column`.

    `anchor` is empty when the caller is looked up in rows that have nothing to do with the policy's row.
    `row` is the number of the opening's (or the record's) row, `asked` of the one compared with the caller.
    """

    way: Way
    hops: tuple[Hop, ...]
    anchor: str
    column: str
    identity: Identity
    row: int
    asked: int
    opening: str = ""
    scope: tuple[Hop, ...] = ()
    holder: tuple[Hop, ...] = ()
    holder_table: str = ""
    route: tuple[tuple[Path, int], ...] = ()
    alone: bool = True
    """Whether nothing else that asks who calls stands beside it in an AND."""


class Graph:
    """The rows of one frame and everything below it, joined by equalities."""

    def __init__(self, frame: Frame) -> None:
        self.frames = list(frame.closure())
        self.edges: dict[int, dict[int, Pairs]] = {}
        self.asks: dict[tuple[Ref, Identity], None] = {}
        for one in self.frames:
            self.asks.update(one.asks)
            for left, right in one.equal:
                self.edges.setdefault(left.row, {}).setdefault(right.row, []).append(
                    (left.column, right.column)
                )
                self.edges.setdefault(right.row, {}).setdefault(left.row, []).append(
                    (right.column, left.column)
                )

    def reached(self, start: int) -> Mapping[int, tuple[Step, ...]]:
        """The shortest way from a row to each row joined with it."""
        found: dict[int, tuple[Step, ...]] = {start: ()}
        waiting = deque([start])
        while waiting:
            row = waiting.popleft()
            for other, pairs in self.edges.get(row, {}).items():
                if other not in found:
                    found[other] = (*found[row], Step(row, other, tuple(pairs)))
                    waiting.append(other)
        return found


class Chains:
    """Reads chains out of the alternatives of policies."""

    def __init__(self, flow: Flow, keys: Keys) -> None:
        self.flow = flow
        self.keys = keys

    def of(self, way: Way, graph: Graph) -> Iterator[Chain]:
        """The chains of one alternative; callers looked up apart from the row have no anchor."""
        reached = graph.reached(way.row)
        asking = [part for part in way.parts if any(one.asks for one in part.closure())]
        alone = way.frame.alone() if len(asking) < 2 else set[tuple[Ref, Identity]]()
        for ref, identity in graph.asks:
            steps = reached.get(ref.row)
            if steps is None:
                found = Chain(way, (), "", ref.column, identity, ref.row, ref.row, self.flow.tables[ref.row])
            else:
                found = self._chain(way, steps, ref, identity)
            yield found if (ref, identity) in alone else replace(found, alone=False)

    def _chain(self, way: Way, steps: tuple[Step, ...], ref: Ref, identity: Identity) -> Chain:
        asked = ref.row
        # x = a.id and a.id = auth.uid(): the column before names the caller.
        while steps and (same := [a for a, b in steps[-1].pairs if b == ref.column]):
            ref = Ref(steps[-1].start, same[0])
            steps = steps[:-1]
        steps = self._without_self(steps, way.row)
        hops, at, end = self._up(steps, way.row)
        if at == len(steps):
            return Chain(way, hops, self.flow.tables[end], ref.column, identity, end, asked)
        step = steps[at]
        anchor, down, scope = self._turn(step)
        rest = steps[at + 1 :]
        route = self._route(rest)
        holder, last = route[-1] if route else ((), step.end)
        opening, end = self.flow.tables[step.end], self.flow.tables[last]
        return Chain(
            way, hops + down, anchor, ref.column, identity, step.end, asked, opening, scope,
            holder, end, route,
        )  # fmt: skip

    def _route(self, steps: tuple[Step, ...]) -> tuple[tuple[Path, int], ...]:
        """The rows on the way from an opening to the account, each with the hops that lead there.

        A group may stand between, the team that a patient is opened to: up to the team and down to its
        members is one hop, since both name the same team.
        """
        found: list[tuple[Path, int]] = []
        for step in steps:
            hop, before = self._hop(step), found[-1][0] if found else ()
            if before and before[-1].target_columns == hop.columns:
                over = before[-1]
                hop = Hop(over.table, over.columns, hop.target, hop.target_columns)
                found.pop()
                before = before[:-1]
            found.append(((*before, hop), step.end))
        return tuple(found)

    def _without_self(self, steps: tuple[Step, ...], start: int) -> tuple[Step, ...]:
        """The steps without one to the policy's own row again: `id in (select p.id from profiles p ...)`."""
        while steps and self.flow.tables[steps[0].start] == self.flow.tables[steps[0].end]:
            table = self.flow.tables[steps[0].end]
            if not any(a == b and self.keys.is_key(table, a) for a, b in steps[0].pairs):
                break
            steps = steps[1:]
        return steps

    def _up(self, steps: tuple[Step, ...], start: int) -> tuple[tuple[Hop, ...], int, int]:
        """The hops to parents that steps begin with, how many, and the last row."""
        hops: list[Hop] = []
        end = start
        for i, step in enumerate(steps):
            if self._word(step) != "up":
                return tuple(hops), i, end
            hops.append(self._hop(step))
            end = step.end
        return tuple(hops), len(steps), end

    def _word(self, step: Step) -> str:
        return self.keys.direction(self.flow.tables[step.start], self.flow.tables[step.end], list(step.pairs))

    def _hop(self, step: Step) -> Hop:
        return Hop(
            self.flow.tables[step.start],
            tuple(a for a, _ in step.pairs),
            self.flow.tables[step.end],
            tuple(b for _, b in step.pairs),
        )

    def _turn(self, step: Step) -> tuple[str, tuple[Hop, ...], tuple[Hop, ...]]:
        """At the record: its table, the last hop to it, and the hop that leads there from the opening row."""
        start, end = self.flow.tables[step.start], self.flow.tables[step.end]
        if self._word(step) == "down":
            hop = self._hop(step)
            return start, (), (Hop(hop.target, hop.target_columns, hop.table, hop.columns),)
        a, b = step.pairs[0]
        home = self.keys.home(start, a) or self.keys.home(end, b)
        if home is None:  # neither column leads to a table: the value itself is the record
            home = (virtual(b), b)
        return home[0], (Hop(start, (a,), *_at(home)),), (Hop(end, (b,), *_at(home)),)


def _at(place: Place) -> tuple[str, tuple[str, ...]]:
    return place[0], (place[1],)


def virtual(column: str) -> str:
    """The anchor of records that have no table of their own: `(tenant_id)`."""
    return f"({column})"
