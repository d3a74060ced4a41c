"""Follows values through policies, functions and views, and notes what is compared with what.

Nothing is executed. A value is known by where it comes from: columns of numbered rows, the caller's identity,
constants, the current time. Functions are entered with the arguments of the call, so that
`has_access(profile_id, 'write')` in a policy compares the policy's own column with the helper's table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from tools.rls.bodies import body_of, plpgsql_source
from tools.rls.defaults import omitted
from tools.rls.facts import expression, statements
from tools.rls.objects import Function, Policy
from tools.rls.proof import identities
from tools.rls.proof.graph import NOTHING, Const, Frame, Now, Sources, Way, union
from tools.rls.proof.queries import Queries
from tools.rls.proof.scopes import Derived, Scope, of_row
from tools.rls.proof.values import every
from tools.rls.reach import DEFAULT_PATH
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import Node, conjuncts, disjuncts

DEPTH: Final = 14
"""Calls inside one another; deeper ones are not followed."""
_NOW_CALLS: Final = frozenset(
    {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"}
)
_JSON_CALLS: Final = frozenset(
    {"json_extract_path_text", "jsonb_extract_path_text", "json_extract_path", "jsonb_extract_path"}
)


class Flow(Queries):
    """One reading of a snapshot: `tables` tells the table of every numbered row."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self._known: dict[tuple[int, tuple[Sources, ...], bool], tuple[Frame, Derived]] = {}
        self._active: list[int] = []
        self._depth = 0

    # -- policies ------------------------------------------------------------------------

    def ways(self, policy: Policy) -> list[Way]:
        """The alternatives of a policy's USING and WITH CHECK."""
        relation = self.snapshot.relations[policy.relation]
        found: list[Way] = []
        texts: tuple[tuple[Literal["using", "check"], str | None], ...] = (
            ("using", policy.using_text),
            (
                "check",
                policy.check_text or (policy.using_text if policy.command in ("ALL", "UPDATE") else None),
            ),
        )
        for half, text in texts:
            facts = expression(text) if text else None
            for way in disjuncts(facts.root) if facts is not None else ():
                frame = Frame()
                row = self.row(relation.title, frame)
                parts: list[Frame] = []
                for conjunct in conjuncts(way):
                    part = Frame()
                    frame.inner[id(part)] = part
                    parts.append(part)
                    self.truth(conjunct, Scope(part, entries={relation.name: of_row(row, relation.columns)}))
                found.append(Way(policy, half, row, frame, tuple(parts)))
        return found

    # -- calls ---------------------------------------------------------------------------

    def call(self, node: Node, scope: Scope) -> Sources:
        """A function call: an identity, the time, one of the user's functions, or a mix of its arguments."""
        names = node.words("funcname")
        *qualifiers, name = names or ("",)
        schema = qualifiers[-1] if qualifiers else ""
        known = identities.called(schema, name)
        if known is not None:
            scope.frame.seen[known] = None
            return frozenset({known})
        if name in _NOW_CALLS and schema in ("", "pg_catalog"):
            return frozenset({Now()})
        given = [self.value(argument, scope) for argument in node.many("args")]
        if name == "current_setting" and schema in ("", "pg_catalog"):
            found = [identities.setting(s.value) for s in given[0] if isinstance(s, Const)] if given else []
            held = frozenset(one for one in found if one is not None)
            scope.frame.seen.update(dict.fromkeys(held))
            return held
        if name in _JSON_CALLS:
            held = given[0] if given else NOTHING
            for step in (one for argument in node.many("args")[1:] for one in self.steps(argument, scope)):
                held = identities.below(held, step)
            return held
        function = self.resolve(schema, name, len(given), scope.path)
        if function is not None:
            labels = [a.word("name") if a.kind == "NamedArgExpr" else "" for a in node.many("args")]
            for at, facts in omitted(function, node.many("args")).items():
                given.append(self.value(facts.root, Scope(scope.frame)))
                labels.append(function.arguments[at])
            return every(self.enter(function, given, labels, scope))
        return union(given)

    def resolve(self, schema: str, name: str, count: int, path: tuple[str, ...]) -> Function | None:
        """The user's function that a call means: the overload with that many arguments, if any."""
        for candidate in (schema,) if schema else path:
            found = self.snapshot.functions_named.get(f"{candidate}.{name}", ())
            if found and candidate not in PLATFORM_SCHEMAS:
                return next((f for f in found if len(f.argument_types) == count), found[0])
        return None

    def enter(self, function: Function, given: list[Sources], labels: list[str], scope: Scope) -> Derived:
        """Evaluate a function for these arguments, once."""
        held = [NOTHING] * len(function.arguments)
        for i, (sources, label) in enumerate(zip(given, labels, strict=False)):
            at = function.arguments.index(label) if label in function.arguments else i
            if at < len(held):
                held[at] = sources
        key = (function.oid, tuple(held), self.negative or self.hidden)
        known = self._known.get(key)
        if known is None:
            if function.oid in self._active or self._depth > DEPTH:
                return Derived({})
            self._active.append(function.oid)
            self._depth += 1
            frame = Frame(function)
            with self.inside():
                known = self._known[key] = (frame, self._body(function, held, frame))
            self._depth -= 1
            self._active.pop()
        scope.frame.inner[id(known[0])] = known[0]
        if any(one.asks for one in known[0].closure()):
            self.log.append((scope.frame, id(known[0])))
        return known[1]

    def _body(self, function: Function, held: list[Sources], frame: Frame) -> Derived:
        path = function.search_path
        parameters = {name: sources for name, sources in zip(function.arguments, held, strict=False) if name}
        scope = Scope(
            frame,
            path=DEFAULT_PATH if path is None else path,
            parameters=parameters,
            positions=tuple(held),
            routine=function.name,
        )
        if function.language == "plpgsql":
            return self._procedural(function, scope, dict(parameters))
        found = Derived({})
        for facts in body_of(function).facts:
            found = self.statement(facts.root, scope)
        return found

    def _procedural(self, function: Function, scope: Scope, parameters: dict[str, Sources]) -> Derived:
        """PL/pgSQL: variables in their order, then everything else that is tested, then what is returned."""
        source = plpgsql_source(function)
        if source is None:
            return Derived({})
        scope.parameters = parameters
        done = {text for _, text in source.assigned} | set(source.returned)
        for names, text in source.assigned:
            found = list(self._text(text, scope).columns.values())
            for i, name in enumerate(names):
                held = found[i] if i < len(found) and len(names) > 1 else union(found)
                parameters[name] = parameters.get(name, NOTHING) | held
        for text in (*source.statements, *source.expressions):
            if text not in done:
                self._text(text, scope)
        columns: dict[str, Sources] = {}
        for text in source.returned:
            for name, sources in self._text(text, scope).columns.items():
                columns[name] = columns.get(name, NOTHING) | sources
        return Derived(columns, loose=True)

    def _text(self, text: str, scope: Scope) -> Derived:
        facts = expression(text)
        if facts is not None:
            return self.statement(facts.root, scope)
        found = Derived({})
        for one in statements(text) or ():
            found = self.statement(one.root, scope)
        return found

    def statement(self, root: Node, scope: Scope) -> Derived:
        """A statement of a body, or the one expression that it is."""
        if root.kind == "SelectStmt":
            return self.select(root, scope)
        if root.kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
            return self.write(root, scope)
        return Derived({"": self.value(root, scope)}, loose=True)


@lru_cache(maxsize=2)
def flow(snapshot: Snapshot) -> Flow:
    """The Flow of a snapshot (snapshots compare by identity)."""
    return Flow(snapshot)
