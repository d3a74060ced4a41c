"""PostgreSQL as the solver of CHECK constraints: one query finds values with which they all hold.

Each free column has a list of candidates, the preferred first. Candidates that are no literal of the type and
those that fail a condition on one column alone go first; of what is left the product is tried in order of
preference, within a bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Final, LiteralString, cast

from psycopg import sql

from tools.sandbox.scratch.hints import names_in
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.shapes import Shape
from tools.sandbox.scratch.values import Candidate, Default

PRODUCTS: Final = (400, 40_000)
"""How many combinations are tried: first a few, then the bound."""
ONE_BY_ONE: Final = 200
"""How many where a condition fails with an error on some of them, which would end the whole query."""
VALIDITY_SINCE: Final = 160000  # pg_input_is_valid


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and the table's columns in it; names stand unqualified."""

    expression: str
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Problem:
    """Columns that need values together. `known` are columns of the conditions that have one already."""

    shape: Shape
    pools: Mapping[str, Sequence[Candidate]]
    known: Mapping[str, str | None]
    conditions: Sequence[Condition]


def solve(session: ScratchSession, problem: Problem) -> dict[str, int] | None:
    """For each free column the place of its value in its pool; None when nothing in the bound fits."""
    before: list[int] = []
    for bound in PRODUCTS:
        limits = _limits([len(pool) for pool in problem.pools.values()], bound)
        if limits == before:
            break
        before = limits
        try:
            with session.savepoint():
                found = session.rows(_query(session, problem, limits))
        except SqlFailure:
            return _one_by_one(session, problem)
        if found:
            return dict(zip(problem.pools, found[0], strict=True))
    return None


def components(free: Sequence[str], conditions: Sequence[Condition]) -> list[list[str]]:
    """Free columns in groups that no condition reaches across; those without any condition are left out."""
    groups: list[frozenset[str]] = []
    for condition in conditions:
        touched = condition.columns & set(free)
        if touched:
            joined = [group for group in groups if group & touched]
            groups = [group for group in groups if not group & touched]
            groups.append(touched.union(*joined))
    return [[name for name in free if name in group] for group in groups]


def _limits(sizes: Sequence[int], bound: int) -> list[int]:
    """How many candidates of each column may be tried: raised evenly while the product stays in bound."""
    limits = [1] * len(sizes)
    grew = True
    while grew:
        grew = False
        for place, size in enumerate(sizes):
            if limits[place] < size and math.prod(limits) // limits[place] * (limits[place] + 1) <= bound:
                limits[place] += 1
                grew = True
    return limits


def _query(session: ScratchSession, problem: Problem, limits: Sequence[int]) -> sql.Composed:
    """The whole search. Names of ours start with ~, which no column will have."""
    pools: list[sql.Composable] = []
    for place, (name, limit) in enumerate(zip(problem.pools, limits, strict=True)):
        pools += [_candidates(session, problem, place, name), _passing(problem, place, name, limit)]
    together = [
        condition for condition in problem.conditions if len(condition.columns & frozenset(problem.pools)) > 1
    ]
    ranks = [sql.Identifier(f"~{place}") for place in range(len(limits))]
    columns = [
        sql.SQL("{}.{} as {}, {}.{} as {}").format(
            sql.Identifier(f"~p{place}"),
            sql.Identifier("~r"),
            rank,
            sql.Identifier(f"~p{place}"),
            sql.Identifier("~c"),
            sql.Identifier(name),
        )
        for place, (name, rank) in enumerate(zip(problem.pools, ranks, strict=True))
    ]
    sources = sql.SQL(" cross join ").join(sql.Identifier(f"~p{place}") for place in range(len(limits)))
    inner = sql.SQL("select {} from {}").format(sql.SQL(", ").join([*columns, *_constants(problem)]), sources)
    return sql.SQL("with {} select {} from ({}) {} where {} order by {} limit 1").format(
        sql.SQL(", ").join(pools),
        sql.SQL(", ").join(ranks),
        _with_generated(problem, inner),
        sql.Identifier("~t"),
        _all_hold(together),
        sql.SQL(" + ").join(ranks),
    )


