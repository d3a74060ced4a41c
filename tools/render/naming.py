"""From the word a person says to the one resource that is meant: an id, an exact name, or the start of one.

    service = await find_service(render, "guardian-web")
    found = await find_resource(render, "guardian-jobs")     # a service, Postgres, Key Value, env group

What sergei.toml names under `[render]` is a fence: with `owner`, `project` or `services` set, nothing outside
of it is found, not even by id, so that no word of a model reaches another company's workspace.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from tools.errors import ConfigurationError, InvalidInput, NotFound
from tools.render.models import EnvGroup, Service
from tools.render.models_stores import KeyValue, Postgres

if TYPE_CHECKING:
    from tools.render.client import RenderClient

Kind = Literal["service", "postgres", "key_value", "env_group"]
Thing = Service | Postgres | KeyValue | EnvGroup
T = TypeVar("T", Service, Postgres, KeyValue, EnvGroup)
WORDS: Final[dict[Kind, str]] = {
    "service": "service",
    "postgres": "Postgres database",
    "key_value": "Key Value instance",
    "env_group": "environment group",
}
_PREFIXES: Final[dict[str, Kind]] = {
    "srv": "service", "crn": "service", "dpg": "postgres", "red": "key_value", "evg": "env_group",
}  # fmt: skip
_ID: Final = re.compile(r"([a-z]{3})-[a-z0-9]{6,40}(?:-[a-z])?")
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing of the workspace and what kind of thing it is."""

    kind: Kind
    thing: Thing

    @property
    def id(self) -> str:
        """Render's id."""
        return self.thing.id

    @property
    def name(self) -> str:
        """Its name; more than one thing may have it."""
        return self.thing.name

    @property
    def label(self) -> str:
        """`guardian-web (web_service, srv-...)`."""
        kind = self.thing.type if isinstance(self.thing, Service) else WORDS[self.kind]
        return f"{self.name} ({kind}, {self.id})"


async def list_scoped_services(render: RenderClient) -> list[Service]:
    """The services that this project is about: all of the workspace unless sergei.toml names fewer."""
    environments = await scoped_environments(render)
    found = await render.list_services(owner=render.owner or None, environment=environments)
    wanted = set(render.services)
    return [each for each in found if not wanted or each.name in wanted or each.id in wanted]


async def scoped_environments(render: RenderClient) -> list[str] | None:
    """The environments of the project that sergei.toml names; None where it names none."""
    if not render.project:
        return None
    known = await render.list_projects(owner=render.owner or None)
    for project in known:
        if render.project in (project.id, project.name):
            return [each.id for each in await render.list_environments(project.id)] or ["none"]
    names = ", ".join(project.name for project in known[:_SHOWN])
    raise ConfigurationError(
        f"Render has no project {render.project!r}, which sergei.toml names.", hint=f"There are: {names}."
    )


async def find_service(render: RenderClient, word: str) -> Service:
    """One service. Raises NotFound with near names, or InvalidInput with the choices when several fit."""
    word = _word(word)
    if (found := _ID.fullmatch(word)) and found[1] in _PREFIXES:  # a service may be called lab-gateway
        return await _service_of(render, word)
    return choose(word, await list_scoped_services(render), "service")


async def find_services(render: RenderClient, words: Sequence[str]) -> list[Service]:
    """Several services, each once, in the order named; none named means all of this project."""
    if not words:
        return await list_scoped_services(render)
    known = await list_scoped_services(render)
    found = [choose(_word(word), known, "service") for word in words]
    return list({service.id: service for service in found}.values())


async def find_resource(render: RenderClient, word: str) -> Resource:
    """A service, Postgres database, Key Value instance or environment group, whichever has this name."""
    word = _word(word)
    if found := _ID.fullmatch(word):
        kind = _PREFIXES.get(found[1])
        if kind is None:
            raise InvalidInput(f"{word} is no id of a service, database, Key Value or environment group.")
        return await _by_id(render, kind, word)
    known = await list_resources(render)
    exact = [each for each in known if each.name == word]
    near = exact or [each for each in known if each.name.casefold().startswith(word.casefold())]
    if len(near) == 1:
        return near[0]
    raise _undecided(word, "resource", [each.label for each in near], [each.name for each in known])


