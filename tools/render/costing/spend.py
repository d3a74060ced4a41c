"""What each resource costs a month now, at list prices; what has no known price is said and not guessed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict

from tools.render.costing.load import Load
from tools.render.costing.prices import LATEST, Kind, Prices, size_of
from tools.render.describing import scale_words
from tools.render.models import Service
from tools.render.models_stores import KeyValue, Postgres
from tools.wording import percent

PREVIEW: Final = "preview"


class Line(BaseModel):
    """One resource. `month` is None where a price is not known; `use` is the p95 as a share of the limit."""

    model_config = ConfigDict(frozen=True)

    name: str
    id: str
    kind: str
    plan: str
    instances: str = ""
    month: float | None
    use: str = ""
    environment: str = ""


@dataclass(slots=True)
class Spend:
    """The lines of the table, and what could not be priced."""

    prices: Prices
    lines: list[Line] = field(default_factory=list[Line])
    unknown: list[str] = field(default_factory=list[str])

    @property
    def month(self) -> float:
        """What is known, in all."""
        return sum(line.month or 0.0 for line in self.lines)

    def service(self, service: Service, load: Load, environment: str = "") -> Line:
        """A service with its disk."""
        details = service.service_details
        plan = self.prices.plan_id("service", details.plan) if details.plan else ""
        month = 0.0 if service.is_suspended else self._running(service, load, plan)
        kind = f"{PREVIEW} of {service.type}" if details.parent_server else service.type
        line = Line(
            name=service.name,
            id=service.id,
            kind=kind,
            plan="suspended" if service.is_suspended else plan,
            instances="" if service.type in ("cron_job", "static_site") else self._instances(service, load),
            month=self._with_disk(service, month),
            use=use_words(load, plan),
            environment=environment,
        )
        self.lines.append(line)
        return line

    def postgres(self, database: Postgres, load: Load, environment: str = "") -> Line:
        """A Postgres database with its storage."""
        plan, suspended = self.prices.plan_id("postgres", database.plan), database.suspended == "suspended"
        month = 0.0 if suspended else self._plan("postgres", plan, database.name)
        storage = self.prices.rate("postgres_storage_gb") * (database.disk_size_gb or 0)
        if database.high_availability_enabled:
            self.unknown.append(f"the standby of {database.name} (high availability)")
        line = Line(
            name=database.name,
            id=database.id,
            kind="Postgres" if database.role in ("", "primary") else f"Postgres {database.role}",
            plan=f"{plan} + {database.disk_size_gb or '?'} GB" + (", suspended" if suspended else ""),
            month=None if month is None else month + (0.0 if plan == "free" else storage),
            use=store_use(load, plan, database.disk_size_gb),
            environment=environment,
        )
        self.lines.append(line)
        return line

    def key_value(self, instance: KeyValue, load: Load, environment: str = "") -> Line:
        """A Key Value instance."""
        plan, suspended = self.prices.plan_id("key_value", instance.plan), instance.suspended == "suspended"
        line = Line(
            name=instance.name,
            id=instance.id,
            kind="Key Value",
            plan=plan + (", suspended" if suspended else ""),
            month=0.0 if suspended else self._plan("key_value", plan, instance.name),
            use=store_use(load, plan, None),
            environment=environment,
        )
        self.lines.append(line)
        return line

    def traffic(self, loads: Iterable[Load], workspace: str, *, scales: bool) -> str:
        """The bandwidth of all together, and what of it costs; the workspace's own price is added.

        `scales`: autoscaling is on somewhere, which a workspace on hobby does not have.
        """
        amount = sum(load.egress_gb or 0.0 for load in loads)
        terms = self.prices.workspace(workspace)
        if terms is None:
            least = "; at least pro, as autoscaling is on" if scales else ""
            self.unknown.append(f"the workspace's plan and seats (Render's API does not tell them{least})")
            told = [
                f"{name} ${price:,.0f} + ${self._over(amount, included):,.0f} beyond its {included:,.0f} GB"
                for name in self.prices.table["workspace"]
                for price, included in [self.prices.workspace(name) or (0.0, 0.0)]
                if not (scales and name == "hobby")
            ]
            return f"Bandwidth: about {amount:,.0f} GB a month. By workspace plan: {', '.join(told)}."
        price, included = terms
        over = self._over(amount, included)
        plan = f"{workspace} + {amount:,.0f} GB of bandwidth" if over else workspace
        self.lines.append(Line(name="workspace", id="", kind="workspace", plan=plan, month=price + over))
        self.unknown.append("seats of the workspace")
        return f"Bandwidth: about {amount:,.0f} GB a month, {included:,.0f} GB of them included."

    def _over(self, amount: float, included: float) -> float:
        return max(0.0, amount - included) * self.prices.rate("bandwidth_gb")

    def _running(self, service: Service, load: Load, plan: str) -> float | None:
        details = service.service_details
        if service.type == "static_site":
            return 0.0
        if service.type == "cron_job":
            minute = self.prices.cron_minute(plan)
            if minute is None or load.runs is None:
                self.unknown.append(f"runs of {service.name} on {plan or 'an unknown plan'}")
                return None
            return max(self.prices.rate("cron_least"), load.runs.monthly_minutes() * minute)
        price = self._plan("service", plan, service.name)
        scaling = details.autoscaling
        if scaling is not None and scaling.enabled:
            if load.instances is None:
                self.unknown.append(
                    f"{service.name} above its {scaling.min} instances (autoscaling, no readings)"
                )
            count = load.instances or float(scaling.min)
        else:
            count = float(1 if details.num_instances is None else details.num_instances)
        return None if price is None else price * count

    def _plan(self, kind: Kind, plan: str, name: str) -> float | None:
        price = self.prices.plan(kind, plan)
        if price is None:
            self.unknown.append(f"{name} (plan {plan or 'not told'})")
            return None
        if price.other is not None:
            self.unknown.append(f"{name}: {plan} is ${price.month:g} or ${price.other:g}, sources disagree")
        elif price.source != LATEST:
            self.unknown.append(f"{name}: the price of {plan} is one of the middle of 2026")
        return price.month

    def _with_disk(self, service: Service, month: float | None) -> float | None:
        disk = service.service_details.disk
        if month is None or disk is None:
            return month
        if disk.size_gb is None:
            self.unknown.append(f"the disk of {service.name}")
        return month + (disk.size_gb or 0) * self.prices.rate("disk_gb")

    @staticmethod
    def _instances(service: Service, load: Load) -> str:
        said = scale_words(service)
        scaling = service.service_details.autoscaling
        if scaling and scaling.enabled and load.instances is not None:
            return f"{said}, mean {load.instances:.1f}"
        return said


def use_words(load: Load, plan: str) -> str:
    """`cpu 55 %, mem 22 %` of the plan's limits, or the runs of a cron job."""
    if load.runs is not None:
        return f"{load.runs.monthly_minutes():,.0f} min/month"
    size = size_of(plan)
    parts: list[str] = []
    if size and load.cpu and size.cpus:
        parts.append(f"cpu {percent(round(load.cpu.p95 / size.cpus, 2))}")
    if size and load.memory:
        parts.append(f"mem {percent(round(load.memory.p95 / size.memory, 2))}")
    return ", ".join(parts)


def store_use(load: Load, plan: str, disk_gb: int | None) -> str:
    """CPU, memory, connections and disk."""
    parts = [use_words(load, plan)] if use_words(load, plan) else []
    if load.connections:
        parts.append(f"{load.connections.p95:.0f} conn")
    if load.disk_used is not None and disk_gb:
        parts.append(f"disk {load.disk_used / (disk_gb * 1e9):.0%}")
    return ", ".join(parts)
