"""Every fault that can be planted in the demo, as a difference: none that opens something passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.database.connection import Database
from tools.rls.diffing.change import Direction
from tools.rls.diffing.difference import difference
from tools.rls.reading import read_snapshot
from tools.rls.snapshot import Snapshot
from tools.sandbox import faults

pytestmark = pytest.mark.anyio

HARMLESS = {
    "broken_function_body": "a function that fails when it is called opens nothing",
    "helper_per_row": "the same rows through another helper, slower",
    "identity_per_row": "the same condition, slower",
    "index_dropped": "an index",
    "parents_of_two_profiles": "a foreign key, which decides about no access",
    "secret_in_public_table": "a column more of a table that everybody may read is said, and is neutral",
}
NARROWER = {"policy_dropped"}
CLEAN: dict[str, Snapshot] = {}
"""The demo as written, read once."""


async def snapshot(dsn: str) -> Snapshot:
    """The snapshot of a database."""
    database = Database(dsn)
    try:
        return await read_snapshot(database)
    finally:
        await database.close()


@pytest.mark.parametrize("name", [fault.name for fault in faults.faults()])
async def test_a_planted_fault_is_no_harmless_change(name: str, demo_dsn: str, plant: Callable[..., str]):
    if demo_dsn not in CLEAN:
        CLEAN[demo_dsn] = await snapshot(demo_dsn)
    clean = CLEAN[demo_dsn]
    planted = await snapshot(plant(name))
    found = difference(clean, planted, "clean", name)
    if name in HARMLESS:
        assert found.verdict is Direction.NEUTRAL
    elif name in NARROWER:
        assert found.verdict is Direction.NARROWS
    else:
        assert found.fails("widens"), found.markdown()
        assert found.changes
