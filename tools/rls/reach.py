"""What an expression reaches: the functions it calls and those they call, the relations behind views, the
columns.

Policies hide their logic in functions and views. Everything here follows calls and reads through the
snapshot, so that a rule sees `user_metadata` three functions away as if it stood in the policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.defaults import omitted
from tools.rls.facts import Block, Call, Column, Facts, Source, statements
from tools.rls.objects import Function, Policy, Relation
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node, constant

IDENTITY: Final = frozenset({"auth.uid", "auth.jwt", "auth.email"})
_CALL: Final = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*\s*\(", re.IGNORECASE)
_ASKS: Final = re.compile(r"auth\.(uid|jwt|email)\s*\(|request\.jwt", re.IGNORECASE)
DEFAULT_PATH: Final = ("public", "extensions")


@dataclass(frozen=True, slots=True)
class Unit:
    """One query block that a policy depends on, with where it stands.

    `path` is the search path its names are read under; `policy` is set when it stands in a policy itself.
    """

    block: Block
    facts: Facts
    path: tuple[str, ...]
    function: Function | None
    policy: Policy | None
    view: Relation | None

    @property
    def title(self) -> str:
        """The policy or function that it stands in, as a finding names it; empty for a view."""
        if self.policy is not None:
            return self.policy.title
        return self.function.title if self.function is not None else ""


class Reach:
    """Answers over one snapshot, each worked out once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._direct: dict[int, tuple[Function, ...]] = {}
        self._speaks: dict[int, bool] = {}

    # -- functions -----------------------------------------------------------------------

    def resolve(self, call: Call, path: tuple[str, ...] = ()) -> tuple[Function, ...]:
        """The functions of the snapshot that a call may mean (overloads with that many arguments)."""
        schemas = (call.schema,) if call.schema else path
        for schema in schemas:
            found = self.snapshot.functions_named.get(f"{schema}.{call.name}", ())
            if found:
                exact = tuple(f for f in found if len(f.argument_types) == len(call.arguments))
                return exact or found
        return ()

    def path(self, function: Function) -> tuple[str, ...]:
        """The schemas its unqualified names are looked up in."""
        path = function.search_path
        return DEFAULT_PATH if path is None else tuple(schema for schema in path if schema != "$user")

    def called_by(self, function: Function) -> tuple[Function, ...]:
        """Functions that a body calls itself."""
        if function.oid not in self._direct:
            path = self.path(function)
            facts = body_of(function).everything()
            found = (target for one in facts for call in one.calls for target in self.resolve(call, path))
            self._direct[function.oid] = tuple(dict.fromkeys(found))
        return self._direct[function.oid]

    def closure(self, starts: Iterable[Function]) -> tuple[Function, ...]:
        """The functions and everything they call, outermost first."""
        seen: dict[int, Function] = {}
        waiting = list(starts)
        while waiting:
            function = waiting.pop(0)
            if function.oid not in seen:
                seen[function.oid] = function
                waiting.extend(self.called_by(function))
        return tuple(seen.values())

    def reached(self, facts: Facts) -> tuple[Function, ...]:
        """Every function that evaluating an expression of the catalog can run."""
        return self.closure(target for call in facts.calls for target in self.resolve(call))

    # -- identity ------------------------------------------------------------------------

    def speaks(self, function: Function) -> bool:
        """Whether a function (or one it calls) asks who the caller is."""
        known = self._speaks.get(function.oid)
        if known is None:
            members = self.closure([function])
            known = any(
                mentions_identity(one) or self._passes_identity(one, self.path(f))
                for f in members
                for one in body_of(f).everything()
            )
            known = known or any(self._quotes_identity(one) for f in members for one in body_of(f).dynamic)
            # Where a part could not be parsed, its text has the benefit of the doubt.
            known = known or any(_ASKS.search(f.body) for f in members if not body_of(f).complete)
            self._speaks[function.oid] = known
        return known

    def _quotes_identity(self, dynamic: Facts) -> bool:
        """Whether the constant parts of a dynamic statement call something that asks for the caller."""
        for name in {match[0].lower() for text in dynamic.constants for match in _CALL.finditer(text)}:
            called = name.rstrip("( \n\t")
            found = self.snapshot.functions_named.get(called, ())
            if called in IDENTITY or any(f.schema != "auth" and self.speaks(f) for f in found):
                return True
        return False

    def identifies(self, facts: Facts, path: tuple[str, ...] = ()) -> bool:
        """Whether an expression depends on who the caller is, itself or through a function."""
        if mentions_identity(facts) or self._passes_identity(facts, path):
            return True
        return any(
            f.schema != "auth" and self.speaks(f) for call in facts.calls for f in self.resolve(call, path)
        )

    def _passes_identity(self, facts: Facts, path: tuple[str, ...]) -> bool:
        """Whether a call hands over the caller by leaving out an argument whose default asks for him."""
        return any(
            mentions_identity(value)
            for call in facts.calls
            for function in self.resolve(call, path)
            for value in omitted(function, call.arguments).values()
        )

    # -- relations and columns -----------------------------------------------------------

    def relation(self, source: Source, path: tuple[str, ...] = ()) -> Relation | None:
        """The relation a FROM entry means."""
        return self.snapshot.named(source.schema, source.name, path) if source.name else None

    def column(
        self, ref: Column, own: Relation | None = None, path: tuple[str, ...] = ()
    ) -> tuple[Relation, str] | None:
        """The relation and column that a reference means; `own` is the policy's table. None if unknown."""
        for block in ref.block.chain():
            for source in block.sources:
                if ref.qualifier and source.alias != ref.qualifier:
                    continue
                relation = self.relation(source, path)
                if relation is not None and ref.name in relation.columns:
                    return relation, ref.name
                if ref.qualifier:
                    return None
        if own is not None and ref.qualifier in ("", own.name) and ref.name in own.columns:
            return own, ref.name
        return None

    def belongs(self, ref: Column, block: Block) -> bool:
        """Whether a qualified reference names a FROM entry of this very block."""
        return any(source.alias == ref.qualifier for source in block.sources)

    def view_facts(self, view: Relation) -> tuple[Facts, ...]:
        """The parsed definition of a view."""
        return statements(view.definition) or () if view.definition else ()

    def base_tables(self, relation: Relation) -> tuple[Relation, ...]:
        """The tables behind a view (through views); the relation itself when it is a table."""
        if relation.kind not in "vm":
            return (relation,)
        seen: dict[str, Relation] = {}
        waiting = list(relation.reads)
        while waiting:
            name = waiting.pop()
            found = self.snapshot.relations.get(name)
            if found is not None and name not in seen:
                seen[name] = found
                waiting.extend(found.reads)
        return tuple(r for _, r in sorted(seen.items()) if r.kind not in "v")

    def base_column(self, relation: Relation, name: str) -> tuple[Relation, str] | None:
        """The table column behind a view's column of the same name, when exactly one table has it."""
        if relation.kind not in "vm":
            return (relation, name) if name in relation.columns else None
        for facts in self.view_facts(relation):
            select = next((b.select for b in facts.blocks if b.select is not None), None)
            for target in select.many("target_list") if select is not None else ():
                value = target.one("val")
                title = target.word("name")
                if value is None or value.kind != "ColumnRef":
                    continue
                written = value.words("fields")
                if (title or written[-1]) != name:
                    continue
                ref = next((c for c in facts.columns if c.node is value), None)
                found = self.column(ref) if ref is not None else None
                if found is not None:
                    return self.base_column(*found)
        return None

    # -- what policies depend on ---------------------------------------------------------

    @cached_property
    def policy_functions(self) -> dict[int, tuple[Function, tuple[Policy, ...]]]:
        """Every function that some policy reaches, with those policies."""
        found: dict[int, tuple[Function, list[Policy]]] = {}
        for policy in self.snapshot.policies:
            reached = {f.oid: f for part in policy.parts() for f in self.reached(part)}
            for oid, function in reached.items():
                if function.schema not in ("auth", "storage", "realtime"):
                    found.setdefault(oid, (function, []))[1].append(policy)
        return {oid: (function, tuple(policies)) for oid, (function, policies) in found.items()}

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Every query block in policies, in the functions they reach, and in the views those read."""
        found: list[Unit] = []
        views: dict[str, Relation] = {}
        for policy in self.snapshot.policies:
            for part in policy.parts():
                found.extend(Unit(b, part, (), None, policy, None) for b in part.blocks if b.sources)
        for function, _ in self.policy_functions.values():
            path = self.path(function)
            for part in body_of(function).facts:
                found.extend(Unit(b, part, path, function, None, None) for b in part.blocks if b.sources)
        for unit in found:
            for source in unit.block.sources:
                relation = self.relation(source, unit.path)
                if relation is not None and relation.kind == "v":
                    views[relation.title] = relation
        waiting = list(views.values())
        for view in waiting:
            for part in self.view_facts(view):
                found.extend(Unit(b, part, (), None, None, view) for b in part.blocks if b.sources)
            for read in view.reads:
                inner = self.snapshot.relations.get(read)
                if inner is not None and inner.kind == "v" and inner.title not in views:
                    views[inner.title] = inner
                    waiting.append(inner)
        return tuple(found)


@lru_cache(maxsize=2)
def reach(snapshot: Snapshot) -> Reach:
    """The Reach of a snapshot (snapshots compare by identity)."""
    return Reach(snapshot)


def mentions_identity(facts: Facts) -> bool:
    """auth.uid(), auth.jwt(), auth.email() or a request or application setting, in this text itself."""
    return any(is_identity(call) for call in facts.calls)


def is_identity(call: Call) -> bool:
    """Whether a call gives something that tells one person from another."""
    if f"{call.schema}.{call.name}" in IDENTITY:
        return True
    if call.name == "current_setting" and call.arguments:
        name = constant(call.arguments[0])
        return isinstance(name, str) and "." in name and not name.endswith("claim.role")
    return False


def identity_columns(facts: Facts) -> tuple[tuple[Column, Node], ...]:
    """Columns that are compared for equality with the caller's identity, and the comparison."""
    if facts.asked is None:
        facts.asked = tuple(_identity_columns(facts))
    return facts.asked


def _identity_columns(facts: Facts) -> Iterator[tuple[Column, Node]]:
    identities = {id(call.node) for call in facts.calls if is_identity(call)}
    by_node = {id(column.node): column for column in facts.columns} if identities else {}
    for comparison in facts.comparisons if identities else ():
        if comparison.operator != "=":
            continue
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            column = by_node.get(id(_uncast(one)))
            if column is not None and any(id(node) in identities for node in other.walk()):
                yield column, comparison.node


def _uncast(node: Node) -> Node:
    while node.kind == "TypeCast":
        inner = node.one("arg")
        if inner is None:
            break
        node = inner
    return node
