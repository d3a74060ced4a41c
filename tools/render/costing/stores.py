"""A smaller Postgres or Key Value, where memory, connections and CPU leave room; disks that are too large."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from tools.render.costing.load import Load
from tools.render.costing.prices import LATEST, Kind, Price, Prices, connection_limit, size_of
from tools.render.costing.proposal import Confidence, Proposal, call, weakest
from tools.render.costing.shape import MEMORY_ROOM
from tools.render.costing.sizing import WORTH, clipped, confidence, enough, peaks
from tools.render.models_stores import KeyValue, Postgres
from tools.wording import octets

CPU_ROOM: Final = 0.6
"""A database that is short of CPU is everybody's outage: more room than for a service."""
CONNECTIONS_ROOM: Final = 0.8
DISK_ROOM: Final = 1.5
DISK_STEP: Final = 5


def postgres(database: Postgres, load: Load, prices: Prices, now: datetime) -> Proposal | None:
    """The cheapest smaller plan that would have held every peak; or suspension where nobody connects."""
    plan = prices.plan_id("postgres", database.plan)
    price, size = prices.plan("postgres", plan), size_of(plan)
    if database.suspended == "suspended" or price is None or size is None or not enough(load):
        return None
    if load.connections is None or load.cpu is None or load.memory is None:
        return None
    if load.connections.peak == 0 and price.month >= WORTH:
        return Proposal(
            resource=database.name,
            id=database.id,
            change="suspend: unused",
            saves=price.month,
            confidence="medium",
            because="a monthly caller would not have shown",
            risk="medium: whoever still needs it gets no connection until it is resumed",
            evidence=f"no connection in {len(load.hours) / 24:.0f} days; its storage goes on costing",
            do=call(database.name, "suspend"),
            undo=call(database.name, "resume"),
        )
    if size.cpus is not None and clipped(load, size):
        return None
    for name, smaller, less in prices.plans("postgres"):
        saves = price.month - less.month
        holds = (
            load.cpu.peak <= CPU_ROOM * (smaller.cpus or 0)
            and load.memory.peak <= MEMORY_ROOM * smaller.memory
            and load.connections.peak <= CONNECTIONS_ROOM * connection_limit(smaller.memory)
        )
        data = load.disk_used or 0.0
        cached = smaller.memory >= data
        if saves < WORTH or not holds or (size.memory >= data and not cached):
            continue  # what memory can hold of the data, it goes on holding
        caching: tuple[Confidence, str] = ("medium", "a smaller memory caches less: reads may become slower")
        if not cached:
            beside = f"{octets(data)} of data beside {octets(smaller.memory)}"
            caching = ("low", f"{beside}: more reads go to disk")
        level, because = weakest(confidence(load, now), caching, _way_back(plan, price))
        standby = "; its standby is not counted" if database.high_availability_enabled else ""
        return Proposal(
            resource=database.name,
            id=database.id,
            change=f"plan {plan} → {name}",
            saves=round(saves, 2),
            confidence=level,
            because=because + standby,
            risk="medium: it restarts, so that connections are cut; look at its recovery window first",
            evidence=f"{peaks(load, size)}; at most {load.cpu.peak:.2g} CPUs and"
            f" {load.connections.peak:.0f} connections of {connection_limit(smaller.memory)} there",
            do=call(database.name, "change_plan", plan=name),
            undo=call(database.name, "change_plan", plan=plan),
        )
    return None


def _way_back(plan: str, price: Price) -> tuple[Confidence, str]:
    """A plan of the old list may not be there to go back to."""
    if price.source == LATEST:
        return ("high", "")
    return ("low", f"{plan} is an old plan: whether Render would give it back is not known")


def postgres_disk(database: Postgres, load: Load, prices: Prices) -> Proposal | None:
    """Storage far above what is used: it never shrinks, so that a person must move the data."""
    bought = database.disk_size_gb
    if load.disk_used is None or not bought or database.plan == "free":
        return None
    enough_gb = max(DISK_STEP, math.ceil(load.disk_used / 1e9 * DISK_ROOM / DISK_STEP) * DISK_STEP)
    saves = (bought - enough_gb) * prices.rate("postgres_storage_gb")
    if saves < WORTH:
        return None
    return Proposal(
        resource=database.name,
        id=database.id,
        change=f"storage {bought} → {enough_gb} GB",
        saves=round(saves, 2),
        confidence="low",
        because="it pays only where the database is moved anyway",
        risk="high: a move of all data, with writes stopped meanwhile",
        evidence=f"{load.disk_used / 1e9:.1f} GB used at most; {DISK_ROOM:g} times that is kept",
        do="a person creates a database with less storage, copies, switches the services over (a disk never"
        " shrinks in place; turn its autoscaling down first)",
        undo="switch the services back; keep the old database until the new one is trusted",
    )


def key_value(instance: KeyValue, load: Load, prices: Prices, now: datetime) -> Proposal | None:
    """A smaller instance that would have held the highest use of memory."""
    plan = prices.plan_id("key_value", instance.plan)
    price, size = prices.plan("key_value", plan), size_of(plan)
    if instance.suspended == "suspended" or price is None or size is None or not enough(load):
        return None
    if load.memory is None or load.memory.peak >= 0.95 * size.memory:
        return None
    for name, smaller, less in prices.plans("key_value"):
        saves = price.month - less.month
        if saves < WORTH or load.memory.peak > MEMORY_ROOM * smaller.memory:
            continue
        policy = str(instance.options.get("maxmemoryPolicy", "")) or "unknown"
        level, because = weakest(
            confidence(load, now),
            (
                "low",
                "whether Render lets it become smaller, and how many connections that takes, is not known",
            ),
        )
        return Proposal(
            resource=instance.name,
            id=instance.id,
            change=f"plan {plan} → {name}",
            saves=round(saves, 2),
            confidence=level,
            because=because,
            risk=f"medium: it restarts; when full, its policy is {policy}",
            evidence=peaks(load, size),
            do=call(instance.name, "change_plan", plan=name),
            undo=call(instance.name, "change_plan", plan=plan),
        )
    return None


def tight(store: Postgres | KeyValue, load: Load, prices: Prices) -> str:
    """Where it needs more rather than less: a sentence, or nothing."""
    kind: Kind = "postgres" if isinstance(store, Postgres) else "key_value"
    plan = prices.plan_id(kind, store.plan)
    size, price = size_of(plan), prices.plan(kind, plan)
    if size is None or price is None or not load.memory or not load.cpu:
        return ""
    full = [f"memory p95 {load.memory.p95 / size.memory:.0%}"] if load.memory.p95 >= 0.9 * size.memory else []
    if size.cpus and load.cpu.p95 >= 0.85 * size.cpus:
        full.append(f"cpu p95 {load.cpu.p95 / size.cpus:.0%}")
    if kind == "postgres" and load.connections:
        limit = connection_limit(size.memory)
        full += (
            [f"{load.connections.peak:.0f} of {limit} connections"]
            if load.connections.peak >= 0.8 * limit
            else []
        )
    if not full:
        return ""
    larger = next((each for each in prices.plans(kind) if each[1].holds(size) and each[0] != plan), None)
    more = f"; {larger[0]} costs ${larger[2].month - price.month:,.0f} more" if larger else ""
    return f"{store.name} is at the limit of {plan} ({', '.join(full)}): no saving there{more}"
