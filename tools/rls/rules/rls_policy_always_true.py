"""A permissive policy lets every caller through.

What it finds
    Permissive policies whose condition is true for any row: true, 1 = 1, id = id, a function that returns
    true, or for any row once signed in: auth.uid() is not null, auth.role() = 'authenticated'. Reading
    reference data that belongs to nobody is left out. A restrictive policy for the same command that asks
    who calls silences it. Reading what looks published (posts, likes, one card per account, nothing intimate
    in it) is a WARN; inserting into a letter box, whose rows belong to nobody, is an INFO.

Why it matters
    Permissive policies are OR-ed: one that is always true makes all others of the command meaningless. SELECT
    shows every person's rows, INSERT writes rows into any profile, UPDATE and DELETE destroy them.

Fix
    Compare the owner: using (profile_id = any (array(select ...))) or using (user_id = (select auth.uid())).

When to ignore
    INSERT into a table that is meant as a public letter box, such as a waiting list.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import deciding_columns, published, restrained, usual_condition
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.truth import NOBODY, open_to, truth
from tools.rls.wording import (
    altered,
    counted,
    listed,
    on_policy,
    on_table,
    personal,
    rank,
    text_of,
)

_VERBS = {
    "SELECT": "read every row",
    "INSERT": "insert any row",
    "UPDATE": "update every row",
    "DELETE": "delete every row",
}

_LETTER_BOX = (
    "-- a letter box: bound what may be sent with CHECK constraints (length(message) < 5000),\n"
    "-- and write down in sergei.toml that it is one"
)


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy, naming the commands it opens; one per table where several say the same."""
    reached = reach(snapshot)
    for relation in snapshot.tables:
        if not relation.rls or relation.schema in PLATFORM_SCHEMAS:
            continue
        same: dict[tuple[Level, tuple[str, ...]], list[tuple[Policy, set[str]]]] = {}
        for policy in relation.policies if any(p.permissive for p in relation.policies) else ():
            opened = _opened(snapshot, reached, relation, policy) if policy.permissive else {}
            if opened:
                roles = tuple(dict.fromkeys(name for several in opened.values() for name in several))
                level = _level(reached, relation, set(opened), personal(snapshot, relation))
                same.setdefault((level, roles), []).append((policy, set(opened)))
        for (level, roles), several in same.items():
            if len(several) == 1:
                yield _of_policy(snapshot, relation, *several[0], level, roles)
            else:
                yield _of_table(snapshot, relation, several, level, roles)


def _opened(
    snapshot: Snapshot, reached: Reach, relation: Relation, policy: Policy
) -> dict[str, tuple[str, ...]]:
    """By command, the callers whom the policy lets do it with every row."""
    people = personal(snapshot, relation)
    opened: dict[str, tuple[str, ...]] = {}
    for command in _VERBS:
        facts = policy.new_row if command == "INSERT" else policy.using
        strict = restrained(reached, relation, command)
        if not policy.covers(command) or facts is None or strict or (command == "SELECT" and not people):
            continue
        level = truth(reached, facts, relation)
        holders = [
            name for name in open_to(reached, policy, snapshot.addressed(policy), level)
            if level != NOBODY and command in snapshot.may(snapshot.roles[name], relation)
        ]  # fmt: skip
        if holders:
            opened[command] = tuple(holders)
    return opened


def _of_policy(
    snapshot: Snapshot, relation: Relation, policy: Policy, opened: set[str], level: Level,
    roles: tuple[str, ...],
) -> Finding:  # fmt: skip
    moves = opened == {"INSERT"} and policy.covers("UPDATE")
    return on_policy(
        "rls_policy_always_true", level, relation, policy,
        f"Policy {policy.name} lets {listed(roles)}"
        f" {_deeds(opened)} of {relation.title}"
        f"{', and give their own rows away by an update' if moves else ''}.",
        fix=_LETTER_BOX
        if level == Level.INFO
        else altered(policy, relation, _clauses(snapshot, relation, policy, opened)),
        rank=rank(snapshot, relation, roles) + (0 if level == Level.ERROR else 30),
    )  # fmt: skip


def _of_table(
    snapshot: Snapshot, relation: Relation, several: list[tuple[Policy, set[str]]], level: Level,
    roles: tuple[str, ...],
) -> Finding:  # fmt: skip
    opened = {command for _, commands in several for command in commands}
    return on_table(
        "rls_policy_always_true", level, relation,
        f"{counted(len(several), 'policy', 'policies')} on {relation.title}"
        f" ({listed(policy.name for policy, _ in several)}) let {listed(roles)} {_deeds(opened)}.",
        evidence="; ".join(f"{policy.name}: {text_of(policy)}" for policy, _ in several),
        fix="\n".join(
            altered(policy, relation, _clauses(snapshot, relation, policy, commands))
            for policy, commands in several
        ),
        rank=rank(snapshot, relation, roles) + (0 if level == Level.ERROR else 30),
    )  # fmt: skip


def _deeds(opened: set[str]) -> str:
    return listed(verb for command, verb in _VERBS.items() if command in opened)


def _level(reached: Reach, relation: Relation, opened: set[str], people: bool) -> Level:
    if opened == {"INSERT"} and not people:
        return Level.ERROR if deciding_columns(reached, relation) else Level.INFO
    return Level.WARN if opened == {"SELECT"} and published(reached.snapshot, relation) else Level.ERROR


def _clauses(snapshot: Snapshot, relation: Relation, policy: Policy, opened: set[str]) -> str:
    """Conditions in place of what is always true; the other clause stays as it is."""
    owner = usual_condition(snapshot, relation, policy) or "<the row's owner> = (select auth.uid())"
    kept = policy.using_text if policy.using_text and not opened & {"SELECT", "UPDATE", "DELETE"} else owner
    using = f"using ({kept})" if policy.command != "INSERT" else ""
    check = f"with check ({kept})" if policy.command in ("INSERT", "UPDATE", "ALL") else ""
    return " ".join(part for part in (using, check) if part)


RULE = Rule(
    name="rls_policy_always_true",
    title="A permissive policy lets every caller through",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
