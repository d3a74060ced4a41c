"""Which tables a problem's object decides about, and which few of them stand for the others in writing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tools.rls.fixing.bench import Bench
from tools.rls.fixing.problems import Problem, function_named, policy_named
from tools.rls.objects import Policy

PER_COMMAND: Final = 1
"""Tables written to per command where a helper decides about many in the same way; all of them are read."""


@dataclass(frozen=True, slots=True)
class Affected:
    """What an object decides about: `tables`, and a few of them, which stand for the others in writing."""

    tables: frozenset[str] = frozenset()
    some: frozenset[str] = frozenset()


def affected(bench: Bench, problem: Problem) -> Affected:
    """Tables whose rows the problem's object decides about."""
    tables = {title for leak in problem.leaks for title in leak.relations}
    some = {title for leak in problem.leaks for title in leak.relations[:PER_COMMAND]}
    found = policy_named(bench.snapshot, problem.object)
    if found is not None:
        tables.add(found[0].title)
        some.add(found[0].title)
    function = function_named(bench.snapshot, problem.object)
    reached = bench.campaign_reach
    policies: list[Policy] = []
    if function is not None:
        policies += reached.policy_functions.get(function.oid, (function, ()))[1]
    relation = bench.snapshot.relations.get(problem.object)
    if relation is not None:
        bases = {base.title for base in reached.base_tables(relation)}
        tables |= bases
        some |= bases if relation.is_table else set[str]()
        policies += bench.reading_policies(relation)
    tables |= {policy.relation for policy in policies}
    some |= _some_of(policies)
    there = frozenset(bench.stage.world.rows)
    return Affected(frozenset(tables) & there, frozenset(some) & there)


def _some_of(policies: Iterable[Policy]) -> set[str]:
    """A few of the tables whose policies ask the same: two for each command."""
    chosen: dict[str, list[str]] = {}
    for policy in policies:
        several = chosen.setdefault(policy.command, [])
        if len(several) < PER_COMMAND and policy.relation not in several:
            several.append(policy.relation)
    return {title for several in chosen.values() for title in several}
