"""What change_service is asked: one action, and the arguments that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tools.registry import Params

Action = Literal[
    "restart", "scale", "autoscaling", "suspend", "resume", "cancel_deploy", "change_plan", "autodeploy",
    "maintenance", "purge_cache",
]  # fmt: skip
_TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "scale": ("instances",),
    "autoscaling": ("enabled", "lowest", "highest", "cpu", "memory"),
    "cancel_deploy": ("deploy",),
    "change_plan": ("plan",),
    "autodeploy": ("enabled",),
    "maintenance": ("at",),
}
_NEEDS: Final = {"scale": "instances", "change_plan": "plan", "autodeploy": "enabled"}


class ChangeService(Params):
    """Arguments of change_service."""

    service: str = Field(
        description="Name or id. restart, suspend, resume, change_plan and maintenance take a Postgres"
        " database or Key Value instance too."
    )
    action: Action
    instances: int | None = Field(default=None, ge=1, le=100, description="scale: how many.")
    enabled: bool | None = Field(default=None, description="autoscaling, autodeploy: on or off.")
    lowest: int | None = Field(default=None, ge=1, le=100, description="autoscaling; not given: as it is.")
    highest: int | None = Field(default=None, ge=1, le=100, description="autoscaling; not given: as it is.")
    cpu: int | None = Field(
        default=None, ge=0, le=100, description="autoscaling: percent to aim at; 0: not by CPU."
    )
    memory: int | None = Field(
        default=None, ge=0, le=100, description="autoscaling: percent to aim at; 0: not by memory."
    )
    plan: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_.-]{2,40}$", description="change_plan: for example 1c-2g."
    )
    deploy: str | None = Field(
        default=None,
        pattern=r"^dep-[a-z0-9]{6,40}$",
        description="cancel_deploy; default: the one under way.",
    )
    at: datetime | None = Field(
        default=None, description="maintenance: move the planned run to this time; default: start it now."
    )

    @model_validator(mode="after")
    def _fits_the_action(self) -> Self:
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        strange = sorted(given - {"service", "action", *_TAKES.get(self.action, ())})
        needed = _NEEDS.get(self.action)
        if strange:
            raise PydanticCustomError(
                "strange", "{action} takes no `{name}`", {"action": self.action, "name": strange[0]}
            )
        if needed and needed not in given:
            raise PydanticCustomError(
                "needed", "{action} needs `{name}`", {"action": self.action, "name": needed}
            )
        if self.at is not None and self.at.tzinfo is None:
            raise PydanticCustomError("zone", "`at` needs its zone, for example 2030-12-31T08:00:00Z")
        return self
