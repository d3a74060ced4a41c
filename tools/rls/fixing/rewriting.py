"""Policies in their set-based form: what depends on the caller only is asked once per statement.

    auth.uid(), auth.jwt(), a function of the caller     ->  (select auth.uid())
    key in (select ...)                                  ->  key = any (array(select ...))
    exists (select ... where m.key = row.key and ...)    ->  key = any (array(select m.key where ...))
    can_read(key)                                        ->  key = any (array(select can_read_keys()))

Every rewrite is a proposal: whether everybody still reaches the same rows is proven by execution.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tools.rls.bodies import body_of
from tools.rls.fixing import trees
from tools.rls.fixing.setform import turned
from tools.rls.fixing.setfunction import SetFunction, of_caller, once, set_function
from tools.rls.objects import Function, Policy, Relation
from tools.rls.reach import Reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import altered

ONCE: Final = "identity once per statement"
SET: Final = "in (select ...) as any (array(select ...))"
EXISTS: Final = "correlated EXISTS as a set of keys"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One policy in its quicker form. `how` says what was done to it; `old` and `new` are ALTER POLICY."""

    policy: Policy
    how: tuple[str, ...]
    new: str
    old: str
    functions: tuple[str, ...] = ()
    """CREATE FUNCTION statements of the sets that it uses, shared by policies."""
    drops: tuple[str, ...] = ()


@dataclass(slots=True)
class Rewriter:
    """Rewrites the policies of one snapshot; a helper is turned into a set once for all its policies."""

    snapshot: Snapshot
    reached: Reach
    made: dict[int, SetFunction | None] = field(default_factory=dict[int, SetFunction | None])
    """By function oid; None where a helper cannot be turned."""
    kept: dict[str, str] = field(default_factory=dict[str, str])
    """Functions that run per row and could not be turned into a set, and why."""

    def rewrites(self, relations: Iterable[Relation]) -> list[Rewrite]:
        """Every policy that has a quicker form."""
        found = (self.rewrite(relation, policy) for r in relations for relation, policy in _policies(r))
        return [one for one in found if one is not None]

    def rewrite(self, relation: Relation, policy: Policy) -> Rewrite | None:
        """The quicker form of one policy, or None where there is nothing to do."""
        clauses: list[str] = []
        before: list[str] = []
        work = _Work(self, relation)
        for word, text in (("using", policy.using_text), ("with check", policy.check_text)):
            if text is None:
                continue
            new = work.quicker(text, once=not (word == "with check" and policy.command == "INSERT"))
            before.append(f"{word} ({text})")
            clauses.append(f"{word} ({new})" if new else f"{word} ({text})")
        if not work.how:
            return None
        return Rewrite(
            policy,
            tuple(dict.fromkeys(work.how)),
            altered(policy, relation, "\n  ".join(clauses)),
            altered(policy, relation, "\n  ".join(before)),
            tuple(dict.fromkeys(work.functions)),
            tuple(dict.fromkeys(work.drops)),
        )

    def as_set(self, function: Function) -> SetFunction | None:
        """The set function for a helper that answers about one row."""
        if function.oid not in self.made:
            self.made[function.oid] = set_function(self.reached, function)
            if self.made[function.oid] is None:
                self.kept[function.title] = "its body is not a plain test of membership"
        return self.made[function.oid]


