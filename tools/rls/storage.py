"""What storage policies say about buckets, paths and owners."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import Node, bare, conjuncts, disjuncts

OBJECTS = "storage.objects"


def object_policies(snapshot: Snapshot) -> Iterator[tuple[Relation, Policy, tuple[str, ...]]]:
    """Permissive policies on storage.objects that address a caller."""
    objects = snapshot.relations.get(OBJECTS)
    for policy in objects.policies if objects is not None else ():
        callers = snapshot.addressed(policy)
        if objects is not None and policy.permissive and callers:
            yield objects, policy, callers


def buckets_of(facts: Facts, way: Node | None = None) -> set[str]:
    """Buckets that a condition (or one way through it) names: string constants compared with bucket_id."""
    found: set[str] = set()
    for comparison in (facts.within(way) if way is not None else facts).comparisons:
        names = {node.words("fields")[-1] for node in comparison.node.walk() if node.kind == "ColumnRef"}
        if names == {"bucket_id"}:
            constants = [node for node in comparison.node.walk() if node.kind == "A_Const"]
            found |= {child.word("sval") for node in constants for child in node.children()}
    return found - {""}


def unowned(reached: Reach, facts: Facts) -> Iterator[Node]:
    """Alternatives of a condition that never ask which person, only which bucket or whether signed in."""
    for way in disjuncts(facts.root):
        if not any(_decides(reached, facts, part) for part in conjuncts(way)):
            yield way


def _decides(reached: Reach, facts: Facts, part: Node) -> bool:
    if part.kind == "NullTest":
        subject = bare(part.one("arg"))
        return subject is not None and subject.kind != "FuncCall" and reached.identifies(facts.within(part))
    inner = facts.within(part)
    return reached.identifies(inner) or _looked_up(reached, inner)


def _looked_up(reached: Reach, facts: Facts) -> bool:
    """Whether a function of one's own looks the file up in a table: file_is_shared(name)."""
    for call in facts.calls:
        named = any(node.kind == "ColumnRef" for one in call.arguments for node in one.walk())
        for function in reached.resolve(call) if named else ():
            own = function.schema not in PLATFORM_SCHEMAS
            if own and any(
                True for f in reached.closure([function]) for b in body_of(f).facts for _ in b.sources()
            ):
                return True
    return False