def _candidates(session: ScratchSession, problem: Problem, place: int, name: str) -> sql.Composed:
    """One column's candidates with their rank, without those that its type does not read."""
    column = problem.shape.by_name[name]
    type_ = _raw(column.stored)
    texts = [
        (rank, value) for rank, value in enumerate(problem.pools[name]) if not isinstance(value, Default)
    ]
    defaults = [rank for rank, value in enumerate(problem.pools[name]) if isinstance(value, Default)]
    parts: list[sql.Composable] = [
        sql.SQL("select {}::int as {}, ({})::{} as {}").format(
            sql.Literal(rank),
            sql.Identifier("~r"),
            _raw(column.default or "null"),
            type_,
            sql.Identifier("~c"),
        )
        for rank in defaults
    ]
    if texts:
        rows = sql.SQL(", ").join(
            sql.SQL("({}::int, {}::text)").format(sql.Literal(r), sql.Literal(v)) for r, v in texts
        )
        valid = sql.SQL("true")
        if session.server_version >= VALIDITY_SINCE:
            valid = sql.SQL("(v is null or pg_input_is_valid(v, {}))").format(sql.Literal(column.stored))
        parts.append(
            sql.SQL("select r as {}, v::{} as {} from (values {}) v (r, v) where {}").format(
                sql.Identifier("~r"), type_, sql.Identifier("~c"), rows, valid
            )
        )
    return sql.SQL("{} as materialized ({})").format(
        sql.Identifier(f"~a{place}"), sql.SQL(" union all ").join(parts)
    )


def _passing(problem: Problem, place: int, name: str, limit: int) -> sql.Composed:
    """The first `limit` of a column's candidates that meet the conditions on this column alone."""
    alone = [
        item for item in problem.conditions if item.columns & frozenset(problem.pools) == frozenset([name])
    ]
    inner = sql.SQL("select {}, {} as {}{} from {}").format(
        sql.Identifier("~r"),
        sql.Identifier("~c"),
        sql.Identifier(name),
        sql.SQL("").join(sql.SQL(", ") + item for item in _constants(problem)),
        sql.Identifier(f"~a{place}"),
    )
    return sql.SQL(
        "{} as materialized (select {}, {} as {} from ({}) {} where {} order by 1 limit {})"
    ).format(
        sql.Identifier(f"~p{place}"),
        sql.Identifier("~r"),
        sql.Identifier(name),
        sql.Identifier("~c"),
        _with_generated(problem, inner, only=name),
        sql.Identifier("~t"),
        _all_hold(alone),
        sql.Literal(limit),
    )


def _with_generated(problem: Problem, inner: sql.Composable, only: str = "") -> sql.Composable:
    """The rows of `inner` and the generated columns that the conditions mention."""
    wanted = set[str]().union(*(condition.columns for condition in problem.conditions))
    present = set(problem.known) | ({only} if only else set(problem.pools))
    made = [
        sql.SQL(", ({}) as {}").format(_raw(column.generation), sql.Identifier(column.name))
        for column in problem.shape.columns
        if column.generated and column.name in wanted and sources_of(problem.shape, column.name) <= present
    ]
    if not made:
        return inner
    alias = sql.Identifier("~g")
    return sql.SQL("select {}.*{} from ({}) {}").format(alias, sql.SQL("").join(made), inner, alias)


def sources_of(shape: Shape, generated: str) -> set[str]:
    """The columns that a generated column is made of."""
    column = shape.by_name[generated]
    return names_in(column.generation) & {other.name for other in shape.columns if not other.generated}


def _constants(problem: Problem) -> list[sql.Composable]:
    return [
        sql.SQL("{}::{} as {}").format(
            sql.Literal(value), _raw(problem.shape.by_name[name].stored), sql.Identifier(name)
        )
        for name, value in problem.known.items()
    ]


def _all_hold(conditions: Sequence[Condition]) -> sql.Composable:
    held = [sql.SQL("({}) is not false").format(_raw(condition.expression)) for condition in conditions]
    return sql.SQL(" and ").join(held) if held else sql.SQL("true")


def _raw(text: str) -> sql.SQL:
    """Text that PostgreSQL itself deparsed: an expression or a type's name."""
    return sql.SQL(cast("LiteralString", text))


def _one_by_one(session: ScratchSession, problem: Problem) -> dict[str, int] | None:
    """The same search with one query for each combination; one that fails is one that does not fit."""
    sizes = [range(len(pool)) for pool in problem.pools.values()]
    several = sorted(islice(product(*sizes), 20_000), key=sum)[:ONE_BY_ONE]
    for chosen in several:
        single = Problem(
            problem.shape,
            {name: [pool[place]] for (name, pool), place in zip(problem.pools.items(), chosen, strict=True)},
            problem.known,
            problem.conditions,
        )
        try:
            with session.savepoint():
                if session.rows(_query(session, single, [1] * len(chosen))):
                    return dict(zip(problem.pools, chosen, strict=True))
        except SqlFailure:
            continue
    return None
