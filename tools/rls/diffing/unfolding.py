"""Helpers and views in the place where they are used: `can_read(id)` is `id in (select ...)`.

Only what is one query or one returned expression is unfolded, and never deeper than a few levels; the rest
stays a call, and is compared as one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from tools.rls.bodies import body_of
from tools.rls.diffing.forms import TRUE, Form, both
from tools.rls.diffing.normal import Normal, unused
from tools.rls.facts import Facts
from tools.rls.objects import Function, Policy, Relation
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot

_DEEPEST: Final = 8
_LARGEST: Final = 3_000
"""Nodes of a body; beyond it stays a call."""
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_RETURNS_AT_ONCE: Final = re.compile(r"^[^;]*\bbegin\s+return\b[^;]*;\s*end\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class View:
    """A simple view: its sources, its condition and what its columns are."""

    sources: tuple[Form, ...]
    condition: Form
    columns: dict[str, Form]

    def apart(self, taken: Collection[str]) -> tuple[list[Form], Form, dict[str, Form]]:
        """With names for its sources that the query around it does not use."""
        whole = (self.sources, self.condition, tuple(self.columns.items()))
        sources, condition, columns = cast("Any", apart(whole, taken))
        return list(sources), condition, dict(columns)


class Unfold:
    """The bodies of one snapshot in normal form, each worked out once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._stack: list[str] = []
        self._bodies: dict[tuple[int, bool], Form | None] = {}
        self._views: dict[tuple[str, bool], View | None] = {}
        self._conditions: dict[tuple[int, bool, bool], Form | None] = {}

    def condition(
        self, relation: Relation, policy: Policy, *, new_row: bool, unfolded: bool = True
    ) -> Form | None:
        """A policy's USING, or what a new row must satisfy. None when it is left out: it does not count."""
        key = (id(policy), new_row, unfolded)
        if key not in self._conditions:
            normal = Normal(self.snapshot, own=relation, unfold=self if unfolded else None)
            self._conditions[key] = _condition(normal, policy, new_row=new_row)
        return self._conditions[key]

    def call(self, name: str, arguments: tuple[Form, ...], *, owned: bool) -> Form | None:
        """What a call of `schema.name/arguments` stands for; None when it stays a call."""
        bare, _, number = name.rpartition("/")
        found = [
            f for f in self.snapshot.functions_named.get(bare, ()) if len(f.argument_types) == int(number)
        ]
        if len(found) != 1:
            return None
        function = found[0]
        form = self.inside(function, owned=owned)
        if form is None or size(form) > _LARGEST:
            return None
        if scalar(function):
            if form[0] != "query" or form[2] or form[4] or form[3] != TRUE or len(form[1]) != 1:
                return None
            form = form[1][0]
        elif not setof(function):
            return None
        return cast("Form", substituted(apart(form, names(arguments)), arguments))

    def inside(self, function: Function, *, owned: bool) -> Form | None:
        """A body that is one query or one returned expression; None for any other."""
        key = (function.oid, owned or function.definer)
        if key not in self._bodies:
            if function.title in self._stack or len(self._stack) > _DEEPEST:
                return None
            self._stack.append(function.title)
            self._bodies[key] = self._read(function, owned=key[1])
            self._stack.pop()
        return self._bodies[key]

    def _read(self, function: Function, *, owned: bool) -> Form | None:
        body = body_of(function)
        if not body.complete or body.dynamic or len(body.facts) != 1 or function.kind != "f":
            return None
        if function.language == "plpgsql" and not _RETURNS_AT_ONCE.match(source(function)):
            return None
        if body.facts[0].written:
            return None
        path = reach(self.snapshot).path(function)
        normal = Normal(self.snapshot, path, function=function, owned=owned, unfold=self)
        root = body.facts[0].root
        if root.kind == "SelectStmt":
            return normal.query(root, conditions=scalar(function))
        return ("query", (normal.condition(root),), (), TRUE, ())

    def view(self, relation: Relation, *, owned: bool) -> View | None:
        """A simple view apart; None for a table, and for a view that gathers rows."""
        if relation.kind != "v":
            return None
        owned = owned or not relation.invoker
        key = (relation.title, owned)
        if key not in self._views:
            if relation.title in self._stack or len(self._stack) > _DEEPEST:
                return None
            self._stack.append(relation.title)
            self._views[key] = self._simple(relation, self.definition(relation, owned=owned))
            self._stack.pop()
        return self._views[key]

    def definition(self, view: Relation, *, owned: bool) -> Form | None:
        """The query of a view in normal form."""
        facts = reach(self.snapshot).view_facts(view)
        normal = Normal(self.snapshot, owned=owned, unfold=self)
        return normal.query(facts[0].root) if len(facts) == 1 else None

    def _simple(self, view: Relation, form: Form | None) -> View | None:
        if form is None or form[0] != "query" or form[4] or len(form[1]) != len(view.columns):
            return None
        if any(source[0] not in ("relation", "owned") for source in form[2]) or size(form) > _LARGEST:
            return None
        return View(form[2], form[3], dict(zip(view.columns, form[1], strict=True)))


