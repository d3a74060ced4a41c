"""What finer expectations need a world and its attacks to have: rows in certain states, columns to change.

While a schema is observed, that is what its own conditions tell apart; afterwards, what sergei.toml says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tools.rls.objects import Relation
from tools.rls.proof.evidence import Evidence, gather
from tools.rls.proof.graph import Test
from tools.rls.proof.model import Belonging, Kind, Model
from tools.rls.proof.states import State, given_state, keys_of, tested
from tools.rls.snapshot import Snapshot

STATES: Final = 12
"""States of one table's rows that are told apart."""
LABELS: Final = 6
"""A column that takes more values than this is told apart by those that conditions name."""
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MEANT: Final = (Kind.SCOPED, Kind.OWN, Kind.STAFF)


@dataclass(frozen=True, slots=True)
class Wishes:
    """By table: the columns that decide something, and the states of its rows."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    states: Mapping[str, tuple[State, ...]] = field(default_factory=dict[str, tuple[State, ...]])

    def __bool__(self) -> bool:
        return bool(self.columns or self.states)


def told(model: Model) -> Wishes:
    """What the model's expectations speak of."""
    columns: dict[str, tuple[str, ...]] = {}
    states: dict[str, tuple[State, ...]] = {}
    for title, belonging in model.tables.items():
        keys = list(keys_of(belonging.expect))
        changed = dict.fromkeys(name for key in keys for name in key.columns)
        changed |= dict.fromkeys(key.state.column for key in keys if key.to and key.state)
        if changed:
            columns[title] = tuple(changed)
        wanted = dict.fromkeys(key.state for key in keys if key.state is not None)
        # What may come back must have ended first.
        wanted |= dict.fromkeys(State(state.column, "set") for state in wanted if state.kind == "unset")
        if wanted:
            states[title] = tuple(wanted)
    for expected in model.calls.values():
        for title, state in map(given_state, expected):
            if state is not None and state not in states.get(title, ()):
                states[title] = (*states.get(title, ()), state)
    return Wishes(columns, states)


def shown(snapshot: Snapshot, model: Model) -> Wishes:
    """What the conditions of a schema tell apart."""
    evidence = gather(snapshot)
    columns: dict[str, tuple[str, ...]] = {}
    states: dict[str, tuple[State, ...]] = {}
    for title, belonging in model.tables.items():
        relation = snapshot.relations.get(title)
        if relation is None or belonging.kind not in MEANT or relation.partition:
            continue
        found = tuple(dict.fromkeys(_states(evidence, model, relation)))[:STATES]
        states[title] = found
        columns[title] = tuple(dict.fromkeys(_columns(model, relation, belonging, found)))
    return Wishes(columns, states)


def _states(evidence: Evidence, model: Model, relation: Relation) -> Iterator[State]:
    for (title, name), constants in sorted(model.constants.items()):
        column = relation.columns.get(name)
        if title == relation.title and column is not None:
            labels = column.values if 0 < len(column.values) <= LABELS else ()
            named = (value for value in constants if column.type != "uuid" or _UUID.fullmatch(value))
            yield from (State(name, "is", value) for value in labels or named)
    called = [test for frame in evidence.called for test in frame.tests]
    ended: set[str] = set()
    for test in [*(test for tests in evidence.tests.values() for test in tests), *called]:
        column = relation.columns.get(test.ref.column)
        if evidence.tables[test.ref.row] == relation.title and column is not None:
            yield from (one for one in tested(test) if one.kind != "set" or not column.required)
            ended |= {column.name} if test.kind in ("null", "not_null") and not column.required else set()
    yield from (State(name, "unset") for name in sorted(ended))


def asked(evidence: Evidence) -> dict[str, list[tuple[Test, ...]]]:
    """By table: what functions that callers may execute ask of one of its rows, all at once."""
    found: dict[str, dict[tuple[Test, ...], None]] = {}
    for frame in evidence.called:
        rows: dict[int, list[Test]] = {}
        for test in frame.tests:
            relation = evidence.snapshot.relations.get(evidence.tables[test.ref.row])
            column = relation.columns.get(test.ref.column) if relation else None
            if column is None or (test.kind == "null" and column.required):
                continue  # `if found.id is null` asks whether there was a row at all
            rows.setdefault(test.ref.row, []).append(test)
        for row, tests in rows.items():
            found.setdefault(evidence.tables[row], {})[tuple(tests)] = None
    return {title: list(several) for title, several in found.items()}


def _columns(
    model: Model, relation: Relation, belonging: Belonging, states: tuple[State, ...]
) -> Iterator[str]:
    for key in relation.foreign_keys:
        yield from (name for name in key.columns if name not in relation.primary_key)
    yield from (way.column for way in (*belonging.parties, *belonging.authors) if not way.hops)
    for opening in model.openings:
        if opening.table == relation.title:
            yield from (one.column for one in opening.conditions if not one.hops)
            yield from (opening.level,) if opening.level else ()
    anchor = model.anchors.get(relation.title)
    if anchor is not None:
        yield from (way.column for way in anchor.owners if not way.hops)
        yield from (one.column for one in anchor.conditions if not one.hops)
    yield from (state.column for state in states)
    for trigger in relation.triggers:
        yield from (name for name in trigger.arguments if name in relation.columns)
