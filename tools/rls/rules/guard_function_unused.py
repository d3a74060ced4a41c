"""A guard is written and no trigger runs it.

What it finds
    Trigger functions that can refuse a row and compare columns of NEW or OLD, which no trigger uses: at the
    function, and at the table that they evidently belong to (the one table that has all those columns and
    whose name stands in the function's name, or that the body names) where an API role may write such a
    column and no other trigger watches it.

Why it matters
    A policy cannot compare the old row with the new one. When the trigger is gone (dropped with a table that
    was built anew, left out of a migration), the function stays and looks as if the rule still held.

Fix
    Create the trigger again, or drop the function when a policy has taken its place.

When to ignore
    A guard that was retired on purpose and is kept for the record.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.guards import created, guarded, meant_for, raises, row_columns
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import body_in_short, listed, on_function, on_table, personal, quoted
from tools.rls.writers import written


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function, and one per table that it belongs to."""
    reached = reach(snapshot)
    tables: dict[str, tuple[Relation, list[Function], set[str]]] = {}
    for function in _idle(reached):
        relation = _home(reached, function)
        columns = _open(reached, relation, function) if relation is not None else []
        if relation is None:
            yield _unplaced(function)
        elif columns:  # else nobody may write them, or another guard watches them
            yield _unused(snapshot, function, relation)
            known = tables.setdefault(relation.title, (relation, [], set()))
            known[1].append(function)
            known[2].update(columns)
    for relation, functions, columns in tables.values():
        yield _unguarded(snapshot, relation, functions, sorted(columns))


def _idle(reached: Reach) -> Iterator[Function]:
    """Trigger functions that can refuse, compare columns of the row, and that no trigger runs."""
    snapshot = reached.snapshot
    used = {trigger.function for relation in snapshot.relations.values() for trigger in relation.triggers}
    for function in snapshot.functions:
        if function.returns != "trigger" or function.oid in used or function.schema in PLATFORM_SCHEMAS:
            continue
        if row_columns(function) and raises(reached, function):
            yield function


def _home(reached: Reach, function: Function) -> Relation | None:
    """The table that the function was evidently written for; None where several could be meant."""
    columns = row_columns(function)
    fitting = [
        relation
        for relation in reached.snapshot.tables
        if columns <= set(relation.columns) and not relation.partition
    ]
    words = _words(function.name)
    named = [(len(_words(r.name)), r) for r in fitting if _holds(words, _words(r.name))]
    longest = [relation for length, relation in named if length == max(n for n, _ in named)]
    if not longest:
        said = {text.lower() for one in body_of(function).everything() for text in one.constants}
        read = {
            found.title
            for one in body_of(function).everything()
            for source in one.sources()
            if (found := reached.relation(source, reached.path(function))) is not None
        }
        longest = [r for r in fitting if r.name in said or r.title in said or r.title in read]
    return longest[0] if len(longest) == 1 else None


def _words(name: str) -> list[str]:
    """`profile_grants` as profile, grant: singular, so that guard_grant and grants meet."""
    return [
        word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s")
        for word in name.lower().split("_")
        if word
    ]


def _holds(words: list[str], table: list[str]) -> bool:
    """Whether a table's name, or its last word alone, stands in a function's name."""
    size = len(table)
    whole = any(words[i : i + size] == table for i in range(len(words) - size + 1))
    return whole or (bool(table) and table[-1] in words)


def _open(reached: Reach, relation: Relation, function: Function) -> list[str]:
    """What a caller may write of the function's columns while no trigger watches it."""
    snapshot = reached.snapshot
    return sorted(
        {
            column
            for command in meant_for(function)
            for name in written(snapshot, relation, command)
            for column in row_columns(function) - guarded(reached, relation, command)
            if snapshot.may_column(snapshot.roles[name], relation, column, command)
        }
    )


def _unplaced(function: Function) -> Finding:
    return on_function(
        "guard_function_unused", Level.INFO, function,
        f"{function.title} refuses rows by {listed(sorted(row_columns(function)))} and no trigger runs it.",
        evidence=_text(function),
        fix=f"create trigger <name> before {' or '.join(meant_for(function)).lower()} on <its table>"
        f" for each row execute function {quoted(function.schema, function.name)}();",
        rank=50,
    )  # fmt: skip


def _unused(snapshot: Snapshot, function: Function, relation: Relation) -> Finding:
    return on_function(
        "guard_function_unused", Level.WARN, function,
        f"{function.title} refuses rows by {listed(sorted(row_columns(function)))} and no trigger runs it;"
        f" {relation.title} has nothing in its place.",
        evidence=_text(function),
        fix=created(relation, function),
        rank=30 if personal(snapshot, relation) else 50,
    )  # fmt: skip


def _unguarded(
    snapshot: Snapshot, relation: Relation, functions: list[Function], columns: list[str]
) -> Finding:
    commands = dict.fromkeys(command for function in functions for command in meant_for(function))
    who = dict.fromkeys(name for command in commands for name in written(snapshot, relation, command))
    return on_table(
        "guard_function_unused", Level.WARN, relation,
        f"No trigger of {relation.title} watches {listed(columns)}: {listed(who)} may write what"
        f" {listed(f.title for f in functions)} would refuse.",
        evidence="; ".join(_text(function) for function in functions),
        fix="\n".join(created(relation, function) for function in functions),
        rank=28 if personal(snapshot, relation) else 45,
    )  # fmt: skip


def _text(function: Function) -> str:
    return body_in_short(function)


RULE = Rule(
    name="guard_function_unused",
    title="A guard is written and no trigger runs it",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
