"""Models of schemas in an open transaction, and their essence: what a planted fault must not change."""

from __future__ import annotations

from contextlib import closing
from typing import LiteralString

import psycopg

from tests.tools.rls.reading import Connection, snapshot_of
from tools.rls.proof.infer import infer
from tools.rls.proof.model import Model
from tools.rls.proof.world import MESSAGES


def model_of(dsn: str, script: LiteralString = "") -> Model:
    """The model of a database after a script that is rolled back."""
    with closing(psycopg.connect(dsn)) as connection:
        if script:
            connection.execute(script)
        return model_in(connection)


def model_in(connection: Connection) -> Model:
    """The model of what an open transaction sees."""
    return infer(snapshot_of(connection))


def essence(model: Model) -> dict[str, object]:
    """Records, openings and staff, each table's kind and paths; by a name for each."""
    found: dict[str, object] = {"accounts": model.accounts}
    for anchor in model.anchors.values():
        conditions = [one.text() for one in anchor.conditions]
        found[f"record {anchor.table}"] = (
            anchor.key,
            anchor.owners,
            anchor.claims,
            anchor.parents,
            conditions,
        )
    for one in model.openings:
        conditions = [(condition.text(), condition.hops) for condition in one.conditions]
        said = (one.scope, conditions, one.level, one.ranks, one.accepts)
        found[f"opening {one.table} -> {one.anchor} to {one.account.text()}"] = said
    for role in model.staff:
        found[f"staff {role.name}"] = (dict(role.claims), role.opening)
    for row in model.tables.values():
        if row.table == MESSAGES:  # it is in the model only where it has policies
            continue
        found[f"rows {row.table}"] = (row.kind, row.paths, row.parties, row.authors, row.open_rows)
    return found


def opening_words(model: Model, table: str) -> list[str]:
    """The living conditions of a table's only opening, `(nothing tests it)` where that is so."""
    (one,) = [opening for opening in model.openings if opening.table == table]
    return [c.text() + ("" if c.tested else " (nothing tests it)") for c in one.conditions]


def ranks_of(model: Model, table: str) -> dict[str, str]:
    """Value of the level column -> first letters of its rights."""
    (one,) = [opening for opening in model.openings if opening.table == table]
    return {
        rank.value: "".join(r[0] for r in ("read", "write", "manage") if r in rank.rights)
        for rank in one.ranks
    }


def paths_of(model: Model, table: str) -> list[str]:
    """The paths of a table as `a -> b.c > target`."""
    from tools.rls.proof.model_text import path_words

    return [
        f"{path_words(hops)} > {hops[-1].target}" if hops else "itself" for hops in model.tables[table].paths
    ]
