"""Gates: the helper calls by which a policy asks whether the caller may reach the row's parent.

`profile_id = any (array(select writable_profiles()))` and `can_access(patient_id, 'write')` are gates on the
table that the key leads to. With the column left out they can be compared between tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Final

from tools.rls.diffing.forms import TRUE, Form
from tools.rls.objects import Policy, Relation
from tools.rls.ordering import Ordering, ordering, said
from tools.rls.snapshot import Snapshot

WRITING: Final = ("INSERT", "UPDATE", "DELETE")
_CALLER: Final = ("call", "auth.uid/0", (), ())
_KEY: Final = ("column", "", "*")
_MOST: Final = 16
"""Alternatives of one condition; one with more is not compared."""
_DEEPEST: Final = 5


@dataclass(frozen=True)
class Gate:
    """One helper call on a key to `parent`. `own`: the row must also name the caller in some column."""

    parent: str
    form: Form
    own: bool

    @property
    def call(self) -> Form:
        """The helper call itself."""
        return self.form if self.form[0] == "call" else self.form[2][1][0]

    @property
    def function(self) -> str:
        """The `schema.name` of the helper."""
        return str(self.call[1]).rpartition("/")[0]

    @property
    def words(self) -> tuple[str, ...]:
        """The constant arguments, such as a level."""
        return tuple(str(argument[1]) for argument in self.call[2] if argument[0] == "const")

    @property
    def said(self) -> str:
        """The helper as a message names it, with its constant arguments."""
        words = [f"'{word}'" for word in self.words]
        return f"{self.function}({', '.join(['...', *words] if self.call[2] else [])})"


@dataclass(frozen=True, eq=False)
class Gated:
    """The gates of one table for one command, of all its permissive policies; in `by`, where each stands."""

    relation: Relation
    command: str
    by: dict[Gate, Policy]

    def on(self, parent: str) -> list[Gate]:
        """The gates on one parent."""
        return [gate for gate in self.by if gate.parent == parent]


class Gates:
    """Every gate of a snapshot, and which of two is the narrower."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.order = ordering(snapshot)
        self._known: dict[tuple[Form, Form], bool] = {}
        self._literals: dict[tuple[object, ...], list[tuple[Form, ...]]] = {}
        self.every: dict[tuple[str, str], Gated] = {}
        for relation in snapshot.tables:
            for command in ("SELECT", *WRITING) if relation.rls and not relation.partition else ():
                by = {
                    gate: policy
                    for policy in relation.policies
                    if policy.permissive and policy.covers(command) and snapshot.addressed(policy)
                    for gate in self._of(relation, policy, command)
                }
                if by:
                    self.every[relation.title, command] = Gated(relation, command, by)

    def _of(self, relation: Relation, policy: Policy, command: str) -> Iterator[Gate]:
        """The gates of the row that a policy asks for: the new row for INSERT, the present one otherwise."""
        for literals in self.literals(relation, policy, new_row=command == "INSERT"):
            own = any(map(names_caller, literals))
            for one in literals:
                gate = self.gate(relation, one, own=own)
                if gate is not None:
                    yield gate

    def literals(self, relation: Relation, policy: Policy, *, new_row: bool) -> list[tuple[Form, ...]]:
        """A policy's condition as written, as OR of ANDs; none where it has very many."""
        key = said(relation, policy, new_row=new_row)
        if key not in self._literals:
            form = self.order.form(relation, policy, new_row=new_row)
            self._literals[key] = _alternatives(form) if form is not None else []
        return self._literals[key]

    def gate(self, relation: Relation, form: Form, *, own: bool = False) -> Gate | None:
        """The gate that a literal of a policy on this table is, if it is one."""
        found = _gate(self.order, relation, form)
        return Gate(*found, own) if found is not None else None

    def narrower(self, one: Gate, other: Gate) -> bool:
        """Whether one gate lets fewer callers through than the other, provably."""
        key = (one.form, other.form)
        if key not in self._known:
            forms = [_opened(self.order, gate.form) for gate in (one, other)]
            self._known[key] = one.form != other.form and self.order.narrower(*forms)
        return self._known[key]

    def on(self, parent: str, commands: Iterable[str]) -> Iterator[tuple[Gated, Gate]]:
        """All gates on a parent for these commands."""
        for command in commands:
            for (_, where), gated in self.every.items():
                if where == command:
                    yield from ((gated, gate) for gate in gated.on(parent))


@lru_cache(maxsize=2)
def gates(snapshot: Snapshot) -> Gates:
    """The Gates of a snapshot (snapshots compare by identity)."""
    return Gates(snapshot)


def names_caller(form: Form) -> bool:
    """Whether a literal compares something with the caller's own id."""
    return form[0] == "=" and _CALLER in form[1]


def _alternatives(form: Form) -> list[tuple[Form, ...]]:
    """A condition as OR of ANDs; none when it would be too long."""
    if form[0] == "known":
        return _alternatives(form[1])
    if form[0] == "or":
        return [one for part in form[1] for one in _alternatives(part)]
    if form[0] != "and":
        return [(form,)]
    sides = [_alternatives(part) for part in form[1]]
    if prod(map(len, sides)) > _MOST:
        return []
    return [tuple(one for part in parts for one in part) for parts in product(*sides)]


def _gate(order: Ordering, relation: Relation, form: Form) -> tuple[str, Form] | None:
    if form[0] == "among":
        query = form[2]
        alone = query[0] == "query" and len(query[1]) == 1 and not query[2] and query[3] == TRUE
        if not alone or query[1][0][0] != "call" or form[1][:2] != ("column", ""):
            return None
        name, columns, made = query[1][0][1], [form[1][2]], ("among", _KEY, query)
    elif form[0] == "call":
        columns = [argument[2] for argument in form[2] if argument[:2] == ("column", "")]
        name = form[1]
        made = ("call", name, tuple(_KEY if a[:2] == ("column", "") else a for a in form[2]), form[3])
    else:
        return None
    known = name.rpartition("/")[0] in order.snapshot.functions_named and not name.startswith("auth.")
    parent = _parent(order.snapshot, relation, columns[0]) if known and len(columns) == 1 else None
    return (parent, made) if parent is not None else None


def _parent(snapshot: Snapshot, relation: Relation, column: str, depth: int = 0) -> str | None:
    """The table that a key column leads to; the table itself for its own key.

    A composite key (profile_id, medication_id) is followed: the medication's own profile_id leads on.
    """
    if relation.primary_key == (column,):
        return relation.title
    keys = sorted((k for k in relation.foreign_keys if column in k.columns), key=lambda k: len(k.columns))
    if not keys or depth > _DEEPEST:
        return None
    target = snapshot.relations.get(keys[0].target)
    if len(keys[0].columns) == 1 or target is None:
        return keys[0].target
    return _parent(snapshot, target, keys[0].target_columns[keys[0].columns.index(column)], depth + 1)


def _opened(order: Ordering, form: Form) -> Form:
    """The gate with the helper's body in the place of the call, where it is one query or expression."""
    call: Form = form if form[0] == "call" else form[2][1][0]
    body = order.unfold.call(call[1], call[2], owned=False)
    if body is None:
        return form
    return body if form[0] == "call" else ("among", form[1], body)
