"""change_env_var: one variable of a service or an environment group; its value passes no model."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tools.planned import ChangeDone, Planned, carry_out, show
from tools.registry import Effect, Params, Preview, tool
from tools.render.changing.subject import read_subject
from tools.render.changing.values import read_value
from tools.render.changing.variables import plan_variable, slot
from tools.resources import Resources


class ChangeEnvVar(Params):
    """Arguments of change_env_var."""

    service: str = Field(description="Name or id of the service or environment group.")
    key: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,199}$", description="Name of the variable.")
    action: Literal["set", "delete"] = "set"
    value_from: str | None = Field(
        default=None,
        max_length=300,
        description="Where the value is: env:NAME (a variable where Sergei runs), file:PATH or file:PATH#KEY"
        " (in the workspace, .env too), render:SERVICE_OR_GROUP#KEY, previous (what this session replaced).",
    )
    value: str | None = Field(
        default=None, max_length=1000, description="Only what is evidently no secret, such as debug or 3."
    )

    @model_validator(mode="after")
    def _has_one_value(self) -> Self:
        given = (self.value is not None) + (self.value_from is not None)
        if self.action == "delete" and given:
            raise PydanticCustomError("strange", "delete takes no value")
        if self.action == "set" and given != 1:
            raise PydanticCustomError("needed", "set needs either `value_from` or `value`")
        return self


async def _plan(params: ChangeEnvVar, resources: Resources) -> Planned:
    subject, value = await read_subject(resources.render, params.service), None
    if params.action == "set":
        kept = slot(subject, params.key)
        value = await read_value(resources, params.key, params.value, params.value_from, kept)
    return await plan_variable(resources, subject, params.key, params.action, value)


async def preview_change_env_var(params: ChangeEnvVar, resources: Resources) -> Preview:
    """The request with a digest for its value, whom it concerns, and what of it can be undone."""
    return show(await _plan(params, resources), "change_env_var", params, resources)


@tool(Effect.WRITE, preview=preview_change_env_var, open_world=True)
async def change_env_var(params: ChangeEnvVar, resources: Resources) -> ChangeDone:
    """Set or delete one environment variable of a Render service or environment group, after a yes.

    All others stay. Never write a secret as `value`, nor ask a person to tell you one: say where it is
    (`value_from`). It is neither shown nor returned. It is in force from the next deploy_service on.
    """
    return await carry_out(await _plan(params, resources), "change_env_var", params, resources)
