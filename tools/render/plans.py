"""Plans by their names of before and after August 2026, their memory, and flags that limit a heap in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

OLD_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "service": {
        "starter": "0.5c-512mb", "standard": "1c-2g", "pro": "2c-4g", "pro_plus": "4c-8g",
        "pro_max": "4c-16g", "pro_ultra": "8c-32g",
    },
    "postgres": {
        "basic_256mb": "0.1c-256mb", "basic_1gb": "0.5c-1g", "basic_4gb": "2c-4g", "pro_4gb": "1c-4g",
        "pro_8gb": "2c-8g",
    },
    "key_value": {"starter": "256mb", "standard": "1g"},
}  # fmt: skip
"""By the kind of resource: names that plans had before August 2026, which people still say, and the ids that
Render's API answers since."""
PLANS: Final = {new: old for old, new in OLD_NAMES["service"].items()}
HEAP_SHARE: Final = 0.85
"""The share of memory that a heap may take: buffers, stacks and native code live beside it."""
_SIZED: Final = re.compile(r"(?:^|-)(\d+(?:\.\d+)?)(mb|g)$")
_NODE_HEAP: Final = re.compile(r"--max[-_]old[-_]space[-_]size[= ](\d{2,6})")
_JAVA_HEAP: Final = re.compile(r"-Xmx(\d{1,6})([mMgG])")


def plan_id(plan: str, kind: str = "service") -> str:
    """A plan by the id that the API answers, whichever of its names is given."""
    name = plan.lower().replace(" ", "_").replace("-", "_")
    return OLD_NAMES.get(kind, {}).get(name, plan)


def plan_megabytes(plan: str) -> int | None:
    """The memory of a service's plan in MB; None for one that is not known."""
    if plan == "free":
        return 512
    found = _SIZED.search(plan_id(plan))
    return int(float(found[1]) * (1024 if found[2] == "g" else 1)) if found else None


def heap_flag(text: str) -> tuple[str, int | None]:
    """The flag that limits the heap in a command or in options of a runtime, and its MB; None without one."""
    if found := _NODE_HEAP.search(text):
        return "--max-old-space-size", int(found[1])
    if found := _JAVA_HEAP.search(text):
        return "-Xmx", int(found[1]) * (1024 if found[2] in "gG" else 1)
    return "", None
