"""A smaller plan, fewer instances or autoscaling: the cheapest that would have held every hour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from tools.render.costing.load import Hour, Load
from tools.render.costing.prices import Prices, Size, size_of
from tools.render.costing.proposal import Confidence, Proposal, call, weakest
from tools.render.costing.shape import CPU_ROOM, MEMORY_ROOM, Shape
from tools.render.models import Service

FULL: Final = 0.95
"""From this share of a limit on, what would have been used without the limit is not known."""
LEAST_HOURS: Final = 7 * 24
TARGET: Final = 65
WORTH: Final = 2.0
"""Dollars a month below which nobody is asked to change anything."""
YOUNG: Final = timedelta(days=2)


def present(service: Service, prices: Prices) -> Shape | None:
    """How it runs now; None where the plan's size or price is not known."""
    details = service.service_details
    plan = prices.plan_id("service", details.plan)
    price, size = prices.plan("service", plan), size_of(plan)
    if price is None or size is None or size.cpus is None or not price.month:
        return None
    scaling = details.autoscaling
    if scaling is None or not scaling.enabled:
        count = details.num_instances or 1
        return Shape(plan, size, price.month, count, count)
    by_cpu = scaling.criteria.cpu
    target = by_cpu.percentage if by_cpu.enabled else None
    if target is None or scaling.criteria.memory.enabled:
        return None  # by memory: how it would scale with another plan cannot be told from CPU
    return Shape(plan, size, price.month, scaling.min, scaling.max, target)


