"""The log of one service, read in a few pages and gathered by fingerprint."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tools.logs.fingerprints import fingerprint
from tools.logs.veil import veil_path
from tools.redaction import Redactor
from tools.render.client import LogQuery, RenderClient
from tools.render.diagnosing.evidence import Line, Said
from tools.render.models import Deploy, Service
from tools.render.models_observed import LogLine

WRONG = ("warning", "error", "critical", "fatal")
FRAME = re.compile(r"\s*(?:at |File \"|from /|\.{3} \d+ (?:more|levels)|#\d+ )|\s{4,}|goroutine \d")
"""A line of a stack trace: it says where, and the line before it says what."""
_SHAPES = Redactor(strict=True)
_DIGITS = re.compile(r"\d+")
QUEUE_WORDS = ("*queue*", "*backlog*", "*pending*", "*waiting*", "*lag*")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the log of one service."""

    render: RenderClient
    service: Service
    now: datetime

    def query(self, start: datetime, end: datetime, **more: Any) -> LogQuery:
        """A query about this service."""
        return LogQuery(
            owner=self.service.owner_id, resources=[self.service.id], start=start, end=end, **more
        )

    async def page(self, start: datetime, end: datetime, most: int, **more: Any) -> tuple[list[Line], bool]:
        """Lines of a span, oldest first, and whether there are more."""
        found = await self.render.list_logs(self.query(start, end, **more), most=most)
        return lines(found.logs), found.has_more and len(found.logs) >= most

    async def complaints(self, since: datetime) -> tuple[tuple[Said, ...], tuple[Line, ...]]:
        """Warnings and errors after `since`, by fingerprint (against those before) and one by one."""
        wrong = {"kind": ("app",), "level": WRONG}
        late, more = await self.page(since, self.now, 400, **wrong)
        early, cut = await self.page(since - timedelta(hours=20), since, 100, direction="forward", **wrong)
        begun = late[0].at if more and late else since
        cut_off = more and late
        end = early[-1].at if cut and early else since
        usual_hours = max(0.5, (end - (since - timedelta(hours=20))).total_seconds() / 3600)
        said = gathered(late, begun, self.now, early, usual_hours)
        if cut_off:
            said = await self._first_times(said, begun, since)
        return said, tuple(late)

    async def _first_times(
        self, said: tuple[Said, ...], begun: datetime, since: datetime
    ) -> tuple[Said, ...]:
        """Where the page did not reach back far enough: since when the most frequent new lines come."""
        edge = begun + (self.now - begun) * 0.2
        wanted = [s for s in said if s.risen and s.first <= edge and _phrase(s.raw)][:2]
        pages = await asyncio.gather(
            *(
                self.page(since, self.now, 1, direction="forward", kind=("app",), text=(_phrase(s.raw),))
                for s in wanted
            )
        )
        first = {s.text: page[0].at for s, (page, _) in zip(wanted, pages, strict=True) if page}
        return tuple(replace(s, first=min(s.first, first.get(s.text, s.first))) for s in said)

    async def failing_paths(self, since: datetime) -> tuple[tuple[str, float], ...]:
        """The paths of the latest requests answered with 5xx, and their share of them."""
        wanted = self.query(since, self.now, kind=("request",), status_code=("5*",))
        found = (await self.render.list_logs(wanted, most=100)).logs
        counts = Counter(f"{x.label('method')} {_shown_path(x.label('path'))}".strip() for x in found)
        return tuple((path, many / len(found)) for path, many in counts.most_common(2))

    async def recent(self) -> tuple[Line, ...]:
        """The latest lines of any level: many processes write errors without one."""
        found, _ = await self.page(self.now - timedelta(hours=2), self.now, 100, kind=("app",))
        return tuple(found)

    async def gauges(self, since: datetime) -> tuple[Line, ...]:
        """Lines that speak of a queue: where the window begins, and now."""
        words = {"kind": ("app",), "text": QUEUE_WORDS}
        first, more = await self.page(since, self.now, 100, direction="forward", **words)
        last = (await self.page(since, self.now, 200, **words))[0] if more else []
        known = {(line.at, line.raw) for line in first}
        return tuple(sorted([*first, *(x for x in last if (x.at, x.raw) not in known)], key=lambda x: x.at))

    async def before(self, moment: datetime) -> tuple[Line, ...]:
        """What was written in the seconds before a failure."""
        span = (moment - timedelta(seconds=8), moment + timedelta(seconds=1))
        found, _ = await self.page(*span, 20, kind=("app",))
        return tuple(found)

    async def build(self, deploy: Deploy) -> tuple[Line, ...]:
        """The end of a build's log."""
        return tuple((await self.page(*_span(deploy, self.now), 100, kind=("build",)))[0])

    async def start(self, deploy: Deploy) -> tuple[Line, ...]:
        """What the new instances and the pre-deploy command of a deploy wrote, without the release before."""
        start, end = _span(deploy, self.now)
        day = self.query(start - timedelta(hours=1), start, kind=("app",))
        old = set(await self.render.list_log_values(day, "instance"))
        seen = await self.render.list_log_values(self.query(start, end, kind=("app",)), "instance")
        new = [each for each in seen if each not in old]
        found: list[Line] = []
        if new:
            found, _ = await self.page(start, end, 100, kind=("app",), instance=new)
        near, _ = await self.page(end - timedelta(minutes=4), end, 200, kind=("app",))
        found += [line for line in near if not line.instance]
        return tuple(sorted(found, key=lambda line: line.at))


