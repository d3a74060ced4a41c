"""What every group of Supabase's endpoints stands on: the connection, and the project that is meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tools.errors import ConfigurationError, InvalidInput
from tools.http.wire import parse

if TYPE_CHECKING:
    from tools.http.transport import Http, Params

T = TypeVar("T")
_REF: Final = re.compile(r"[a-z]{20}")


class Endpoints:
    """One group of endpoints over one connection. `project_ref`: meant where a call names no project."""

    def __init__(self, http: Http, project_ref: str = "") -> None:
        self.http, self.project_ref = http, project_ref

    def _ref(self, project: str | None) -> str:
        """The project that is meant. Raises ConfigurationError when none is, InvalidInput for no ref."""
        ref = project or self.project_ref
        if not ref:
            raise ConfigurationError(
                "No Supabase project is named.",
                hint='Set [supabase] project_ref = "..." in sergei.toml, or name the project in the call.',
            )
        if not _REF.fullmatch(ref):
            raise InvalidInput(f"{ref[:40]!r} is no project ref: 20 letters, as in the project's URL.")
        return ref

    async def _one(
        self, kind: type[T], method: str, path: str, *segments: str, json: Any = None,
        params: Params | None = None,
    ) -> T:  # fmt: skip
        reply = await self.http.call(method, f"/v1{path}", *segments, json=json, params=params)
        return reply.parsed(kind)

    async def _list(self, kind: type[T], path: str, *segments: str, params: Params | None = None) -> list[T]:
        reply = await self.http.call("GET", f"/v1{path}", *segments, params=params)
        return [parse(kind, item, where=reply.where) for item in reply.items()]

    async def _done(self, method: str, path: str, *segments: str, json: Any = None) -> None:
        await self.http.call(method, f"/v1{path}", *segments, json=json)
