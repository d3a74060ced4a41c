"""What a statement stores: the columns it fills, and the expressions they get."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rls.facts import Facts
from tools.rls.sqltree import Node, bare, constant


def assignments(statement: Node, columns: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
    """Column and value of an INSERT or UPDATE; `columns` are the table's, for an INSERT that lists none."""
    if statement.kind == "UpdateStmt":
        for target in statement.many("target_list"):
            value = target.one("val")
            if value is not None:
                yield target.word("name"), value
    elif statement.kind == "InsertStmt":
        source = statement.one("select_stmt")
        names = tuple(column.word("name") for column in statement.many("cols")) or columns
        if source is None:
            return
        for row in source.many("values_lists"):
            yield from zip(names, row.children(), strict=False)
        values = [target.one("val") for target in source.many("target_list")]
        yield from ((name, value) for name, value in zip(names, values, strict=False) if value is not None)


def stored_values(facts: Facts) -> Iterator[Node]:
    """The plain values that a statement writes; subqueries that look something up are left out."""
    for block in facts.blocks:
        if block.select is not None:
            for _, value in assignments(block.select, ("",) * 1000):
                plain = bare(value)
                if plain is not None and not any(node.kind == "SubLink" for node in plain.walk()):
                    yield plain


def counts_only(facts: Facts) -> bool:
    """Whether every value of an UPDATE is its own column plus or minus a constant: views = views + 1."""
    statement = facts.root
    if statement.kind != "UpdateStmt":
        return False
    return all(_counts(name, value) for name, value in assignments(statement, ()))


def _counts(name: str, value: Node) -> bool:
    if value.kind != "A_Expr" or value.words("name") not in (("+",), ("-",)):
        return False
    left = value.one("lexpr")
    while left is not None and left.kind == "CoalesceExpr" and left.many("args"):
        left = left.many("args")[0]
    named = left is not None and left.kind == "ColumnRef" and left.words("fields")[-1] == name
    return named and isinstance(constant(value.one("rexpr")), int)
