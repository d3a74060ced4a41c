"""One cell of the matrix: what a role may do to a relation with one command, and what decides it.

privilege? -> view or materialized view? -> does row level security bind this role? -> policies
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from tools.rls.facts import Facts
from tools.rls.matrix.privilege import Held, held
from tools.rls.objects import Policy, Relation
from tools.rls.privileges import Role
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import constant
from tools.rls.truth import EVERYONE, NOBODY, SIGNED_IN, truth

COMMANDS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Extent(StrEnum):
    """How far a command reaches."""

    NONE = "none"  # no privilege: the statement fails
    DENIED = "denied"  # row level security is on and no policy lets anything through
    ROWS = "rows"  # the rows for which a condition holds
    EVERY = "every"

    @property
    def rank(self) -> int:
        """0 for nothing, 3 for every row. A refused statement and an empty answer reach the same: no row."""
        return list(Extent).index(self)


@dataclass(frozen=True, slots=True)
class Access:
    """`policies` are the permissive ones that apply, `restrictive` the others; `columns` None means all."""

    extent: Extent
    why: str
    policies: tuple[str, ...] = ()
    restrictive: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    notes: tuple[str, ...] = field(default=())


def access(snapshot: Snapshot, role: Role, relation: Relation, command: str) -> Access:
    """What `role` may do to `relation` with SELECT, INSERT, UPDATE, DELETE or TRUNCATE."""
    cells = _cells(snapshot)
    key = (role.name, relation.title, command)
    if key not in cells:
        cells[key] = _access(snapshot, role, relation, command)
    return cells[key]


@lru_cache(maxsize=4)
def _cells(snapshot: Snapshot) -> dict[tuple[str, str, str], Access]:
    """The cells of a snapshot that are known (snapshots compare by identity)."""
    del snapshot
    return {}


def _access(snapshot: Snapshot, role: Role, relation: Relation, command: str) -> Access:
    privilege = held(snapshot, role, relation, command)
    if not privilege.yes:
        return Access(Extent.NONE, privilege.why)
    if relation.kind in "vm":
        from tools.rls.matrix.views import through_view  # views ask for the access to what they read

        return through_view(snapshot, role, relation, command, privilege)
    unbound = unbound_by(role, relation, command)
    if unbound:
        return Access(Extent.EVERY, unbound, columns=privilege.columns)
    return _by_policies(snapshot, role, relation, command, privilege)


def unbound_by(role: Role, relation: Relation, command: str) -> str:
    """Why row level security does not bind this role here; empty when it does.

    BYPASSRLS is an attribute of the role itself and is not inherited; ownership is (PostgreSQL's
    check_enable_rls asks has_privs_of_role).
    """
    if role.superuser:
        return "superuser: row level security is bypassed"
    if command == "TRUNCATE":
        return "TRUNCATE asks no policy"
    if relation.kind == "f":
        return "a foreign table has no row level security; the other server decides"
    if not relation.rls:
        covered = relation.partition and "its parent's policies do not apply here"
        return f"row level security is off{'; ' + covered if covered else ''}"
    if role.bypassrls:
        return "BYPASSRLS"
    if relation.owner in role.effective and not relation.forced:
        return f"owner{'' if relation.owner == role.name else ' by membership'}, and RLS is not forced"
    return ""


def applying(role: Role, relation: Relation, command: str) -> tuple[Policy, ...]:
    """The policies that apply to a role and a command."""
    return tuple(
        policy
        for policy in relation.policies
        if policy.covers(command) and ("public" in policy.roles or role.effective & set(policy.roles))
    )


def condition(policy: Policy, command: str) -> tuple[str | None, Facts | None]:
    """What decides a command: WITH CHECK for INSERT (USING where it is left out), else USING."""
    if command == "INSERT" and policy.check_text:
        return policy.check_text, policy.check
    return policy.using_text, policy.using


def _by_policies(snapshot: Snapshot, role: Role, relation: Relation, command: str, privilege: Held) -> Access:
    policies = applying(role, relation, command)
    weights = {policy.name: weight(reach(snapshot), policy, relation, command, role) for policy in policies}
    opening = tuple(p.name for p in policies if p.permissive and weights[p.name] is not Extent.DENIED)
    limits = tuple(p.name for p in policies if not p.permissive and weights[p.name] is not Extent.EVERY)
    closed = next((p for p in policies if not p.permissive and weights[p.name] is Extent.DENIED), None)
    if not opening or closed is not None:
        dead = [p.name for p in policies if p.permissive and p.name not in opening]
        why = f"no policy for {command} lets {role.name} through"
        why += f" ({', '.join(dead)} never holds)" if dead and closed is None else ""
        why += f" (restrictive {closed.name} never holds)" if closed is not None else ""
        return Access(Extent.DENIED, why, columns=privilege.columns)
    open_wide = [name for name in opening if weights[name] is Extent.EVERY]
    notes = tuple(_unchecked(snapshot, relation, policies, command, role))
    if open_wide and not limits:
        why = f"policy {open_wide[0]} is true for every row"
        return Access(Extent.EVERY, why, opening, (), privilege.columns, notes)
    why = "rows by " + " or ".join(opening) + (f", and {' and '.join(limits)}" if limits else "")
    return Access(Extent.ROWS, why, opening, limits, privilege.columns, notes)


def weight(reached: Reach, policy: Policy, relation: Relation, command: str, role: Role) -> Extent:
    """EVERY for a condition that always holds for this role, DENIED for one that never does, else ROWS."""
    text, facts = condition(policy, command)
    if text is None:
        # A condition that is left out is skipped: nothing is permitted by it, and nothing restricted.
        return Extent.DENIED if policy.permissive else Extent.EVERY
    if facts is None:
        return Extent.ROWS
    if constant(facts.root) is False:
        return Extent.DENIED
    return _weight_of(truth(reached, facts, relation), role)


def _weight_of(level: int, role: Role) -> Extent:
    if level == EVERYONE:
        return Extent.EVERY
    if level == SIGNED_IN:
        return Extent.DENIED if role.name == "anon" else Extent.EVERY
    return Extent.ROWS


def _unchecked(
    snapshot: Snapshot, relation: Relation, policies: tuple[Policy, ...], command: str, role: Role
) -> list[str]:
    """What a person who reads one cell must know of its neighbours."""
    notes: list[str] = []
    if command == "UPDATE":
        open_checks = [
            policy.name
            for policy in policies
            if policy.permissive
            and policy.new_row is not None
            and truth(reach(snapshot), policy.new_row, relation) > NOBODY
        ]
        if open_checks:
            notes.append(f"{open_checks[0]} accepts any new row")
    if command in ("UPDATE", "DELETE"):
        reading = access(snapshot, role, relation, "SELECT")
        if reading.extent in (Extent.NONE, Extent.DENIED):
            notes.append("SELECT is refused, so only a statement without WHERE and RETURNING reaches a row")
    return notes
