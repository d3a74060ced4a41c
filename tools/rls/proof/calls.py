"""Functions that callers may execute, called with keys of somebody else's record; and views, read whole."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from tools.rls.objects import Function, Relation
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.arguments import NUMBERS, argument_lists, single_key
from tools.rls.proof.attack import Campaign
from tools.rls.proof.events import Violation
from tools.rls.proof.expect import may_read, may_write
from tools.rls.proof.model import Kind as Belongs
from tools.rls.proof.offices import offices, promotes
from tools.rls.proof.probing import Attempt, Outcome
from tools.rls.proof.reading import Canaries, addressable, canaries
from tools.rls.proof.verdict import Kind
from tools.rls.proof.world import World, WorldRow, named, quoted
from tools.rls.proof.writing import trusted_tables
from tools.rls.snapshot import PLATFORM_SCHEMAS


def call(campaign: Campaign) -> None:
    """Everybody calls every function that he may execute."""
    world = campaign.world
    kept = kept_tables(world)
    marks, trace = canaries(world, kept), traces(world, kept)
    rows = {row.id: row for several in world.rows.values() for row in several}
    for actor in campaign.deep_actors():
        if not campaign.in_time(f"calls of {actor.name}"):
            return
        attempts: list[Attempt] = []
        functions: list[Function] = []
        for function in callable_functions(world, actor):
            for arguments in argument_lists(world, function, actor):
                statement = call_statement(function, arguments)
                attempts.append(Attempt(statement, trace if writes(function) else ""))
                functions.append(function)
        for function, outcome in zip(functions, campaign.probing.attempts(actor, attempts), strict=True):
            campaign.tried[function.title, "CALL"] = campaign.tried.get((function.title, "CALL"), 0) + 1
            if outcome.worked:
                campaign.worked[function.title, "CALL"] = campaign.worked.get((function.title, "CALL"), 0) + 1
                _judge(campaign, actor, function, outcome, marks, rows)


def _judge(
    campaign: Campaign,
    actor: Actor,
    function: Function,
    outcome: Outcome,
    marks: Canaries,
    rows: Mapping[str, WorldRow],
) -> None:
    """What an answer shows, and what a call left behind."""
    world = campaign.world
    statement = outcome.attempt.statement
    given = {value for value in marks.of if value in statement}
    for found in marks.found(outcome.answer or ""):
        row = rows[found]
        shown = {value for value in marks.of if marks.of[value] == found and value in (outcome.answer or "")}
        if shown <= given and not _told(outcome.answer or "", row, given):
            continue  # it only gives back what it was given
        if row.id in campaign.seen.get(actor, {}).get(row.table, frozenset()):
            continue  # he reads it without the function, too
        if _introduced(actor, row, world):
            continue
        standing = campaign.standings.standing(actor, row)
        if may_read(world, row, standing) is False:
            campaign.violations.append(
                Violation(Kind.CALL, actor, "EXECUTE", row, (statement,), function=function.title)
            )
            break
    if function.title in world.model.calls:
        return
    note, row = next(_done(campaign, actor, statement, outcome.trace), ("", None))
    if row is not None:
        campaign.violations.append(
            Violation(Kind.CALL, actor, "EXECUTE", row, (statement,), function=function.title, note=note)
        )


def _told(answer: str, row: WorldRow, given: Collection[str]) -> bool:
    """Whether an answer has more of a row than the key that it was asked for by."""
    try:
        objects: Any = json.loads(answer)
    except json.JSONDecodeError:
        return False
    for one in cast("list[Any]", objects) if isinstance(objects, list) else [objects]:
        said = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
        same = {text for name, value in said.items() if (text := _text(value)) == row.values.get(name)}
        if same & set(given) and same - {None, *given}:
            return True
    return False


def _introduced(actor: Actor, row: WorldRow, world: World) -> bool:
    """Whether a row that stands for an account may be shown by name: to people who share something."""
    return actor.spec is not None and stands_for_account(world, row.table)


def _done(campaign: Campaign, actor: Actor, statement: str, trace: Any) -> Iterator[tuple[str, WorldRow]]:
    """What a call did to rows that it should not touch: a note, and the row."""
    world = campaign.world
    after = [(WorldRow(title, "", values), values) for title, values in changed(trace)]
    own = {row.table for row, _ in after if campaign.standings.standing(actor, row).inside}
    for row, values in after:
        before = world.known(row)
        if promotes(world.model, actor, before, row):
            yield f"lets them make somebody staff by a row of {row.table}", row
        if offices(world.model, row.table):
            continue  # there it says all that matters
        standing = campaign.standings.standing(actor, row)
        if world.model.tables[row.table].kind is Belongs.OWN:
            # A message to somebody is a new row, and a transfer touches both sides.
            if before is None or row.table in own or not _matters(campaign, before, values):
                continue
        elif not campaign.standings.scopes(row):
            continue
        allowed = may_write(world, row, standing, "INSERT", living=True, by_call=True)
        if allowed is False and not standing.party:
            yield "writes", row
    for title in fewer(trace):
        key = single_key(world, title)
        named_in_it = (r for r in world.rows[title] if (value := r.values.get(key)) and value in statement)
        for row in named_in_it:
            standing = campaign.standings.standing(actor, row)
            allowed = may_write(world, row, standing, "DELETE", living=True, by_call=True)
            if allowed is False and not standing.party:
                yield "deletes", row


def _matters(campaign: Campaign, before: WorldRow, values: Mapping[str, str | None]) -> bool:
    """Whether a change of somebody's row is more than a counter on what everybody sees."""
    relation = campaign.world.snapshot.relations[before.table]
    seeing = (one for one, seen in campaign.seen.items() if before.id in seen.get(before.table, frozenset()))
    if not any(campaign.standings.standing(one, before).base == "none" for one in seeing):
        return True
    fresh = [n for n, value in values.items() if n in before.values and value != before.values[n]]
    return any(not relation.columns[name].type.startswith((*NUMBERS, "timestamp")) for name in fresh)


