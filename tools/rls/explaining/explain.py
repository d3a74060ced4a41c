"""One row, one caller: find the row, evaluate every part of every policy that applies, look into helpers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tools.database.connection import Database
from tools.database.oracles import PhiRules
from tools.database.reading import read_rows
from tools.errors import InvalidInput, NotFound, Refused
from tools.rls.explaining.asking import Row, acting, ask, objection
from tools.rls.explaining.looking import Looking
from tools.rls.explaining.trees import expression, printed
from tools.rls.explaining.verdicts import CommandAnswer
from tools.rls.matrix.access import COMMANDS
from tools.rls.objects import Relation
from tools.rls.privileges import Role
from tools.rls.snapshot import Snapshot
from tools.rls.wording import literal, quoted


@dataclass(frozen=True, slots=True)
class Asked:
    """The question, as the tool's arguments."""

    relation: str
    key: Mapping[str, Any]
    where: str
    user_id: str
    role: str
    claims: Mapping[str, Any]
    commands: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    rules: PhiRules | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answer, before it becomes a tool's result."""

    relation: str
    caller: str
    row: str
    commands: tuple[CommandAnswer, ...]
    notes: tuple[str, ...]


async def explain(database: Database, snapshot: Snapshot, asked: Asked) -> Found:
    """Answer for each command. Raises NotFound or InvalidInput for a question that cannot be asked."""
    relation, role = _relation(snapshot, asked.relation), _role(snapshot, asked)
    commands = [_command(word) for word in asked.commands] or ["SELECT"]
    claims = {**asked.claims, **({"sub": asked.user_id} if asked.user_id else {})}
    claims.setdefault("role", role.name)
    where = _where(relation, asked)
    await _admitted(database, relation, where, asked)
    row, notes = await _row(database, relation, role, claims, where, asked.allowed)
    looking = Looking(database, snapshot, relation, role, claims, row, asked.allowed)
    answers = [await looking.answer(command) for command in commands]
    if row is not None and "SELECT" in commands:
        notes += await _checked(database, relation, role, claims, where, answers)
    caller = f"as {role.name}{' with the given account' if claims.get('sub') else ' without an account'}"
    state = "the row was found" if row is not None else "no such row was found"
    return Found(relation.title, caller, state, tuple(answers), tuple(notes))


# -- the question -----------------------------------------------------------------------------