async def find_env_group(render: RenderClient, word: str) -> EnvGroup:
    """One environment group with its variables and files."""
    word = _word(word)
    if not _ID.fullmatch(word):
        environments = await scoped_environments(render)
        known = await render.list_env_groups(owner=render.owner or None, environment=environments)
        word = choose(word, known, "environment group").id
    return _fenced(render, await render.get_env_group(word))


async def list_resources(render: RenderClient) -> list[Resource]:
    """Everything that has a name and can be described."""
    environments, owner = await scoped_environments(render), render.owner or None
    services, postgres, caches, groups = await asyncio.gather(
        list_scoped_services(render),
        render.list_postgres(owner=owner, environment=environments),
        render.list_key_values(owner=owner, environment=environments),
        render.list_env_groups(owner=owner, environment=environments),
    )
    return [
        *(Resource("service", each) for each in services),
        *(Resource("postgres", each) for each in postgres),
        *(Resource("key_value", each) for each in caches),
        *(Resource("env_group", each) for each in groups),
    ]


def choose(word: str, known: Sequence[T], noun: str) -> T:
    """The one that is meant, by id, exact name or unique start of a name. Raises NotFound, InvalidInput."""
    exact = [each for each in known if word in (each.id, each.name)]
    near = exact or [each for each in known if each.name.casefold().startswith(word.casefold())]
    if len(near) == 1:
        return near[0]
    raise _undecided(word, noun, [f"{each.name} ({each.id})" for each in near], [each.name for each in known])


def owner_of(thing: Thing) -> str:
    """The workspace that it belongs to; empty where Render does not say."""
    if isinstance(thing, Service | EnvGroup):
        return thing.owner_id
    return thing.owner.id if thing.owner else ""


async def _by_id(render: RenderClient, kind: Kind, key: str) -> Resource:
    if kind == "service":
        return Resource(kind, await _service_of(render, key))
    if kind == "postgres":
        return Resource(kind, _fenced(render, await render.get_postgres(key)))
    if kind == "key_value":
        return Resource(kind, _fenced(render, await render.get_key_value(key)))
    return Resource(kind, _fenced(render, await render.get_env_group(key)))


async def _service_of(render: RenderClient, key: str) -> Service:
    service = _fenced(render, await render.get_service(key))
    if render.services and not {service.id, service.name} & set(render.services):
        raise NotFound(f"{service.id} is not among the services that sergei.toml names.")
    environments = await scoped_environments(render)
    if environments is not None and service.environment_id not in environments:
        raise NotFound(f"{service.id} is not in the project that sergei.toml names.")
    return service


def _fenced(render: RenderClient, thing: T) -> T:
    owner = owner_of(thing)
    if render.owner and owner and owner != render.owner:
        raise NotFound(f"{thing.id} is not in the workspace {render.owner} that sergei.toml names.")
    return thing


def _word(word: str) -> str:
    word = word.strip()
    if not word:
        raise InvalidInput("Name it: an id, a name, or the start of a name.")
    return word


def _undecided(word: str, noun: str, near: Sequence[str], names: Iterable[str]) -> InvalidInput | NotFound:
    if near:
        more = f" and {len(near) - _SHOWN} more" if len(near) > _SHOWN else ""
        choices = ", ".join(near[:_SHOWN])
        return InvalidInput(
            f"{word[:80]!r} fits more than one {noun}: {choices}{more}.",
            hint="Give the whole name or the id.",
        )
    known = sorted(set(names))
    close = [name for name in known if word.casefold() in name.casefold()]
    close = close or difflib.get_close_matches(word, known, 3, 0.5) or known
    listed = ", ".join(close[:_SHOWN])
    hint = f"Known: {listed}." if listed else "The key and sergei.toml let none be seen."
    return NotFound(f"There is no {noun} called {word[:80]!r}.", hint=hint)
