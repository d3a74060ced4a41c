"""How helpers, views and tables turned between two snapshots: what they give is wider, narrower or other.

A policy whose text is unchanged means something else when a function that it calls was changed. What runs
with an owner's rights reads tables whole; what is evaluated as the caller sees a table through its policies.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from tools.rls.bodies import body_of
from tools.rls.diffing.forms import FALSE, TRUE, Form, both, either
from tools.rls.diffing.implying import Turn, turned
from tools.rls.diffing.unfolding import Unfold, scalar, source, unfold
from tools.rls.objects import Function, Policy, Relation
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot


class Turns:
    """Answers over one pair of snapshots, each worked out once. What calls itself counts as OTHER."""

    def __init__(self, old: Snapshot, new: Snapshot) -> None:
        self.old = old
        self.new = new
        self._found: dict[tuple[str, str], Turn] = {}

    @cached_property
    def before(self) -> Unfold:
        """The bodies of the old side."""
        return unfold(self.old)

    @cached_property
    def after(self) -> Unfold:
        """The bodies of the new side."""
        return unfold(self.new)

    def known(self, kind: str, name: str) -> Turn:
        """How a `call` or `relation` turned, or as an owner a `called` or `owned` one."""
        key = (kind, name)
        if key not in self._found:
            self._found[key] = Turn.OTHER  # what asks for itself on the way cannot be decided
            owned = kind in ("called", "owned")
            self._found[key] = (
                self._call(name, owned) if kind in ("call", "called") else self._read(name, owned)
            )
        return self._found[key]

    # -- functions -----------------------------------------------------------------------

    def _call(self, name: str, owned: bool) -> Turn:
        bare, _, count = name.rpartition("/")
        old, new = (_overloads(side, bare, int(count)) for side in (self.old, self.new))
        if not old and not new:
            return Turn.SAME  # PostgreSQL's own, or an extension's
        if set(old) != set(new):
            return Turn.OTHER
        turns = {self.function(old[key], new[key], owned=owned) for key in old}
        return turns.pop() if len(turns) == 1 else Turn.OTHER

    def function(self, old: Function, new: Function, *, owned: bool = False) -> Turn:
        """How what a function returns changed, its callees and the views that it reads included."""
        if old.definer != new.definer or (old.definer and old.owner != new.owner):
            return Turn.OTHER
        one, other = self.before.inside(old, owned=owned), self.after.inside(new, owned=owned)
        if one is None or other is None or old.returns != new.returns:
            same = _plain(old) == _plain(new) and old.search_path == new.search_path
            return (
                Turn.SAME if same and self._callees(new, owned or new.definer) <= {Turn.SAME} else Turn.OTHER
            )
        if scalar(new) and one[0] == other[0] == "query":
            # The first row decides: only when it is the same row does a wider condition give no less.
            rows = [("query", (), *side[2:]) for side in (one, other)]
            same = one[2:] == other[2:] and turned(rows[0], rows[1], self.known, query=True) is Turn.SAME
            return turned(one[1][0], other[1][0], self.known) if same and len(one[1]) == 1 else Turn.OTHER
        return turned(one, other, self.known, query=True)

    def _callees(self, function: Function, owned: bool) -> set[Turn]:
        """How the functions and relations that a body mentions turned."""
        reached = reach(self.new)
        path = reached.path(function)
        called = {f"{f.schema}.{f.name}/{len(f.argument_types)}" for f in reached.called_by(function)}
        read = {
            relation.title
            for facts in body_of(function).everything()
            for source in facts.sources()
            if (relation := reached.relation(source, path)) is not None
        }
        calls = {self.known("called" if owned else "call", name) for name in called}
        return calls | {self.known("owned" if owned else "relation", name) for name in read}

    # -- relations -----------------------------------------------------------------------

    def _read(self, title: str, owned: bool) -> Turn:
        """How what reading a view, or as the caller a table, gives changed."""
        old, new = self.old.relations.get(title), self.new.relations.get(title)
        if old is None or new is None:
            return Turn.SAME if old is new else Turn.OTHER
        if new.kind == "v" and old.kind == "v":
            return self.view(old, new, owned=owned)
        if new.kind != old.kind or new.definition != old.definition:
            return Turn.OTHER
        if owned or (old.rls == new.rls and not (old.policies or new.policies)):
            return Turn.SAME
        return turned(
            passing(self.before, old, "SELECT") if old.rls else TRUE,
            passing(self.after, new, "SELECT") if new.rls else TRUE,
            self.known,
        )

    def view(self, old: Relation, new: Relation, *, owned: bool = False) -> Turn:
        """How what a view gives changed."""
        one = self.before.definition(old, owned=owned or not old.invoker)
        other = self.after.definition(new, owned=owned or not new.invoker)
        if one is None or other is None:
            return Turn.SAME if old.definition == new.definition else Turn.OTHER
        return turned(one, other, self.known, query=True)


def passing(
    side: Unfold,
    relation: Relation,
    command: str,
    policies: Iterable[Policy] | None = None,
    *,
    new_row: bool = False,
) -> Form:
    """What policies together let through: permissive ones OR-ed, restrictive ones AND-ed to them.

    `policies` are those that apply; without them, all of the relation's for this command.
    """
    opening: list[Form] = []
    limits: list[Form] = []
    applying = relation.policies if policies is None else policies
    for policy in (policy for policy in applying if policy.covers(command)):
        form = side.condition(relation, policy, new_row=new_row)
        if form is not None:
            (opening if policy.permissive else limits).append(form)
    return both([either(opening) if opening else FALSE, *limits])


def _overloads(side: Snapshot, bare: str, count: int) -> dict[str, Function]:
    found = side.functions_named.get(bare, ())
    return {f.title: f for f in found if len(f.argument_types) == count} or {f.title: f for f in found}


def _plain(function: Function) -> str:
    return " ".join(source(function).split())
