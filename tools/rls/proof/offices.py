"""Who becomes staff: rows that give an account a staff role, and writes that make such a row.

Staff see what belongs to nobody else, so nobody who is not staff may appoint anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.rls.proof.actors import Actor
from tools.rls.proof.model import STAFF, Model, Opening
from tools.rls.proof.side import TRUE, living, met_by
from tools.rls.proof.world import World, WorldRow


def offices(model: Model, table: str) -> list[Opening]:
    """What makes somebody staff by a row of this table that names the account itself."""
    return [
        one for one in model.openings if one.anchor == STAFF and one.table == table and not one.account.hops
    ]


def appointed(model: Model, row: WorldRow | None) -> str:
    """The account that a row makes staff; empty where it makes nobody so."""
    if row is None:
        return ""
    for office in offices(model, row.table):
        conditions = [c for c in office.conditions if not c.hops]
        alive = all(met_by(c, row.values.get(c.column)) for c in conditions)
        if alive and (not office.level or row.values.get(office.level) in _levels(model, office)):
            return row.values.get(office.account.column) or ""
    return ""


def promotes(model: Model, actor: Actor, before: WorldRow | None, after: WorldRow | None) -> bool:
    """Whether a write makes somebody staff who was not by this row, and the actor is no staff himself.

    What a person declared or confirmed of the table goes before: then its expectations tell.
    """
    if after is None or actor.staff or not offices(model, after.table):
        return False
    belonging = model.tables.get(after.table)
    if belonging is not None and belonging.expect:
        return False
    account = appointed(model, after)
    return bool(account) and account != appointed(model, before)


def appointments(world: World, actor: Actor, table: str) -> Iterator[dict[str, str | None]]:
    """Values with which a row of this table makes the actor staff, once for every role."""
    for office in offices(world.model, table) if actor.account and not actor.staff else ():
        relation = world.snapshot.relations[table]
        values: dict[str, str | None] = {
            c.column: living(c, nullable=not relation.columns[c.column].required)
            for c in office.conditions
            if not c.hops
        }
        values[office.account.column] = actor.account
        for level in sorted(_levels(world.model, office)) if office.level else [None]:
            yield values | ({office.level: level} if level is not None else {})


def plain_level(world: World, opening: Opening) -> str | None:
    """A value of the level column that makes nobody staff; None where there is none, or no such column."""
    if opening not in offices(world.model, opening.table) or not opening.level:
        return None
    column, levels = (
        world.snapshot.relations[opening.table].columns[opening.level],
        _levels(world.model, opening),
    )
    if column.type == "boolean":
        return "false"
    others = [value for value in column.values if value not in levels]
    return others[-1] if others else (None if column.values else "nobody special")


def _levels(model: Model, office: Opening) -> set[str]:
    """The values of the level column that make staff: those that policies ask for."""
    named = {role.name for role in model.staff if role.opening == office.table}
    if office.level.removeprefix("is_") in named:
        return set(TRUE)
    ranks = {rank.value for rank in office.ranks}
    return (named & ranks if ranks else named) or ranks