@lru_cache(maxsize=3)
def unfold(snapshot: Snapshot) -> Unfold:
    """The Unfold of a snapshot (snapshots compare by identity)."""
    return Unfold(snapshot)


def _condition(normal: Normal, policy: Policy, *, new_row: bool) -> Form | None:
    text: str | None
    facts: Facts | None
    if new_row:
        text, facts = policy.check_text or policy.using_text, policy.new_row
        text = None if policy.command in ("SELECT", "DELETE") else text
    else:
        text, facts = policy.using_text, policy.using
    if text is None:
        return None
    return normal.condition(facts.root) if facts is not None else ("unread", text)


def apart(form: object, taken: Collection[str]) -> object:
    """A closed form, its sources named so that none has a name that is taken."""
    own = names(form)
    others = {*own, *taken}
    fresh: dict[str, str] = {}
    for name in sorted(own & set(taken)):
        fresh[name] = unused(name.partition("#")[0], {*others, *fresh.values()})
    return renamed(form, fresh) if fresh else form


def names(form: object) -> set[str]:
    """The names of the sources of a form, at any depth."""
    if not isinstance(form, tuple | frozenset):
        return set()
    parts = cast("tuple[Any, ...]", form)
    inside = {name for part in parts for name in names(part)}
    if isinstance(form, tuple) and len(parts) == 3:
        if parts[0] == "column":
            inside.add(parts[1])
        elif parts[0] in ("relation", "owned"):
            inside.add(parts[2])
    return inside - {""}


def renamed(form: object, fresh: dict[str, str]) -> object:
    """The form with other names for its sources, at any depth."""
    if isinstance(form, frozenset):
        return frozenset(renamed(part, fresh) for part in cast("frozenset[object]", form))
    if not isinstance(form, tuple):
        return form
    parts = cast("tuple[Any, ...]", form)
    if len(parts) == 3 and parts[0] == "column":
        return ("column", fresh.get(parts[1], parts[1]), parts[2])
    if len(parts) == 3 and parts[0] in ("relation", "owned"):
        return (parts[0], parts[1], fresh.get(parts[2], parts[2]))
    return tuple(renamed(part, fresh) for part in parts)


def substituted(form: object, arguments: tuple[Form, ...]) -> object:
    """The form with arguments in place of parameters, AND and OR flattened again."""
    if isinstance(form, frozenset):
        return frozenset(substituted(part, arguments) for part in cast("frozenset[object]", form))
    if not isinstance(form, tuple):
        return form
    parts = cast("tuple[Any, ...]", form)
    if parts[:1] == ("param",):
        return arguments[parts[1] - 1] if 0 < parts[1] <= len(arguments) else parts
    made: tuple[Any, ...] = tuple(substituted(part, arguments) for part in parts)
    return both(list(made[1])) if made[:1] == ("and",) else made


def size(form: object) -> int:
    """How many parts a form has."""
    if isinstance(form, tuple | frozenset):
        return 1 + sum(size(part) for part in cast("tuple[object, ...]", form))
    return 1


def source(function: Function) -> str:
    """The body without comments."""
    return _COMMENT.sub(" ", function.body)


def setof(function: Function) -> bool:
    """Whether it returns a set of single values."""
    text = function.definition.upper()
    return "RETURNS SETOF" in text


def scalar(function: Function) -> bool:
    """Whether it answers yes or no."""
    return function.returns == "boolean" and not setof(function)
