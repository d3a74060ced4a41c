"""Everything that is to be measured, grouped by whose eyes it is looked at with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from tools.rls.objects import Function, Relation
from tools.rls.proof.coverage.bindings import Bindings
from tools.rls.proof.coverage.blocks import (
    Block,
    parsed_expression,
    parsed_selects,
    policy_blocks,
    select_blocks,
)
from tools.rls.proof.coverage.trees import Split, is_condition
from tools.rls.proof.straight import Crooked, expression_of, query_of
from tools.rls.reach import Reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot

_ATOMIC: Final = re.compile(r"^\s*begin\s+atomic\b(.*)\bend\s*;?\s*$", re.IGNORECASE | re.DOTALL)
_RETURN: Final = re.compile(r"^\s*return\b(.*)$", re.IGNORECASE | re.DOTALL)
_ROWS: Final = re.compile(r"\breturn\s+query\b", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"('(?:[^']|'')*')|\$(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Blocks that are measured together. `eyes`: each caller's, the owner's (with the caller's claims), or
    nobody's in particular. `table` is open to the caller while its policies are measured."""

    name: str
    blocks: tuple[Block, ...]
    eyes: Literal["caller", "owner", "nobody"]
    owner: str = ""
    path: tuple[str, ...] = ()
    table: Relation | None = None
    roles: frozenset[str] = frozenset()


def plans(snapshot: Snapshot, reached: Reach) -> Iterator[Plan]:
    """Policies by table, then the helpers that they reach, then the views that these read."""
    for relation in snapshot.relations.values():
        blocks = [block for policy in relation.policies for block in policy_blocks(policy, relation)]
        if blocks:
            roles = frozenset(role for policy in relation.policies for role in policy.roles)
            yield Plan(relation.title, tuple(blocks), "caller", table=relation, roles=roles)
    bindings = Bindings(reached)
    for function, _ in reached.policy_functions.values():
        blocks = tuple(_function_blocks(function, bindings))
        if blocks:
            eyes: Literal["caller", "owner"] = "owner" if function.definer else "caller"
            yield Plan(function.title, blocks, eyes, function.owner, reached.path(function))
    for view in _views(reached):
        blocks = tuple(_view_blocks(view))
        if blocks:
            personal = any(reached.identifies(facts) for facts in reached.view_facts(view))
            yield Plan(view.title, blocks, "owner" if personal else "nobody", view.owner)


def _views(reached: Reach) -> list[Relation]:
    """The views that policies and helpers read, and the views behind those."""
    found = {unit.view.title: unit.view for unit in reached.units if unit.view is not None}
    return [view for view in found.values() if view.schema not in PLATFORM_SCHEMAS]


def _view_blocks(view: Relation) -> Iterator[Block]:
    for select in parsed_selects(view.definition or "") or ():
        yield from select_blocks(f"view {view.title}", select, ())


def _function_blocks(function: Function, bindings: Bindings) -> Iterator[Block]:
    source = bindings.source(function)
    outer = (source,) if source else ()
    boolean = function.returns == "boolean"
    if function.language == "sql":
        for block in _sql_blocks(function, outer, boolean):
            yield _bound(block, function, bindings)
    elif function.language == "plpgsql":
        for block in _plpgsql_blocks(function, outer, boolean):
            yield _bound(block, function, bindings)
    elif function.language not in ("c", "internal"):
        yield Block(function.title, Split(0, ("its body",), ()), reason=f"language {function.language}")


def _sql_blocks(function: Function, outer: tuple[str, ...], boolean: bool) -> Iterator[Block]:
    atomic, returned = _ATOMIC.match(function.body), _RETURN.match(function.body)
    if returned:
        yield from _value_blocks(function, returned[1], outer, boolean)
        return
    selects = parsed_selects(atomic[1] if atomic else function.body)
    if selects is None:
        yield Block(function.title, Split(0, ("its body",), ()), reason="it does more than SELECT")
        return
    for select in selects:
        yield from select_blocks(function.title, select, outer, boolean=boolean)


def _value_blocks(function: Function, text: str, outer: tuple[str, ...], boolean: bool) -> Iterator[Block]:
    node = parsed_expression(text)
    if node is not None:
        wrapped = parsed_selects(f"select {text}")
        for select in wrapped or ():
            yield from select_blocks(function.title, select, outer, boolean=boolean and is_condition(node))


def _plpgsql_blocks(function: Function, outer: tuple[str, ...], boolean: bool) -> Iterator[Block]:
    try:
        if boolean:
            yield from _value_blocks(function, expression_of(function.body), outer, boolean)
            return
        text = query_of(function.body) if _ROWS.search(function.body) else expression_of(function.body)
    except Crooked as crooked:
        yield Block(function.title, Split(0, ("its body",), ()), reason=f"PL/pgSQL: {crooked.args[0]}")
        return
    selects = parsed_selects(text if _ROWS.search(function.body) else f"select {text}")
    for select in selects or ():
        yield from select_blocks(function.title, select, outer)


def _bound(block: Block, function: Function, bindings: Bindings) -> Block:
    """The block with $1 written as the parameter's column."""

    def named(match: re.Match[str]) -> str:
        return match[1] or '"' + bindings.name(function, int(match[2]) - 1).replace('"', '""') + '"'

    atoms = tuple(_PARAMETER.sub(named, atom) for atom in block.split.atoms)
    froms = tuple(_PARAMETER.sub(named, text) for text in block.froms)
    divided = Split(block.split.tree, atoms, block.split.nodes)
    return replace(block, split=divided, froms=froms)
