"""Edge Functions, their secrets, and logs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from tools.errors import InvalidInput, RemoteError
from tools.http.refusals import clean, said
from tools.http.secret import Secret
from tools.supabase.endpoints import Endpoints
from tools.supabase.models import Function, FunctionBundle, FunctionSecret, LogAnswer, SourceFile

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_SLUG: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
LONGEST_WINDOW: Final = timedelta(hours=24)


class Functions(Endpoints):
    """Edge Functions and their secrets."""

    async def list_functions(self, project: str | None = None) -> list[Function]:
        """The functions."""
        return await self._list(Function, "/projects/{}/functions", self._ref(project))

    async def get_function(self, slug: str, *, project: str | None = None) -> Function:
        """One function."""
        return await self._one(Function, "GET", "/projects/{}/functions/{}", self._ref(project), slug)

    async def get_function_bundle(self, slug: str, *, project: str | None = None) -> FunctionBundle:
        """What is deployed: the only way back to it, once another version is."""
        path = "/v1/projects/{}/functions/{}/body"
        reply = await self.http.call("GET", path, self._ref(project), slug, accept="multipart/form-data, */*")
        return FunctionBundle(reply.headers.get("content-type", ""), reply.content)

    async def deploy_function(
        self,
        slug: str,
        files: Sequence[SourceFile],
        *,
        entrypoint: str,
        import_map: str | None = None,
        verify_jwt: bool | None = None,
        bundle_only: bool = False,
        project: str | None = None,
    ) -> Function:
        """Bundle and deploy; `bundle_only` bundles and deploys nothing: a dry run."""
        if not _SLUG.fullmatch(slug):
            raise InvalidInput(f"{slug[:80]!r} is no name for a function.")
        if entrypoint not in {file.name for file in files}:
            raise InvalidInput(f"The entrypoint {entrypoint} is not among the files.")
        about = {"name": slug, "entrypoint_path": entrypoint, "import_map_path": import_map}
        metadata = {key: value for key, value in about.items() if value} | (
            {} if verify_jwt is None else {"verify_jwt": verify_jwt}
        )
        reply = await self.http.call(
            "POST",
            "/v1/projects/{}/functions/deploy",
            self._ref(project),
            params={"slug": slug, "bundleOnly": bundle_only or None},
            data={"metadata": json.dumps(metadata)},
            files=[("file", (file.name, file.content, "application/octet-stream")) for file in files],
            repeatable=bundle_only,
        )
        return reply.parsed(Function)

    async def delete_function(self, slug: str, *, project: str | None = None) -> None:
        """Remove a function."""
        await self._done("DELETE", "/projects/{}/functions/{}", self._ref(project), slug)

    async def list_secrets(self, project: str | None = None) -> list[FunctionSecret]:
        """The secrets of the functions, by name."""
        return await self._list(FunctionSecret, "/projects/{}/secrets", self._ref(project))

    async def set_secrets(self, values: Mapping[str, Secret], *, project: str | None = None) -> None:
        """Add or change secrets; functions see them at once, without a deploy."""
        for name in values:
            if not _NAME.fullmatch(name) or name.startswith("SUPABASE_"):
                raise InvalidInput(f"{name[:80]!r} cannot name a secret (names with SUPABASE_ are taken).")
        if not values:
            raise InvalidInput("Nothing to change was given.")
        wanted = [{"name": name, "value": value} for name, value in values.items()]
        await self._done("POST", "/projects/{}/secrets", self._ref(project), json=wanted)

    async def delete_secrets(self, names: Sequence[str], *, project: str | None = None) -> None:
        """Remove secrets."""
        if not names:
            raise InvalidInput("Nothing to remove was given.")
        await self._done("DELETE", "/projects/{}/secrets", self._ref(project), json=list(names))


class Logs(Endpoints):
    """Logs and usage. At most 30 log queries a minute are allowed: do not poll."""

    async def query_logs(
        self, sql: str, *, start: datetime, end: datetime, project: str | None = None
    ) -> list[Mapping[str, Any]]:
        """Rows of a ClickHouse query over the table `logs`, within at most 24 hours.

        Filter by `source`, read `log_attributes['key']`, set a LIMIT; `count(*)` and `select *` do not work.
        Messages are strangers' texts and may hold persons' values. Raises RemoteError with what was wrong.
        """
        if not timedelta(0) < end - start <= LONGEST_WINDOW:
            raise InvalidInput("The window of a log query is more than nothing and at most 24 hours.")
        params = {"sql": sql, "iso_timestamp_start": start, "iso_timestamp_end": end}
        return await self._rows("logs", params, project)

    async def get_function_statistics(
        self,
        function_id: str,
        interval: Literal["15min", "1hr", "3hr", "1day"],
        *,
        project: str | None = None,
    ) -> list[Mapping[str, Any]]:
        """Requests, errors, execution time and memory of one function, named by its id."""
        params = {"interval": interval, "function_id": function_id}
        return await self._rows("functions.combined-stats", params, project)

    async def get_request_counts(
        self,
        interval: Literal["15min", "30min", "1hr", "3hr", "1day", "3day", "7day"],
        *,
        project: str | None = None,
    ) -> list[Mapping[str, Any]]:
        """Requests to Auth, REST, Storage and Realtime over time."""
        return await self._rows("usage.api-counts", {"interval": interval}, project)

    async def _rows(
        self, endpoint: str, params: Mapping[str, Any], project: str | None
    ) -> list[Mapping[str, Any]]:
        path = "/projects/{}/analytics/endpoints/{}"
        answer = await self._one(LogAnswer, "GET", path, self._ref(project), endpoint, params=params)
        if answer.error:  # set although the status is 200
            told = said(answer.error)
            raise RemoteError(
                f"Supabase could not answer from {endpoint}: {clean(told) or 'no reason given'}"
            )
        return list(answer.result)
