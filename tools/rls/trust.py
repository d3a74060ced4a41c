"""Which rows decide about access: query blocks that look the caller up in a table, and what they test there.

A policy says `profile_id = any (array(select private.readable_profiles()))`; the function reads the view
live_grants; the view joins profile_grants with consents. A `Trust` is such a block with the views unfolded:
the column that is compared with the caller (identity), the columns that name what is opened (resources),
and all that is tested on the way (status, expiry, ...).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from tools.rls.facts import Block, Column, Facts
from tools.rls.objects import Relation
from tools.rls.reach import Reach, Unit, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import EXISTS, Node, bare, constant

Place = tuple[str, str]
"""A table's title and one of its columns."""


@dataclass(slots=True, eq=False)
class Trust:
    """One block that decides about access. `tests` maps places to the constants they are compared with."""

    unit: Unit
    identity: set[Place] = field(default_factory=set[Place])
    resources: set[Place] = field(default_factory=set[Place])
    tests: dict[Place, set[str]] = field(default_factory=dict[Place, set[str]])
    equal: list[tuple[Place, Place]] = field(default_factory=list[tuple[Place, Place]])
    tables: dict[str, Relation] = field(default_factory=dict[str, Relation])
    views: list[Relation] = field(default_factory=list[Relation])

    def caller_places(self) -> set[Place]:
        """The identity columns and every column that the block joins to them."""
        found = set(self.identity)
        for _ in self.equal:
            for one, other in self.equal:
                if one in found or other in found:
                    found |= {one, other}
        return found

    def owners(self) -> set[str]:
        """Tables whose own key the block gives out: their rows are the caller's, not granted to him."""
        return {
            title
            for title, column in self.resources
            if self.tables[title].primary_key == (column,)
            and any(place[0] == title for place in self.identity)
        }


@lru_cache(maxsize=2)
def trusts(snapshot: Snapshot) -> tuple[Trust, ...]:
    """Every block in policies and the functions they reach that looks the caller up in a table."""
    reached = reach(snapshot)
    found: list[Trust] = []
    for unit in reached.units:
        if unit.view is None:
            trust = Trust(unit)
            _read(reached, trust, unit.facts, unit.block, unit.path)
            _outputs(reached, trust)
            if trust.identity:
                found.append(trust)
    return tuple(found)


def _read(reached: Reach, trust: Trust, facts: Facts, block: Block, path: tuple[str, ...]) -> None:
    for source in block.sources:
        relation = reached.relation(source, path)
        if relation is not None and relation.is_table:
            trust.tables[relation.title] = relation
        elif relation is not None and relation.kind == "v" and relation not in trust.views:
            trust.views.append(relation)
            for inside in reached.view_facts(relation):
                for inner in inside.blocks:
                    if inner.sources and inner.link == 0:
                        _read(reached, trust, inside, inner, ())
    asked = {id(column.node) for column, _ in identity_columns(facts) if column.block is block}
    shown = {id(node) for target in _targets(block) for node in target.walk()}
    places = dict(_places(reached, trust, facts, block, path))
    for node, place in places.items():
        if node in asked:
            trust.identity.add(place)
        elif node not in shown:
            trust.tests.setdefault(place, set())
    for comparison in facts.comparisons:
        if comparison.block is block and comparison.operator == "=":
            _compare(trust, places, bare(comparison.left), bare(comparison.right))


def _places(
    reached: Reach, trust: Trust, facts: Facts, block: Block, path: tuple[str, ...]
) -> Iterator[tuple[int, Place]]:
    """The block's column references (by node id) that mean a column of one of its tables."""
    for column in facts.columns:
        place = _place(reached, column, path) if column.block is block else None
        if place is not None and place[0] in trust.tables:
            yield id(column.node), place


def _compare(trust: Trust, places: dict[int, Place], left: Node | None, right: Node | None) -> None:
    one, other = places.get(id(left)), places.get(id(right))
    if one is not None and other is not None:
        trust.equal.append((one, other))
    for place, value in ((one, right), (other, left)):
        known = constant(value) if place is not None else None
        if place is not None and known is not None:
            trust.tests.setdefault(place, set()).add(str(known))


def _outputs(reached: Reach, trust: Trust) -> None:
    """What the block gives out, or what an outer value is compared with."""
    unit = trust.unit
    targets = {id(node) for target in _targets(unit.block) for node in target.walk()}
    by_node = {id(column.node): column for column in unit.facts.columns}
    for column in unit.facts.columns:
        if column.block is unit.block and id(column.node) in targets:
            _resource(reached, trust, column)
    for comparison in unit.facts.comparisons:
        if comparison.block is not unit.block or comparison.operator != "=":
            continue
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            column = by_node.get(id(bare(one)))
            if column is not None and _outside(reached, trust, by_node, other):
                _resource(reached, trust, column)


def _resource(reached: Reach, trust: Trust, column: Column) -> None:
    place = _place(reached, column, trust.unit.path)
    if place is None or place[0] not in trust.tables or place in trust.identity:
        return
    if _is_key(trust.tables[place[0]], place[1]):
        trust.resources.add(place)
        trust.tests.pop(place, None)
    else:
        trust.tests.setdefault(place, set())


def _is_key(relation: Relation, name: str) -> bool:
    """Whether a column names a thing. A role or level that is given out or compared is a test of the row."""
    column = relation.columns[name]
    keyed = any(name in key.columns for key in relation.keys)
    return keyed or column.type == "uuid" or name == "id" or name.endswith("_id")


def _outside(reached: Reach, trust: Trust, by_node: dict[int, Column], node: Node) -> bool:
    """Whether a value comes from outside the block: the policy's row, or a parameter."""
    inner = bare(node)
    if inner is None:
        return False
    if inner.kind == "ParamRef":
        return True
    column = by_node.get(id(inner))
    return column is not None and _place(reached, column, trust.unit.path) is None


def _place(reached: Reach, column: Column, path: tuple[str, ...]) -> Place | None:
    if column.qualifier and not any(
        source.alias == column.qualifier for block in column.block.chain() for source in block.sources
    ):
        return None
    found = reached.column(column, path=path)
    origin = reached.base_column(*found) if found is not None else None
    return (origin[0].title, origin[1]) if origin is not None else None


def _targets(block: Block) -> Iterator[Node]:
    if block.select is not None and block.link != EXISTS:
        yield from block.select.many("target_list")
