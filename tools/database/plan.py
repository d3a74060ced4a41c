"""A plan as lines: what EXPLAIN (FORMAT JSON) says, without literals that the caller did not write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.database.phi import SMALL

_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_CONDITIONS: Final = (
    "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter", "One-Time Filter",
    "TID Cond", "Function Call", "Order By", "Conflict Filter",
)  # fmt: skip
_LISTS: Final = ("Sort Key", "Presorted Key", "Group Key", "Cache Key")
_FACTS: Final = (
    "Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck", "Heap Fetches",
    "Sort Method", "Sort Space Used", "Sort Space Type", "Hash Batches", "Peak Memory Usage",
    "Workers Planned", "Workers Launched", "Exact Heap Blocks", "Lossy Heap Blocks", "Subplan Name",
)  # fmt: skip
_WRITTEN: Final = ("Shared Hit Blocks", "Shared Read Blocks", "Temp Read Blocks", "Temp Written Blocks")


@dataclass(frozen=True, slots=True)
class Reader:
    """How a plan may be told. `sql` is the caller's own text; `linked` whether persons' rows are counted."""

    sql: str
    linked: bool

    def condition(self, text: str) -> str:
        """A condition; a literal stays only when the caller wrote it."""
        return _LITERAL.sub(lambda found: found.group() if found.group() in self.sql else "'…'", text)

    def count(self, rows: float) -> str:
        """Rows that really came: of persons' rows only the order of magnitude."""
        if not self.linked or rows == 0:
            return f"{rows:,.0f}"
        if rows < SMALL:
            return f"<{SMALL}"
        return f"~{float(f'{rows:.1e}'):,.0f}"


def lines(node: Mapping[str, Any], reader: Reader, depth: int = 0) -> Iterator[str]:
    """The plan tree, one node per line with its conditions below it."""
    yield "  " * depth + ("-> " if depth else "") + _head(node) + _numbers(node, reader)
    pad = "  " * depth + "     "
    for key in _CONDITIONS:
        if key in node:
            yield f"{pad}{key}: {reader.condition(str(node[key]))}"
    for key in _LISTS:
        if key in node:
            yield f"{pad}{key}: {reader.condition(', '.join(map(str, node[key])))}"
    facts = [f"{key}: {_fact(key, node[key], reader)}" for key in _FACTS if node.get(key)]
    if facts:
        yield pad + ", ".join(facts)
    blocks = [f"{key.lower()} {node[key]:,}" for key in _WRITTEN if node.get(key)]
    if blocks:
        yield pad + ", ".join(blocks)
    for child in node.get("Plans", ()):
        yield from lines(child, reader, depth + 1)


def walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every node of the plan, the root first."""
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)


def remarks(root: Mapping[str, Any]) -> list[str]:
    """What stands out: facts to look at, not verdicts."""
    said: list[str] = []
    for node in walk(root):
        for test in _REMARKS:
            remark = test(node)
            if remark and remark not in said:
                said.append(remark)
    return said


def relation_name(node: Mapping[str, Any]) -> str:
    """schema.relation of a scan, or its alias."""
    name = str(node.get("Relation Name") or node.get("Function Name") or node.get("Alias") or "?")
    return f"{node['Schema']}.{name}" if "Schema" in node else name


def _big_scan(node: Mapping[str, Any]) -> str:
    rows = node.get("Actual Rows", node.get("Plan Rows", 0)) + node.get("Rows Removed by Filter", 0)
    if (
        node.get("Node Type") == "Seq Scan"
        and "Filter" in node
        and (rows > 10_000 or node["Total Cost"] > 5_000)
    ):
        return f"Sequential scan of {relation_name(node)} with a filter: would an index serve it?"
    return ""


def _spill(node: Mapping[str, Any]) -> str:
    if node.get("Sort Space Type") == "Disk" or node.get("Temp Written Blocks", 0) > 0:
        return f"{node['Node Type']} spilled to disk: work_mem is too small for it."
    return ""


def _misjudged(node: Mapping[str, Any]) -> str:
    if "Actual Rows" not in node or not node.get("Actual Loops"):
        return ""
    planned, came = max(node["Plan Rows"], 1), max(node["Actual Rows"], 1)
    if max(planned, came) > 1_000 and not 0.1 < planned / came < 10:
        return f"{node['Node Type']} of {relation_name(node)}: its row estimate is off tenfold; ANALYZE it?"
    return ""


def _per_row(node: Mapping[str, Any]) -> str:
    if str(node.get("Subplan Name", "")).startswith("SubPlan") and node.get("Actual Loops", 0) > 1_000:
        return f"{node['Subplan Name']} ran {node['Actual Loops']:,} times, once per row."
    return ""


_REMARKS: Final[tuple[Callable[[Mapping[str, Any]], str], ...]] = (_big_scan, _spill, _misjudged, _per_row)


def _head(node: Mapping[str, Any]) -> str:
    words = [str(node.get("Node Type", "?"))]
    if node.get("Join Type", "Inner") != "Inner":
        words.append(f"({node['Join Type']})")
    if node.get("Operation"):
        words = [f"{node['Operation']} ({words[0]})"]
    if "Index Name" in node:
        words.append(f"using {node['Index Name']}")
    if "Relation Name" in node or "Function Name" in node or "CTE Name" in node:
        name = str(node.get("CTE Name") or relation_name(node))
        words.append(f"on {name}" + (f" {node['Alias']}" if node.get("Alias", name) not in name else ""))
    return " ".join(words)


def _numbers(node: Mapping[str, Any], reader: Reader) -> str:
    cost = f"  (cost {node.get('Total Cost', 0):,.0f}, rows≈{node.get('Plan Rows', 0):,})"
    if "Actual Loops" not in node:
        return cost
    if not node["Actual Loops"]:
        return cost + " (never executed)"
    loops = f" x {node['Actual Loops']:,} loops" if node["Actual Loops"] > 1 else ""
    time = f"{node['Actual Total Time']:,.1f} ms, " if "Actual Total Time" in node else ""
    return f"{cost} (actual {time}rows {reader.count(node['Actual Rows'])}{loops})"


def _fact(key: str, value: Any, reader: Reader) -> str:
    return reader.count(value) if key.startswith("Rows Removed") else str(value)