def _shown_path(path: str) -> str:
    """A path without ids and names in it."""
    return veil_path(path, lambda kind, _: f"<{kind}>", _SHAPES)


def _phrase(raw: str) -> str:
    """The longest run of plain words in a line: what finds the line again."""
    runs = re.findall(r"[A-Za-z][A-Za-z' -]{7,80}", raw[:400])
    return max((run.strip() for run in runs), key=len, default="")


def _span(deploy: Deploy, now: datetime) -> tuple[datetime, datetime]:
    start = deploy.started_at or deploy.created_at or now - timedelta(hours=1)
    end = deploy.finished_at or deploy.updated_at or now
    return start - timedelta(seconds=5), min(now, end + timedelta(seconds=30))


def lines(found: Iterable[LogLine]) -> list[Line]:
    """Lines with a time, oldest first."""
    made = [
        Line(each.timestamp, each.message, each.label("instance"), each.label("level"))
        for each in found
        if each.timestamp is not None
    ]
    return sorted(made, key=lambda line: line.at)


def alike(found: Iterable[Line]) -> dict[str, list[Line]]:
    """Lines by fingerprint, without the frames of stack traces."""
    groups: dict[str, list[Line]] = {}
    known: dict[str, str] = {}
    for line in found:
        if FRAME.match(line.raw):
            continue
        plain = _DIGITS.sub("0", line.raw[:400])  # a fingerprint costs most of a millisecond
        if plain not in known:
            known[plain] = fingerprint(line.raw)
        groups.setdefault(known[plain], []).append(line)
    return groups


def gathered(
    late: Sequence[Line], begun: datetime, now: datetime, early: Sequence[Line], usual_hours: float
) -> tuple[Said, ...]:
    """Fingerprints of the later lines, the most frequent first, with their former rate."""
    hours = max(1 / 60, (now - begun).total_seconds() / 3600)
    before = {text: len(group) for text, group in alike(early).items()}
    groups = alike(late)
    made = [
        Said(
            text=text,
            raw=group[-1].raw,
            level=group[-1].level,
            count=len(group),
            first=group[0].at,
            last=group[-1].at,
            per_hour=len(group) / hours,
            usual_per_hour=before.get(text, 0) / usual_hours,
            instances=frozenset(line.instance for line in group),
        )
        for text, group in groups.items()
    ]
    return tuple(sorted(made, key=lambda said: -said.count))
