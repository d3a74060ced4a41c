"""One row, one caller: find the row, evaluate every part of every policy that applies, look into helpers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from tools.database.connection import Database, Session
from tools.errors import InvalidInput, NotFound, Refused, SergeiError
from tools.rls.explaining.asking import Row, acting, ask, objection, said
from tools.rls.explaining.blocks import Block, Finder
from tools.rls.explaining.looking import looked_into
from tools.rls.explaining.parts import Part, lines, parts_of
from tools.rls.explaining.trees import expression
from tools.rls.explaining.verdicts import CommandAnswer, PolicyAnswer, summed
from tools.rls.matrix.access import COMMANDS, access, applying, condition, unbound_by
from tools.rls.objects import Policy, Relation
from tools.rls.privileges import Role
from tools.rls.snapshot import Snapshot
from tools.rls.wording import literal, quoted

_PARTS: Final = 60
"""Parts of one condition that are evaluated; real policies have up to a dozen."""


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
    allowed: tuple[str, ...]


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
    row, notes = await _row(database, relation, role, claims, where, asked.allowed)
    answers: list[CommandAnswer] = []
    for command in commands:
        policies = await _policies(database, snapshot, relation, role, claims, row, command, asked.allowed)
        answers.append(summed(command, access(snapshot, role, relation, command), policies))
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
        if expression(asked.where) is None:
            raise InvalidInput("`where` is no SQL condition.")
        return asked.where
    for name in asked.key:
        if name not in relation.columns:
            near = get_close_matches(name, list(relation.columns), n=2)
            hint = f"Did you mean {' or '.join(near)}?" if near else ""
            raise NotFound(f"{relation.title} has no column {name}.", hint=hint)
    return " and ".join(f"{quoted(name)} = {literal(str(value))}" for name, value in asked.key.items())


# -- the row ----------------------------------------------------------------------------------


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


# -- policies ---------------------------------------------------------------------------------


async def _policies(
    database: Database, snapshot: Snapshot, relation: Relation, role: Role, claims: Mapping[str, Any],
    row: Row | None, command: str, allowed: Sequence[str],
) -> list[PolicyAnswer]:  # fmt: skip
    if unbound_by(role, relation, command):
        return []
    finder = Finder(snapshot, relation)
    answers: list[PolicyAnswer] = []
    for policy in sorted(applying(role, relation, command), key=lambda one: (not one.permissive, one.name)):
        for word, text in _conditions(policy, command):
            title = f"{'' if policy.permissive else 'restrictive '}policy {policy.name} {word}"
            part = parts_of(text)
            if part is None or row is None:
                value = "it could not be parsed" if part is None else "the row is not known"
                answers.append(PolicyAnswer(title=title, permissive=policy.permissive, value=value))
                continue
            await _evaluated(database, role, claims, row, part, allowed)
            await _looked(database, role, claims, row, part, finder, allowed)
            answers.append(
                PolicyAnswer(
                    title=title, permissive=policy.permissive, value=part.value, lines=tuple(lines(part))
                )
            )
    return answers


def _conditions(policy: Policy, command: str) -> list[tuple[str, str]]:
    """What must hold: USING for the row as it is, WITH CHECK for the same values as a new row."""
    if command == "INSERT":
        text, _ = condition(policy, command)
        return [("WITH CHECK (a new row with these values)", text)] if text else []
    return [("USING", policy.using_text)] if policy.using_text else []


async def _evaluated(
    database: Database, role: Role, claims: Mapping[str, Any], row: Row, whole: Part, allowed: Sequence[str]
) -> None:
    """Fill in the value of every part, as the caller."""
    async with _caller(database, role, claims) as session:
        for part in list(whole.walk())[:_PARTS]:
            if not part.word:
                part.value = await _value(session, row, part.text, allowed)
    for part in reversed(list(whole.walk())):
        if part.word:
            part.value = _together(part)


async def _value(session: Session, row: Row, text: str, allowed: Sequence[str]) -> str:
    name = row.relation.name
    source = row.source(name, blank=True) if row.values else f"(select 1) as {quoted(name)}"
    ask_value = "select ({}) as v from {}".format
    against = await objection(session, ask_value(text, source), allowed)
    if against:
        return f"not run ({against})"
    source = row.source(name) if row.values else source
    found = await ask(session, ask_value(text, source))
    return f"fails with SQLSTATE {found}" if isinstance(found, str) else said(found[0]["v"])


def _together(part: Part) -> str:
    """AND, OR and NOT in three-valued logic."""
    values = [inner.value for inner in part.parts]
    unknown = next((value for value in values if value not in ("true", "false", "null")), "")
    if part.word == "not":
        return {"true": "false", "false": "true"}.get(values[0], values[0])
    deciding, neutral = ("false", "true") if part.word == "and" else ("true", "false")
    if deciding in values:
        return deciding
    return unknown or ("null" if "null" in values else neutral)


def _caller(database: Database, role: Role, claims: Mapping[str, Any]) -> Any:
    return acting(database, role.name, claims)


# -- helpers ----------------------------------------------------------------------------------


async def _looked(
    database: Database, role: Role, claims: Mapping[str, Any], row: Row, whole: Part, finder: Finder,
    allowed: Sequence[str],
) -> None:  # fmt: skip
    """Beside each part that depends on a lookup: what was found there."""
    for part in whole.walk():
        if part.word or part.value not in ("true", "false", "null"):
            continue
        for block in _unique(finder.of(part.node)):
            who = None if block.owner else role.name
            try:
                async with acting(database, who, claims) as session:
                    told = await looked_into(session, block, row, allowed)
            except SergeiError as error:
                told = [f"{', '.join(block.tables)} cannot be looked into: {error.message}"]
            if part.value == "true":
                told = [one for one in told if "meets every condition" in one]
            part.notes += told


def _unique(blocks: Sequence[Block]) -> list[Block]:
    seen: dict[tuple[object, ...], Block] = {}
    for block in blocks:
        seen.setdefault((block.source, *block.callers, *block.links, *block.tests), block)
    return list(seen.values())
