"""How many instances of what: what each hour would have run, taken and cost.

What an hour needed is its highest reading times its instances. Memory of an instance is taken to grow in
proportion when fewer instances share the same work, which is the worst that can happen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tools.render.costing.load import Hour
from tools.render.costing.prices import Size

CPU_ROOM: Final = 0.8
"""The share of the CPUs that the peak may take."""
MEMORY_ROOM: Final = 0.75
"""The share of memory that the peak may take: what does not fit is killed, not slowed."""
SURGE_ROOM: Final = 0.95
"""The share of the CPUs that the instances of the hour before may take, until autoscaling has added more."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many instances of what: from `lowest` to `highest` by `target` percent of CPU, or just so many."""

    plan: str
    size: Size
    price: float
    lowest: int
    highest: int
    target: int | None = None

    def counts(self, hours: Sequence[Hour]) -> list[int]:
        """Instances in each hour; autoscaling keeps those of the hour before a while."""
        wanted = [self.wanted(hour) for hour in hours]
        return [max(now, before) for now, before in zip(wanted, wanted[:1] + wanted, strict=False)]

    def wanted(self, hour: Hour) -> int:
        """Instances that autoscaling would want for an hour, within its bounds."""
        if self.target is None:
            return self.lowest
        needed = math.ceil(hour.cpu_in_all / ((self.size.cpus or 1.0) * self.target / 100) - 1e-9)
        return min(self.highest, max(self.lowest, needed))

    def cost(self, hours: Sequence[Hour]) -> float:
        """Dollars a month."""
        counts = self.counts(hours)
        return self.price * sum(counts) / len(counts) if counts else self.price * self.lowest

    def fullness(self, hours: Sequence[Hour]) -> tuple[float, float]:
        """The highest shares of CPU and of memory that any hour would have taken."""
        cpu = memory = 0.0
        for hour, count in zip(hours, self.counts(hours), strict=True):
            cpu = max(cpu, hour.cpu_in_all / count / (self.size.cpus or 1.0))
            crowd = max(1.0, hour.instances / count)
            memory = max(memory, hour.memory * crowd / self.size.memory)
        return cpu, memory

    def fits(self, hours: Sequence[Hour]) -> bool:
        """Whether every hour had fitted, with room; with autoscaling also until it has reacted."""
        cpu, memory = self.fullness(hours)
        if cpu > CPU_ROOM or memory > MEMORY_ROOM:
            return False
        if self.target is None:
            return True
        return all(
            hour.cpu_in_all <= SURGE_ROOM * self.wanted(before) * (self.size.cpus or 1.0)
            for before, hour in pairwise(hours)
        )
