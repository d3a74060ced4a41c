"""What triggers on auth.users copy from the metadata that people send when they sign up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.objects import Function
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node
from tools.rls.trust import Place
from tools.rls.writes import assignments

METADATA: Final = "raw_user_meta_data"


@dataclass(slots=True, eq=False)
class Copied:
    """A trigger function, the deciding columns that it fills from metadata, and the metadata's keys."""

    function: Function
    places: set[Place] = field(default_factory=set[Place])
    keys: set[str] = field(default_factory=set[str])


def copied_from_signup(snapshot: Snapshot) -> Iterator[Copied]:
    """One entry per trigger function of auth.users that lets metadata decide about access."""
    reached = reach(snapshot)
    users = snapshot.relations.get("auth.users")
    for trigger in users.triggers if users is not None else ():
        function = snapshot.function_by_oid.get(trigger.function)
        if function is None or not trigger.enabled or METADATA not in function.body:
            continue
        deciding = _deciding(reached)
        found = Copied(function)
        for member in reached.closure([function]):
            variables = _variables(member.body)
            for place, value in _stored(reached, member):
                words = {n.words("fields")[-1] for n in value.walk() if n.kind == "ColumnRef"}
                if place in deciding and (METADATA in words or words & set(variables)):
                    found.places.add(place)
                    found.keys |= _keys(value).union(*(variables.get(word, set()) for word in words))
        if found.places:
            yield found


def _deciding(reached: Reach) -> set[Place]:
    """Columns that some policy, or a query that policies rely on, looks at."""
    found: set[Place] = set()
    for relation in reached.snapshot.relations.values():
        for policy in relation.policies:
            for part in policy.parts():
                places = (reached.column(column, relation) for column in part.columns)
                found |= {(place[0].title, place[1]) for place in places if place is not None}
    for unit in reached.units:
        for column in unit.facts.columns:
            at = reached.column(column, path=unit.path)
            origin = reached.base_column(*at) if at is not None else None
            if origin is not None:
                found.add((origin[0].title, origin[1]))
    return found


def _stored(reached: Reach, function: Function) -> Iterator[tuple[Place, Node]]:
    """Every column that the function writes, with the expression that it gets, and what chooses its row."""
    path = reached.path(function)
    for facts in body_of(function).facts:
        for block in facts.blocks:
            relation = reached.relation(block.sources[0], path) if block.sources else None
            if block.select is not None and relation is not None:
                for name, value in assignments(block.select, tuple(relation.columns)):
                    yield (relation.title, name), value
                    if block.select.kind == "UpdateStmt" and block.test is not None:
                        yield (relation.title, name), block.test


def _variables(body: str) -> dict[str, set[str]]:
    """PL/pgSQL variables that are set from metadata, with the keys that they take out of it."""
    found: dict[str, set[str]] = {}
    for piece in body.split(";"):
        name, assigned, value = piece.partition(":=")
        lines = [line.split() for line in name.strip().splitlines() if line.split()]
        if assigned and METADATA in value and lines:
            words = [w for w in lines[-1] if w.lower() not in ("declare", "begin", "then", "else")]
            if words:
                found.setdefault(words[0].lower(), set()).update(_quoted_keys(value))
    return found


def _keys(value: Node) -> set[str]:
    """Constants on the right of an arrow whose left side reads the metadata."""
    found: set[str] = set()
    for node in value.walk():
        if node.kind == "A_Expr" and set(node.words("name")) & {"->", "->>", "#>", "#>>"}:
            left, right = node.one("lexpr"), node.one("rexpr")
            if (
                left is not None
                and left.kind == "ColumnRef"
                and left.words("fields")[-1] == METADATA
                and right
            ):
                found |= {c.word("sval").strip("{}") for c in right.children() if c.word("sval")}
    return found


def _quoted_keys(text: str) -> set[str]:
    pieces = text.split(METADATA)[1:]
    return {
        piece.split("'")[1] for piece in pieces if piece.lstrip()[:2] in ("->", "#>") and piece.count("'") > 1
    }
