"""Access outlives its grant: status or expiry is not tested.

What it finds
    A query block that opens rows to whoever is named in a grant or membership (in a policy, in a function
    that policies call, or in a view behind them) and does not test a status, expiry or revocation column
    which the sibling blocks over the same table test; or one such as deleted_at that the block itself tests
    on two of its tables and not on a third; or an expiry, revocation or active column that no block tests at
    all.

Why it matters
    A revoked carer, a guest whose access ran out or a family member who left keeps reading, through the one
    path that was forgotten.

Fix
    Add the condition, or better: keep the conditions in one view and let every function read that.

When to ignore
    A block that must see ended grants as well, such as an access history. Name it in the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.snapshot import Snapshot
from tools.rls.trust import Place, Trust, trusts
from tools.rls.wording import body_in_short, listed, on_function, on_policy, on_table, quoted, remark

_LIFE = re.compile(
    r"(^|_)(status|state|revoked|expires|expiry|ends|ended|starts|closed|withdrawn|left|active|enabled|verified"
    r"|deleted|archived|valid)(_|$)"
)
_EXPIRY = re.compile(r"^(expires_(at|on)|expiry|expiry_date|valid_(until|to))$")
_GONE = re.compile(r"^(is_)?(deleted|archived|removed|revoked|closed)(_at|_on)?$")
_BESIDE = 2
_ENDED = re.compile(r"^(revoked(_at)?|is_revoked|active|is_active)$")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy, function or view, with every column it leaves out."""
    groups: dict[frozenset[str], list[Trust]] = {}
    for trust in trusts(snapshot):
        granted = frozenset(title for title, _ in trust.identity) - trust.owners()
        if granted and trust.resources and not _on_itself(trust):
            groups.setdefault(granted, []).append(trust)
    missing: dict[str, tuple[Trust, Relation | None, set[Place], int]] = {}
    for granted, group in groups.items():
        for title in granted:
            for name in group[0].tables[title].columns:
                _compare((title, name), group, missing)
        for trust in group:
            _unexpired(trust, missing)
            _beside(trust, missing)
    for trust, view, places, siblings in missing.values():
        yield _finding(snapshot, trust, view, places, siblings)


def _on_itself(trust: Trust) -> bool:
    policy = trust.unit.policy
    return policy is not None and policy.relation in {title for title, _ in trust.identity}


def _compare(
    place: Place, group: list[Trust], missing: dict[str, tuple[Trust, Relation | None, set[Place], int]]
) -> None:
    if not _LIFE.search(place[1]):
        return
    asking = [trust for trust in group if place in trust.tests]
    silent = [trust for trust in group if place not in trust.tests]
    if asking and len(asking) >= len(silent):
        for trust in silent:
            missing.setdefault(trust.unit.title, (trust, None, set(), len(asking)))[2].add(place)


def _unexpired(trust: Trust, missing: dict[str, tuple[Trust, Relation | None, set[Place], int]]) -> None:
    for title, opened in trust.resources:
        # A row that is opened by its own key is the thing itself: `active` then says nothing about access.
        itself = trust.tables[title].primary_key == (opened,)
        for name in trust.tables[title].columns:
            told = _told_by_state(trust, title, name)
            ends = _EXPIRY.search(name) or (_ENDED.search(name) and not itself and not told)
            if not ends or (title, name) in trust.tests:
                continue
            view = next((v for v in trust.views if title in v.reads), None)
            key = view.title if view else trust.unit.title
            missing.setdefault(key, (trust, view, set(), 0))[2].add((title, name))


def _told_by_state(trust: Trust, title: str, name: str) -> bool:
    """Whether a state that the block tests tells the same: status = 'active', which may be 'revoked' too."""
    ended = name.removeprefix("is_").removesuffix("_at")
    states = {c for t, c in trust.tests if t == title and ended in trust.tables[title].columns[c].values}
    return any(trust.tests[title, state] != {ended} or ended == "active" for state in states)


def _beside(trust: Trust, missing: dict[str, tuple[Trust, Relation | None, set[Place], int]]) -> None:
    """A column such as deleted_at that the block tests on two of its tables and leaves out on another."""
    if trust.views:
        return  # what a view tests is said of the view
    for name in {column for _, column in trust.tests if _GONE.search(column)}:
        having = {title for title, table in trust.tables.items() if name in table.columns}
        silent = {title for title in having if (title, name) not in trust.tests}
        if silent and len(having - silent) >= _BESIDE:
            known = missing.setdefault(trust.unit.title, (trust, None, set(), 0))
            known[2].update((title, name) for title in silent)


def _finding(
    snapshot: Snapshot, trust: Trust, view: Relation | None, places: set[Place], siblings: int
) -> Finding:
    columns = listed(f"{title}.{name}" for title, name in sorted(places))
    who = (
        f"{siblings} other {'path tests' if siblings == 1 else 'paths test'} it"
        if siblings
        else "nothing tests it"
    )
    names = listed(quoted(name) for _, name in sorted(places))
    how = ", as its siblings have it" if siblings else ""
    fix = remark(f"add a condition on {names} to this query{how}")
    unit = trust.unit
    level = Level.ERROR
    if view is not None:
        message = f"View {view.title} opens access without looking at {columns}: what has ended stays open."
        return on_table("policy_lifecycle_missing", level, view, message, evidence=who, fix=fix, rank=8)
    if unit.policy is not None:
        relation = snapshot.relations[unit.policy.relation]
        message = (
            f"Policy {unit.policy.name} on {relation.title} opens rows without looking at {columns} ({who})."
        )
        return on_policy("policy_lifecycle_missing", level, relation, unit.policy, message, fix=fix, rank=8)
    assert unit.function is not None  # a trust stands in a policy, a function or a view's reader
    message = (
        f"{unit.function.title} opens access without looking at {columns} ({who}): what has ended stays open."
    )
    body = body_in_short(unit.function)
    return on_function(
        "policy_lifecycle_missing", level, unit.function, message, evidence=body, fix=fix, rank=8
    )


RULE = Rule(
    name="policy_lifecycle_missing",
    title="Access outlives its grant: status or expiry is not tested",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
