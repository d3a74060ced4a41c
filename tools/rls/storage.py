"""What storage policies say about buckets, paths and owners."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rls.reach import Reach
from tools.rls.snapshot import Policy, Relation, Snapshot
from tools.rls.sqltree import Facts, Node, bare, conjuncts, disjuncts

OBJECTS = "storage.objects"


def object_policies(snapshot: Snapshot) -> Iterator[tuple[Relation, Policy, tuple[str, ...]]]:
    """Permissive policies on storage.objects that address a caller."""
    objects = snapshot.relations.get(OBJECTS)
    for policy in objects.policies if objects is not None else ():
        callers = snapshot.addressed(policy)
        if objects is not None and policy.permissive and callers:
            yield objects, policy, callers


def buckets_of(facts: Facts, way: Node | None = None) -> set[str]:
    """Buckets that a condition names: every string constant compared with bucket_id."""
    found: set[str] = set()
    for part in conjuncts(way or facts.root):
        names = {node.words("fields")[-1] for node in part.walk() if node.kind == "ColumnRef"}
        if names == {"bucket_id"}:
            found |= {c.word("sval") for node in part.walk() if node.kind == "A_Const" for c in node.children()}
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
    return reached.identifies(facts.within(part))
