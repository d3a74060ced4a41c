"""Functions called by those whom they are for, with rows of every kind: what calls do, and for whom.

What for whom is wrong only sergei.toml says, but for one thing: nobody verifies himself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Final

from tools.rls.objects import Function
from tools.rls.proof import arguments, calls
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.attack import Campaign
from tools.rls.proof.events import Called, Change, Violation
from tools.rls.proof.model import Condition
from tools.rls.proof.model import Kind as Belongs
from tools.rls.proof.probing import Attempt, Outcome
from tools.rls.proof.side import met_by
from tools.rls.proof.states import State, given_state
from tools.rls.proof.verdict import Kind
from tools.rls.proof.world import WorldRow

TRIED: Final = 30
"""Argument lists tried per function and actor."""
KINDS: Final = 14
"""Rows of one table that a key argument names."""
_ZONE: Final = re.compile(r"(?<=\d)([+-]\d\d):00$")
_VOUCHED: Final = re.compile(r"verif|approv|review|vett|licen[cs]|certif|credential|accredit")


def deliberate(campaign: Campaign) -> list[Called]:
    """Call every function that writes, and say what it did."""
    found: list[Called] = []
    world = campaign.world
    close = _callers(campaign)
    trace = calls.traces(world, calls.scoped_tables(world))
    for actor in dict.fromkeys([*close, *campaign.tactics.leading_in_order]):
        if not campaign.in_time(f"calls of {actor.name}"):
            break
        attempts: list[Attempt] = []
        meant: list[tuple[Function, tuple[WorldRow, ...]]] = []
        for function in calls.callable_functions(world, actor):
            if calls.writes(function):
                several = _arguments(campaign, function, actor)
                if actor not in close:  # one of many like him: only what is his
                    several = (pair for pair in several if _about(campaign, actor, pair[1]))
                for arguments, given in islice(several, TRIED):
                    statement = calls.call_statement(function, arguments)
                    attempts.append(Attempt(statement, trace))
                    meant.append((function, given))
        for (function, given), outcome in zip(meant, campaign.probing.attempts(actor, attempts), strict=True):
            changes = tuple(_changes(campaign, actor, outcome)) if outcome.worked else ()
            found.append(Called(actor, function, given, outcome.attempt.statement, changes))
    return found


def vouch(campaign: Campaign, every: Sequence[Called]) -> None:
    """Calls by which somebody verifies himself: his own row gets what openings ask of it."""
    declared = campaign.world.model.calls
    asked = list(_vouched(campaign))
    for one in every:
        if one.function.title in declared or one.actor.staff:
            continue
        for change in one.changes:
            mine = [condition for condition in asked if condition.table == change.table]
            own = change.word == "owner" or "+party" in change.word
            if own and any(_turned(campaign, condition, change) for condition in mine):
                note = f"lets them verify the own row of {change.table}"
                found = Violation(
                    Kind.CALL, one.actor, "EXECUTE", change.row, (one.statement,), None,
                    one.function.title, note,
                )  # fmt: skip
                campaign.violations.append(found)
                break


def _vouched(campaign: Campaign) -> Iterator[Condition]:
    """What openings ask of the row that stands for their account, where somebody else vouches for it."""
    for opening in campaign.world.model.openings:
        for condition in opening.conditions:
            on_the_way = condition.hops and condition.hops == opening.account.hops[: len(condition.hops)]
            if on_the_way and _VOUCHED.search(" ".join((condition.column, *condition.values))):
                yield replace(condition, hops=())


def _turned(campaign: Campaign, condition: Condition, change: Change) -> bool:
    """Whether a change brings a row to what a condition asks, which it was not before."""
    if condition.column not in change.columns or campaign.world.meets(condition, change.row):
        return False
    return met_by(condition, change.after.get(condition.column))


def judge(campaign: Campaign, every: Sequence[Called]) -> None:
    """Hold what calls did against what `[rls.expect]` says of the functions."""
    for title, expected in campaign.world.model.calls.items():
        mine = [one for one in every if one.function.title == title]
        for one in mine:
            wrong = _wrong(one, expected)
            if wrong is not None:
                campaign.violations.append(
                    Violation(
                        Kind.CALL, one.actor, "EXECUTE", wrong.row, (one.statement,), None, title, "writes"
                    )
                )
        done = _done(mine)
        left = sorted(expected.get("changes", frozenset()) - done)
        first = next((one for one in mine if one.changes), next((one for one in mine if one.given), None))
        if first is not None and left:
            row = first.changes[0].row if first.changes else first.given[0]
            note = f"leaves {', '.join(left)} as it was"
            campaign.violations.append(
                Violation(Kind.CALL, first.actor, "EXECUTE", row, (first.statement,), None, title, note)
            )


def _wrong(one: Called, expected: Mapping[str, frozenset[str]]) -> Change | None:
    """What a call did that it should not have: for this caller, or with such a row."""
    if not one.changes:
        return None
    for key, words in expected.items():
        table, state = given_state(key)
        if state is not None and not words and _named(one, table, state):
            return one.changes[0]
    # What a call adds beside its change of a row, a log's entry, is its own affair.
    changed = [change for change in one.changes if change.row.id]
    for change in changed or one.changes:
        words = expected.get(f"write {change.table}", frozenset())
        mine = _standing(change.word)
        if not {_standing(word) for word in words} & {mine, mine.partition("+")[0]}:
            return change
    return None


def observed(campaign: Campaign, every: Sequence[Called]) -> dict[str, dict[str, list[str]]]:
    """`[rls.expect]` of functions: for whom each writes what, with which rows it refuses, what it changes."""
    found: dict[str, dict[str, list[str]]] = {}
    for title in dict.fromkeys(one.function.title for one in every):
        mine = [one for one in every if one.function.title == title]
        through = [one for one in mine if one.changes]
        writers: dict[str, set[str]] = {}
        for one in through:
            for change in one.changes:
                words = writers.setdefault(f"write {change.table}", set())
                words.add(_standing(change.word))
        said = {key: sorted(_plainest(several)) for key, several in sorted(writers.items())}
        for table in dict.fromkeys(row.table for one in mine for row in one.given) if through else ():
            for state in campaign.wishes.states.get(table, ()):
                asked = [one for one in mine if _named(one, table, state)]
                alike = any(_alike(campaign, one, other, table, state) for one in asked for other in through)
                if alike and not any(one.changes for one in asked):
                    said[f"given {table} {state.text}"] = []
        said["changes"] = sorted(_done(through))
        found[title] = said
    return found


def _alike(campaign: Campaign, one: Called, other: Called, table: str, state: State) -> bool:
    """Whether two calls differ by this state alone: same standing, and same other states of their rows."""
    states = [s for s in campaign.wishes.states.get(table, ()) if s.column != state.column]

    def mark(call: Called) -> set[object]:
        return {
            (campaign.standings.standing(call.actor, row).word, tuple(s.holds(row.values) for s in states))
            for row in call.given
            if row.table == table
        }

    return bool(mark(one) & mark(other))


def _done(several: Sequence[Called]) -> set[str]:
    """What calls changed: columns of rows, and tables that rows were added to."""
    return {
        f"{change.table}.{name}" if change.row.id else change.table
        for one in several
        for change in one.changes
        for name in change.columns
    }


def _about(campaign: Campaign, actor: Actor, rows: Sequence[WorldRow]) -> bool:
    return bool(rows) and all(campaign.tactics.own(actor, row) for row in rows)


def _named(one: Called, table: str, state: State) -> bool:
    return any(row.table == table and state.holds(row.values) for row in one.given)


def _standing(word: str) -> str:
    """As far as functions tell: who wrote a row, and whether the record is in force, other keys tell."""
    return word.removeprefix("closed ").removesuffix("+author")


def _plainest(words: set[str]) -> set[str]:
    return {word for word in words if "+" not in word or word.partition("+")[0] not in words}


# -- calling -----------------------------------------------------------------------------------


def _callers(campaign: Campaign) -> list[Actor]:
    """The leading ones of every kind, owners and staff among them."""
    deep = campaign.deep_actors()
    names = {actor.name for actor in deep}
    more = [
        actor
        for actor in campaign.world.actors
        if actor.name not in names and (actor.staff or actor.name.startswith("owner of a"))
    ]
    return [*deep, *more]


def _arguments(
    campaign: Campaign, function: Function, actor: Actor
) -> Iterator[tuple[list[str], tuple[WorldRow, ...]]]:
    """Argument lists, each with the rows that its keys name."""
    world = campaign.world
    pools: list[list[tuple[str, WorldRow | None]]] = []
    names = function.arguments or ("",) * len(function.argument_types)
    for kind, parameter in zip(function.argument_types, names, strict=False):
        table = arguments.table_of(world, parameter) if kind in ("uuid", "bigint", "integer") else ""
        key = arguments.single_key(world, table) if table else ""
        rows = _kinds(campaign, actor, table) if key else []
        pool: list[tuple[str, WorldRow | None]] = [
            (f"{literal(row.values[key])}::{kind}", row) for row in rows if row.values.get(key)
        ]
        plain = (f"{literal(value)}::{kind}" for value in arguments.values_of(world, kind, parameter, actor))
        pool = pool or [(text, None) for text in islice(plain, 3)] or [(f"null::{kind}", None)]
        pools.append(pool)
    for chosen in product(*pools):
        yield [text for text, _ in chosen], tuple(row for _, row in chosen if row is not None)


def _kinds(campaign: Campaign, actor: Actor, table: str) -> list[WorldRow]:
    """A row of every kind: by what the actor is to it and its states; those first that are his."""
    states = campaign.wishes.states.get(table, ())
    found: dict[tuple[object, ...], list[WorldRow]] = {}
    for row in campaign.world.rows.get(table, ()):
        word = campaign.standings.standing(actor, row).word
        found.setdefault((word, tuple(state.holds(row.values) for state in states)), []).append(row)
    # The last of a kind hangs from a record that was made for functions.
    rows = [row for alike in found.values() for row in dict.fromkeys((alike[0], alike[-1]))]
    return sorted(rows, key=lambda row: not campaign.tactics.own(actor, row))[:KINDS]


def _changes(campaign: Campaign, actor: Actor, outcome: Outcome) -> Iterator[Change]:
    world = campaign.world
    for title, values in calls.changed(outcome.trace):
        key = arguments.single_key(world, title)
        before = world.find(title, (key,), (values.get(key),)) if key else []
        row = before[0] if before else WorldRow(title, "", values)
        fresh = {name for name, value in values.items() if not before or _other(value, row.values.get(name))}
        belonging = world.model.tables.get(title)
        if fresh and belonging is not None and belonging.kind in (Belongs.SCOPED, Belongs.OWN):
            word = campaign.standings.standing(actor, row).word
            yield Change(title, word, frozenset(fresh), row, values)


def _other(one: str | None, other: str | None) -> bool:
    """Whether two values differ; times are written differently by JSON, which is no difference."""
    if one is None or other is None:
        return one is not other
    return _moment(one) != _moment(other)


def _moment(value: str) -> str:
    """A time as text has it; to the fraction, as a second later is another time."""
    return _ZONE.sub(r"\1", value.replace("T", " "))
