"""Edits of SQL as parse trees: each gives the texts that result from changing one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import postgast
from google.protobuf.message import Message

AND: Final = 1
OR: Final = 2
Edit = Callable[[Any], Iterator[tuple[str, Callable[[Any], None]]]]
"""For one Node: what could be done with it, by label, each as a change in place."""


def edited(text: str, edit: Edit) -> Iterator[tuple[str, str]]:
    """(label, text) for every place of a statement where `edit` applies."""
    places = [
        (number, choice, label)
        for number, node in enumerate(_nodes(postgast.parse(text)))
        for choice, (label, _) in enumerate(edit(node))
    ]
    for number, choice, label in places:
        tree = postgast.parse(text)
        node = list(_nodes(tree))[number]
        change = list(edit(node))[choice][1]
        change(node)
        yield label, postgast.deparse(tree)


def expressions(text: str | None, edit: Edit) -> Iterator[tuple[str, str]]:
    """The same for an expression."""
    if text:
        for label, changed in edited(f"select {text}", edit):
            yield label, changed.removeprefix("SELECT ")


def shown(node: Any) -> str:
    """The text of an expression node."""
    tree = postgast.parse("select 1")
    tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(node)
    return postgast.deparse(tree).removeprefix("SELECT ")


def dropped(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """One part of an AND left out."""
    if node.WhichOneof("node") == "bool_expr" and node.bool_expr.boolop == AND:
        for index, part in enumerate(node.bool_expr.args):
            yield f"without {shown(part)}", _without(index)


def loosened(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """AND turned into OR."""
    if node.WhichOneof("node") == "bool_expr" and node.bool_expr.boolop == AND:
        yield "or in place of and", _to_or


def regrouped(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """`a and (b or c)` read as `a and b or c`."""
    if node.WhichOneof("node") == "bool_expr" and node.bool_expr.boolop == AND:
        for index, part in enumerate(node.bool_expr.args):
            if part.WhichOneof("node") == "bool_expr" and part.bool_expr.boolop == OR:
                yield "brackets lost", _regroup(index)


def unfiltered(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """A WHERE with a single condition left out."""
    if node.WhichOneof("node") == "select_stmt" and node.select_stmt.HasField("where_clause"):
        where = node.select_stmt.where_clause
        if where.WhichOneof("node") != "bool_expr" and node.select_stmt.from_clause:
            yield f"without where {shown(where)}", lambda n: n.select_stmt.ClearField("where_clause")


def trusting(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """coalesce(x, false) turned into coalesce(x, true)."""
    if node.WhichOneof("node") == "coalesce_expr":
        last = node.coalesce_expr.args[-1]
        if last.WhichOneof("node") == "a_const" and last.a_const.WhichOneof("val") == "boolval":
            yield "null counts as yes", _null_is_yes


def negated(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """`x = any (list)` turned into `not (x = any (list))`: who is on the list is the one refused."""
    any_of_select = (node.WhichOneof("node") == "sub_link" and node.sub_link.sub_link_type == 3) or (
        node.WhichOneof("node") == "a_expr" and node.a_expr.kind == 2
    )
    if any_of_select:
        yield "not in", _negate


def reversed_parts(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """The parts of AND and OR in reverse."""
    if node.WhichOneof("node") == "bool_expr" and node.bool_expr.boolop in (AND, OR):
        yield "reversed", _reverse


def de_morgan(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """`a and b` as `not (not a or not b)`."""
    if node.WhichOneof("node") == "bool_expr" and node.bool_expr.boolop in (AND, OR):
        yield "negated twice", _negate_twice


def disjuncts(text: str) -> list[str]:
    """The parts of an OR, as texts."""
    node = postgast.parse(f"select {text}").stmts[0].stmt.select_stmt.target_list[0].res_target.val
    if node.WhichOneof("node") == "bool_expr" and node.bool_expr.boolop == OR:
        return [shown(part) for part in node.bool_expr.args]
    return [text]


def widened(words: Callable[[list[str]], tuple[str, ...]]) -> Edit:
    """`x = 'active'` and `x in ('write', 'manage')` accept one word more; `words`: what a column may be."""

    def edit(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
        if node.WhichOneof("node") != "a_expr" or not node.a_expr.name:
            return
        left, right, sign = node.a_expr.lexpr, node.a_expr.rexpr, node.a_expr.name[-1].string.sval
        fields = [field.string.sval for field in left.column_ref.fields]
        present = _texts(right)
        if sign not in ("=", "<>") or not fields or not present or _reads(right):
            return
        for extra in words(fields):
            if extra not in present:
                kept = [*present, extra] if sign == "=" else [extra]
                yield f"{'also' if sign == '=' else 'not'} {extra}", _listed(shown(left), kept, sign == "<>")

    return edit


def swapped(columns: dict[str, str]) -> Edit:
    """A column replaced by another one of the same table where it is compared."""

    def edit(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
        if node.WhichOneof("node") == "column_ref" and node.column_ref.fields:
            name = node.column_ref.fields[-1].string.sval
            if name in columns:
                yield f"{columns[name]} for {name}", _named(columns[name])

    return edit


def called(old: str, new: str) -> Edit:
    """A call of one helper replaced by a call of another."""

    def edit(node: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
        if node.WhichOneof("node") == "func_call" and node.func_call.funcname[-1].string.sval == old:
            yield f"{new} for {old}", lambda n: setattr(n.func_call.funcname[-1].string, "sval", new)

    return edit


def argument(node: Any, lower: Mapping[str, str]) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """A text argument of a call replaced by a lower level."""
    if node.WhichOneof("node") == "func_call":
        for index, part in enumerate(node.func_call.args):
            for text in _texts(part):
                if text in lower:
                    yield f"{lower[text]} for {text}", _argument(index, text, lower[text])


def _argument(index: int, old: str, new: str) -> Callable[[Any], None]:
    def change(node: Any) -> None:
        for inner in [node.func_call.args[index], *_nodes(node.func_call.args[index])]:
            if inner.WhichOneof("node") == "a_const" and inner.a_const.sval.sval == old:
                inner.a_const.sval.sval = new

    return change


def _nodes(message: Any) -> Iterator[Any]:
    """Every Node message below, outermost first."""
    for _, value in message.ListFields():
        items = (
            [value]
            if isinstance(value, Message)
            else value
            if not isinstance(value, str | bytes | int | float)
            else []
        )
        for item in items:
            if isinstance(item, Message):
                if type(item).__name__ == "Node":
                    yield item
                yield from _nodes(item)


def _texts(node: Any) -> list[str]:
    every = [node, *_nodes(node)]
    return [
        n.a_const.sval.sval
        for n in every
        if n.WhichOneof("node") == "a_const" and n.a_const.WhichOneof("val") == "sval"
    ]


def _reads(node: Any) -> bool:
    return any(n.WhichOneof("node") in ("column_ref", "sub_link", "func_call") for n in [node, *_nodes(node)])


def _without(index: int) -> Callable[[Any], None]:
    def change(node: Any) -> None:
        del node.bool_expr.args[index]
        if len(node.bool_expr.args) == 1:
            last = _copy(node.bool_expr.args[0])
            node.CopyFrom(last)

    return change


def _to_or(node: Any) -> None:
    node.bool_expr.boolop = OR


def _regroup(index: int) -> Callable[[Any], None]:
    def change(node: Any) -> None:
        choices = _copy(node.bool_expr.args[index])
        others = [_copy(part) for n, part in enumerate(node.bool_expr.args) if n != index]
        first = _copy(choices.bool_expr.args[0])
        rest = [_copy(part) for part in choices.bool_expr.args[1:]]
        del node.bool_expr.args[:]
        node.bool_expr.boolop = OR
        strict = node.bool_expr.args.add()
        strict.bool_expr.boolop = AND
        strict.bool_expr.args.extend([*others, first])
        node.bool_expr.args.extend(rest)

    return change


def _reverse(node: Any) -> None:
    parts = [_copy(part) for part in node.bool_expr.args]
    del node.bool_expr.args[:]
    node.bool_expr.args.extend(reversed(parts))


def _negate_twice(node: Any) -> None:
    inner = _copy(node)
    parts = [_copy(part) for part in inner.bool_expr.args]
    for part in parts:
        _negate(part)
    del inner.bool_expr.args[:]
    inner.bool_expr.boolop = OR if inner.bool_expr.boolop == AND else AND
    inner.bool_expr.args.extend(parts)
    node.Clear()
    node.bool_expr.boolop = 3
    node.bool_expr.args.extend([inner])


def _null_is_yes(node: Any) -> None:
    node.coalesce_expr.args[-1].a_const.boolval.boolval = True


def _negate(node: Any) -> None:
    inner = _copy(node)
    node.Clear()
    node.bool_expr.boolop = 3
    node.bool_expr.args.extend([inner])


def _listed(left: str, words: list[str], negative: bool) -> Callable[[Any], None]:
    listed = ", ".join(f"'{word}'" for word in words)
    text = f"select {left} <> {listed}" if negative else f"select {left} in ({listed})"
    fresh = postgast.parse(text).stmts[0].stmt.select_stmt.target_list[0].res_target.val
    return lambda node: node.CopyFrom(fresh)


def _named(column: str) -> Callable[[Any], None]:
    def change(node: Any) -> None:
        node.column_ref.fields[-1].string.sval = column

    return change


def _copy(message: Any) -> Any:
    fresh = type(message)()
    fresh.CopyFrom(message)
    return fresh
