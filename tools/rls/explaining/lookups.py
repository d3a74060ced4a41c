"""Look into a lookup block: which of its rows name the caller and the row, and which conditions they fail."""

from __future__ import annotations

from collections.abc import Collection

from tools.database.connection import Session
from tools.rls.explaining.asking import Row, ask, objection, said
from tools.rls.explaining.blocks import ROW, Block

_ROWS = 5


async def looked_into(session: Session, block: Block, row: Row, allowed: Collection[str]) -> list[str]:
    """What to say of a block, in short sentences without any value."""
    name = _name(block)
    against = await objection(session, _statement(block, row, blank=True), allowed)
    if against:
        return [f"{name} is not looked into: {against}"]
    found = await ask(session, _statement(block, row))
    if isinstance(found, str):
        return [f"{name} cannot be looked into ({found})"]
    if found:
        return _rows(name, block, found)
    return [f"{name}: no row {await _which(session, block, row)}"]


def _name(block: Block) -> str:
    way = " -> ".join([*block.where, ", ".join(block.tables)])
    return way if block.owner or not block.where else f"{way} (as the caller sees it)"


def _statement(block: Block, row: Row, *, blank: bool = False) -> str:
    tests = ", ".join(f"({test}) as t{n}" for n, test in enumerate(block.tests)) or "true as t0"
    conditions = _where([*block.callers, *block.links])
    return f"select {tests} {_from(block, row, blank=blank)}{conditions} limit {_ROWS}"


def _from(block: Block, row: Row, *, blank: bool = False) -> str:
    # The row comes last: the block's own joins keep their order, and see its columns in WHERE only.
    return f"from {block.source} cross join {row.source(ROW, blank=blank)}"


def _where(conditions: list[str]) -> str:
    return f" where {' and '.join(f'({one})' for one in conditions)}" if conditions else ""


def _rows(name: str, block: Block, found: list[dict[str, object]]) -> list[str]:
    """The row that comes nearest: it passes most conditions."""
    best = max(found, key=lambda values: sum(value is True for value in values.values()))
    failed = [
        f"{block.told(test)} is {said(best[f't{n}'])}"
        for n, test in enumerate(block.tests)
        if best.get(f"t{n}") is not True
    ]
    if not failed:
        return [f"{name}: a row names the caller and the row and meets every condition"]
    rows = "a row names" if len(found) == 1 else "rows name"
    return [f"{name}: {rows} the caller and the row, but {'; '.join(failed)}"]


async def _which(session: Session, block: Block, row: Row) -> str:
    """Which of the two is missing: a row for the caller, or one for the row."""
    told: list[str] = []
    for conditions, words in ((block.callers, "the caller"), (block.links, "the row")):
        statement = f"select true as t {_from(block, row)}{_where(conditions)} limit 1"
        found = await ask(session, statement) if conditions else "unknown"
        if not isinstance(found, str):
            told.append(f"{'some name' if found else 'none names'} {words}")
    return "names both the caller and the row" + (f" ({', '.join(told)})" if told else "")
