"""How helpers, views and tables turned between two snapshots: what they give became wider, narrower or other.

A policy whose text is unchanged means something else when a function that it calls was changed. Definer
functions read their tables whole; what is evaluated as the caller sees a table through its policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.diffing.implying import Known, Turn, turned
from tools.rls.diffing.normal import FALSE, TRUE, Form, Normal, both, either
from tools.rls.facts import Facts
from tools.rls.objects import Function, Policy, Relation
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot

_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(eq=False)
class Turns:
    """Answers over one pair of snapshots, each worked out once. What calls itself counts as OTHER."""

    old: Snapshot
    new: Snapshot
    _found: dict[tuple[str, str, bool], Turn] = field(default_factory=dict[tuple[str, str, bool], Turn])

    def known(self, caller: bool) -> Known:
        """The answers for what is evaluated as the caller, or inside a definer function."""

        def ask(kind: str, name: str) -> Turn:
            key = (kind, name, caller)
            if key not in self._found:
                self._found[key] = Turn.OTHER  # what asks for itself on the way cannot be decided
                self._found[key] = self._call(name, caller) if kind == "call" else self._read(name, caller)
            return self._found[key]

        return ask

    # -- functions -----------------------------------------------------------------------

    def _call(self, name: str, caller: bool) -> Turn:
        bare, _, count = name.rpartition("/")
        old, new = (self._overloads(side, bare, int(count)) for side in (self.old, self.new))
        if not old and not new:
            return Turn.SAME  # PostgreSQL's own, or an extension's
        if set(old) != set(new):
            return Turn.OTHER
        turns = {self.function(old[key], new[key], caller) for key in old}
        return turns.pop() if len(turns) == 1 else Turn.OTHER

    def _overloads(self, side: Snapshot, bare: str, count: int) -> dict[str, Function]:
        found = side.functions_named.get(bare, ())
        return {f.title: f for f in found if len(f.argument_types) == count} or {f.title: f for f in found}

    def function(self, old: Function, new: Function, caller: bool = True) -> Turn:
        """How what a function returns changed, its callees and the views that it reads included."""
        if old.definer != new.definer or (old.definer and old.owner != new.owner):
            return Turn.OTHER
        inside = self.known(caller and not new.definer)
        one, other = self._body(self.old, old), self._body(self.new, new)
        if one is None or other is None or old.returns != new.returns:
            same = _plain(old.body) == _plain(new.body) and old.search_path == new.search_path
            callees = self._callees(new, inside)
            return Turn.SAME if same and callees <= {Turn.SAME} else Turn.OTHER
        if _scalar(new) and one[0] == "query":
            # The first row decides: only when it is the same row does a wider condition give no less.
            rows = [("query", (), *side[2:]) for side in (one, other)]
            same = one[2:] == other[2:] and turned(rows[0], rows[1], inside, query=True) is Turn.SAME
            return turned(one[1][0], other[1][0], inside) if same and len(one[1]) == 1 else Turn.OTHER
        return turned(one, other, inside, query=one[0] in ("query", "union"))

    def _callees(self, function: Function, inside: Known) -> set[Turn]:
        """How the functions and relations that a body mentions turned."""
        path = reach(self.new).path(function)
        called = {f"{f.schema}.{f.name}/{len(f.argument_types)}" for f in reach(self.new).called_by(function)}
        read = {
            relation.title
            for facts in body_of(function).everything()
            for source in facts.sources()
            if (relation := reach(self.new).relation(source, path)) is not None
        }
        return {inside("call", name) for name in called} | {inside("relation", name) for name in read}

    def _body(self, side: Snapshot, function: Function) -> Form | None:
        """A body that is one query or one returned expression, in normal form; None for any other."""
        body = body_of(function)
        if not body.complete or body.dynamic or len(body.facts) != 1 or function.kind != "f":
            return None
        if function.language == "plpgsql" and not re.search(
            r"(?is)^[^;]*\bbegin\s+return\b[^;]*;\s*end", body_text(function)
        ):
            return None
        normal = Normal(side, reach(side).path(function), function=function)
        root = body.facts[0].root
        if root.kind == "SelectStmt":
            return normal.query(root, conditions=_scalar(function))
        return ("query", (normal.condition(root),), (), TRUE, ())

    # -- relations -----------------------------------------------------------------------

    def _read(self, title: str, caller: bool) -> Turn:
        """How what reading a view, or as the caller a table, gives changed."""
        old, new = self.old.relations.get(title), self.new.relations.get(title)
        if old is None or new is None:
            return Turn.SAME if old is new else Turn.OTHER
        if new.kind == "v" and old.kind == "v":
            return self.view(old, new, caller)
        if new.kind != old.kind or new.definition != old.definition:
            return Turn.OTHER
        if not caller or (old.rls == new.rls and not (old.policies or new.policies)):
            return Turn.SAME
        return turned(self._visible(self.old, old), self._visible(self.new, new), self.known(caller))

    def view(self, old: Relation, new: Relation, caller: bool = True) -> Turn:
        """How what a view gives changed."""
        if old.invoker != new.invoker:
            return Turn.OTHER
        one, other = self._definition(self.old, old), self._definition(self.new, new)
        inside = self.known(caller and new.invoker)
        if one is None or other is None:
            return Turn.SAME if old.definition == new.definition else Turn.OTHER
        return turned(one, other, inside, query=True)

    def _definition(self, side: Snapshot, view: Relation) -> Form | None:
        facts = reach(side).view_facts(view)
        return Normal(side).query(facts[0].root) if len(facts) == 1 else None

    def _visible(self, side: Snapshot, relation: Relation) -> Form:
        if not relation.rls:
            return TRUE
        policies = [policy for policy in relation.policies if policy.covers("SELECT")]
        return passing(side, relation, policies, new_row=False)


def passing(side: Snapshot, relation: Relation, policies: Iterable[Policy], *, new_row: bool) -> Form:
    """What these policies together let through: permissive ones OR-ed, restrictive ones AND-ed to them."""
    normal = Normal(side, own=relation)
    opening: list[Form] = []
    limits: list[Form] = []
    for policy in policies:
        text, facts = (policy.check_text or policy.using_text, policy.new_row) if new_row else _using(policy)
        form = _form(normal, text, facts)
        if form is not None:
            (opening if policy.permissive else limits).append(form)
    return both([either(opening) if opening else FALSE, *limits])


def _using(policy: Policy) -> tuple[str | None, Facts | None]:
    return policy.using_text, policy.using


def _form(normal: Normal, text: str | None, facts: Facts | None) -> Form | None:
    """None for a condition that is left out: it neither permits nor restricts."""
    if text is None:
        return None
    return normal.condition(facts.root) if facts is not None else ("unread", text)


def body_text(function: Function) -> str:
    """The source without comments."""
    return _COMMENT.sub(" ", function.body)


def _plain(text: str) -> str:
    return " ".join(_COMMENT.sub(" ", text).split())


def _scalar(function: Function) -> bool:
    return function.returns == "boolean" and "RETURNS SETOF" not in function.definition.upper()
