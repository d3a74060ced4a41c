"""Find by execution for every atom whether it decided an outcome, as true and as false.

As the caller, over the full table: its own row level security is off meanwhile and it may be read, so that
subqueries on other tables still see what the caller sees. Everything is rolled back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from tools.rls.proof.actors import Actor
from tools.rls.proof.coverage.plans import Plan
from tools.rls.proof.coverage.prepared import Prepared
from tools.rls.proof.coverage.questions import Atom, question
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

DRIVER: Final = Path(__file__).with_name("decided.sql")
LATE: Final = "out of time"
_SHUFFLE: Final = 7
_ROUNDS: Final = (6, 20, 10_000)
"""Callers in each round: most conditions are decided by the first few, and are not asked again."""
_REFUSED: Final = "42501"
_CANCELLED: Final = "57014"
_CALL: Final = """
select seen, asked, answered, coalesce(state, ''), coalesce(message, '')
from pg_temp.decided(%s::jsonb, %s, %s, clock_timestamp() + make_interval(secs => %s))
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What one run over some callers gave."""

    asked: int
    answered: int
    state: str
    message: str


class Measurement:
    """One run over all plans. What the end of the time cuts off is marked."""

    def __init__(self, session: ScratchSession, snapshot: Snapshot, actors: Sequence[Actor]) -> None:
        self.session = session
        self.snapshot = snapshot
        self.atoms: list[Atom] = []
        self._actors = _spread(actors)
        names = {name for actor in actors for name in actor.settings}
        self._blank = dict.fromkeys(["request.jwt.claims", "request.jwt.claim.sub", *sorted(names)], "")

    def run(self, plans: Sequence[Plan], seconds: float) -> None:
        """Measure every plan; each has an equal share of the time that is left."""
        end = monotonic() + seconds
        work = [(plan, self._atoms(plan)) for plan in plans]
        with self.session.savepoint(keep=False):
            self.session.script(DRIVER.read_text(encoding="utf-8"))
            self._all_at_once(work, end)
            for number, (plan, atoms) in enumerate(work):
                share = (end - monotonic()) / (len(work) - number)
                self._plan(plan, atoms, monotonic() + share)
            # Shares that were not used up go to those that needed more.
            for plan, atoms in work:
                late = [atom for atom in atoms if atom.reason == LATE]
                if late and monotonic() < end:
                    for atom in late:
                        atom.reason = ""
                    self._plan(plan, atoms, end)

    def _all_at_once(self, work: Sequence[tuple[Plan, list[Atom]]], end: float) -> None:
        """Blocks in which the caller enters through values that depend on him alone: one query for all."""
        prepared = Prepared(self.snapshot)
        for plan, atoms in work:
            for atom in atoms:
                prepared.add(plan, atom)
        prepared.build(self.session, {role: list(self._described(role)) for role in prepared.eyes})
        for plan, atoms in work:
            quick = [atom for atom in atoms if atom.quick is not None and not atom.reason]
            if quick and monotonic() < end:
                with self.session.savepoint(keep=False):
                    self._prepare(plan)
                    self._ask_all(quick, end)

    def _ask_all(self, atoms: list[Atom], end: float) -> None:
        query = question(atoms, quick=True)
        try:
            with self.session.savepoint():
                self.session.script(
                    f"set local statement_timeout = {max(int((end - monotonic()) * 1000), 1)}"
                )
                ((answers,),) = self.session.rows(query.text)
        except SqlFailure:
            if len(query.atoms) > 1:  # one block's failure is not the others'
                for block in dict.fromkeys(atom.block for atom in atoms):
                    own = [atom for atom in atoms if atom.block is block]
                    if len(own) < len(atoms):
                        self._ask_all(own, end)
            return
        query.take(answers)
        for atom in query.atoms:
            atom.done = True

    def _described(self, eyes: str) -> Iterator[Mapping[str, object]]:
        for actor in self._actors:
            role = self.snapshot.roles.get(actor.role)
            yield {
                "roles": sorted(role.effective) if role is not None else [actor.role],
                "settings": self._settings(actor, eyes or actor.role),
            }

    def _atoms(self, plan: Plan) -> list[Atom]:
        found = [
            Atom(block, number, reason=block.reason)
            for block in plan.blocks
            for number in range(len(block.split.atoms))
        ]
        self.atoms += found
        return found

    def _plan(self, plan: Plan, atoms: list[Atom], end: float) -> None:
        with self.session.savepoint(keep=False):
            self._prepare(plan)
            callers = list(self._callers(plan))
            for size in _ROUNDS:
                wanted = [atom for atom in atoms if atom.open]
                now, callers = callers[:size], callers[size:]
                if not wanted or not now:
                    return
                told = self._ask(wanted, now, end)
                if told.asked < len(now) and any(atom.open for atom in wanted):
                    for atom in wanted:
                        atom.reason = atom.reason or (LATE if atom.open else "")
                    return
                if told.state and (told.state != _REFUSED or not told.answered):
                    self._apart(wanted, now, end)

    def _settings(self, actor: Actor, role: str) -> dict[str, str]:
        settings = {**self._blank, **actor.settings}
        if actor.claims:
            settings["request.jwt.claims"] = actor.claims_text
            settings["request.jwt.claim.sub"] = actor.account
        # The role comes last: it may not set what the ones before it may.
        return {**settings, **({"role": role} if role else {})}

    def _prepare(self, plan: Plan) -> None:
        """The table whose policies are measured: without row level security, open to every caller."""
        if plan.table is not None:
            name = f"{_quoted(plan.table.schema)}.{_quoted(plan.table.name)}"
            roles = ", ".join(sorted({_quoted(actor.role) for actor in self._actors if actor.role}))
            lines = [f"alter table {name} disable row level security"]
            if roles:
                lines += [
                    f"grant usage on schema {_quoted(plan.table.schema)} to {roles}",
                    f"grant select on {name} to {roles}",
                ]
            self.session.script("; ".join(lines))
        path = ", ".join(_quoted(schema) for schema in plan.path) or "''"
        self.session.script(f"set local search_path = {path}")

    def _callers(self, plan: Plan) -> Iterator[Mapping[str, str]]:
        """Settings, one set for each caller whom the plan is about."""
        if plan.eyes == "nobody":
            yield self._blank
            return
        for actor in self._actors:
            if self._addressed(plan, actor):
                yield self._settings(actor, plan.owner if plan.eyes == "owner" else actor.role)

    def _addressed(self, plan: Plan, actor: Actor) -> bool:
        role = self.snapshot.roles.get(actor.role)
        effective = set(role.effective) if role is not None else {actor.role}
        return not plan.roles or "public" in plan.roles or bool(plan.roles & effective)

    # -- asking ----------------------------------------------------------------------------

    def _apart(self, atoms: list[Atom], callers: list[Mapping[str, str]], end: float) -> None:
        """Block by block; then atom by atom, each asked only where the conditions before it hold."""
        for block in dict.fromkeys(atom.block for atom in atoms):
            own = [atom for atom in atoms if atom.block is block and atom.open]
            told = self._ask(own, callers, end) if own else None
            if told is None or not told.state or (told.state == _REFUSED and told.answered):
                continue
            for atom in own:
                last = self._ask([atom], callers, end, guarded=True)
                if last.state and not last.answered:
                    atom.reason = last.message
                atom.hindered = told.message

    def _ask(
        self, atoms: list[Atom], callers: list[Mapping[str, str]], end: float, *, guarded: bool = False
    ) -> Told:
        """Every caller in turn, until all is seen or the time is up."""
        query = question(atoms, guarded=guarded)
        left = end - monotonic()
        if left <= 0:
            return Told(0, 0, "", "")
        params = [json.dumps(callers), query.text, 2 * len(query.atoms), left]
        try:
            with self.session.savepoint():
                self.session.script(f"set local statement_timeout = {int(left * 1000) + 1000}")
                ((seen, asked, answered, state, message),) = self.session.rows(_CALL, params)
        except SqlFailure as failure:
            if failure.sqlstate == _CANCELLED:
                return Told(0, 0, "", "")
            return Told(len(callers), 0, failure.sqlstate, failure.message)
        query.take(seen)
        return Told(asked, answered, state, message)


def _spread(actors: Iterable[Actor]) -> list[Actor]:
    """Callers that can differ, in an order that mixes kinds: most conditions are decided by the first few."""
    found: dict[tuple[str, str, str, str], Actor] = {}
    for actor in actors:
        key = (actor.role, actor.account, actor.claims_text, json.dumps(dict(actor.settings), sort_keys=True))
        found.setdefault(key, actor)
    mixed = list(found.values())
    Random(_SHUFFLE).shuffle(mixed)  # noqa: S311  an order, not a secret
    return mixed


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
