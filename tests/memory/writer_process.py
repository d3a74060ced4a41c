"""Writes to a bank from a process of its own and says `ack N` on stdout after each write that returned."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from memory import Bank, Draft


def main(root: Path, entry_id: str, name: str, count: int) -> None:
    bank = Bank(root)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for number in range(count):
        ref = f"{name}-{number}"
        bank.record_outcome(entry_id, "worked", now=now, ref=ref)
        print(f"ack {ref}", flush=True)
        if number % 5 == 0:
            draft = Draft(f"Entry {ref}", "handoffs", f"Handed over the shift {ref}.", "All taken over.")
            bank.add(draft, source=name, now=now)
            print(f"ack Entry {ref}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
