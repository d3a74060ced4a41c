"""What a function is called with: keys of somebody else's rows by a parameter's name, and plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.objects import Function
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.side import FUTURE
from tools.rls.proof.world import World
from tools.rls.reach import reach

TRIED: Final = 12
"""Argument lists tried per function."""
PEOPLE: Final = ("user", "account", "owner", "member", "grantee", "person")
_TAKEN: Final = re.compile(r"->>?\s*'(\w+)'")
NUMBERS: Final = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def argument_lists(world: World, function: Function, actor: Actor) -> Iterator[list[str]]:
    """Argument lists: keys of the other side by the parameter's name, and plain values for the rest."""
    pools: list[list[str]] = []
    touched = _touched(world, function)
    names = function.arguments or ("",) * len(function.argument_types)
    for kind, parameter in zip(function.argument_types, names, strict=False):
        plain = values_of(world, kind, parameter, actor, touched)
        documents = _documents(world, function, actor, touched) if kind in ("json", "jsonb") else ()
        values = [*documents, *plain]
        pool = [f"{literal(value)}::{kind}" for value in values]
        pools.append(list(dict.fromkeys(pool))[:6] or [f"null::{kind}"])
    yield from (list(chosen) for chosen in islice(product(*pools), TRIED))


def _documents(world: World, function: Function, actor: Actor, touched: Sequence[str]) -> Iterator[str]:
    """A JSON object with every key that the body takes out of one."""
    found: dict[str, str | None] = {}
    for key in dict.fromkeys(_TAKEN.findall(function.body)):
        kind = "uuid" if re.search(r"(^|_)id$", key) else "text"
        found[key] = next(values_of(world, kind, key, actor, touched), None)
    if found:
        yield json.dumps(found)


def _touched(world: World, function: Function) -> list[str]:
    """The tables that a function names itself, those that it writes first."""
    reached = reach(world.snapshot)
    path = reached.path(function)
    facts = body_of(function).facts
    sources = [source for one in facts for _, source in one.written]
    sources += [source for one in facts for source in one.sources()]
    found = (reached.relation(source, path) for source in sources)
    return list(dict.fromkeys(relation.title for relation in found if relation is not None))


def values_of(
    world: World, kind: str, parameter: str, actor: Actor, touched: Sequence[str] = ()
) -> Iterator[str | None]:
    """Values for one argument, those first that are most likely to reach somebody else's record.

    `touched`: tables whose keys are tried where the parameter's name says of no table.
    """
    plain = kind.removesuffix("[]")
    found: Iterator[str | None]
    if plain == "uuid" or (plain in ("bigint", "integer", "text") and parameter.endswith("_id")):
        found = _keys(world, plain, parameter, actor, touched)
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


def _keys(
    world: World, plain: str, parameter: str, actor: Actor, touched: Sequence[str]
) -> Iterator[str | None]:
    """Keys of the first family: accounts, rows of the table that the parameter names, then its records."""
    a, b = world.sides[0], world.sides[1]
    if any(name in parameter for name in PEOPLE):
        yield from (account for account in (a.account, actor.account, b.account) if account)
    for title in tables_of(world, parameter) or touched:
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
    key = world.snapshot.relations[title].primary_key
    return key[0] if len(key) == 1 else ""


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
    # A pattern finds everything where a function searches; an equality takes it as it takes any word.
    yield from [str(actor.claims.get("email", ""))] if "mail" in word else ["%", "x"]
