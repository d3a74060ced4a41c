"""Setting or removing one variable of a service or an environment group."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tools.errors import InvalidInput, NotFound
from tools.http.secret import Secret
from tools.planned import Look, Planned, call, request
from tools.render.changing.subject import Subject
from tools.render.changing.values import Value, variables
from tools.render.models import EnvGroup, EnvVar, Service
from tools.wording import counted

if TYPE_CHECKING:
    from tools.render.client import RenderClient
    from tools.resources import Resources

Change = Literal["set", "delete"]
_PUBLIC: Final = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "PUBLIC_", "NUXT_PUBLIC_", "GATSBY_", "EXPO_PUBLIC_")
"""Beginnings of names whose values a build writes into the page."""
_WHEN: Final = (
    "Nothing is deployed by this: what runs keeps the present state until its next deploy (deploy_service,"
    " or a push where autodeploy is on)."
)


@dataclass(frozen=True, slots=True)
class Around:
    """Who has a variable of this name too: groups of the service, or services of the group."""

    groups: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    overriding: tuple[str, ...] = ()


async def read_around(render: RenderClient, subject: Subject, key: str) -> Around:
    """The other places of the same name."""
    thing = subject.resource.thing
    if isinstance(thing, EnvGroup):
        links = (await render.get_env_group(thing.id)).service_links
        own = await asyncio.gather(*(render.list_env_vars(link.id) for link in links))
        having = [link.name for link, found in zip(links, own, strict=True) if _find(found, key)]
        return Around(linked=tuple(link.name for link in links), overriding=tuple(having))
    if not isinstance(thing, Service):
        raise InvalidInput(f"{subject.resource.label} has no environment variables.")
    listed = await render.list_env_groups(owner=thing.owner_id or None)
    mine = [each for each in listed if any(link.id == thing.id for link in each.service_links)]
    whole = await asyncio.gather(*(render.get_env_group(each.id) for each in mine))
    return Around(groups=tuple(each.name for each in whole if _find(each.env_vars, key)))


def _find(known: tuple[EnvVar, ...] | list[EnvVar], key: str) -> EnvVar | None:
    return next((each for each in known if each.key == key), None)


def slot(subject: Subject, key: str) -> str:
    """Where this session keeps what it replaced here."""
    return f"{subject.id} {key}"


async def plan_variable(
    resources: Resources, subject: Subject, key: str, change: Change, value: Value | None
) -> Planned:
    """The change, from what is there now. Raises InvalidInput for what would change nothing."""
    render = resources.render
    old = _find(await variables(render, subject.resource), key)
    if value is None and old is None:
        raise InvalidInput(f"{subject.name} has no variable {key} of its own: there is nothing to delete.")
    if value is not None and old is not None and old.value == value.secret:
        raise InvalidInput(f"{key} of {subject.name} has this value already.")
    around = await read_around(render, subject, key)
    verb = "delete" if value is None else "set" if old is None else "replace"
    origin = "" if value is None else f", with {value.source}" if value.shown is None else ""
    path = f"/{'env-groups' if subject.kind == 'env_group' else 'services'}/{subject.id}/env-vars/{key}"
    return Planned(
        request=request("DELETE", path) if value is None else f"PUT {path} {_body(value)}",
        says=f"{verb} the variable {key} of {subject.name}{origin}",
        target=subject.label,
        touches=(f"variable {key} of {subject.name}", *(f"service {name}" for name in around.linked)),
        consequence=" ".join(filter(None, _effects(subject, key, value, around))),
        undo=_undo(subject, key, old),
        send=lambda: _send(resources, subject, key, value, old),
        look=lambda: _look(render, subject, key, value),
        destructive=value is None or (old is not None and not old.value),
        evidence=f"present value: {_present(old)}",
    )


def _body(value: Value) -> str:
    return json.dumps({"value": value.shown if value.shown is not None else repr(value.secret)})


def _present(old: EnvVar | None) -> str:
    if old is None:
        return "there is none"
    return f"set, digest {old.value.digest}" if old.value else "set, and not readable with this key"


def _effects(subject: Subject, key: str, value: Value | None, around: Around) -> list[str]:
    said = [_WHEN]
    if subject.kind == "env_group":
        services = f"for {counted(len(around.linked), 'service')}: {', '.join(around.linked)}"
        said.append(f"It is {services if around.linked else 'linked to no service'}.")
        if around.overriding:
            said.append(f"WITHOUT EFFECT for {', '.join(around.overriding)}: its own {key} goes before.")
    elif around.groups and value is None:
        said.append(f"From then on {key} of the group {', '.join(around.groups)} counts.")
    elif around.groups:
        said.append(f"It goes before {key} of the group {', '.join(around.groups)}.")
    elif value is None:
        said.append(f"Code that reads {key} finds nothing from the next deploy on, and may not start.")
    if value is not None and value.shown is None and key.startswith(_PUBLIC):
        said.append(f"NOT SECRET: a build writes what {key} holds into the page that everybody can read.")
    return [*said, subject.blueprint]


def _undo(subject: Subject, key: str, old: EnvVar | None) -> str:
    if old is None:
        return call("change_env_var", service=subject.name, key=key, action="delete")
    if not old.value:
        return "the present value cannot be read with this key: whoever has it must set it again"
    again = call("change_env_var", service=subject.name, key=key, value_from="previous")
    return f"the present value is never shown; {again} puts it back while this session lasts, then it is gone"


async def _send(
    resources: Resources, subject: Subject, key: str, value: Value | None, old: EnvVar | None
) -> None:
    render, group = resources.render, subject.kind == "env_group"
    if old is not None and old.value:
        resources.replaced[slot(subject, key)] = old.value
    if value is None:
        await (render.delete_env_group_var if group else render.delete_env_var)(subject.id, key)
    elif group:
        await render.set_env_group_var(subject.id, key, value.secret)
    else:
        await render.set_env_var(subject.id, key, value.secret)


async def _look(render: RenderClient, subject: Subject, key: str, value: Value | None) -> Look:
    try:
        now = _find(await variables(render, subject.resource), key)
    except NotFound:
        now = None
    if value is None:
        return Look(now is None, f"{key} is {'gone' if now is None else 'still there'}")
    same = now is not None and now.value == value.secret
    if same:
        return Look(True, f"{key} is set, digest {_digest(now)}; in force from the next deploy on")
    return Look(False, f"{key} {'is not set' if now is None else 'has another value'}")


def _digest(variable: EnvVar | None) -> str:
    return (variable.value if variable else Secret("")).digest
