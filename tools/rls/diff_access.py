"""diff_access: what changed in who can do what between two states of a schema."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pydantic import Field

from tools.registry import Effect, Params, tool
from tools.resources import Resources
from tools.rls.diffing.difference import Difference
from tools.rls.diffing.sides import TARGET, Side, Sides

_SIDE = "target, demo, a saved snapshot FILE.json, a dump FILE.sql, a migrations FOLDER, or REV:FOLDER"


class DiffAccess(Params):
    """Arguments of diff_access."""

    base: str = Field(max_length=500, description=f"The state before: {_SIDE}.")
    head: str = Field(default=TARGET, max_length=500, description="The state after, named the same way.")
    migration: str = Field(
        default="",
        max_length=500,
        description="A migration FILE.sql: compare base without and with it (head is not used).",
    )


@tool(Effect.READ)
async def diff_access(params: DiffAccess, resources: Resources) -> Difference:
    """Say what changed in who can do what: before and after a migration, between revisions or databases.

    Meaning is compared, not text: conditions with their helpers and views inlined, grants, memberships,
    default privileges, row level security, EXECUTE, definer rights, publications, buckets. A change widens,
    narrows, changes or is neutral, with the reason. SQL files are restored in the sandbox. For one state use
    access_matrix.
    """
    return await Sides(resources).compare(params.base, params.head, params.migration)


async def _anywhere(params: DiffAccess, resources: Resources) -> Difference:
    return await Sides(resources, free=True).compare(params.base, params.head, params.migration)


diff_anywhere: Final = replace(diff_access, body=_anywhere)
"""The same for a person's command line, which may name files outside the workspace and database URLs.

It is not in the catalogue, and neither is read_side: no model and no MCP client can call them.
"""


class ReadSide(Params):
    """Arguments of read_side."""

    side: str = Field(default=TARGET, max_length=500, description=f"{_SIDE}, or a database URL.")


@tool(Effect.READ)
async def read_side(params: ReadSide, resources: Resources) -> Side:
    """Read one side of a comparison: its snapshot, definitions only.

    Only `sergei rls diff --save` and `sergei rls pr` call it.
    """
    return await Sides(resources, free=True).side(params.side)
