"""Staff: callers who are let in for what they are, by a claim in their token or a row in a staff table."""

from __future__ import annotations

import re
from typing import Final

from tools.rls.objects import Relation
from tools.rls.proof.chains import Chain
from tools.rls.proof.evidence import Evidence
from tools.rls.proof.graph import Frame, Way
from tools.rls.proof.keys import is_author
from tools.rls.proof.levels import level_column
from tools.rls.proof.model import STAFF, Identity, Opening, Rank, StaffRole
from tools.rls.proof.model import Way as Account
from tools.rls.proof.openings import conditions
from tools.rls.proof.side import TRUE

_ROLE_CLAIM: Final = re.compile(
    r"role|staff|admin|is_|type|group|permission|email|scope|capabilit|department|position"
)
_ROLE_COLUMN: Final = re.compile(
    r"(^|_)(role|roles|type|admin|superadmin|staff|is_staff|is_admin|permission)(_|$)"
)
_STAFF_TABLE: Final = re.compile(
    r"(^|_)(staff|admins?|administrators?|employees?|moderators?|operators?|user_roles?|role_assignments?)"
    r"(_(members?|users?|roles?|accounts?))?$"
)
_LEVEL_CLAIM: Final = frozenset({"aal", "amr", "is_anonymous"})
_API_ROLES: Final = frozenset({"anon", "authenticated", "service_role", "supabase_admin", "postgres"})


def staff_openings(evidence: Evidence, anchors: set[str]) -> list[Opening]:
    """Tables that make a caller staff: looked up by the caller alone, keyed to no record of somebody.

    Where no policy looks one up, a table that is called like it counts: claims may stand for it in the code.
    """
    found: dict[tuple[str, str], list[Chain]] = {}
    for chain in evidence.chains:
        if chain.anchor or not evidence.names_account(chain) or is_author(chain.column):
            continue
        table = chain.opening
        if not evidence.keys.ours(table) or _scoped(evidence, table, anchors):
            continue
        tested = {test.ref.column for test in evidence.tests.get(chain.row, ())}
        mirror = evidence.keys.is_mirror(table) and chain.column == evidence.keys.primary(table)
        if any(_ROLE_COLUMN.search(column) for column in tested) or (_dedicated(table) and not mirror):
            found.setdefault((table, chain.column), []).append(chain)
    made = [
        _opening(evidence, table, column, chains[0].identity, {chain.row for chain in chains})
        for (table, column), chains in sorted(found.items())
    ]
    return made or [
        _opening(evidence, relation.title, column, Identity("uid"), set())
        for relation in evidence.snapshot.tables
        if _dedicated(relation.title) and not _scoped(evidence, relation.title, anchors)
        for column in _holder(evidence, relation)
    ]


def _dedicated(table: str) -> bool:
    return _STAFF_TABLE.search(table.partition(".")[2]) is not None


def _holder(evidence: Evidence, relation: Relation) -> list[str]:
    """The column of a staff table that names the account, where a role or flag column stands beside it."""
    if level_column(evidence, relation.title, set()) == "":
        return []
    names = [n for n in relation.columns if evidence.keys.is_account(relation.title, n) and not is_author(n)]
    return names[:1]


def _scoped(evidence: Evidence, table: str, anchors: set[str]) -> bool:
    relation = evidence.snapshot.relations.get(table)
    hops = [evidence.keys.hop(table, name) for name in (relation.columns if relation is not None else ())]
    return any(
        hop is not None and hop.target in anchors and not evidence.keys.is_mirror(hop.target) for hop in hops
    )


def _opening(evidence: Evidence, table: str, column: str, identity: Identity, rows: set[int]) -> Opening:
    named, tested_ones = level_column(evidence, table, rows), _tested(evidence, table, rows)
    level = named if named in tested_ones or not tested_ones else min(tested_ones)
    values = evidence.snapshot.relations[table].columns[level].values if level else ()
    tested = tuple(evidence.constants.get((table, level), ()))
    # A role column of everybody's profile also has values that make nobody staff.
    whole = bool(values) and (_dedicated(table) or not evidence.keys.is_mirror(table))
    chosen = values if whole else tested
    ranks = tuple(Rank(value, frozenset({"read", "write", "manage"})) for value in chosen)
    return Opening(
        table,
        STAFF,
        (),
        Account((), table, column, identity),
        conditions(evidence, table, rows),
        level,
        ranks,
    )


