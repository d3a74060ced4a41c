"""Where a variable's value comes from: a person's environment or file, another service; never a model's text.

env:NAME              a variable of the environment in which Sergei was started
file:PATH             a whole file of the workspace, without its last line break
file:PATH#KEY         one KEY=value line of it, as in a .env file
render:NAME#KEY       the same variable of another service or environment group
previous              what this session replaced here, kept in memory until it ends
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput, NotFound, Refused
from tools.http.secret import Secret
from tools.render.changing.literals import objection
from tools.render.models import EnvGroup, EnvVar, Service
from tools.render.naming import Resource, find_resource

if TYPE_CHECKING:
    from tools.render.client import RenderClient
    from tools.resources import Resources

_OURS: Final = re.compile(r"RENDER_API_KEY|SUPABASE_ACCESS_TOKEN|SERGEI_\w+")
"""What Sergei itself works with: a service has no use for it."""
_LARGEST: Final = 64_000
_LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*?)\s*")
_HINT: Final = (
    "Give value_from: env:NAME, file:PATH#KEY or render:SERVICE#KEY; a model never sees what is there."
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and in words where it is from. `shown` is the literal itself where it is one."""

    secret: Secret
    source: str
    shown: str | None = None


async def read_value(
    resources: Resources, key: str, literal: str | None, source: str | None, slot: str
) -> Value:
    """The value that is meant. Raises InvalidInput, NotFound or Refused; no message holds a value."""
    if literal is not None:
        if why := objection(key, literal):
            raise InvalidInput(f"The value of {key} is not taken as written: {why}.", hint=_HINT)
        return Value(Secret(literal), "as written", literal)
    kind, _, place = (source or "").partition(":")
    if source == "previous":
        return _previous(resources, key, slot)
    if kind == "env" and place:
        return _variable(resources, place)
    if kind == "file" and place:
        return _file(resources, place)
    if kind == "render" and "#" in place:
        return await _elsewhere(resources.render, *place.split("#", 1))
    raise InvalidInput("value_from is env:NAME, file:PATH, file:PATH#KEY, render:NAME#KEY or previous.")


def _previous(resources: Resources, key: str, slot: str) -> Value:
    kept = resources.replaced.get(slot)
    if kept is None:
        raise NotFound(
            f"This session replaced no value of {key} here, so there is none to put back.", hint=_HINT
        )
    return Value(kept, "the value that this session replaced")


def _variable(resources: Resources, name: str) -> Value:
    if _OURS.fullmatch(name):
        raise Refused(f"{name} is what Sergei works with.", hint="Make a key of its own for the service.")
    value = resources.find_variable(name)
    if not value:
        hint = "Set it where Sergei is started, or name a file."
        raise NotFound(f"The environment has no variable {name}, or it is empty.", hint=hint)
    return Value(_sound(value, name), f"the environment variable {name}")


def _file(resources: Resources, place: str) -> Value:
    path, _, key = place.partition("#")
    root = resources.workspace.root
    try:
        real = (root / path).resolve()
        if root not in real.parents:
            raise Refused(f"{path} is outside the workspace {root}.", hint="Put it into the workspace.")
        if not real.is_file():
            raise NotFound(f"There is no file {path} in the workspace.")
        if real.stat().st_size > _LARGEST:
            raise InvalidInput(f"{path} is larger than {_LARGEST // 1000} kB.")
        text = real.read_text(encoding="utf-8")
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read ({type(error).__name__}).") from None
    name = real.relative_to(root).as_posix()
    if not key:
        return Value(_sound(text.removesuffix("\n").removesuffix("\r"), path), f"the file {name}")
    found = entries(text).get(key)
    if found is None:
        raise NotFound(f"{path} has no line {key}=.")
    return Value(_sound(found, f"{key} in {path}"), f"{key} in the file {name}")


def entries(text: str) -> dict[str, str]:
    """The KEY=value lines of a .env file; of a key that is there twice the last."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        entry = _LINE.fullmatch(line)
        if entry:
            found[entry[1]] = _unquoted(entry[2])
    return found


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1]
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace("\\n", "\n").replace('\\"', '"')
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip()


async def _elsewhere(render: RenderClient, name: str, key: str) -> Value:
    other = await find_resource(render, name)
    found = next((each for each in await variables(render, other) if each.key == key), None)
    if found is None:
        raise NotFound(f"{other.label} has no variable {key}.")
    if not found.value:
        raise InvalidInput(f"{key} of {other.label} is empty, or this key of Render's may not read it.")
    return Value(found.value, f"{key} of {other.label}")


async def variables(render: RenderClient, resource: Resource) -> tuple[EnvVar, ...]:
    """The variables of a service (its own) or of a group. Raises InvalidInput for what has none."""
    if isinstance(resource.thing, Service):
        return tuple(await render.list_env_vars(resource.id))
    if isinstance(resource.thing, EnvGroup):
        return (await render.get_env_group(resource.id)).env_vars
    raise InvalidInput(f"{resource.label} has no environment variables.")


def _sound(value: str, where: str) -> Secret:
    if not value or "\0" in value:
        raise InvalidInput(f"{where} is empty, or holds a NUL byte.")
    return Secret(value)
