"""What a plan id means in CPUs and memory. Ids name their size since August 2026; old names still work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

ALIASES: Final = {
    "free": "0.1c-512mb",
    "starter": "0.5c-512mb",
    "standard": "1c-2g",
    "pro": "2c-4g",
    "pro_plus": "4c-8g",
    "pro_max": "4c-16g",
    "pro_ultra": "8c-32g",
    "basic_256mb": "0.1c-256mb",
    "basic_1gb": "0.5c-1g",
    "basic_4gb": "2c-4g",
    "pro_4gb": "1c-4g",
    "pro_8gb": "2c-8g",
}


@dataclass(frozen=True, slots=True)
class Size:
    """The CPUs and the mebibytes of one instance."""

    cpus: float
    memory_mb: int

    @property
    def limit(self) -> str:
        """The memory limit as the events write it: 512Mi, 2Gi."""
        whole = self.memory_mb % 1024 == 0
        return f"{self.memory_mb // 1024}Gi" if whole else f"{self.memory_mb}Mi"


def plan_id(plan: str) -> str:
    """The id that the API returns for a plan."""
    return ALIASES.get(plan, plan)


@lru_cache(maxsize=256)
def size_of(plan: str) -> Size:
    """The size of a plan; an unknown one counts as the smallest paid plan."""
    found = re.fullmatch(r"(?:([\d.]+)c-)?([\d.]+)(mb|g)", plan_id(plan))
    if not found:
        return Size(0.5, 512)
    cpus, amount, unit = found.groups()
    return Size(float(cpus or 0.5), int(float(amount) * (1024 if unit == "g" else 1)))


def known(plan: str) -> bool:
    """Whether a plan exists."""
    return plan in ALIASES or re.fullmatch(r"(?:[\d.]+c-)?[\d.]+(mb|g)", plan) is not None
