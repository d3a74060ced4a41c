"""Which policy, helper, view or missing protection let an attack through."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from tools.rls.facts import Facts
from tools.rls.objects import Function, Policy, Relation
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.attack import Campaign
from tools.rls.proof.events import Violation
from tools.rls.proof.expect import may_read
from tools.rls.proof.gifts import Gifts
from tools.rls.proof.standing import Record, Standing
from tools.rls.proof.states import Key
from tools.rls.proof.storage import astray
from tools.rls.proof.through import through
from tools.rls.proof.verdict import Kind
from tools.rls.proof.views import responsible, views_behind
from tools.rls.proof.world import WorldRow, named, quoted
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS
from tools.rls.sqltree import constant

WIDELY: Final = 3
"""In so many tables something has to go wrong before a helper is to blame that is right for others."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Where to mend: the object as findings name it, the policy on the way, and the sentence about it."""

    object: str
    policy: str = ""
    function: str = ""
    why: str = ""


@dataclass(eq=False)
class Blame:
    """Finds causes in one campaign; what a helper gives to whom is asked once."""

    campaign: Campaign
    _truths: dict[tuple[int, str, str, str], dict[str, bool]] = field(
        default_factory=dict[tuple[int, str, str, str], dict[str, bool]]
    )
    _leaking: dict[tuple[str, bool], set[str]] | None = None

    @cached_property
    def gifts(self) -> Gifts:
        """What functions give to whom."""
        return Gifts(self.campaign)

    @property
    def reached(self) -> Reach:
        """What expressions reach."""
        return reach(self.campaign.world.snapshot)

    def cause(self, violation: Violation) -> Cause:
        """The cause of one violation."""
        if violation.function:
            return self._of_call(violation)
        if violation.kind is Kind.ESCALATION and violation.write is not None:
            return self._of_write(
                violation, violation.write.before, violation.write.after, violation.write.command
            )
        if violation.write is not None and violation.write.purpose == "mix":
            policies = self.true_policies(
                violation.actor,
                self.campaign.world.snapshot.relations[violation.row.table],
                violation.row,
                "INSERT",
            )
            policy = policies[0].title if policies else ""
            return Cause(violation.row.table, policy, why="nothing ties its two parents to one record")
        if violation.kind is Kind.WRITE and violation.write is not None:
            return self._of_write(
                violation, violation.write.before, violation.write.after, violation.write.command
            )
        return self._of_read(violation)

    def _of_call(self, violation: Violation) -> Cause:
        """The function that does the work: one that only calls another is its name for the API."""
        snapshot = self.campaign.world.snapshot
        working = next((f for f in snapshot.functions if f.title == violation.function), None)
        while working is not None and not working.definer:
            called = [f for f in self.reached.called_by(working) if f.schema not in PLATFORM_SCHEMAS]
            if len(called) != 1:
                break
            working = called[0]
        name = working.title if working is not None and working.definer else violation.function
        why = "it does less than it should" if violation.note.startswith("leaves ") else ""
        return Cause(name, function=violation.function, why=why or "it answers without asking who calls")

    # -- policies ------------------------------------------------------------------------

    def _of_read(self, violation: Violation) -> Cause:
        relation = self.campaign.world.snapshot.relations[violation.statements[-1]]
        if relation.kind in "vm":
            return Cause(relation.title, why="it reads with its owner's rights, past row level security")
        if not relation.rls:
            return Cause(relation.title, why="row level security is off")
        guilty = self.true_policies(violation.actor, relation, violation.row, "SELECT")
        if violation.narrow is not None:
            return self._narrow(violation.narrow, relation, guilty)
        return self._deepest(violation, relation, guilty, violation.row)

    def _narrow(self, key: Key, relation: Relation, guilty: list[Policy]) -> Cause:
        """Where one of a row's states or columns is wrong, the row as such is rightly open: no helper is."""
        column = key.state.column if key.state else ""
        asking = [policy for policy in guilty if not column or key.to or _names(policy, column)]
        if key.command == "INSERT" and key.state is not None:
            asking = asking or guilty  # a new row's state is for WITH CHECK to ask
        if len(asking) != 1 and key.command != "UPDATE":
            asking = asking[:1]
        if len(asking) == 1:
            return Cause(asking[0].title, asking[0].title, why=f"{asking[0].title} lets them through")
        policy = guilty[0].title if guilty else ""
        why = "no policy, trigger or privilege keeps them from it"
        return Cause(relation.title, policy, why=why)

    def _of_write(
        self, violation: Violation, before: WorldRow | None, after: WorldRow | None, command: str
    ) -> Cause:
        row = after or before or violation.row
        relation = self.campaign.world.snapshot.relations[row.table]
        if not relation.rls:
            return Cause(relation.title, why="row level security is off")
        guilty = self.true_policies(
            violation.actor, relation, row, command, new=after is not None and before is not after
        )
        if before is not None and after is not None and before is not after:
            old = self.true_policies(violation.actor, relation, before, command)
            guilty = [policy for policy in guilty if policy in old] or guilty or old
        if guilty and astray(row):
            return self._let(violation, relation, guilty[0], row)
        if violation.narrow is not None:
            return self._narrow(violation.narrow, relation, guilty)
        return self._deepest(violation, relation, guilty, violation.row)

    def true_policies(
        self, actor: Actor, relation: Relation, row: WorldRow, command: str, *, new: bool = False
    ) -> list[Policy]:
        """The permissive policies whose condition holds for this actor and row."""
        role = self.campaign.world.snapshot.roles[actor.role]
        applying = [
            policy
            for policy in relation.policies
            if policy.permissive
            and policy.covers(command)
            and ("public" in policy.roles or set(policy.roles) & set(role.effective))
        ]
        wants_new = command == "INSERT" or new
        texts = {
            policy.name: (policy.check_text or policy.using_text if wants_new else policy.using_text)
            or "true"
            for policy in applying
        }
        truths = self._truth(actor, relation, row, texts)
        return [policy for policy in applying if truths.get(policy.name)]

    def _truth(
        self, actor: Actor, relation: Relation, row: WorldRow, texts: dict[str, str]
    ) -> dict[str, bool]:
        source = record_source(relation, row)
        queries = [f"select (({text}) is true)::text from {source}" for text in texts.values()]
        answers = self.campaign.probing.answers(actor, queries)
        return {name: answer == "true" for name, answer in zip(texts, answers, strict=True)}

    # -- helpers -------------------------------------------------------------------------

    def _deepest(
        self, violation: Violation, relation: Relation, guilty: list[Policy], row: WorldRow
    ) -> Cause:
        if not guilty:
            return Cause(relation.title, why="no policy of its own explains it")
        policy = guilty[0]
        standing = self.campaign.standings.standing(violation.actor, row)
        scopes = self.campaign.standings.scopes(row)
        for facts in policy.parts():
            helper = self._wrong_helper(violation, facts, scopes, standing, policy)
            if helper is not None:
                return Cause(helper, policy.title, helper, f"{helper} lets them through")
        return self._let(violation, relation, policy, row)

    def _let(self, violation: Violation, relation: Relation, policy: Policy, row: WorldRow) -> Cause:
        """A policy, with the helper that says yes in it."""
        source = record_source(relation, row)
        helper = through(self.campaign.probing, self.reached, violation.actor, policy, row, source)
        by = f" by {helper}" if helper else ""
        return Cause(policy.title, policy.title, helper, f"{policy.title} lets them through{by}")

    def _wrong_helper(
        self,
        violation: Violation,
        facts: Facts,
        scopes: frozenset[Record],
        standing: Standing,
        policy: Policy,
    ) -> str | None:
        """The deepest function or view that gives the record to the actor, where that is what is wrong."""
        wrong = ""
        for function in self.reached.reached(facts):
            if function.schema in PLATFORM_SCHEMAS:
                continue
            if not standing.inside and self._mistakes(violation, facts, function, scopes):
                wrong = function.title
                continue
            if not standing.inside and self.gifts.others(violation.actor, function):
                wrong = function.title
                continue
            if not any(self.gifts.record(violation.actor, function, r) for r in scopes):
                continue
            about_record = function.returns != "boolean" or "uuid" in function.argument_types
            reads = standing.inside and (self._reading(function) or self._opens(violation, function))
            reads = reads and not self._vouches(violation.actor, function)
            if reads and not self._widely(function, violation, policy):
                continue  # what it gives is right for those who read; who uses it for more is wrong
            outright = about_record and not standing.inside
            if outright or (
                self._all_leak(function, violation, policy) and self._decides(violation, policy, function)
            ):
                wrong = function.title
        if standing.base in ("ended", "none"):
            spec = violation.actor.spec
            changed = [condition for condition, _ in spec.changes] if spec is not None else []
            lacking = changed[0] if len({condition.table for condition in changed}) == 1 else None
            for view in views_behind(self.reached, facts):
                if any(self._shows(violation.actor, view, record) for record in scopes):
                    wrong = responsible(self.reached, view, lacking).title
        return wrong or None

    def _vouches(self, actor: Actor, function: Function) -> bool:
        """Whether a function says of the account alone that it is in force, and the account is not."""
        lapsed = {side.account for side in self.campaign.world.sides if side.lapsed}
        return actor.account in lapsed and function.returns == "boolean" and not function.argument_types

    def _mistakes(
        self, violation: Violation, facts: Facts, function: Function, scopes: frozenset[Record]
    ) -> bool:
        """Whether a function takes the row for another record's, by a column that it is asked about."""
        world, row = self.campaign.world, violation.row
        columns = {id(column.node): column.name for column in facts.columns}
        asking = [
            ", ".join(quoted(columns[id(argument)]) for argument in call.arguments)
            for call in facts.calls
            if call.name == function.name and function in self.reached.resolve(call, ())
            if call.arguments and all(id(argument) in columns for argument in call.arguments)
        ]
        if function.returns == "boolean" or not asking:
            return False
        source = record_source(world.snapshot.relations[row.table], row)
        name = f"{quoted(function.schema)}.{quoted(function.name)}"
        owner = replace(violation.actor, role="") if function.definer else violation.actor
        answers = self.campaign.probing.answers(
            owner, [f"select {name}({given})::text from {source}" for given in asking]
        )
        anchors = world.model.anchors.values()
        meant = {key for _, key in scopes}
        return any(
            answer is not None
            and answer not in meant
            and any(world.find(anchor.table, (anchor.key,), (answer,)) for anchor in anchors)
            for answer in answers
        )

    def _decides(self, violation: Violation, policy: Policy, function: Function) -> bool:
        """Whether the policy would refuse if the function said no; so where its text has no call of it."""
        call = re.compile(rf"(\b{re.escape(function.schema)}\.)?\b{re.escape(function.name)}\(\)")
        texts = [text for text in (policy.using_text, policy.check_text) if text and call.search(text)]
        if not texts:
            return True
        relation = self.campaign.world.snapshot.relations[policy.relation]
        without = {str(number): call.sub("false", text) for number, text in enumerate(texts)}
        return not all(self._truth(violation.actor, relation, violation.row, without).values())

    def _shows(self, actor: Actor, view: Relation, record: Record) -> bool:
        """Whether a view has a row that names both the actor and the record."""
        if not actor.account:
            return False
        text = (
            f"select count(*)::text from {named(view.title)} x "
            f"where to_jsonb(x)::text like {literal(f'%{actor.account}%')} "
            f"and to_jsonb(x)::text like {literal(f'%{record[1]}%')}"
        )
        found = self.campaign.probing.answers(replace(actor, role=""), [text])[0]
        return found not in (None, "0")

    def _reading(self, function: Function) -> bool:
        """Whether a policy for SELECT goes through this helper."""
        return any(
            policy.command == "SELECT" and function in self.reached.reached(facts)
            for policy in self.campaign.world.snapshot.policies
            for facts in policy.parts()
        )

    def _opens(self, violation: Violation, function: Function) -> bool:
        """Whether who may read this row does so through this helper alone, by a policy for everything."""
        world = self.campaign.world
        standing = self.campaign.standings.standing(violation.actor, violation.row)
        if violation.command == "SELECT" or not may_read(world, violation.row, standing):
            return False
        relation = world.snapshot.relations[violation.row.table]
        opening = self.true_policies(violation.actor, relation, violation.row, "SELECT")
        return bool(opening) and all(
            any(function in self.reached.reached(facts) for facts in policy.parts()) for policy in opening
        )

    def _all_leak(self, function: Function, violation: Violation, policy: Policy) -> bool:
        """Whether most policies over this helper, for this sort of command, let the actor through."""
        wrong = self._leaks(violation.actor, reading=violation.command == "SELECT")
        every, *alike = self._users(function, violation, policy)
        return len(every) < 2 or any(
            len(using & wrong) * 2 >= len(using) for using in (every, *(one for one in alike if len(one) > 1))
        )

    def _widely(self, function: Function, violation: Violation, policy: Policy) -> bool:
        """Whether half of what rests on a helper goes wrong, in several tables: no single policy is wrong."""
        wrong = self._leaks(violation.actor, reading=violation.command == "SELECT")
        return any(
            len(using & wrong) >= WIDELY and len(using & wrong) * 2 >= len(using)
            for using in self._users(function, violation, policy)
        )

    def _users(self, function: Function, violation: Violation, policy: Policy) -> list[set[str]]:
        """Tables whose policies for this sort of command rest on a helper: all, and those of them that ask it
        with one of the same words as this policy does (`has_role(clinic, 'admin')`), and with no other."""
        reading = violation.command == "SELECT"
        every: set[str] = set()
        asked: dict[tuple[object, ...], set[str]] = {words: set() for words in self._asked(policy, function)}
        for other in self.campaign.world.snapshot.policies:
            fits = other.covers("SELECT") == reading or other.command == "ALL"
            if fits and any(function in self.reached.reached(facts) for facts in other.parts()):
                every.add(other.relation)
                words = self._asked(other, function)
                if len(words) == 1 and words <= asked.keys():  # asked with others as well, it tells nothing
                    asked[words.pop()].add(other.relation)
        return [every, *asked.values()]

    def _asked(self, policy: Policy, function: Function) -> set[tuple[object, ...]]:
        """The constants with which a policy itself calls a helper, where there are any."""
        calls = [
            tuple(constant(argument) for argument in call.arguments)
            for facts in policy.parts()
            for call in facts.calls
            if call.name == function.name and function in self.reached.resolve(call, ())
        ]
        return {words for words in calls if any(word is not None for word in words)}

    def _leaks(self, actor: Actor, *, reading: bool) -> set[str]:
        if self._leaking is None:
            self._leaking = {}
            for violation in self.campaign.violations:
                if violation.kind in (Kind.READ, Kind.WRITE):
                    key = (violation.actor.name, violation.command == "SELECT")
                    self._leaking.setdefault(key, set()).add(violation.row.table)
        return self._leaking.get((actor.name, reading), set())


def _names(policy: Policy, column: str) -> bool:
    text = f"{policy.using_text or ''} {policy.check_text or ''}"
    return re.search(rf"\b{re.escape(column)}\b", text) is not None


def record_source(relation: Relation, row: WorldRow) -> str:
    """A FROM entry that is this one row under the table's own name, so that a policy's text fits it."""
    values = json.dumps({name: value for name, value in row.values.items() if value is not None})
    return (
        f"(select (jsonb_populate_record(null::{named(relation.title)}, {literal(values)}::jsonb)).*) "
        f"as {quoted(relation.name)}"
    )
