"""Faults that need the words of one schema: blocks of SQL beside the case, one operator each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.rls.catalog import Catalog
from benchmarks.rls.mutant import Mutant

FIELDS = ("operator", "name", "object", "look", "call", "chain", "through", "rows")


def blocks(path: Path) -> Iterator[Mutant]:
    """The mutants of one file: `-- field: value` lines, then SQL; a new block begins with `-- operator:`."""
    for text in path.read_text().split("-- operator: ")[1:]:
        said: dict[str, str] = {}
        lines: list[str] = []
        for line in ("-- operator: " + text).splitlines():
            head, _, value = line.removeprefix("-- ").partition(": ")
            if line.startswith("-- ") and head in FIELDS:
                said[head] = f"{said[head]}; {value}" if head in said else value
            else:
                lines.append(line)
        listed = {
            field: tuple(part.strip() for part in said.get(field, "").split(";") if part.strip())
            for field in FIELDS
        }
        yield Mutant(
            f"{said['operator']}: {said['name']}",
            said["operator"],
            "\n".join(lines).strip(),
            listed["object"],
            listed["look"],
            listed["call"],
            listed["chain"],
            listed["through"],
            said.get("rows", ""),
        )


def planted(operator: str, catalog: Catalog) -> Iterator[Mutant]:
    """Those of one operator in one case."""
    path = Path(__file__).parents[1] / catalog.case.name / "planted.sql"
    yield from (mutant for mutant in blocks(path) if mutant.operator == operator)
