"""Vector search: tables with embeddings, and the functions that look for the nearest rows in them."""

from __future__ import annotations

import re
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach

_VECTOR: Final = re.compile(r"(^|\.)\"?(vector|halfvec|sparsevec|bit_vector)\"?(\(|$)")
DISTANCES: Final = frozenset({"<->", "<#>", "<=>", "<+>", "<~>", "<%>"})
"""Operators of pgvector that order rows by distance."""
APPROXIMATE: Final = frozenset({"hnsw", "ivfflat"})


def embeddings(relation: Relation) -> list[str]:
    """Columns that hold embeddings."""
    return [name for name, column in relation.columns.items() if _VECTOR.search(column.type)]


def searched(reached: Reach, function: Function) -> list[Relation]:
    """Tables with embeddings that a function searches by distance; empty for any other function."""
    found: dict[str, Relation] = {}
    measures = any(_VECTOR.search(kind) for kind in function.argument_types)
    for member in reached.closure([function]):
        path, body = reached.path(member), body_of(member)
        measures |= any(c.operator in DISTANCES for facts in body.everything() for c in facts.comparisons)
        for facts in body.facts:
            for source in facts.sources():
                relation = reached.relation(source, path)
                for table in reached.base_tables(relation) if relation is not None else ():
                    if embeddings(table):
                        found[table.title] = table
    return list(found.values()) if measures else []
