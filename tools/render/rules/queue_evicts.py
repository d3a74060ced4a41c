"""A queue stands in a Key Value instance that throws keys away.

What it finds
    Key Value instances whose name, or the name of a variable that points at them, says queue, jobs, Celery,
    BullMQ or Sidekiq, with a maxmemory policy other than noeviction.

Why it matters
    When its memory is full it drops keys: jobs disappear without an error.

Fix
    maxmemoryPolicy: noeviction, and an instance of its own for caches.

When to ignore
    The jobs may be lost, or a queue is only what it is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import listed, on, told

_QUEUE = re.compile(r"queue|(?:^|[_-])jobs?(?:$|[_-])|celery|bull(?:mq|$|[_-])|sidekiq|broker", re.IGNORECASE)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per instance."""
    for store in inventory.stores:
        if store.kind != "key_value" or store.eviction in ("", "noeviction"):
            continue
        names = [store.name] if _QUEUE.search(store.name) else []
        names += [
            f"{key} of {unit.name}"
            for unit in inventory.units
            for key, value in (unit.variables or {}).items()
            if _QUEUE.search(key) and any(link.target in (store.id, store.name) for link in value.links)
        ]
        if names:
            yield on(
                "queue_evicts",
                Level.WARN,
                store,
                f"{store.name} holds a queue and drops keys when it is full ({store.eviction}).",
                evidence=told(
                    store,
                    inventory.file,
                    f"{listed(names)}; maxmemoryPolicy {store.eviction}",
                    "maxmemoryPolicy",
                ),
                fix="maxmemoryPolicy: noeviction",
                rank=42,
                field="maxmemoryPolicy",
                file=inventory.file,
            )


RULE = Rule(
    name="queue_evicts",
    title="A queue stands in a Key Value instance that throws keys away",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
