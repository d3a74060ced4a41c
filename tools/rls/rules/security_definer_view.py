"""A view reads past row level security.

What it finds
    Views in an exposed schema that a caller may SELECT from, without security_invoker, over tables with row
    level security (or that the caller may not read directly), owned by a role that those policies do not
    bind. Views over data that the caller reads in full anyway are left out, unless the view passes writes on
    that the table's policies would refuse; auth.users has a rule of its own. WARN where the rows belong to
    nobody or the view's own condition asks who is calling, INFO where the view gives sums and counts without
    a column that names a person.

Why it matters
    Such a view runs with its owner's rights: the policies of the tables behind it are not asked, and every
    caller sees every row. Where the view may be written through, writes skip the policies too.

Fix
    alter view ... set (security_invoker = true). Since PostgreSQL 15.

When to ignore
    A view that shows on purpose a few harmless columns of protected rows. Say which in the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import published
from tools.rls.objects import Relation
from tools.rls.reach import mentions_identity, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.truth import open_to, truth
from tools.rls.wording import (
    doing,
    grants,
    listed,
    names_person,
    on_table,
    personal,
    quoted,
    rank,
    table_name,
)

_FIGURES = frozenset({"count", "sum", "avg", "min", "max"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per view; WARN when the view's own condition asks who is calling."""
    reached = reach(snapshot)
    for view in snapshot.relations.values():
        if view.kind != "v" or view.invoker or view.schema in PLATFORM_SCHEMAS:
            continue
        exposure = snapshot.exposure(view)
        tables = reached.base_tables(view)
        behind = [table for table in tables if hidden(snapshot, view, table, exposure)]
        if not exposure or any(table.title == "auth.users" for table in tables):
            continue
        own = any(mentions_identity(facts) for facts in reached.view_facts(view))
        through = {} if own else written_through(snapshot, view, tables, exposure)
        if not behind and through:
            yield _writable(snapshot, view, tables, through)
        if not behind:
            continue
        guard = " Only its own WHERE stands between callers and the rest." if own else ""
        level = level_of(snapshot, view, behind)
        yield on_table(
            "security_definer_view", Level.WARN if own and level == Level.ERROR else level, view,
            f"View {view.title} reads {listed(t.title for t in behind)} with the rights of"
            f" {view.owner}: policies"
            f" do not apply to {listed(exposure)}.{guard}",
            evidence=f"security_invoker is not set; {grants(exposure)}",
            fix=f"alter view {table_name(view)} set (security_invoker = true);",
            rank=min(rank(snapshot, table, exposure) for table in behind) + (30 if own else 0),
        )  # fmt: skip


def _writable(
    snapshot: Snapshot, view: Relation, tables: tuple[Relation, ...], through: dict[str, frozenset[str]]
) -> Finding:
    """Reading shows nothing new, and writing goes past the policies."""
    held = frozenset[str]().union(*through.values())
    verbs = ", ".join(sorted(word.lower() for word in held))
    return on_table(
        "security_definer_view", Level.ERROR, view,
        f"Through view {view.title} {listed(through)} can {doing(held)} {listed(t.title for t in tables)}"
        f" with the rights of {view.owner}, past its policies.",
        evidence=f"security_invoker is not set, the view passes writes on; {grants(through)}",
        fix=f"alter view {table_name(view)} set (security_invoker = true);\n"
        f"revoke {verbs} on {table_name(view)} from {', '.join(quoted(role) for role in through)};",
        rank=min(rank(snapshot, table, through) for table in tables),
    )  # fmt: skip


def written_through(
    snapshot: Snapshot, view: Relation, tables: tuple[Relation, ...], exposure: dict[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """What callers can write through the view and not, or not freely, in the table behind it."""
    found: dict[str, frozenset[str]] = {}
    owner = snapshot.roles.get(view.owner)
    for name, held in exposure.items():
        gained: set[str] = set()
        for table in tables if len(tables) == 1 else ():
            bound = (table.forced or table.owner != view.owner) and owner is not None
            if table.rls and bound and owner is not None and not (owner.superuser or owner.bypassrls):
                continue
            gained |= {
                c for c in held & view.writable if table.rls and not _writes_all(snapshot, name, table, c)
            }
        if gained:
            found[name] = frozenset(gained)
    return found


def _writes_all(snapshot: Snapshot, name: str, table: Relation, command: str) -> bool:
    reached = reach(snapshot)
    if command not in snapshot.may(snapshot.roles[name], table):
        return False
    for policy in table.policies:
        facts = policy.new_row if command == "INSERT" else policy.using
        if not policy.permissive or not policy.covers(command) or facts is None:
            continue
        if name in open_to(reached, policy, snapshot.addressed(policy), truth(reached, facts, table)):
            return True
    return False


def level_of(snapshot: Snapshot, view: Relation, behind: list[Relation]) -> Level:
    """ERROR for rows of people; WARN for other protected rows; INFO for figures that name nobody."""
    if figures_only(snapshot, view):
        return Level.INFO
    return Level.ERROR if any(personal(snapshot, table) for table in behind) else Level.WARN


def hidden(snapshot: Snapshot, view: Relation, table: Relation, exposure: dict[str, frozenset[str]]) -> bool:
    """Whether the view shows more of the table than its readers would see by themselves."""
    owner = snapshot.roles.get(view.owner)
    bound = table.forced or table.owner != view.owner
    if table.rls and bound and owner is not None and not (owner.superuser or owner.bypassrls):
        return False
    readable = all("SELECT" in snapshot.may(snapshot.roles[name], table) for name in exposure)
    return not readable or (table.rls and not all(_reads_all(snapshot, name, table) for name in exposure))


def _reads_all(snapshot: Snapshot, name: str, table: Relation) -> bool:
    """Whether policies show this caller every row of the table as it is."""
    reached = reach(snapshot)
    if personal(snapshot, table) and not published(snapshot, table):
        return False  # that policy is a mistake, and reported: the view stays one when it is mended
    if any(not policy.permissive and policy.covers("SELECT") for policy in table.policies):
        return False
    return any(
        name in open_to(reached, policy, snapshot.addressed(policy), truth(reached, policy.using, table))
        for policy in table.policies
        if policy.covers("SELECT") and policy.using is not None
    )


def figures_only(snapshot: Snapshot, view: Relation) -> bool:
    """Whether a view gives sums and counts and no column that names a person."""
    reached = reach(snapshot)
    for facts in reached.view_facts(view):
        select = facts.root
        grouped = bool(select.many("group_clause")) or any(call.name in _FIGURES for call in facts.calls)
        return grouped and not any(names_person(name) for name in view.columns)
    return False


RULE = Rule(
    name="security_definer_view",
    title="A view reads past row level security",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
