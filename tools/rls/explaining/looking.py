"""Evaluate the policies that apply to one row and one caller, part by part, and look into their helpers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools.database.connection import Database, Session
from tools.errors import SergeiError
from tools.rls.explaining.asking import Row, acting, ask, objection, said
from tools.rls.explaining.blocks import Block, Finder
from tools.rls.explaining.lookups import looked_into
from tools.rls.explaining.parts import Part, lines, parts_of
from tools.rls.explaining.verdicts import CommandAnswer, PolicyAnswer, summed
from tools.rls.matrix.access import Extent, access, applying, unbound_by
from tools.rls.objects import Policy, Relation
from tools.rls.privileges import Role
from tools.rls.snapshot import Snapshot
from tools.rls.wording import quoted

_PARTS: Final = 60
"""Parts of one condition that are evaluated; real policies have up to a dozen."""


@dataclass(frozen=True, slots=True)
class Looking:
    """One row (None where it could not be read) and one caller."""

    database: Database
    snapshot: Snapshot
    relation: Relation
    role: Role
    claims: Mapping[str, Any]
    row: Row | None
    allowed: Sequence[str]

    async def answer(self, command: str) -> CommandAnswer:
        """Whether the command reaches the row. UPDATE is tried with the row as it is for its new values."""
        found = access(self.snapshot, self.role, self.relation, command)
        using = await self._policies(command, new_row=command == "INSERT")
        answer = summed(command, found, using)
        if command == "UPDATE" and answer.verdict == "yes" and using:
            check = await self._policies(command, new_row=True)
            after = summed(command, found, check)
            policies = (*using, *(one for one in check if one not in using))
            if after.verdict != "yes":
                why = f"The row is found, but may not be written back as it is: {after.why}"
                return CommandAnswer(command=command, verdict=after.verdict, why=why, policies=policies)
            answer = answer.model_copy(update={"policies": policies})
        if command in ("UPDATE", "DELETE") and answer.verdict == "yes":
            seen = await self.answer("SELECT")
            if seen.verdict == "no":
                why = f"{answer.why} But SELECT does not show the row, and WHERE needs that: {seen.why}"
                return answer.model_copy(update={"verdict": "no", "why": why})
        return answer

    async def _policies(self, command: str, *, new_row: bool) -> list[PolicyAnswer]:
        if unbound_by(self.role, self.relation, command):
            return []
        policies = applying(self.role, self.relation, command)
        ordered = sorted(policies, key=lambda one: (not one.permissive, one.name))
        answers = [await self._policy(policy, new_row=new_row) for policy in ordered]
        return [answer for answer in answers if answer is not None]

    async def _policy(self, policy: Policy, *, new_row: bool) -> PolicyAnswer | None:
        checks = new_row and policy.check_text is not None
        text = policy.check_text if checks else policy.using_text
        if text is None:
            return None  # a condition that is left out does not count
        word = "WITH CHECK (a new row with these values)" if checks else "USING"
        title = f"{'' if policy.permissive else 'restrictive '}policy {policy.name} {word}"
        part = parts_of(text)
        if part is None or self.row is None:
            value = "it could not be parsed" if part is None else "the row is not known"
            return PolicyAnswer(title=title, permissive=policy.permissive, value=value)
        await self._evaluate(self.row, part)
        await self._look(self.row, part)
        return PolicyAnswer(
            title=title, permissive=policy.permissive, value=part.value, lines=tuple(lines(part))
        )

    async def _evaluate(self, row: Row, whole: Part) -> None:
        """Fill in the value of every part, as the caller."""
        parts = list(whole.walk())
        async with acting(self.database, self.role.name, self.claims) as session:
            for number, part in enumerate(parts):
                if not part.word:
                    part.value = (
                        await self._value(session, row, part.text) if number < _PARTS else "not evaluated"
                    )
        for part in reversed(parts):
            if part.word:
                part.value = together(part)

    async def _value(self, session: Session, row: Row, text: str) -> str:
        name = row.relation.name
        value = "select ({}) as v from {}".format
        nothing = f"(select 1) as {quoted(name)}"
        against = await objection(
            session, value(text, row.source(name, blank=True) if row.values else nothing), self.allowed
        )
        if against:
            return f"not run ({against})"
        found = await ask(session, value(text, row.source(name) if row.values else nothing))
        return f"fails with SQLSTATE {found}" if isinstance(found, str) else said(found[0]["v"])

    async def _look(self, row: Row, whole: Part) -> None:
        """Beside each part that depends on a lookup: what was found there."""
        finder = Finder(self.snapshot, self.relation)
        for part in whole.walk():
            if part.word or part.value not in ("true", "false", "null"):
                continue
            for block in _unique(finder.of(part.node)):
                told = await self._block(row, block)
                part.notes += [one for one in told if part.value != "true" or "every condition" in one]

    async def _block(self, row: Row, block: Block) -> list[str]:
        hidden = self._hidden(block) if block.owner else ""
        if hidden:
            return [f"{hidden} is not looked into: the login sees only a part of it, the helper all"]
        who = None if block.owner else self.role.name
        try:
            async with acting(self.database, who, self.claims) as session:
                return await looked_into(session, block, row, self.allowed)
        except SergeiError as error:
            return [f"{', '.join(block.tables)} cannot be looked into: {error.message}"]

    def _hidden(self, block: Block) -> str:
        """A table of which the login would see less than the helper's owner does."""
        login = self.snapshot.roles.get(self.snapshot.reader)
        for title in block.tables:
            relation = self.snapshot.relations.get(title)
            if login is None or relation is None:
                continue
            if access(self.snapshot, login, relation, "SELECT").extent is not Extent.EVERY:
                return title
        return ""


def together(part: Part) -> str:
    """AND, OR and NOT in three-valued logic."""
    values = [inner.value for inner in part.parts]
    unknown = next((value for value in values if value not in ("true", "false", "null")), "")
    if part.word == "not":
        return {"true": "false", "false": "true"}.get(values[0], values[0])
    deciding, neutral = ("false", "true") if part.word == "and" else ("true", "false")
    if deciding in values:
        return deciding
    return unknown or ("null" if "null" in values else neutral)


def _unique(blocks: Sequence[Block]) -> list[Block]:
    seen: dict[tuple[object, ...], Block] = {}
    for block in blocks:
        seen.setdefault((block.source, *block.callers, *block.links, *block.tests), block)
    return list(seen.values())
