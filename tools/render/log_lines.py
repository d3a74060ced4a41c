"""Fetching log lines: one question for all resources of a region, read page by page, or followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tools.errors import InvalidInput
from tools.logs.fingerprints import Entry
from tools.logs.report import seen
from tools.logs.windows import Window
from tools.partial import Partial
from tools.redaction import Redactor
from tools.render.api_observed import LogQuery
from tools.render.models_observed import LogLine
from tools.render.naming import find_service
from tools.render.targets import Target, by_region, find_targets
from tools.wording import counted

if TYPE_CHECKING:
    from tools.render.client import RenderClient
    from tools.resources import Resources

FOLLOWED: Final = 500
"""Lines after which following stops."""
_SHAPES: Final = Redactor(strict=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: what Render filters by, and what of it is tested here once more, on what may be shown."""

    filters: Mapping[str, Any]
    text: str = ""
    path: str = ""

    def keeps(self, line: LogLine) -> bool:
        """Whether what may be shown of the line has what was looked for."""
        if self.text and not seen(line.message, self.text, _SHAPES):
            return False
        return not self.path or seen(line.label("path"), self.path, _SHAPES, path=True)


async def log_targets(render: RenderClient, words: Sequence[str], job: str) -> list[Target]:
    """What is meant; a job is a target of its own. Raises InvalidInput, NotFound."""
    if not job:
        return await find_targets(render, words)
    if len(words) != 1:
        raise InvalidInput("A job's log needs the one service that it belongs to, in `services`.")
    service = await find_service(render, words[0])
    known = await render.get_job(service.id, job)
    name, region = f"job {known.id} of {service.name}", service.service_details.region
    return [Target(known.id, name, "job", service.owner_id, region)]


async def read_lines(
    render: RenderClient,
    targets: Sequence[Target],
    wanted: Wanted,
    window: Window,
    *,
    most: int,
    part: Partial,
) -> tuple[list[Entry], bool]:
    """The newest lines, and whether there are more."""

    async def one(query: LogQuery, names: str) -> tuple[list[LogLine], bool]:
        page = await part(f"log of {names}", render.list_logs(query, most=most), None)
        return ([], False) if page is None else (list(page.logs), page.has_more)

    asked = [
        one(_query(group, wanted, start=window.start, end=window.end, direction="backward"), _names(group))
        for group in by_region(targets)
    ]
    pages = await asyncio.gather(*asked)
    lines = sorted((line for page, _ in pages for line in page), key=_when, reverse=True)[:most]
    cut = any(more for _, more in pages) or sum(len(page) for page, _ in pages) > most
    return _entries(lines, wanted, targets), cut


async def follow_lines(
    resources: Resources, targets: Sequence[Target], wanted: Wanted, seconds: int
) -> tuple[list[Entry], bool]:
    """The lines that come within so many seconds, and whether there were more than are kept."""
    lines: list[LogLine] = []

    async def listen(stream: AsyncIterator[LogLine]) -> None:
        async for line in stream:
            lines.append(line)
            resources.progress(f"{counted(len(lines), 'log line')}")
            if len(lines) >= FOLLOWED:
                return

    streams = [resources.render.follow_logs(_query(group, wanted)) for group in by_region(targets)]
    tasks = [asyncio.create_task(listen(stream)) for stream in streams]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return _entries(lines, wanted, targets), len(lines) >= FOLLOWED


def _query(group: Sequence[Target], wanted: Wanted, **times: Any) -> LogQuery:
    return LogQuery(owner=group[0].owner, resources=[each.id for each in group], **wanted.filters, **times)


def _names(group: Sequence[Target]) -> str:
    return ", ".join(each.name for each in group[:3]) + (" ..." if len(group) > 3 else "")


def _when(line: LogLine) -> float:
    return line.timestamp.timestamp() if line.timestamp else 0.0


def _entries(lines: Sequence[LogLine], wanted: Wanted, targets: Sequence[Target]) -> list[Entry]:
    names = {target.id: target.name for target in targets}
    return [_entry(line, names) for line in lines if line.timestamp is not None and wanted.keeps(line)]


def _entry(line: LogLine, names: Mapping[str, str]) -> Entry:
    assert line.timestamp is not None  # tested above
    resource = line.label("resource") or line.label("service")
    alone = next(iter(names.values())) if len(names) == 1 else ""
    request = line.label("type") == "request" and line.label("statusCode")
    about = f"{line.label('method')} {line.label('path')} {line.label('statusCode')}" if request else ""
    return Entry(
        at=line.timestamp,
        text="" if request else line.message,
        level=line.label("level"),
        source=names.get(resource) or alone or resource,
        instance=line.label("instance"),
        about=about,
    )