def changed(trace: Any) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Rows that a call wrote, as (table, values as text)."""
    for entry in cast("list[dict[str, Any]]", trace or []):
        if "r" in entry:
            values = cast("dict[str, Any]", entry["r"])
            yield str(entry["t"]), {name: _text(value) for name, value in values.items()}


def fewer(trace: Any) -> list[str]:
    """Tables that have fewer rows after a call."""
    return [str(entry["t"]) for entry in cast("list[dict[str, Any]]", trace or []) if "n" in entry]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if not isinstance(value, bool) else str(value).lower()


def traces(world: World, kept: Sequence[str]) -> str:
    """A query for what this transaction wrote in `kept` tables and those that decide access: the rows, and
    tables that have fewer of them now.
    """
    titles = dict.fromkeys((*kept, *sorted(trusted_tables(world.model) & set(world.tables))))
    parts = [
        f"select jsonb_build_object('t', {literal(title)}, 'r', to_jsonb(x)) as j from {named(title)} x "
        "where x.xmin::text::bigint >= pg_current_xact_id()::text::bigint % 4294967296"
        for title in titles
    ]
    parts += [
        f"select jsonb_build_object('t', {literal(title)}, 'n', count(*)) from {named(title)} "
        f"having count(*) < {len(world.rows.get(title, ()))}"
        for title in titles
    ]
    return f"select jsonb_agg(j) from ({' union all '.join(parts)}) as every" if parts else ""


def scoped_tables(world: World) -> list[str]:
    """Tables whose rows belong to records."""
    return _tables(world, Belongs.SCOPED)


def kept_tables(world: World) -> list[str]:
    """Tables whose rows belong to records or to accounts."""
    return _tables(world, Belongs.SCOPED, Belongs.OWN)


def _tables(world: World, *kinds: Belongs) -> list[str]:
    return [
        title
        for title, belonging in world.model.tables.items()
        if belonging.kind in kinds and title in world.tables and title != world.model.accounts
    ]


def stands_for_account(world: World, table: str) -> bool:
    """Whether a table has one row per account, under the account's own key: profiles."""
    key, accounts = single_key(world, table), {world.model.accounts, "auth.users"}
    relation = world.snapshot.relations[table]
    return any(one.columns == (key,) and one.target in accounts for one in relation.foreign_keys)


def callable_functions(world: World, actor: Actor) -> list[Function]:
    """Functions of exposed schemas that the actor's role may execute; not triggers."""
    return [
        function
        for function in world.snapshot.functions
        if function.schema not in PLATFORM_SCHEMAS
        and not function.is_trigger
        and function.kind in "fp"
        and actor.role in world.snapshot.executors(function)
    ]


def call_statement(function: Function, arguments: Sequence[str]) -> str:
    """A SELECT that gives the whole answer as one text."""
    name = f"{quoted(function.schema)}.{quoted(function.name)}"
    if function.kind == "p":
        return f"call {name}({', '.join(arguments)})"
    return f"select jsonb_agg(to_jsonb(x))::text from {name}({', '.join(arguments)}) as x"


def writes(function: Function) -> bool:
    """Whether a function may write at all."""
    return function.volatility == "v"


def read_views(campaign: Campaign) -> None:
    """Everybody reads every view and materialized view whole; what it shows of others' records counts."""
    world = campaign.world
    marks = canaries(world, kept_tables(world))
    rows = {row.id: row for several in world.rows.values() for row in several}
    views = [
        r for r in world.snapshot.relations.values() if r.kind in "vm" and addressable(world.snapshot, r)
    ]
    for actor in world.actors:
        role = world.snapshot.roles.get(actor.role)
        mine = [view for view in views if role is not None and "SELECT" in world.snapshot.may(role, view)]
        queries = [_view_query(world, view, actor) for view in mine]
        for view, answer in zip(mine, campaign.probing.answers(actor, queries), strict=True):
            campaign.tried[view.title, "SELECT"] = campaign.tried.get((view.title, "SELECT"), 0) + 1
            if answer:
                campaign.worked[view.title, "SELECT"] = campaign.worked.get((view.title, "SELECT"), 0) + 1
                _judge_view(campaign, actor, view, marks.found(answer), rows)


def _view_query(world: World, view: Relation, actor: Actor) -> str:
    role = world.snapshot.roles[actor.role]
    if "SELECT" in world.snapshot.may(role, view, columns=False):
        return f"select jsonb_agg(to_jsonb(x))::text from {named(view.title)} x"
    columns = [name for name in view.columns if world.snapshot.may_column(role, view, name, "SELECT")]
    listed = ", ".join(quoted(name) for name in columns)
    return f"select jsonb_agg(to_jsonb(x))::text from (select {listed} from {named(view.title)}) x"


def _judge_view(
    campaign: Campaign, actor: Actor, view: Relation, shown: frozenset[str], rows: Mapping[str, WorldRow]
) -> None:
    for found in sorted(shown):
        row = rows[found]
        if row.id in campaign.seen.get(actor, {}).get(row.table, frozenset()):
            continue
        if _introduced(actor, row, campaign.world):
            continue
        standing = campaign.standings.standing(actor, row)
        if may_read(campaign.world, row, standing) is False:
            campaign.violations.append(
                Violation(Kind.READ, actor, "SELECT", row, (view.title,), function=view.title, note="view")
            )
            return
