"""A fault planted in a correct schema, or a rewrite that changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a clean schema.

    `objects`: what a tool may name to be right, spelled as findings spell it. `look`: relations where the
    oracle looks for a gain, the likeliest first; `functions`, `chains` and `through` (relations that a person
    writes first) likewise. `rows` are planted in the oracle's copy alone.
    """

    name: str
    operator: str
    sql: str
    objects: tuple[str, ...]
    look: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    rows: str = ""


def spread(mutants: Iterable[Mutant], limit: int) -> list[Mutant]:
    """At most `limit` of them, always the same ones, and each planted text once."""
    unique = list({mutant.sql: mutant for mutant in mutants}.values())
    unique.sort(key=lambda mutant: hashlib.sha256(mutant.name.encode()).hexdigest())
    return sorted(unique[:limit], key=lambda mutant: mutant.name)
