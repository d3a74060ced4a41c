"""Functions that callers may execute, called with keys of somebody else's record; and views, read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any, Final, cast

from tools.rls.objects import Function, Relation
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.attack import Campaign
from tools.rls.proof.events import Violation
from tools.rls.proof.expect import may_read, may_write
from tools.rls.proof.model import Kind as Belongs
from tools.rls.proof.offices import promotes
from tools.rls.proof.probing import Attempt, Outcome
from tools.rls.proof.reading import Canaries, addressable, canaries
from tools.rls.proof.side import FUTURE
from tools.rls.proof.verdict import Kind
from tools.rls.proof.world import World, WorldRow, named, quoted
from tools.rls.proof.writing import trusted_tables
from tools.rls.snapshot import PLATFORM_SCHEMAS

TRIED: Final = 12
"""Argument lists tried per function."""
PEOPLE: Final = ("user", "account", "owner", "member", "grantee", "person")
NUMBERS: Final = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def call(campaign: Campaign) -> None:
    """Everybody calls every function that he may execute."""
    world = campaign.world
    marks = canaries(world, scoped_tables(world))
    rows = {row.id: row for several in world.rows.values() for row in several}
    for actor in campaign.deep_actors():
        if not campaign.in_time(f"calls of {actor.name}"):
            return
        attempts: list[Attempt] = []
        functions: list[Function] = []
        for function in callable_functions(world, actor):
            for arguments in argument_lists(world, function, actor):
                attempts.append(
                    Attempt(call_statement(function, arguments), traces(world) if _writes(function) else "")
                )
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
    statement = outcome.attempt.statement
    given = {value for value in marks.of if value in statement}
    for found in marks.found(outcome.answer or ""):
        row = rows[found]
        shown = {value for value in marks.of if marks.of[value] == found and value in (outcome.answer or "")}
        if shown <= given:  # it only gives back what it was given
            continue
        if row.id in campaign.seen.get(actor, {}).get(row.table, frozenset()):
            continue  # he reads it without the function, too
        standing = campaign.standings.standing(actor, row)
        if may_read(campaign.world, row, standing) is False:
            campaign.violations.append(
                Violation(Kind.CALL, actor, "EXECUTE", row, (statement,), function=function.title)
            )
            break
    world = campaign.world
    for title, values in changed(outcome.trace) if function.title not in world.model.calls else ():
        row = WorldRow(title, "", values)
        if promotes(world.model, actor, _before(world, row), row):
            note = f"lets them make somebody staff by a row of {title}"
            campaign.violations.append(
                Violation(Kind.CALL, actor, "EXECUTE", row, (statement,), function=function.title, note=note)
            )
            break
        standing = campaign.standings.standing(actor, row)
        if not campaign.standings.scopes(row):
            continue
        allowed = may_write(world, row, standing, "INSERT", living=True, by_call=True)
        if allowed is False and not standing.party:
            campaign.violations.append(
                Violation(
                    Kind.CALL, actor, "EXECUTE", row, (statement,), function=function.title, note="writes"
                )
            )
            break


def _before(world: World, row: WorldRow) -> WorldRow | None:
    """The row as the world has it, found by its primary key."""
    keys = world.snapshot.relations[row.table].keys
    columns = next((key.columns for key in keys if key.kind == "p"), ())
    return next(iter(world.find(row.table, columns, row.key(columns))), None) if columns else None


def changed(trace: Any) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Rows that a call wrote, as (table, values as text)."""
    for entry in cast("list[dict[str, Any]]", trace or []):
        values = cast("dict[str, Any]", entry["r"])
        yield str(entry["t"]), {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if not isinstance(value, bool) else str(value).lower()


def traces(world: World) -> str:
    """A query for all rows that this transaction wrote in tables that belong to somebody or decide access."""
    titles = dict.fromkeys((*scoped_tables(world), *sorted(trusted_tables(world.model) & set(world.tables))))
    parts = [
        f"select jsonb_build_object('t', {literal(title)}, 'r', to_jsonb(x)) as j from {named(title)} x "
        "where x.xmin::text::bigint >= pg_current_xact_id()::text::bigint % 4294967296"
        for title in titles
    ]
    return f"select jsonb_agg(j) from ({' union all '.join(parts)}) as every" if parts else ""


def scoped_tables(world: World) -> list[str]:
    """Tables whose rows belong to records."""
    return [
        title
        for title, belonging in world.model.tables.items()
        if belonging.kind is Belongs.SCOPED and title in world.tables and title != world.model.accounts
    ]


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


def argument_lists(world: World, function: Function, actor: Actor) -> Iterator[list[str]]:
    """Argument lists: keys of the other side by the parameter's name, and plain values for the rest."""
    pools: list[list[str]] = []
    names = function.arguments or ("",) * len(function.argument_types)
    for kind, parameter in zip(function.argument_types, names, strict=False):
        pool = [f"{literal(value)}::{kind}" for value in values_of(world, kind, parameter, actor)]
        pools.append(list(dict.fromkeys(pool))[:6] or [f"null::{kind}"])
    yield from (list(chosen) for chosen in islice(product(*pools), TRIED))


def values_of(world: World, kind: str, parameter: str, actor: Actor) -> Iterator[str | None]:
    """Values for one argument, those first that are most likely to reach somebody else's record."""
    plain = kind.removesuffix("[]")
    found: Iterator[str | None]
    if plain == "uuid" or (plain in ("bigint", "integer", "text") and parameter.endswith("_id")):
        found = _keys(world, plain, parameter, actor)
    elif plain in NUMBERS:
        found = iter(["1"])
    elif plain == "boolean":
        found = iter(["true"])
    elif plain.startswith("timestamp") or plain == "date":
        found = iter([FUTURE])
    elif plain in ("json", "jsonb"):
        found = iter(["{}"])
    elif plain in ("text", "character varying", "citext"):
        found = _words(world, _plain(parameter), actor)
    else:
        found = _labels(world, plain)
    for value in found:
        yield "{" + value + "}" if kind.endswith("[]") and value is not None else value


def _plain(parameter: str) -> str:
    """The column that a parameter is named after."""
    return parameter.removeprefix("p_").removeprefix("_")


def _subject(parameter: str) -> str:
    """What a parameter is about: `p_document_id` is about a document."""
    return parameter.removeprefix("p_").removeprefix("_").removesuffix("_id").removesuffix("_ids").rstrip("s")


def _keys(world: World, plain: str, parameter: str, actor: Actor) -> Iterator[str | None]:
    """Keys of the first family: accounts, rows of the table that the parameter names, then its records."""
    a, b = world.sides[0], world.sides[1]
    if any(name in parameter for name in PEOPLE):
        yield from (account for account in (a.account, actor.account, b.account) if account)
    for title in tables_of(world, parameter):
        row, key = a.of(title), single_key(world, title)
        if row is not None and key and row.values.get(key):
            yield row.values[key]
    if plain == "uuid":
        for table, record in a.records.items():
            yield record.values.get(world.model.anchors[table].key) or ""
        yield a.account
        yield actor.account


def tables_of(world: World, parameter: str) -> list[str]:
    """Tables whose rows a parameter is about, by their names."""
    names = {title: _singular(title.partition(".")[2]) for title in world.tables}
    subject = _subject(parameter)
    person = any(name in parameter for name in PEOPLE)  # whose account is tried by itself
    for word in filter(None, [subject]) if person else _endings(subject):
        found = [title for title, name in names.items() if name == word or name.endswith("_" + word)]
        if found:
            return found
    return []


def _endings(word: str) -> Iterator[str]:
    """`wanted_care_plan`, `care_plan`, `plan`."""
    while word:
        yield word
        word = word.partition("_")[2]


def table_of(world: World, parameter: str) -> str:
    """The one that fits best: of the same name rather than ending in it."""
    return min(tables_of(world, parameter), key=len, default="")


def _singular(name: str) -> str:
    return name.removesuffix("ies") + "y" if name.endswith("ies") else name.rstrip("s")


def single_key(world: World, title: str) -> str:
    keys = world.snapshot.relations[title].keys
    return next((key.columns[0] for key in keys if key.kind == "p" and len(key.columns) == 1), "")


def _labels(world: World, plain: str) -> Iterator[str | None]:
    """Labels of an enum, the last (mightiest) first; NULL where the type is no enum that a column has."""
    for relation in world.snapshot.relations.values():
        for column in relation.columns.values():
            if column.type == plain and column.values:
                yield from reversed(column.values)
                return
    yield None


def _words(world: World, word: str, actor: Actor) -> Iterator[str]:
    for ending in _endings(word):
        found: dict[str, None] = {}
        for (_, column), constants in world.model.constants.items():
            if column == ending:
                found |= dict.fromkeys(constants)
        for title in world.tables:
            column = world.snapshot.relations[title].columns.get(ending)
            found |= dict.fromkeys(column.values if column is not None else ())
        yield from found
        if found:
            break
    yield str(actor.claims.get("email", "")) if "mail" in word else "x"


def _writes(function: Function) -> bool:
    return function.volatility == "v"


def read_views(campaign: Campaign) -> None:
    """Everybody reads every view and materialized view whole; what it shows of others' records counts."""
    world = campaign.world
    tables = scoped_tables(world)
    marks = canaries(world, tables)
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
        standing = campaign.standings.standing(actor, row)
        if may_read(campaign.world, row, standing) is False:
            campaign.violations.append(
                Violation(Kind.READ, actor, "SELECT", row, (view.title,), function=view.title, note="view")
            )
            return
