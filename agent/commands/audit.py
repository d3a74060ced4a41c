"""`sergei audit`: what was done, by whom, and whether the record is whole."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from agent import settings as settings_module
from agent.audit import AuditLog
from agent.terminal.safe import one_line
from tools.errors import InvalidInput

COLUMNS: Final = (
    *("n", "at", "who", "event", "call", "tool", "target", "effect", "digest", "decision", "by", "pattern"),
    *("binding", "result", "ms", "rows", "phi_columns", "tables", "previous", "hash"),
)
"""What a spreadsheet gets; JSON lines carry every field of a record."""


def run(args: argparse.Namespace) -> int:
    """`show` and `export` print records, `verify` walks the chain (exit 1: broken), `prune` deletes."""
    settings = settings_module.load()
    log = AuditLog.open(settings.audit_file, face="cli", keeping=settings.audit_keeping)
    match args.action:
        case "verify":
            return _verify(log)
        case "prune":
            return _prune(log)
        case "export":
            return _export(_chosen(log, args), args.format)
        case _:
            return _show(log, _chosen(log, args), args.last, args.format)


def _verify(log: AuditLog) -> int:
    verdict = log.verify()
    for note in verdict.notes:
        print(note)
    for intent in verdict.unfinished:
        print(
            f"no outcome was recorded for: {one_line(intent)}: it was approved, and its process ended in the "
            "middle or is still at it; look at the target to see what came of it"
        )
    for gap in verdict.gaps:
        print(f"records are missing before {gap}")
    if verdict.problem:
        print(f"{log.path}: broken at {verdict.problem}; the {verdict.records} records before it are whole.")
        return 1
    state = "the chain is whole" if verdict.whole else "what is there is unchanged"
    print(f"{log.path}: {verdict.records} records, {state}.")
    if verdict.records:
        print(
            f"It ends at record {verdict.head.n}, {verdict.head.hash}: noted elsewhere, that proves its past."
        )
    return 0 if verdict.whole else 1


def _prune(log: AuditLog) -> int:
    gone = log.prune(datetime.now(UTC))
    years = log.keeping.retention_years
    for name in gone:
        print(f"deleted {name}: all of its records are older than {years} years")
    if not gone:
        print(f"No closed file is older than {years} years: nothing was deleted.")
    return 0


def _chosen(log: AuditLog, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The records within --since and --until, of --tool."""
    since, until = _moment(args.since, "--since"), _moment(args.until, "--until")
    tool = args.tool.replace("-", "_") if args.tool else None
    for record in log.records():
        at = _moment(str(record.get("at", "")), "at")
        if (since and at and at < since) or (until and at and at >= until):
            continue
        if tool is None or record.get("tool") == tool:
            yield record


def _moment(text: str | None, flag: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{flag} is no date: {one_line(text)}.", hint="2030-12-31, or with a time"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _export(records: Iterable[dict[str, Any]], form: str) -> int:
    if form != "csv":
        for record in records:
            print(json.dumps(record))
        return 0
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(COLUMNS)
    for record in records:
        rows.writerow(_cell(record.get(column)) for column in COLUMNS)
    return 0


def _cell(value: object) -> str:
    """A value that a spreadsheet shows and never computes: a client chose its own name."""
    if isinstance(value, list):
        items: list[object] = value  # pyright: ignore[reportUnknownVariableType]  JSON
        value = " ".join(map(str, items))
    text = "" if value is None else one_line(str(value))
    return f"'{text}" if text[:1] in "=+-@" and text else text


def _show(log: AuditLog, records: Iterable[dict[str, Any]], last: int, form: str) -> int:
    shown = deque(records, maxlen=max(last, 0))
    if form == "csv":
        return _export(shown, form)
    if form in {"json", "jsonl"}:
        print("\n".join(json.dumps(record) for record in shown))
        return 0
    if not shown:
        print(f"Nothing is recorded yet in {log.path}.")
    for record in shown:
        print(_line(record))
    return 0


def _line(record: dict[str, Any]) -> str:
    words = [str(record.get("at", "")), str(record.get("event", "")), str(record.get("tool", ""))]
    words += [str(record[key]) for key in ("effect", "decision", "pattern", "result") if record.get(key)]
    words += [f"{record['ms']} ms"] if "ms" in record else []
    words += [f"{record['rows']} rows"] if "rows" in record else []
    words += [f"PHI in {' '.join(map(str, record['phi_columns']))}"] if record.get("phi_columns") else []
    words += [f"on {record['target']}"] if record.get("target") else []
    words += [f"by {record.get('who', '?')}"]
    return "  ".join(one_line(word) for word in words if word)
