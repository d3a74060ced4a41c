"""Whether the columns that a declared model names exist: a misspelt one would open or close nothing."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from tools.errors import ConfigurationError
from tools.rls.proof.model import Condition, Hop, Model, Way
from tools.rls.proof.states import keys_of
from tools.rls.proof.world import PATH
from tools.rls.snapshot import Snapshot
from tools.rls.storage import OBJECTS


def check_columns(model: Model, snapshot: Snapshot) -> None:
    """Raises ConfigurationError for the first column of a declared table that its relation lacks."""
    for table, column in _named(model):
        relation = snapshot.relations.get(table)
        if relation is None or column in relation.columns:
            continue
        near = get_close_matches(column, list(relation.columns), n=2, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(relation.columns)}."
        raise ConfigurationError(
            f"[rls] in sergei.toml names {table}.{column}, which does not exist.", hint=hint
        )


def _named(model: Model) -> Iterator[tuple[str, str]]:
    for anchor in model.anchors.values():
        if anchor.table in model.declared:
            yield anchor.table, anchor.key
            yield from _ways(anchor.owners)
            yield from _conditions(anchor.conditions)
            for hops in anchor.parents:
                yield from _hops(hops)
    for opening in model.openings:
        if opening.table in model.declared:
            yield from _hops(opening.scope)
            yield from _ways((opening.account,))
            yield from _conditions(opening.conditions)
            if opening.level:
                yield opening.table, opening.level
            yield from ((opening.table, column) for column, _, _ in opening.accepts)
    for row in model.tables.values():
        if row.table in model.declared:
            for hops in row.paths:
                yield from _hops(hops)
            yield from _ways((*row.parties, *row.authors))
            yield from _conditions((row.open_rows,) if row.open_rows is not None else ())
            for key in keys_of(row.expect):
                yield from ((row.table, name) for name in key.columns)
                column = key.state.column if key.state is not None else ""
                if column and (row.table, column) != (OBJECTS, PATH):
                    yield row.table, column


def _hops(hops: tuple[Hop, ...]) -> Iterator[tuple[str, str]]:
    for hop in hops:
        yield from ((hop.table, column) for column in hop.columns)
        yield from ((hop.target, column) for column in hop.target_columns)


def _ways(ways: tuple[Way, ...]) -> Iterator[tuple[str, str]]:
    for way in ways:
        yield from _hops(way.hops)
        yield way.table, way.column


def _conditions(conditions: tuple[Condition, ...]) -> Iterator[tuple[str, str]]:
    for condition in conditions:
        yield from _hops(condition.hops)
        yield condition.table, condition.column
