"""Banks of any size from a fixed seed: entries of the usual length, with Zipf's distribution of words."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory import CATEGORIES, Entry, Outcome, render_entry
from memory.draft import scopes
from memory.entry import Source
from memory.files import file_name
from memory.ulid import new_ulid

SEED = 20261126
_SPOKEN = """
    migration index policy deploy rollback latency timeout connection pool vacuum replica lock table
    column query plan cache memory worker build health check webhook token session grant role owner
    schema partition trigger function constraint backup restore region instance disk cpu alert log
    metric secret key rotate expire retry queue batch page cursor limit slow fast failed worked
    raised lowered moved split merged dropped created
"""
_SYLLABLES = "ba ce di fo gu ka le mi no pu ra se ti vo xu ze bro cla dre fli gro ple sta tri"
_SERVICES = ("postgres", "supabase", "render", "storage", "auth", "realtime", "edge", "cron")
_ERRORS = (
    'ERROR: duplicate key value violates unique constraint "{name}_pkey"',
    "ERROR: permission denied for table {name}",
    "FATAL: remaining connection slots are reserved ({number})",
    'ERROR: relation "{name}" does not exist at character {number}',
    "canceling statement due to statement timeout after {number} ms",
    "Error: connect ECONNREFUSED 10.0.{number}.7:5432",
    "exited with status {number}: JavaScript heap out of memory",
)


def _vocabulary(rng: random.Random) -> tuple[list[str], list[float]]:
    made = ["".join(parts) for parts in itertools.product(_SYLLABLES.split(), repeat=3)]
    rng.shuffle(made)
    words = [*_SPOKEN.split(), *made[:8000]]
    return words, list(itertools.accumulate(1 / rank for rank in range(3, len(words) + 3)))


class Generator:
    """Entries and questions about them, always the same for the same seed."""

    def __init__(self, seed: int = SEED) -> None:
        self._rng = random.Random(seed)
        self._words, self._cumulative = _vocabulary(self._rng)
        self._when = datetime(2026, 1, 1, tzinfo=UTC)

    def entries(self, count: int) -> Iterator[Entry]:
        """`count` entries; one in twenty supersedes the one before it."""
        previous: Entry | None = None
        for number in range(count):
            entry = self._entry(number, previous if number % 20 == 19 else None)
            previous = entry
            yield entry

    def _entry(self, number: int, superseded: Entry | None) -> Entry:
        rng = self._rng
        setting = self._said(2).replace(" ", "_")
        table = f"{self._said(1)}_{self._said(1)}_{rng.choice(('log', 'events', 'items', 'links'))}"
        error = rng.choice(_ERRORS).format(name=table, number=rng.randrange(10, 9999))
        when = self._when + timedelta(minutes=number)
        return Entry(
            id=new_ulid(when)[:10] + "".join(rng.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=16)),
            title=f"{self._said(6).capitalize()} {table}",
            category=rng.choice(CATEGORIES),
            context=f"{error}\n\n{self._said(40)} `{table}` {self._said(20)}.",
            action=f"{self._said(30)}.\n\nALTER TABLE {table} SET ({setting} = {number});",
            result=f"{self._said(20)} from {rng.randrange(900)} ms to {rng.randrange(90)} ms.",
            why=f"{self._said(25)}.",
            tags=tuple(self._said(3).split()),
            applies_to=scopes({"service": rng.choice(_SERVICES), "table": table}),
            supersedes=(superseded.id,) if superseded else (),
            source=Source("generated"),
            outcomes=(Outcome(when, f"dep-{number}", rng.choice(("worked", "worked", "failed")), error),),
        )

    def _said(self, count: int) -> str:
        return " ".join(self._rng.choices(self._words, cum_weights=self._cumulative, k=count))

    def question(self, entry: Entry) -> str:
        """Five to twelve words of the entry, some of a person's own, and now and then its error or table."""
        rng = self._rng
        spoken = f"{entry.title} {entry.context}".replace("`", " ").split()
        asked = [*rng.sample(spoken, min(len(spoken), rng.randrange(4, 9))), *self._said(3).split()]
        rng.shuffle(asked)
        extra = rng.choice(("", "", entry.context.split("\n")[0], entry.applies_to["table"][0]))
        return f"why is {' '.join(asked)} {extra}".strip()


def write_bank(root: Path, count: int) -> list[Entry]:
    """A bank of `count` generated entries in the new folder `root`."""
    for category in CATEGORIES:
        (root / category).mkdir(parents=True)
    written: list[Entry] = []
    for entry in Generator().entries(count):
        (root / file_name(entry)).write_text(render_entry(entry), encoding="utf-8")
        written.append(entry)
    return written
