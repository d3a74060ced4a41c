"""The facts that rules ask of SQL text: query blocks, calls, columns, comparisons, what is written.

One walk over the tree collects them. Both tree and facts are cached by text: real catalogs repeat the same
few dozen expressions over hundreds of tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from tools.rls.parsing import trees
from tools.rls.sqltree import Node


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One entry of FROM (or a written table). `name` is empty for subqueries and functions."""

    alias: str
    schema: str
    name: str


@dataclass(slots=True, eq=False)
class Block:
    """One query level. `link` is its sublink type (EXISTS, ANY, SCALAR, ARRAY), 0 for FROM and statements."""

    parent: Block | None
    link: int = 0
    sources: list[Source] = field(default_factory=list[Source])
    select: Node | None = None
    test: Node | None = None

    def chain(self) -> Iterator[Block]:
        """This block and the ones around it, innermost first."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function call and where it stands."""

    schema: str
    name: str
    arguments: tuple[Node, ...]
    block: Block
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column reference as written; `qualifier` is an alias, a relation name or empty."""

    qualifier: str
    name: str
    block: Block
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """`left operator right`, with the block it stands in."""

    operator: str
    left: Node
    right: Node
    block: Block
    node: Node


@dataclass(slots=True, eq=False)
class Facts:
    """What one expression or statement contains. `root` is the expression itself, or the statement."""

    root: Node
    top: Block
    blocks: list[Block] = field(default_factory=list[Block])
    calls: list[Call] = field(default_factory=list[Call])
    columns: list[Column] = field(default_factory=list[Column])
    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    written: list[tuple[str, Source]] = field(default_factory=list[tuple[str, Source]])
    constants: list[str] = field(default_factory=list[str])
    names: set[str] = field(default_factory=set[str])
    asked: tuple[tuple[Column, Node], ...] | None = None
    place: dict[int, Block] = field(default_factory=dict[int, Block])
    parts: dict[int, tuple[Node, Facts]] = field(default_factory=dict[int, "tuple[Node, Facts]"])

    def sources(self) -> Iterator[Source]:
        """Every relation read or written, at any depth (names of CTEs left out)."""
        for block in self.blocks:
            for source in block.sources:
                if source.name and (source.schema or source.name not in self.names):
                    yield source

    def within(self, node: Node) -> Facts:
        """The facts of a part of this tree, keeping the blocks around it; worked out once, for all rules."""
        known = self.parts.get(id(node))
        if known is not None:
            return known[1]
        facts = Facts(node, self.top, place=self.place, names=self.names)
        _visit(node, self.place.get(id(node), self.top), facts)
        self.parts[id(node)] = (node, facts)  # the node is kept, so that its id stays its own
        return facts


@lru_cache(maxsize=20_000)
def expression(text: str) -> Facts | None:
    """Facts of a value expression as pg_get_expr prints it, or None when it does not parse."""
    parsed = trees(f"select {text}")
    targets = parsed[0].many("target_list") if parsed and len(parsed) == 1 else ()
    root = targets[0].one("val") if len(targets) == 1 else None
    if root is None:
        return None
    facts = Facts(root, Block(None))
    facts.blocks.append(facts.top)
    _visit(root, facts.top, facts)
    return facts


@lru_cache(maxsize=20_000)
def statements(text: str) -> tuple[Facts, ...] | None:
    """Facts of each statement of a script (an SQL function's body), or None when it does not parse."""
    roots = trees(text)
    if roots is None:
        return None
    found: list[Facts] = []
    for root in roots:
        facts = Facts(root, Block(None))
        _visit(root, facts.top, facts)
        found.append(facts)
    return tuple(found)


_PLAIN: Final = frozenset({"String", "TypeName"})
_STATEMENTS: Final = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}
_WRITES: Final = {
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "UPDATE",
}


def _visit(node: Node, block: Block, facts: Facts, link: int = 0) -> None:
    if block is not facts.top:
        facts.place[id(node)] = block
    kind = node.kind
    if kind in _STATEMENTS:
        _statement(node, block, facts, link)
        return
    if kind == "SubLink":
        test = node.one("testexpr")
        if test is not None:
            _visit(test, block, facts)
        query = node.one("subselect")
        if query is not None:
            _visit(query, block, facts, node.number("sub_link_type"))
        return
    _collect(node, block, facts)
    for child in node.children():
        if child.kind == "A_Const":
            facts.constants.extend(text for value in child.children() if (text := value.word("sval")))
        elif child.kind not in _PLAIN:
            _visit(child, block, facts)


def _statement(node: Node, outer: Block, facts: Facts, link: int) -> None:
    block = Block(outer, link, select=node, test=node.one("where_clause"))
    facts.blocks.append(block)
    with_clause = node.one("with_clause")
    if with_clause is not None:
        facts.names.update(cte.word("ctename") for cte in with_clause.many("ctes"))
    target = node.one("relation")
    if target is not None:
        source = _source(target)
        block.sources.append(source)
        facts.written.append((_WRITES.get(node.kind, "UPDATE"), source))
    for item in (*node.many("from_clause"), *node.many("using_clause")):
        _from(item, block)
    for child in node.children():
        if child is not target:
            _visit(child, block, facts)


def _from(item: Node, block: Block) -> None:
    if item.kind == "JoinExpr":
        for side in (item.one("larg"), item.one("rarg")):
            if side is not None:
                _from(side, block)
    elif item.kind == "RangeVar":
        block.sources.append(_source(item))
    elif item.kind.startswith("Range"):
        alias = item.one("alias")
        block.sources.append(Source(alias.word("aliasname") if alias else "", "", ""))


def _source(item: Node) -> Source:
    alias = item.one("alias")
    name = item.word("relname")
    return Source(alias.word("aliasname") if alias else name, item.word("schemaname"), name)


def _collect(node: Node, block: Block, facts: Facts) -> None:
    if node.kind == "ColumnRef":
        names = node.words("fields")
        if names:
            *qualifiers, name = names
            facts.columns.append(Column(qualifiers[-1] if qualifiers else "", name, block, node))
    elif node.kind == "FuncCall":
        names = node.words("funcname")
        *qualifiers, name = names or ("",)
        facts.calls.append(Call(qualifiers[-1] if qualifiers else "", name, node.many("args"), block, node))
    elif node.kind == "A_Expr":
        left, right = node.one("lexpr"), node.one("rexpr")
        if left is not None and right is not None:
            operator = (node.words("name") or ("",))[-1]
            facts.comparisons.append(Comparison(operator, left, right, block, node))