@dataclass(slots=True)
class _Work:
    """The rewriting of one policy's expressions."""

    rewriter: Rewriter
    relation: Relation
    how: list[str] = field(default_factory=list[str])
    functions: list[str] = field(default_factory=list[str])
    drops: list[str] = field(default_factory=list[str])

    def quicker(self, text: str, *, once: bool) -> str | None:
        """The expression in its quicker form, or None where it stays."""
        parsed = trees.value(text)
        if parsed is None:
            return None
        before = len(self.how)
        root = trees.expression(parsed)
        self._positive(root)
        for node in reversed(list(trees.nodes(root))):
            self._member(node)
        if once:
            self._once(root)
        return trees.expression_text(parsed) if len(self.how) > before else None

    # -- parts that stand where only true counts -------------------------------------------

    def _positive(self, node: Any) -> None:
        if trees.kind(node) == "bool_expr" and trees.boolean(node) != "NOT_EXPR":
            for part in node.bool_expr.args:
                self._positive(part)
        elif trees.kind(node) == "sub_link" and trees.link(node) == trees.EXISTS:
            self._exists(node)
        elif trees.kind(node) == "func_call":
            self._helper(node)
        elif trees.kind(node) == "sub_link" and trees.link(node) == trees.SCALAR:
            inner = node.sub_link.subselect.select_stmt
            if not inner.from_clause and len(inner.target_list) == 1 and trees.mentions(inner, self._row):
                call = inner.target_list[0].res_target.val
                if trees.kind(call) == "func_call" and self._helper(call):
                    node.CopyFrom(call)

    def _exists(self, node: Any) -> None:
        select = node.sub_link.subselect.select_stmt
        inside = trees.aliases(select)

        def outside(one: Any) -> bool:
            parts = trees.names(one)
            return len(parts) > 1 and parts[-2] == self.relation.name and parts[-2] not in inside

        if any(len(trees.names(one)) == 1 for one in trees.nodes(select)):
            return  # names without a relation could be either side's
        found = turned(select, outside)
        if found is not None:
            trees.replace(node, f"{found.outer} = any (array({found.query}))")
            self.how.append(EXISTS)

    def _helper(self, node: Any) -> bool:
        """A function asked about a column of the row, as a set of keys."""
        schema, name = trees.called(node)
        arguments = list(node.func_call.args)
        rows = [i for i, one in enumerate(arguments) if trees.mentions(one, self._row)]
        functions = self.rewriter.snapshot.functions_named.get(f"{schema}.{name}", ())
        exact = [f for f in functions if len(f.argument_types) == len(arguments)]
        if len(rows) != 1 or len(exact) != 1 or not self._row(trees.bare(arguments[rows[0]])):
            return False
        function = exact[0]
        if function.schema in PLATFORM_SCHEMAS or not _reads(self.rewriter.reached, function):
            return False
        made = self.rewriter.as_set(function)
        if made is None or made.key != rows[0]:
            return False
        given = ", ".join(trees.node_text(arguments[i]) for i in made.others)
        key = trees.node_text(arguments[made.key])
        trees.replace(node, f"{key} = any (array(select {made.name}({given})))")
        self.functions.append(made.create)
        self.drops.append(made.drop)
        self.how.append(f"{function.schema}.{function.name}() as a set of keys")
        return True

    # -- parts that mean the same anywhere --------------------------------------------------

    def _member(self, node: Any) -> None:
        """`x in (select ...)` that does not look at the row."""
        if trees.kind(node) != "sub_link" or trees.link(node) != trees.ANY:
            return
        named = [part.string.sval for part in node.sub_link.oper_name]
        select = node.sub_link.subselect.select_stmt
        test = node.sub_link.testexpr
        if named not in ([], ["="]) or trees.kind(test) == "row_expr" or not self._independent(select):
            return
        trees.replace(node, f"{trees.node_text(test)} = any (array({trees.select_text(select)}))")
        self.how.append(SET)

    def _independent(self, select: Any) -> bool:
        inside = trees.aliases(select)
        for node in trees.nodes(select):
            parts = trees.names(node)
            if parts and (len(parts) == 1 or parts[-2] not in inside):
                return False
        return True

    def _once(self, root: Any) -> None:
        """Calls that depend on the caller only, in a scalar subquery of their own."""
        for _ in range(once(root, self._of_caller)):
            self.how.append(ONCE)

    def _of_caller(self, node: Any) -> bool:
        return of_caller(self.rewriter.snapshot, node)

    def _row(self, node: Any) -> bool:
        """Whether a node is a column of the policy's own table."""
        parts = trees.names(node)
        if len(parts) == 1:
            return parts[0] in self.relation.columns
        return len(parts) > 1 and parts[-2] == self.relation.name


def _policies(relation: Relation) -> list[tuple[Relation, Policy]]:
    return [(relation, policy) for policy in relation.policies] if relation.rls else []


def _reads(reached: Reach, function: Function) -> bool:
    return any(True for f in reached.closure([function]) for one in body_of(f).facts for _ in one.sources())
