"""The functions and views that policies ask: which records the caller owns, reads, writes, manages.

The conditions of life (status, expiry, consent) are written down once, in a view per opening; the functions
read the views. Security definer and an empty search_path, since they look at tables that the caller may not
read; a set of keys without arguments, so that a policy asks once per statement and not once per row.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from tools.rls.design.existing import Right, free_name, helpers, private_schema
from tools.rls.design.queries import Joins, identity
from tools.rls.proof.model import STAFF, Anchor, Condition, Identity, Model, Opening, StaffRole
from tools.rls.snapshot import Snapshot
from tools.rls.wording import literal, quoted

STEMS: Final[dict[Right, str]] = {
    "own": "owned",
    "read": "readable",
    "write": "writable",
    "manage": "managed",
}
UID: Final = Identity("uid")
DEFINER: Final = "language sql stable security definer set search_path = ''"


@dataclass(slots=True)
class Library:
    """The helpers of one design; SQL is written when one is first asked for.

    `role` is who may call them. `made` are statements in order, `undo` takes them back in reverse.
    """

    snapshot: Snapshot
    model: Model
    role: str
    made: list[str] = field(default_factory=list[str])
    undo: list[str] = field(default_factory=list[str])
    reused: list[str] = field(default_factory=list[str])
    schema: str = ""
    _sets: dict[tuple[str, Right], str] = field(default_factory=dict[tuple[str, Right], str])
    _views: dict[int, str] = field(default_factory=dict[int, str])
    _staff: dict[str, str] = field(default_factory=dict[str, str])
    _found: dict[str, dict[Right, str]] = field(default_factory=dict[str, dict[Right, str]])

    def __post_init__(self) -> None:
        self.schema = private_schema(self.snapshot)

    def keys(self, anchor: str, right: Right) -> str:
        """The function that gives the keys of the anchor's rows on which the caller has a right.

        Where nothing but owning opens a record, every right is the owner's.
        """
        if not self.shared(self.model.anchors[anchor]):
            right = "own"
        if anchor not in self._found:
            self._found[anchor] = helpers(self.snapshot, self.model, anchor)
        found = self._found[anchor].get(right)
        if found is not None:
            if found not in self.reused:
                self.reused.append(found)
            return found
        known = self._sets.get((anchor, right))
        return known if known is not None else self._make(self.model.anchors[anchor], right)

    def staff(self, role: StaffRole) -> str:
        """The function that says whether the caller is staff in this role."""
        if role.name not in self._staff:
            self._staff[role.name] = self._make_staff(role)
        return self._staff[role.name]

    def key_type(self, anchor: Anchor) -> str:
        """The type of the anchor's key."""
        return self.snapshot.relations[anchor.table].columns[anchor.key].type

    # -- sets of keys ---------------------------------------------------------------------

    def _make(self, anchor: Anchor, right: Right) -> str:
        stem = anchor.table.partition(".")[2]
        name = quoted(self.schema, free_name(self.snapshot, self.schema, f"{STEMS[right]}_{stem}"))
        self._sets[anchor.table, right] = name
        if right == "own":
            queries = self._owned(anchor)
        else:
            owned = [f"select {self.keys(anchor.table, 'own')}()"] if self.ownable(anchor) else []
            queries = [*owned, *self._opened(anchor, right), *self._inherited(anchor, right)]
        kind = self.key_type(anchor)
        body = "\n  union\n  ".join(queries) or f"select null::{kind} where false"
        self._function(f"{name}()", f"returns setof {kind} {DEFINER} rows 20", body)
        return name

    def ownable(self, anchor: Anchor) -> bool:
        """Whether somebody owns rows of this anchor, by a column or by a claim."""
        return bool(anchor.owners or anchor.claims)

    def shared(self, anchor: Anchor) -> bool:
        """Whether anything but owning opens rows of this anchor."""
        opened = any(opening.anchor == anchor.table for opening in self.model.openings)
        return opened or bool(anchor.parents) or not self.ownable(anchor)

    def _owned(self, anchor: Anchor) -> list[str]:
        found: list[str] = []
        for way in anchor.owners:
            joins = Joins(self.snapshot, anchor.table)
            owner = joins.account(way)
            for condition in anchor.conditions:
                joins.require(condition)
            kind = self.snapshot.relations[way.table].columns[way.column].type
            clauses = joins.clauses(also=[f"{owner} = {identity(way.identity, kind)}"])
            found.append(f"select {joins.first}.{quoted(anchor.key)}\n  {clauses}")
        kind = self.key_type(anchor)
        return found + [f"select {identity(claim, kind)}" for claim in anchor.claims]

    def _opened(self, anchor: Anchor, right: Right) -> list[str]:
        found: list[str] = []
        for opening in self.model.openings:
            ranks = [rank.value for rank in opening.ranks if right in rank.rights]
            if opening.anchor != anchor.table or not _gives(opening, right):
                continue
            who = self.snapshot.relations[opening.account.table].columns[opening.account.column]
            tests = [f"l.account = {identity(opening.account.identity, who.type)}"]
            if opening.ranks:
                tests.append(f"l.level::text in ({', '.join(literal(value) for value in ranks)})")
            where = "\n    and ".join(tests)
            # Written out for a person and run in a scratch copy; names are quoted, constants are literals.
            found.append(f"select l.record\n  from {self.live(opening)} l\n  where {where}")  # noqa: S608
        return found

    def _inherited(self, anchor: Anchor, right: Right) -> list[str]:
        found: list[str] = []
        for chain in anchor.parents:
            joins = Joins(self.snapshot, anchor.table)
            parent = joins.value(chain, chain[-1].target_columns[-1])
            keys = self.keys(chain[-1].target, right)
            test = f"{parent} = any (array(select {keys}()))"
            found.append(f"select {joins.first}.{quoted(anchor.key)}\n  {joins.clauses(also=[test])}")
        return found

    # -- the conditions of life, once -----------------------------------------------------

    def live(self, opening: Opening) -> str:
        """The view of an opening's living rows: record, account and, where there are ranks, level."""
        known = self._views.get(id(opening))
        if known is not None:
            return known
        joins = Joins(self.snapshot, opening.table)
        columns = [f"{joins.account(opening.account)} as account"]
        if opening.anchor != STAFF:
            anchor = self.model.anchors[opening.anchor]
            columns.insert(0, f"{joins.value(opening.scope, anchor.key)} as record")
            for condition in anchor.conditions:
                joins.require(_moved(condition, opening))
        if opening.level:
            columns.append(f"{joins.first}.{quoted(opening.level)} as level")
        for condition in opening.conditions:
            joins.require(condition)
        stem = f"live_{opening.table.partition('.')[2]}"
        name = quoted(self.schema, self._free_view(stem))
        self._views[id(opening)] = name
        invoker = " with (security_invoker = true)" if self.snapshot.version >= 150000 else ""
        self.made.append(
            f"create view {name}{invoker} as\nselect {', '.join(columns)}\n{joins.clauses('')};\n"
            f"revoke all on {name} from {', '.join(['public', *map(quoted, self._outside())])};"
        )
        self.undo.append(f"drop view if exists {name};")
        return name

    def _free_view(self, stem: str) -> str:
        used = {name.rpartition(".")[2] for name in self._views.values()}
        name = free_name(self.snapshot, self.schema, stem)
        return next(one for n in range(1, 100) if (one := name if n == 1 else f"{name}_{n}") not in used)

    def _outside(self) -> list[str]:
        """The roles that get nothing unless it is granted to them."""
        names = [role.name for role in self.snapshot.callers]
        return list(dict.fromkeys([*names, self.role])) if self.role != "public" else names

    # -- staff ----------------------------------------------------------------------------

    def _make_staff(self, role: StaffRole) -> str:
        tests = [
            f"(select auth.jwt()) #>> {literal('{' + path.replace('.', ',') + '}')} = {literal(value)}"
            for path, value in role.claims.items()
        ]
        for opening in self.model.openings:
            if opening.anchor == STAFF and role.opening in (opening.table, opening.name):
                kind = self.snapshot.relations[opening.account.table].columns[opening.account.column].type
                level = f" and l.level::text = {literal(role.name)}" if opening.level else ""
                who = f"l.account = {identity(opening.account.identity, kind)}"
                tests.append(f"exists (select from {self.live(opening)} l where {who}{level})")
        name = quoted(self.schema, free_name(self.snapshot, self.schema, f"is_{_word(role.name)}"))
        body = "select coalesce(\n    " + "\n    and ".join(tests or ["false"]) + ",\n    false\n  )"
        self._function(f"{name}()", f"returns boolean {DEFINER}", body)
        return name

    def _function(self, signature: str, rest: str, body: str) -> None:
        outsiders = [name for name in self._outside() if name != self.role]
        also = "".join(f", {quoted(name)}" for name in outsiders)
        self.made.append(
            f"create function {signature} {rest} as $$\n  {body}\n$$;\n"
            f"revoke execute on function {signature} from public{also};\n"
            f"grant execute on function {signature} to {quoted(self.role)};"
        )
        self.undo.append(f"drop function {signature};")

    def schema_statements(self) -> list[str]:
        """The private schema, and that the caller's role may look into it."""
        if not self.made:
            return []
        name = quoted(self.schema)
        made = [] if self.schema in self.snapshot.schemas else [f"create schema {name};"]
        role = self.snapshot.roles.get(self.role)
        if made or role is None or not self.snapshot.usable(role, self.schema):
            made.append(f"grant usage on schema {name} to {quoted(self.role)};")
        return made


def _gives(opening: Opening, right: Right) -> bool:
    """Whether some holder of an opening has a right. Without ranks a living row gives all but owning."""
    if right == "own":
        return False
    if opening.ranks:
        return any(right in rank.rights for rank in opening.ranks)
    return True


def _moved(condition: Condition, opening: Opening) -> Condition:
    """An anchor's condition as seen from the opening's row."""
    return replace(condition, hops=(*opening.scope, *condition.hops))


def _word(text: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())
