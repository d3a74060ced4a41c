"""Rows that a world still lacks: for atoms over one column, the value that would turn them over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tools.rls.objects import Relation
from tools.rls.proof.coverage.blocks import Block
from tools.rls.proof.coverage.questions import Atom
from tools.rls.proof.coverage.trees import constant_truth
from tools.rls.proof.side import FUTURE, PAST
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.session import ScratchSession

_LABELS: Final = """
select n.nspname || '.' || c.relname, a.attname::text, array_agg(e.enumlabel::text order by e.enumsortorder)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_enum e on e.enumtypid = a.atttypid
where a.attnum > 0 and not a.attisdropped
group by 1, 2
"""
_CHECKS: Final = """
select n.nspname || '.' || c.relname, a.attname::text,
       array(select m[1] from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''', 'g') m)
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and k.conkey = array[a.attnum]
where k.contype = 'c'
"""
_ORDER: Final = frozenset({"<", ">", "<=", ">="})
_NOW: Final = frozenset({"now", "current_timestamp", "transaction_timestamp", "statement_timestamp"})


@dataclass(frozen=True, slots=True)
class Variant:
    """A value that some row of a table should have; None for NULL."""

    table: str
    column: str
    value: str | None


def suggested(session: ScratchSession, snapshot: Snapshot, atoms: Iterable[Atom]) -> tuple[Variant, ...]:
    """What the atoms that were seen one way only ask for."""
    labels: dict[tuple[str, str], list[str]] = {}
    for query in (_LABELS, _CHECKS):
        for table, column, values in session.rows(query):
            labels.setdefault((table, column), []).extend(values)
    found: dict[Variant, None] = {}
    for atom in atoms:
        if len(atom.seen) < 2 and not atom.reason:
            for value in (True, False):
                if atom.wants(value):
                    found |= dict.fromkeys(_variants(snapshot, atom, value, labels))
    return tuple(found)


def _variants(
    snapshot: Snapshot, atom: Atom, wanted: bool, labels: dict[tuple[str, str], list[str]]
) -> Iterator[Variant]:
    node = atom.block.split.nodes[atom.number] if atom.block.split.nodes else None
    asked = _asked(node) if node is not None else None
    if asked is None:
        return
    reference, operator, constants = asked
    place = _place(snapshot, atom.block, reference)
    if place is None:
        return
    relation, column = place
    for value in _values(operator, constants, wanted, labels.get((relation.title, column), [])):
        if value is not None or not relation.columns[column].required:
            yield Variant(relation.title, column, value)


def _values(operator: str, constants: list[str], wanted: bool, known: list[str]) -> Iterator[str | None]:
    match operator:
        case "is null":
            yield None if wanted else PAST
        case "is not null":
            yield PAST if wanted else None
        case "true":
            yield "true" if wanted else "false"
        case ">now":
            yield FUTURE if wanted else PAST
        case "<now":
            yield PAST if wanted else FUTURE
        case "=":
            others = [value for value in known if value not in constants] or [None]
            yield from constants if wanted else others
        case _:
            others = [value for value in known if value not in constants] or [None]
            yield from others if wanted else constants


def _asked(node: Any) -> tuple[Any, str, list[str]] | None:
    """(column reference, operator, constants) of an atom over one column."""
    kind = node.WhichOneof("node")
    if kind == "column_ref":
        return node.column_ref, "true", []
    if kind == "null_test":
        reference = _column(node.null_test.arg)
        words = {1: "is null", 2: "is not null"}
        return (reference, words[node.null_test.nulltesttype], []) if reference is not None else None
    if kind != "a_expr" or not node.a_expr.HasField("lexpr"):
        return None
    name = node.a_expr.name[-1].string.sval
    for left, right, turned in (
        (node.a_expr.lexpr, node.a_expr.rexpr, False),
        (node.a_expr.rexpr, node.a_expr.lexpr, True),
    ):
        reference = _column(left)
        if reference is None:
            continue
        if name in _ORDER and _is_now(right):
            return reference, "<now" if (name[0] == "<") != turned else ">now", []
        constants = list(_constants(right))
        if constants and name in ("=", "<>", "!="):
            return reference, "=" if name == "=" else "<>", constants
    return None


def _column(node: Any) -> Any | None:
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    return node.column_ref if node.WhichOneof("node") == "column_ref" else None


def _is_now(node: Any) -> bool:
    kind = node.WhichOneof("node")
    if kind == "sqlvalue_function":
        return True
    return kind == "func_call" and node.func_call.funcname[-1].string.sval in _NOW


def _constants(node: Any) -> Iterator[str]:
    kind = node.WhichOneof("node")
    if kind == "type_cast":
        yield from _constants(node.type_cast.arg)
    elif kind == "a_const":
        known = constant_truth(node)
        if known is not None:
            yield "true" if known else "false"
        elif node.a_const.HasField("sval"):
            yield node.a_const.sval.sval
        elif node.a_const.HasField("ival"):
            yield str(node.a_const.ival.ival)
    elif kind == "a_array_expr":
        for element in node.a_array_expr.elements:
            yield from _constants(element)
    elif kind == "list":
        for item in node.list.items:
            yield from _constants(item)


def _place(snapshot: Snapshot, block: Block, reference: Any) -> tuple[Relation, str] | None:
    names = [field.string.sval for field in reference.fields]
    column, qualifier = names[-1], names[-2] if len(names) > 1 else ""
    for alias, title in block.aliases.items():
        if qualifier and alias != qualifier:
            continue
        schema, _, name = title.rpartition(".")
        relation = snapshot.named(schema, name)
        if relation is not None and relation.is_table and column in relation.columns:
            return relation, column
    return None
