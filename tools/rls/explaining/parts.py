"""A policy's condition cut into what can be true or false by itself, as a tree of AND, OR and NOT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from postgast import pg_query_pb2 as pb

from tools.rls.explaining.trees import expression, printed

_WORDS = {pb.AND_EXPR: "and", pb.OR_EXPR: "or", pb.NOT_EXPR: "not"}


@dataclass(slots=True)
class Part:
    """`word` is and, or, not, or empty for an atom. `value` is true, false, null, or why it is not known."""

    word: str
    text: str
    node: pb.Node
    parts: list[Part] = field(default_factory=list["Part"])
    value: str = ""
    notes: list[str] = field(default_factory=list[str])

    def walk(self) -> Iterator[Part]:
        """This part and all below."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parts_of(text: str) -> Part | None:
    """The tree of a condition; None where it does not parse."""
    node = expression(text)
    return _part(node) if node is not None else None


def _part(node: pb.Node) -> Part:
    if node.WhichOneof("node") == "bool_expr":
        word = _WORDS[node.bool_expr.boolop]
        return Part(word, printed(node), node, [_part(part) for part in node.bool_expr.args])
    return Part("", printed(node), node)


def lines(part: Part, depth: int = 0) -> Iterator[str]:
    """The tree as indented lines: what each part was, and why."""
    space = "  " * depth
    if part.word:
        said = {"and": "all of", "or": "any of", "not": "not"}[part.word]
        yield f"{space}{part.value}: {said}"
        for inner in part.parts:
            yield from lines(inner, depth + 1)
    else:
        yield f"{space}{part.value}: {' '.join(part.text.split())}"
    for note in part.notes:
        yield f"{space}  {note}"
