"""A row can hang under one profile and under a thing of another.

What it finds
    Tables with two parents, a profile (or family, or tenant) by which policies decide and a thing that
    belongs to one itself (a dose with profile_id and medication_id), where callers may write the second
    key, no composite foreign key ties the two, no policy looks at it and no trigger that can refuse names
    it.

Why it matters
    A row that passes as one's own points into another family's record: whatever joins over it mixes the
    two, and the foreign key tells whether a guessed id exists.

Fix
    A composite foreign key: unique (profile_id, id) on the parent, foreign key (profile_id, medication_id)
    on the child.

When to ignore
    Parents that may belong to different profiles on purpose, such as a message about somebody else's event.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import is_account, own_columns
from tools.rls.guards import guarded
from tools.rls.objects import Key, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import conjuncts, disjuncts
from tools.rls.wording import listed, on_table, personal, quoted, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table, with every loose parent."""
    reached = reach(snapshot)
    known: dict[str, set[str]] = {}
    for relation in snapshot.tables:
        writing = [p for p in relation.policies if p.permissive and p.command in ("INSERT", "UPDATE", "ALL")]
        if not relation.rls or not writing or not relation.foreign_keys:
            continue
        loose = list(_loose(snapshot, reached, relation, known)) if _pairs(snapshot, relation) else []
        if loose and personal(snapshot, relation):
            names = [f"{key.columns[0]} ({key.target})" for _, key in loose]
            yield on_table(
                "policy_second_parent_unchecked", Level.WARN, relation,
                f"Rows of {relation.title} may belong to one {loose[0][0]} and hang under {listed(names)} of"
                " another: nothing compares the two.",
                evidence=f"foreign keys: {listed(key.name for key in relation.foreign_keys)}",
                fix="\n".join(_tied(snapshot, relation, anchor, key) for anchor, key in loose),
                rank=26,
            )  # fmt: skip


def _loose(
    snapshot: Snapshot, reached: Reach, relation: Relation, known: dict[str, set[str]]
) -> Iterator[tuple[str, Key]]:
    """The deciding column, and each key beside it to a thing that has the same kind of owner."""
    single = {key.columns[0]: key for key in relation.foreign_keys if len(key.columns) == 1}
    for anchor in sorted(_anchors(reached, relation, known)):
        for column, key in single.items():
            parent = snapshot.relations.get(key.target)
            if column == anchor or parent is None or is_account(snapshot, relation, column):
                continue
            # The anchor's own key may be gone together with the composite one: the name then tells.
            owner = single[anchor].target if anchor in single else ""
            same = any(anchor in k.columns and owner in ("", k.target) for k in parent.foreign_keys)
            tied = any(anchor in k.columns and column in k.columns for k in relation.foreign_keys)
            if not same or tied or not parent.rls or parent.title == owner:
                continue
            able = any(snapshot.may_column(role, relation, column, "INSERT") for role in snapshot.callers)
            alike = able and anchor in _anchors(reached, parent, known)
            if alike and _open(snapshot, reached, relation, column):
                yield anchor, key


def _pairs(snapshot: Snapshot, relation: Relation) -> bool:
    """Whether some parent has a key with a name that the table has a column of: most tables have none."""
    parents = [
        snapshot.relations[key.target] for key in relation.foreign_keys if key.target in snapshot.relations
    ]
    return any(k.columns[0] in relation.columns for parent in parents for k in parent.foreign_keys)


def _anchors(reached: Reach, relation: Relation, known: dict[str, set[str]]) -> set[str]:
    """Columns, accounts left out, that policies compare with what the caller may reach."""
    if relation.title not in known:
        known[relation.title] = _compared(reached, relation)
    return known[relation.title]


def _compared(reached: Reach, relation: Relation) -> set[str]:
    found: set[str] = set()
    for policy in relation.policies:
        facts = policy.using
        if policy.permissive and facts is not None:
            for way in disjuncts(facts.root):
                for part in conjuncts(way):
                    inner = facts.within(part)
                    found |= own_columns(reached, relation, inner) if inner.calls else set()
    return {name for name in found if not is_account(reached.snapshot, relation, name)}


def _open(snapshot: Snapshot, reached: Reach, relation: Relation, column: str) -> bool:
    """Whether some policy lets a caller write rows without saying anything about the column."""
    if column in guarded(reached, relation, "INSERT"):
        return False
    floor = {
        c.name for p in relation.policies if not p.permissive and p.new_row for c in p.new_row.columns
    }  # fmt: skip
    return any(
        policy.permissive and policy.covers("INSERT") and policy.new_row is not None
        and snapshot.addressed(policy) and column not in {c.name for c in policy.new_row.columns} | floor
        for policy in relation.policies
    )  # fmt: skip


def _tied(snapshot: Snapshot, relation: Relation, anchor: str, key: Key) -> str:
    parent = snapshot.relations[key.target]
    pair = f"{quoted(anchor)}, {quoted(key.target_columns[0])}"
    return (
        f"alter table {table_name(parent)} add unique ({pair});\n"
        f"alter table {table_name(relation)} add foreign key ({quoted(anchor)}, {quoted(key.columns[0])})\n"
        f"  references {table_name(parent)} ({pair});"
    )


RULE = Rule(
    name="policy_second_parent_unchecked",
    title="A row can hang under one profile and under a thing of another",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