def _tested(evidence: Evidence, table: str, rows: set[int]) -> set[str]:
    """The columns that look-ups test and that are called like a role: a flag is no less one."""
    columns = {test.ref.column for row in rows for test in evidence.tests.get(row, ())}
    return {column for column in columns if _ROLE_COLUMN.search(column)}


def staff_roles(evidence: Evidence, openings: list[Opening]) -> tuple[StaffRole, ...]:
    """The staff roles that policies ask for, each with the claims that it needs."""
    found: dict[str, StaffRole] = {}
    seen: dict[int, Frame] = {id(f): f for way in evidence.ways for f in way.frame.closure()}
    for frame in (*seen.values(), *evidence.called):
        for role in _roles(evidence, frame, openings):
            known = found.get(role.name)
            if known is None or len(role.claims) > len(known.claims):
                found[role.name] = role
    return tuple(_like(found[name], list(found.values()), openings) for name in sorted(found))


def _like(role: StaffRole, roles: list[StaffRole], openings: list[Opening]) -> StaffRole:
    """A role that asks for less than its siblings with the same claim is asked for in a careless place."""
    path = next(iter(role.claims), "")
    table = next(
        (o.table for o in openings if any(rank.value == role.name for rank in o.ranks)), role.opening
    )
    more = next((r for r in roles if path and path in r.claims and len(r.claims) > len(role.claims)), None)
    extra = {key: value for key, value in more.claims.items() if key != path} if more is not None else {}
    return StaffRole(role.name, {**role.claims, **extra}, role.opening or table)


def _roles(evidence: Evidence, frame: Frame, openings: list[Opening]) -> list[StaffRole]:
    """The roles of one frame: its claims, and the staff table's level that it tests."""
    wanted: dict[Identity, list[str]] = {}
    for identity, value in frame.claims:
        wanted.setdefault(identity, []).append(value)
    extra = {
        ".".join(identity.path): values[0]
        for identity, values in wanted.items()
        if identity.kind == "claim"
        and identity.path[-1] in _LEVEL_CLAIM
        and identity.path[-1] != "is_anonymous"
    }
    tables = {one.table: one for one in openings}
    levels: dict[str, str] = {}
    for test in frame.tests:
        one = tables.get(evidence.tables[test.ref.row])
        if one is not None and one.level == test.ref.column and test.ref.row not in evidence.own:
            # A guard says `if not is_staff('x') then raise`: what stands under NOT is asked for as well.
            value = test.value if test.kind in ("equal", "unequal") else "true" if test.kind == "true" else ""
            if value:
                levels[value] = one.table
    found: list[StaffRole] = []
    for identity, values in wanted.items():
        last = identity.path[-1] if identity.path else ""
        if identity.kind != "claim" or last in _LEVEL_CLAIM or not _ROLE_CLAIM.search(last):
            continue
        # Whoever believes user_metadata means a role all the same: the honest place for it is app_metadata.
        path = ".".join("app_metadata" if step == "user_metadata" else step for step in identity.path)
        found.extend(
            StaffRole(_named(value, last), {path: value, **extra}, levels.get(value, ""))
            for value in values
            if value not in _API_ROLES
        )
    if not found:
        for value, table in levels.items():
            name = value if value != "true" else tables[table].level.removeprefix("is_")
            found.append(StaffRole(name, dict(extra), table))
    return found


def _named(value: str, claim: str) -> str:
    return claim.removeprefix("is_") if value in TRUE else value


def asks_staff(evidence: Evidence, way: Way, openings: list[Opening]) -> bool:
    """Whether one alternative asks for a staff role somewhere."""
    return any(_roles(evidence, frame, openings) for frame in way.frame.closure())
