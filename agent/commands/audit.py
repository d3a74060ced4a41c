"""`sergei audit`: what was done, by whom, and whether the record is whole."""

from __future__ import annotations

import argparse
import json
from typing import Any

from agent import settings as settings_module
from agent.audit import AuditLog
from tools.errors import InvalidInput


def run(args: argparse.Namespace) -> int:
    """`show` prints the latest records; `verify` walks the hash chain and exits 1 where it is broken."""
    if args.last < 1:
        raise InvalidInput("--last must be at least 1.")
    log = AuditLog.open(settings_module.load().audit_file, face="cli")
    return _verify(log) if args.action == "verify" else _show(log, args.last, args.format)


def _verify(log: AuditLog) -> int:
    verdict = log.verify()
    for intent in verdict.unfinished:
        print(f"no outcome was recorded for: {intent}")
    if verdict.problem:
        print(f"{log.path}: broken at {verdict.problem}; the {verdict.records} records before it are whole.")
        return 1
    print(f"{log.path}: {verdict.records} records, the chain is whole.")
    return 0


def _show(log: AuditLog, last: int, form: str) -> int:
    records = list(log.records())[-last:]
    if form == "json":
        print("\n".join(json.dumps(record) for record in records))
        return 0
    if not records:
        print(f"Nothing is recorded yet in {log.path}.")
    for record in records:
        print(_line(record))
    return 0


def _line(record: dict[str, Any]) -> str:
    words = [str(record.get("at", "")), str(record.get("event", "")), str(record.get("tool", ""))]
    words += [str(record[key]) for key in ("effect", "decision", "result") if record.get(key)]
    if "ms" in record:
        words.append(f"{record['ms']} ms")
    if record.get("target"):
        words.append(f"on {record['target']}")
    return "  ".join(words) + f"  by {record.get('who', '?')}"
