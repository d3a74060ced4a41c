"""A small parser of the ClickHouse SQL that the logs endpoint takes: one select from the table `logs`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[^`]+`)"
    r"|(?P<sign><=|>=|!=|<>|\|\||[-+*/%(),=<>\[\].;]))"
)
CLAUSES: Final = frozenset(
    {"from", "where", "group", "having", "order", "limit", "as", "and", "or", "asc", "desc", "offset"}
)


class BadQuery(Exception):
    """A query that the backend would refuse."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: kind is literal, column, attribute, call, star or an operator."""

    kind: str
    value: str | float | int | None = None
    parts: tuple[Node, ...] = ()
    distinct: bool = False
    params: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Select:
    """A parsed query."""

    items: tuple[tuple[str, Node], ...]
    where: Node | None = None
    group: tuple[Node, ...] = ()
    having: Node | None = None
    order: tuple[tuple[Node, bool], ...] = ()
    """Expressions, and whether each goes down."""
    limit: int | None = None
    offset: int = 0


def parse(sql: str) -> Select:
    """The parsed query; BadQuery says what it cannot be."""
    parser = _Parser(sql)
    parser.need("select")
    items: list[tuple[str, Node]] = [parser.item()]
    while parser.take(","):
        items.append(parser.item())
    parser.need("from")
    if parser.name() != "logs":
        raise BadQuery("Unknown table: only logs can be queried")
    where = parser.expression() if parser.take("where") else None
    group: tuple[Node, ...] = parser.several() if parser.take("group") and parser.need("by") else ()
    having = parser.expression() if parser.take("having") else None
    order: list[tuple[Node, bool]] = []
    if parser.take("order") and parser.need("by"):
        order.append(parser.ordering())
        while parser.take(","):
            order.append(parser.ordering())
    limit = int(parser.number()) if parser.take("limit") else None
    offset = int(parser.number()) if parser.take("offset") else 0
    parser.take(";")
    parser.end()
    return Select(tuple(items), where, group, having, tuple(order), limit, offset)


@dataclass
class _Parser:
    sql: str
    tokens: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    at: int = 0

    def __post_init__(self) -> None:
        text, place = re.sub(r"--[^\n]*", " ", self.sql).rstrip(), 0
        while place < len(text):
            found = TOKEN.match(text, place)
            if not found:
                raise BadQuery(f"Syntax error: failed at position {place}")
            self.tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
            place = found.end()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, word: str) -> bool:
        kind, text = self.peek()
        if kind in ("name", "sign") and text.lower() == word:
            self.at += 1
            return True
        return False

    def need(self, word: str) -> bool:
        if not self.take(word):
            raise BadQuery(f"Syntax error: expected {word}, found {self.peek()[1] or 'the end'}")
        return True

    def end(self) -> None:
        if self.peek()[0] != "end":
            raise BadQuery(f"Syntax error: unexpected {self.peek()[1]}")

    def name(self) -> str:
        kind, text = self.peek()
        if kind != "name":
            raise BadQuery(f"Syntax error: expected a name, found {text or 'the end'}")
        self.at += 1
        return text.strip("`")

    def number(self) -> float:
        kind, text = self.peek()
        if kind != "number":
            raise BadQuery("Syntax error: expected a number")
        self.at += 1
        return float(text)

    def item(self) -> tuple[str, Node]:
        start = self.at
        node = self.expression()
        if node.kind == "star":
            raise BadQuery("select * is not supported; name the columns")
        shown = "".join(text for _, text in self.tokens[start : self.at])
        if self.take("as"):
            return self.name(), node
        kind, text = self.peek()
        if kind == "name" and text.lower() not in CLAUSES:
            return self.name(), node
        return str(node.value) if node.kind == "column" else shown, node

    def ordering(self) -> tuple[Node, bool]:
        node = self.expression()
        down = self.take("desc")
        if not down:
            self.take("asc")
        return node, down

    def several(self) -> tuple[Node, ...]:
        nodes = [self.expression()]
        while self.take(","):
            nodes.append(self.expression())
        return tuple(nodes)

    def expression(self) -> Node:
        node = self.conjunction()
        while self.take("or"):
            node = Node("or", None, (node, self.conjunction()))
        return node

    def conjunction(self) -> Node:
        node = self.negation()
        while self.take("and"):
            node = Node("and", None, (node, self.negation()))
        return node

    def negation(self) -> Node:
        if self.take("not"):
            return Node("not", None, (self.negation(),))
        return self.comparison()

    def comparison(self) -> Node:
        left = self.sum()
        for sign in ("<=", ">=", "!=", "<>", "=", "<", ">"):
            if self.take(sign):
                return Node("!=" if sign == "<>" else sign, None, (left, self.sum()))
        turned = self.take("not")
        for word in ("like", "ilike", "in"):
            if self.take(word):
                right = self.sum() if word != "in" else self.listed()
                node = Node(word, None, (left, right))
                return Node("not", None, (node,)) if turned else node
        if self.take("between"):
            low = self.sum()
            self.need("and")
            pair = Node("and", None, (Node(">=", None, (left, low)), Node("<=", None, (left, self.sum()))))
            return Node("not", None, (pair,)) if turned else pair
        if turned:
            raise BadQuery("Syntax error: unexpected not")
        return left

    def listed(self) -> Node:
        self.need("(")
        parts = self.several()
        self.need(")")
        return Node("list", None, parts)

    def sum(self) -> Node:
        node = self.atom()
        for sign in ("+", "-", "*", "/"):
            if self.take(sign):
                return Node(sign, None, (node, self.sum()))
        return node

    def atom(self) -> Node:
        kind, text = self.peek()
        self.at += 1
        if kind == "text":
            return Node("literal", re.sub(r"\\(.)", r"\1", text[1:-1].replace("''", "'")))
        if kind == "number":
            return Node("literal", float(text) if "." in text else int(text))
        if text == "(":
            node = self.expression()
            self.need(")")
            return node
        if text == "*":
            return Node("star")
        if kind == "name" and text.lower() == "interval":
            amount = self.number()
            return Node("interval", f"{amount:g} {self.name().lower().rstrip('s')}")
        if kind != "name":
            raise BadQuery(f"Syntax error: unexpected {text or 'end of query'}")
        return self.named(text.strip("`"))

    def named(self, text: str) -> Node:
        if self.take("["):
            key = self.atom()
            self.need("]")
            if text != "log_attributes" or key.kind != "literal":
                raise BadQuery("only log_attributes['key'] can be indexed")
            return Node("attribute", key.value)
        if not self.take("("):
            return Node("column", text)
        distinct = self.take("distinct")
        parts = self.arguments()
        if self.take("("):
            return Node("call", text, self.arguments(), params=parts)
        return Node("call", text, parts, distinct)

    def arguments(self) -> tuple[Node, ...]:
        if self.take(")"):
            return ()
        parts = self.several()
        self.need(")")
        return parts
