"""Views behind an expression, and which of them should have tested what let somebody in."""

from __future__ import annotations

from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.objects import Relation
from tools.rls.proof.model import Condition
from tools.rls.reach import Reach


def views_behind(reached: Reach, facts: Facts) -> list[Relation]:
    """Views behind an expression and its functions, deepest last."""
    waiting: list[tuple[Facts, tuple[str, ...]]] = [(facts, ())]
    for function in reached.reached(facts):
        waiting += [(one, reached.path(function)) for one in body_of(function).facts]
    return _views(reached, waiting)


def responsible(reached: Reach, view: Relation, condition: Condition | None) -> Relation:
    """The view that has to test a condition: the one behind `view` that alone reads its table, and hides the
    column, so that nothing built on it could; otherwise `view` itself.
    """
    if condition is None or not condition.hops or condition.table in _direct(reached, view):
        return view
    inner = _views(reached, [(one, ()) for one in reached.view_facts(view)])
    reading = [one for one in inner if condition.table in _direct(reached, one)]
    return reading[0] if len(reading) == 1 and condition.column not in reading[0].columns else view


def _views(reached: Reach, waiting: list[tuple[Facts, tuple[str, ...]]]) -> list[Relation]:
    found: dict[str, Relation] = {}
    while waiting:
        one, path = waiting.pop(0)
        for source in one.sources():
            relation = reached.relation(source, path)
            if relation is not None and relation.kind == "v" and relation.title not in found:
                found[relation.title] = relation
                waiting += [(inner, ()) for inner in reached.view_facts(relation)]
    return list(found.values())


def _direct(reached: Reach, view: Relation) -> set[str]:
    sources = (reached.relation(source) for one in reached.view_facts(view) for source in one.sources())
    return {relation.title for relation in sources if relation is not None}
