"""The words of a difference: one change, its direction, and what the collectors share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.rls.diffing.implying import Turn
from tools.rls.diffing.turns import Turns
from tools.rls.matrix.access import COMMANDS
from tools.rls.objects import Function, Policy, Relation
from tools.rls.privileges import Role
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot

_PLATFORM_ROLES: Final = frozenset(
    {"authenticator", "dashboard_user", "pgbouncer", "pgtle_admin", "cloudsqlsuperuser", "rds_superuser"}
)


class Direction(StrEnum):
    """Whether somebody can do more than before (widens), less (narrows), or something else (changes)."""

    WIDENS = "widens"
    CHANGES = "changes"  # neither more nor less could be shown
    NARROWS = "narrows"
    NEUTRAL = "neutral"

    @property
    def rank(self) -> int:
        """0 for what a reviewer must see first."""
        return list(Direction).index(self)


OF_TURN: Final = {
    Turn.SAME: Direction.NEUTRAL,
    Turn.WIDER: Direction.WIDENS,
    Turn.NARROWER: Direction.NARROWS,
    Turn.OTHER: Direction.CHANGES,
}


class Change(BaseModel):
    """One object that changed. `reaches` are the effective changes that it takes part in."""

    model_config = ConfigDict(frozen=True)

    direction: Direction
    kind: str = Field(description="policy, function, privilege, relation, role, default privileges, ...")
    object: str
    sentence: str
    reason: str = Field(default="", description="Why it counts as this direction.")
    before: str = ""
    after: str = ""
    reaches: tuple[str, ...] = ()


class CellChange(BaseModel):
    """What some roles may do with one command on one relation, before and after."""

    model_config = ConfigDict(frozen=True)

    direction: Direction
    roles: tuple[str, ...]
    relation: str
    command: str
    before: str
    after: str
    how: str = Field(default="", description="Where only the condition changed: how.")

    @property
    def text(self) -> str:
        """`authenticated SELECT on public.t: no row -> every row`."""
        return texts([self])[0]

    @property
    def what(self) -> str:
        """What changed: the extent, or how the condition did."""
        return self.how or f"{self.before} -> {self.after}"


def combined(directions: Iterable[Direction]) -> Direction:
    """The direction to name for several: what widens somewhere widens, whatever narrows elsewhere."""
    return min(directions, key=lambda one: one.rank, default=Direction.NEUTRAL)


@dataclass(eq=False)
class Pair:
    """Two snapshots, and the cells that differ between them (filled in by cells.py)."""

    old: Snapshot
    new: Snapshot
    cells: tuple[CellChange, ...] = ()

    @cached_property
    def turns(self) -> Turns:
        """How helpers, views and tables turned."""
        return Turns(self.old, self.new)

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The roles whose access is compared: neither superusers nor the platform's or Postgres' own."""
        names = {*self.old.roles, *self.new.roles}
        return tuple(name for name in sorted(names) if self._counts(name))

    def _counts(self, name: str) -> bool:
        roles = [side.roles[name] for side in (self.old, self.new) if name in side.roles]
        own = name.startswith(("pg_", "supabase_")) or name in _PLATFORM_ROLES
        # On Supabase and in a copy postgres is no superuser, but it owns everything all the same.
        owner = name == "postgres"
        return not own and not owner and not all(role.superuser for role in roles)

    @cached_property
    def callers(self) -> frozenset[str]:
        """The roles an outsider arrives as, on either side."""
        return frozenset(role.name for side in (self.old, self.new) for role in side.callers)

    def touched(
        self, relation: str = "", commands: Iterable[str] = (), roles: Iterable[str] | None = None
    ) -> list[CellChange]:
        """The cells that differ on a relation (any when empty), for these commands and roles."""
        wanted, who = set(commands), None if roles is None else set(roles)
        return [
            cell
            for cell in self.cells
            if (not relation or cell.relation == relation)
            and (not wanted or cell.command in wanted)
            and (who is None or who & set(cell.roles))
        ]

    def holders(self, side: Snapshot, grantee: str) -> set[str]:
        """The compared roles that a grant to `grantee` reaches on one side."""
        if grantee == "public":
            return set(self.roles)
        return {name for name in self.roles if name in side.roles and grantee in side.roles[name].effective}

    def role(self, side: Snapshot, name: str) -> Role | None:
        """A compared role on one side, None where it does not exist."""
        return side.roles.get(name)


def texts(cells: Sequence[CellChange]) -> tuple[str, ...]:
    """The cells in words; commands that changed alike stand together."""
    alike: dict[tuple[Direction, str, str, str], list[str]] = {}
    for cell in cells:
        who = ", ".join(cell.roles)
        alike.setdefault((cell.direction, who, cell.relation, cell.what), []).append(cell.command)
    return tuple(
        f"{who} {', '.join(commands)} on {relation}: {what}"
        for (_, who, relation, what), commands in alike.items()
    )


def commands_of(policy: Policy) -> set[str]:
    """The commands that a policy applies to."""
    return {command for command in COMMANDS if policy.covers(command)}


def own_relation(relation: Relation) -> bool:
    """The user's own, and the platform's tables that carry the user's policies."""
    return relation.schema not in PLATFORM_SCHEMAS or bool(relation.policies)


def own_functions(side: Snapshot) -> dict[str, Function]:
    """The user's functions by title."""
    return {f.title: f for f in side.functions if f.schema not in PLATFORM_SCHEMAS}


def own_relations(side: Snapshot) -> dict[str, Relation]:
    """The user's relations by title."""
    return {title: relation for title, relation in side.relations.items() if own_relation(relation)}