def enough(load: Load) -> bool:
    """Whether the readings bear a conclusion: a week of hours, and of those that were asked for the most."""
    return len(load.hours) >= max(LEAST_HOURS, load.asked // 2)


def clipped(load: Load, size: Size) -> bool:
    """Whether a limit was reached, so that nobody knows what more would have been used."""
    if load.cpu is None or load.memory is None or not size.cpus:
        return True
    at_limit = load.cpu.peak >= FULL * size.cpus or load.memory.peak >= FULL * size.memory
    return at_limit or load.killed > 0


def propose(service: Service, load: Load, prices: Prices, now: datetime) -> Proposal | None:
    """The best of the changes that fit; None where there is none, or too little is known."""
    shape = present(service, prices)
    if shape is None or not enough(load) or clipped(load, shape.size) or not load.events_read:
        return None
    if not shape.fits(load.hours):
        return None  # it has no room to give: what autoscaling makes of it is not reproduced here
    paid = shape.price * load.instances if shape.target and load.instances else shape.cost(load.hours)
    best: tuple[float, Shape] | None = None
    for option in options(service, shape, prices, load.hours):
        saves = paid - option.cost(load.hours)
        if saves >= WORTH and option.fits(load.hours) and (best is None or saves > best[0] * 1.02):
            best = (saves, option)
    return None if best is None else _told(service, load, shape, best[1], best[0], now)


def options(service: Service, shape: Shape, prices: Prices, hours: Sequence[Hour]) -> Iterator[Shape]:
    """Single changes: another plan, another number, autoscaling on or other bounds. Simplest first."""
    for plan, size, price in prices.plans("service"):
        if price.month < shape.price:
            yield Shape(plan, size, price.month, shape.lowest, shape.highest, shape.target)
    least = floor_of(service, shape)
    for count in range(least, shape.lowest):
        if shape.target is None:
            yield Shape(shape.plan, shape.size, shape.price, count, count)
        else:
            yield Shape(shape.plan, shape.size, shape.price, count, shape.highest, shape.target)
    if shape.target is None and shape.lowest > least and service.service_details.disk is None:
        for count in range(least, shape.lowest):
            probe = Shape(shape.plan, shape.size, shape.price, count, 100, TARGET)
            highest = max(shape.lowest, max((probe.wanted(hour) for hour in hours), default=1) + 1)
            yield Shape(shape.plan, shape.size, shape.price, count, highest, TARGET)


def floor_of(service: Service, shape: Shape) -> int:
    """Instances that are kept in any case: what has two or more and is asked by others stays at two."""
    serves = service.type in ("web_service", "private_service")
    return 2 if serves and shape.lowest >= 2 else 1


def _told(service: Service, load: Load, old: Shape, new: Shape, saves: float, now: datetime) -> Proposal:
    cpu, memory = new.fullness(load.hours)
    change, do, undo = _change(service.name, old, new, load.hours)
    level, because = confidence(load, now, service)
    risk = "low" if max(cpu / CPU_ROOM, memory / MEMORY_ROOM) <= 0.75 else "medium"
    risks = [f"{risk}: the highest peak would take {cpu:.0%} of its CPU and {memory:.0%} of its memory"]
    if new.plan != old.plan:
        downtime = service.service_details.disk is not None
        risks.append(
            "a new plan redeploys it" + (", and its disk makes that a short downtime" if downtime else "")
        )
    if new.target and not old.target:
        risks.append("needs a workspace on pro or higher")
    if new.target:
        risks.append("an instance more takes some minutes to come, an instance less must shut down cleanly")
    return Proposal(
        resource=service.name,
        id=service.id,
        change=change,
        saves=round(saves, 2),
        confidence=level,
        because=because,
        risk="; ".join(risks),
        evidence=peaks(load, old.size) + (f"; {day_shape(load.hours)}" if new.target else ""),
        do=do,
        undo=undo,
    )


def _change(name: str, old: Shape, new: Shape, hours: Sequence[Hour]) -> tuple[str, str, str]:
    if new.plan != old.plan:
        number = f", {_span(new, hours)} instances" if new.target else ""
        return (
            f"plan {old.plan} → {new.plan}{number}",
            call(name, "change_plan", plan=new.plan),
            call(name, "change_plan", plan=old.plan),
        )
    if new.target is None:
        return (
            f"instances {old.lowest} → {new.lowest}",
            call(name, "scale", instances=new.lowest),
            call(name, "scale", instances=old.lowest),
        )
    do = call(name, "autoscaling", enabled=True, lowest=new.lowest, highest=new.highest, cpu=new.target)
    if old.target is None:
        off = call(name, "autoscaling", enabled=False) + ", then " + call(name, "scale", instances=old.lowest)
        return (
            f"autoscaling {new.lowest}-{new.highest} by cpu {new.target} % ({_span(new, hours)} used)",
            do,
            off,
        )
    before = call(name, "autoscaling", enabled=True, lowest=old.lowest, highest=old.highest, cpu=old.target)
    return f"autoscaling from {old.lowest} → from {new.lowest} ({_span(new, hours)} used)", do, before


def _span(shape: Shape, hours: Sequence[Hour]) -> str:
    counts = shape.counts(hours)
    return f"{min(counts)}-{max(counts)}" if min(counts) < max(counts) else str(counts[0])


def confidence(load: Load, now: datetime, service: Service | None = None) -> tuple[Confidence, str]:
    """How sure a conclusion from this load is, and why not more."""
    days = len(load.hours) / 24
    reasons: list[tuple[Confidence, str]] = [("high", f"{days:.0f} days of readings, level load")]
    if days < 12:
        reasons.append(("medium", f"only {days:.0f} days of readings"))
    if load.released and now - load.released < YOUNG:
        hours = (now - load.released).total_seconds() / 3600
        reasons.append(("medium", f"the present release was deployed {hours:.0f} h ago"))
    if load.growth > 1.5:
        reasons.append(("low", f"the load grew by {load.growth - 1:.0%} within the window"))
    elif load.growth > 1.15:
        reasons.append(("medium", f"the load grew by {load.growth - 1:.0%} within the window"))
    if service is not None and service.type == "background_worker":
        reasons.append(("medium", "the readings do not tell whether its queue waits longer then"))
    return weakest(*reasons)


def tight(service: Service, load: Load, prices: Prices) -> str:
    """Where it needs more rather than less: a sentence, or nothing."""
    plan = prices.plan_id("service", service.service_details.plan)
    size, price = size_of(plan), prices.plan("service", plan)
    if size is None or not size.cpus or not load.cpu or not load.memory:
        return ""
    full = [
        f"{name} p95 {value / limit:.0%}"
        for name, value, limit, most in (
            ("cpu", load.cpu.p95, size.cpus, 0.85),
            ("memory", load.memory.p95, size.memory, 0.9),
        )
        if value >= most * limit
    ]
    full += [f"killed {load.killed} times for want of memory"] if load.killed else []
    if not full:
        return ""
    larger = next(
        (each for each in prices.plans("service") if each[1].holds(size) and each[0] != plan and price), None
    )
    more = f"; {larger[0]} costs ${larger[2].month - price.month:,.0f} more" if larger and price else ""
    return f"{service.name} is at the limit of {plan} ({', '.join(full)}): no saving there{more}"


def peaks(load: Load, size: Size) -> str:
    """`cpu p50 26 %, p95 45 %, max 55 %; memory ...`, of the present limit."""
    parts: list[str] = []
    for name, figures, limit in (("cpu", load.cpu, size.cpus), ("memory", load.memory, size.memory)):
        if figures and limit:
            p50, p95, top = (f"{value / limit:.0%}" for value in (figures.p50, figures.p95, figures.peak))
            parts.append(f"{name} p50 {p50}, p95 {p95}, max {top}")
    return "; ".join(parts)


def day_shape(hours: Sequence[Hour]) -> str:
    """When the day is quiet and when busy, in UTC."""
    byclock: dict[int, list[float]] = {}
    for hour in hours:
        byclock.setdefault(hour.at.hour, []).append(hour.cpu_in_all)
    means = {clock: sum(values) / len(values) for clock, values in byclock.items()}
    quiet, busy = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    return (
        f"quietest about {quiet:02}:00 UTC ({means[quiet]:.2g} CPUs in all),"
        f" busiest about {busy:02}:00 ({means[busy]:.2g})"
    )
