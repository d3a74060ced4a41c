"""The price table: dated, each line with its source. What does not stand in it has no price here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from tools.render.plans import OLD_NAMES

Kind = Literal["service", "postgres", "key_value"]
HOURS: Final = 730
"""Hours of a month, as vendors count."""
STALE_DAYS: Final = 120
LATEST: Final = "render-2026-10"
"""The source of Render's present prices."""
_FILE: Final = Path(__file__).parents[1] / "prices.toml"
_SIZE: Final = re.compile(r"(?:(\d+(?:\.\d+)?)c-)?(\d+(?:\.\d+)?)(mb|g)")
_OLD_MEMORY: Final = re.compile(r"(?:basic|pro|accelerated)_(\d+)(mb|gb)")


@dataclass(frozen=True, slots=True)
class Size:
    """CPUs (None where a plan does not name them) and bytes of memory of one instance."""

    cpus: float | None
    memory: float

    def holds(self, other: Size) -> bool:
        """Whether this is at least as large."""
        return self.memory >= other.memory and (self.cpus or 0) >= (other.cpus or 0)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a month. `other` is what another source says, where they disagree."""

    month: float
    source: str
    other: float | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """The table as read from the file."""

    table: Mapping[str, Any]

    def plan_id(self, kind: Kind, plan: str) -> str:
        """The id that the API answers since August 2026, for an id or a name from before."""
        name = plan.lower().replace(" ", "_").replace("-", "_")
        known: Mapping[str, Any] = self.table[kind]
        return OLD_NAMES[kind].get(name) or (name if name in known else plan.lower())

    def plan(self, kind: Kind, plan: str) -> Price | None:
        """One instance of a plan; None where the price is not known."""
        return self._price(kind, self.plan_id(kind, plan))

    def plans(self, kind: Kind) -> list[tuple[str, Size, Price]]:
        """Paid plans of known size, cheapest first. Free ones sleep or expire: nobody is moved there."""
        found: list[tuple[str, Size, Price]] = []
        for name in self.table[kind]:
            size, price = size_of(name), self._price(kind, name)
            if size and price and price.month > 0 and (size.cpus is not None or kind == "key_value"):
                found.append((name, size, price))
        return sorted(found, key=lambda each: (each[2].month, each[1].memory))

    def cron_minute(self, plan: str) -> float | None:
        """Dollars for a minute of a cron job's run."""
        line = self.table["cron"].get(self.plan_id("service", plan))
        return None if line is None else float(line["minute"])

    def rate(self, name: str) -> float:
        """A price by amount: `disk_gb` a month, `bandwidth_gb`, `cron_least`..."""
        return float(self.table["rate"][name]["month"])

    def included(self, name: str) -> float:
        """What a Supabase disk has without extra charge."""
        return float(self.table["included"][name])

    def workspace(self, plan: str) -> tuple[float, float] | None:
        """Dollars a month of a workspace plan, and the GB of bandwidth in it."""
        line = self.table["workspace"].get(plan)
        return None if line is None else (float(line["month"]), float(line["bandwidth_gb"]))

    @property
    def read(self) -> date:
        """The day on which Render's present prices were read."""
        return self.table["source"][LATEST]["read"]

    def age(self, today: date) -> str:
        """How old the table is, and a warning when it is too old to act on."""
        days = (today - self.read).days
        warning = "; OLD: compare with the page before acting" if days > STALE_DAYS else ""
        return f"list prices of {self.read} ({days} days old{warning})"

    def _price(self, kind: str, name: str) -> Price | None:
        line = self.table[kind].get(name)
        return None if line is None else Price(float(line["month"]), line["source"], line.get("other"))


@cache
def prices() -> Prices:
    """The table that Sergei ships with."""
    return Prices(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def size_of(plan: str) -> Size | None:
    """What a plan's id says: `2c-4g`, `256mb`, `pro_16gb`; None where it says nothing."""
    if found := _SIZE.fullmatch(plan):
        return Size(float(found[1]) if found[1] else None, _octets(found[2], found[3]))
    if found := _OLD_MEMORY.fullmatch(plan):
        return Size(None, _octets(found[1], "mb" if found[2] == "mb" else "g"))
    return None


def connection_limit(memory: float) -> int:
    """Connections that Render lets a Postgres of this memory have (older plans: three fewer)."""
    gigabytes = memory / 2**30
    return 100 if gigabytes < 8 else 200 if gigabytes < 16 else 400 if gigabytes < 32 else 500


def _octets(amount: str, unit: str) -> float:
    return float(amount) * (2**30 if unit == "g" else 2**20)