def _relation(snapshot: Snapshot, name: str) -> Relation:
    schema, _, bare = name.rpartition(".")
    found = snapshot.named(schema, bare, ("public", *sorted(snapshot.schemas)))
    if found is None:
        near = get_close_matches(name if schema else f"public.{name}", list(snapshot.relations), n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else ""
        raise NotFound(f"There is no relation {name} here.", hint=hint)
    if not found.is_table:
        raise InvalidInput(
            f"{found.title} is no table, so it has no policies of its own.",
            hint=f"Ask about {found.reads[0] if found.reads else 'the table behind it'}.",
        )
    return found


def _role(snapshot: Snapshot, asked: Asked) -> Role:
    if asked.role:
        name = asked.role
    elif snapshot.supabase:
        name = "authenticated" if asked.user_id or asked.claims else "anon"
    else:
        raise InvalidInput(
            "Name the caller's role.", hint="This database has no roles anon and authenticated."
        )
    if name not in snapshot.roles:
        near = get_close_matches(name, list(snapshot.roles), n=2)
        raise NotFound(
            f"There is no role {name} here.", hint=f"Did you mean {' or '.join(near)}?" if near else ""
        )
    return snapshot.roles[name]


def _command(word: str) -> str:
    command = word.upper()
    if command not in COMMANDS:
        raise InvalidInput(f"{word} is no command to explain.", hint=f"One of {', '.join(COMMANDS)}.")
    return command


def _where(relation: Relation, asked: Asked) -> str:
    """The condition that finds the row."""
    if bool(asked.key) == bool(asked.where):
        raise InvalidInput("Name the row by `key` or by `where`.", hint='For instance key {"id": "<uuid>"}.')
    if asked.where:
        node = expression(asked.where)
        if node is None:
            raise InvalidInput("`where` is no SQL condition.")
        return printed(node)  # as it was parsed: no comment can swallow what follows
    for name in asked.key:
        if name not in relation.columns:
            near = get_close_matches(name, list(relation.columns), n=2)
            hint = f"Did you mean {' or '.join(near)}?" if near else ""
            raise NotFound(f"{relation.title} has no column {name}.", hint=hint)
    return " and ".join(f"{quoted(name)} = {literal(str(value))}" for name, value in asked.key.items())


# -- the row ----------------------------------------------------------------------------------


async def _admitted(database: Database, relation: Relation, where: str, asked: Asked) -> None:
    """Whether a row is there tells of its values: the search is subject to the same gate as any query.

    Raises Refused for a condition that asks for hidden values, or that does more than read.
    """
    target = quoted(relation.schema, relation.name)
    statement = f"select true as there from {target} where ({where})"  # noqa: S608  judged by read_rows
    try:
        await read_rows(database, statement, limit=2, rules=asked.rules, allowed=asked.allowed)
    except Refused as error:
        if error.code != "42501":  # a login without the privilege: the caller may have it
            raise


async def _row(
    database: Database, relation: Relation, role: Role, claims: Mapping[str, Any], where: str,
    allowed: Sequence[str],
) -> tuple[Row | None, list[str]]:  # fmt: skip
    """The values of the columns that policies name, read by the login, else by the caller."""
    columns = _columns(relation)
    target = quoted(relation.schema, relation.name)
    chosen = ", ".join(f"{quoted(name)}::text as {quoted(name)}" for name in columns) or "1 as one"
    statement = f"select {chosen} from {target} where ({where}) limit 2"  # noqa: S608  judged before it runs
    notes: list[str] = []
    for who in (None, role.name):
        async with acting(database, who, claims) as session:
            against = await objection(session, statement, allowed)
            if against:
                raise Refused(f"The row is not looked for: {against}.")
            found = await ask(session, statement)
        if isinstance(found, str):
            if found.startswith("22"):
                raise InvalidInput(
                    f"The row cannot be looked for: a value does not fit its column ({found})."
                )
            notes.append(f"{'The login' if who is None else who} cannot read {relation.title} ({found}).")
            continue
        if len(found) > 1:
            raise InvalidInput("More than one row fits.", hint="Name it by its primary key.")
        if found:
            return Row(relation, {name: found[0][name] for name in columns}), notes
    notes.append(
        "The row does not exist, or neither the login nor the caller sees it: what depends on its columns "
        "is not known."
    )
    return None, notes


def _columns(relation: Relation) -> list[str]:
    """Columns that some policy of the relation names."""
    named = {
        column.name for policy in relation.policies for part in policy.parts() for column in part.columns
    }
    return [name for name in relation.columns if name in named]


async def _checked(
    database: Database, relation: Relation, role: Role, claims: Mapping[str, Any], where: str,
    answers: Sequence[CommandAnswer],
) -> list[str]:  # fmt: skip
    """What the database itself shows to the caller: the sum must agree with it."""
    target = quoted(relation.schema, relation.name)
    try:
        async with acting(database, role.name, claims) as session:
            # The condition was judged when the row was looked for.
            found = await ask(session, f"select true as seen from {target} where ({where}) limit 1")  # noqa: S608
    except Refused:
        return []
    seen = "an error" if isinstance(found, str) else "yes" if found else "no"
    verdict = next(answer.verdict for answer in answers if answer.command == "SELECT")
    if isinstance(found, str):
        return [f"Tried as the caller, SELECT fails with SQLSTATE {found}."] if verdict != "no" else []
    told = "seen" if seen == "yes" else "not seen"
    if seen == verdict:
        return [f"Tried as the caller: the row is {told}, as explained."]
    return [f"Tried as the caller, the row is {told}: the explanation is incomplete."]
