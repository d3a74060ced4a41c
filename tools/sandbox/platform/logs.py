"""Logs: those planted, and those that the normal day and the effects write, made minute by minute.

A minute's lines are a function of the world, so the same question gives the same answer, ids included.
Request logs are a sample: about four lines a minute, and the failed ones in addition.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.crons import runs
from tools.sandbox.platform.dice import chance, hexadecimal, resource_id
from tools.sandbox.platform.instances import instance_ids
from tools.sandbox.platform.memo import memo
from tools.sandbox.platform.metrics import at_quantile, host_of
from tools.sandbox.platform.people import filled
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.signals import Signals, active, crashes, profile_of, signals
from tools.sandbox.platform.world import Hosted, LogLine, World

FILTERS: Final = (
    "instance",
    "host",
    "statusCode",
    "method",
    "level",
    "type",
    "text",
    "path",
    "task",
    "taskRun",
)
MINUTE: Final = timedelta(minutes=1)
RETENTION: Final = timedelta(days=14)
REQUESTS: Final = 4.0
FAILED_AT_MOST: Final = 9.0


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines are wanted. Each filter is a list of alternatives, with * as wildcard or as /regex/."""

    resources: tuple[str, ...]
    start: datetime
    end: datetime
    backward: bool = True
    limit: int = 20
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def search(world: World, query: LogQuery) -> tuple[list[LogLine], bool]:
    """The lines in the order of the query, and whether there are more."""
    tests = {
        name: [_pattern(name, each) for each in wanted] for name, wanted in query.filters.items() if wanted
    }
    found: list[LogLine] = []
    for line in _lines(world, query):
        if query.start <= line.at < query.end and all(
            _passes(world, line, name, tests[name]) for name in tests
        ):
            found.append(line)
            if len(found) > query.limit:
                return found[: query.limit], True
    return found, False


def label_values(world: World, query: LogQuery, label: str) -> list[str]:
    """The values that a label takes in the lines of a query."""
    wide = LogQuery(query.resources, query.start, query.end, True, 100_000, query.filters)
    return sorted({value for line in search(world, wide)[0] if (value := labels(world, line).get(label))})


def page(world: World, query: LogQuery) -> Json:
    """The answer of GET /logs: the next page is asked for with the times that it names."""
    lines, more = search(world, query)
    start, end = query.start, query.end
    if lines and query.backward:
        end = lines[-1].at
    elif lines:
        start = lines[-1].at + timedelta(microseconds=1)
    shown = [wire(world, line) for line in lines]
    return {"hasMore": more, "nextStartTime": stamp(start), "nextEndTime": stamp(end), "logs": shown}


def wire(world: World, line: LogLine) -> Json:
    """A line as the API gives it."""
    pairs = [{"name": name, "value": value} for name, value in labels(world, line).items() if value]
    return {"id": line.id, "timestamp": stamp(line.at), "message": line.message, "labels": pairs}


def labels(world: World, line: LogLine) -> dict[str, str]:
    """The labels of a line."""
    named = {"resource": line.resource, "instance": line.instance, "level": line.level, "type": line.type}
    return named | dict(line.labels)


def minute(world: World, resource: str, start: datetime) -> list[LogLine]:
    """The lines of one resource that begin in this minute, oldest first."""
    known = memo(world, resource).lines
    made = known.get(start)
    if made is None:
        made = known[start] = sorted(_made(world, resource, start))
    planted = list(_planted(world, resource, start))
    return sorted([*made, *planted]) if planted else made


def _made(world: World, resource: str, start: datetime) -> list[LogLine]:
    dice = chance(world.seed, "log", resource, start)
    made: list[LogLine] = []
    hosted = world.services.get(resource)
    state = signals(world, resource, start)
    ids = instance_ids(world, resource, start) if hosted else []
    if not hosted or (
        ids and not hosted.spec.suspenders and hosted.spec.kind not in ("cron_job", "static_site")
    ):
        made.extend(_app_lines(world, resource, start, state, ids, dice))
    if hosted and ids and hosted.spec.kind == "web_service":
        made.extend(_request_lines(world, hosted, start, state, ids, dice))
    if hosted and hosted.spec.kind == "cron_job":
        made.extend(_run_lines(world, hosted, start, dice))
        return made
    for each in active(world, resource, start):
        for at in crashes(each, start + MINUTE, start):
            for index, text in enumerate(each.effect.last_words):
                before = at - timedelta(seconds=0.4 - index * 0.01)
                instance = ids[0] if ids else ""
                made.append(_line(world, resource, before, filled(text, dice), "app", "error", instance))
    return made


def _planted(world: World, resource: str, start: datetime) -> Iterator[LogLine]:
    index = bisect_left(world.lines, start, key=lambda line: line.at)
    while index < len(world.lines) and world.lines[index].at < start + MINUTE:
        if world.lines[index].resource == resource:
            yield world.lines[index]
        index += 1


def _run_lines(world: World, hosted: Hosted, start: datetime, dice: random.Random) -> Iterator[LogLine]:
    """What a run that begins in this minute writes; its last words come with its end."""
    own = hosted.spec.id
    for run in runs(world, hosted, start, start + MINUTE - timedelta(microseconds=1)):
        instance = f"{own}-{run.id[-10:]}"
        texts = [(filled(text, dice), "info") for text in hosted.profile.lines]
        for each in active(world, own, run.start):
            texts.extend((filled(line.text, dice), line.level) for line in each.effect.lines)
            texts.extend((filled(text, dice), "error") for text in each.effect.last_words)
        step = min(50.0, (run.end - run.start).total_seconds()) / (len(texts) + 1)
        for index, (text, level) in enumerate(texts):
            yield _line(
                world, own, run.start + timedelta(seconds=step * index + 0.5), text, "app", level, instance
            )


def _lines(world: World, query: LogQuery) -> Iterator[LogLine]:
    first = int(query.start.timestamp() // 60)
    last = int(query.end.timestamp() // 60)
    span = range(last, first - 1, -1) if query.backward else range(first, last + 1)
    for number in span:
        at = datetime.fromtimestamp(number * 60, query.start.tzinfo)
        lines = [line for resource in query.resources for line in minute(world, resource, at)]
        lines.sort(reverse=query.backward)
        yield from lines


def _app_lines(
    world: World, resource: str, start: datetime, state: Signals, ids: list[str], dice: random.Random
) -> Iterator[LogLine]:
    profile = profile_of(world, resource)
    many = profile.lines_per_minute * (0.3 if state.down else 1.0)
    for _ in range(_whole(many, dice) if profile.lines else 0):
        text = filled(dice.choice(profile.lines), dice)
        level = "warning" if text.startswith("warn") else "info"
        yield _at_random(world, resource, start, text, level, ids, dice)
    for each in active(world, resource, start):
        for line in each.effect.lines:
            for _ in range(_whole(line.per_minute * each.strength(start), dice)):
                yield _at_random(world, resource, start, filled(line.text, dice), line.level, ids, dice)


def _request_lines(
    world: World, hosted: Hosted, start: datetime, state: Signals, ids: list[str], dice: random.Random
) -> Iterator[LogLine]:
    failed = min(FAILED_AT_MOST, state.per_minute * state.error_rate)
    for wrong in [False] * _whole(REQUESTS * (1 - state.error_rate), dice) + [True] * _whole(failed, dice):
        paths = hosted.profile.paths or (("/", 1.0),)
        path = dice.choices([p for p, _ in paths], [w for _, w in paths])[0]
        method = "POST" if path.startswith("/api/") and dice.random() < 0.3 else "GET"
        if wrong:
            focus = [
                e.effect.path
                for e in active(world, hosted.spec.id, start)
                if e.effect.path and e.effect.error_rate
            ]
            path = focus[0] if focus else path
        code = (
            str(state.error_status)
            if wrong
            else dice.choices(["200", "201", "304", "401", "404"], [88, 5, 3, 2, 2])[0]
        )
        took = 0.0 if code == "502" else at_quantile(state.latency_ms, dice.random() * 0.98)
        host = host_of(world, hosted.spec.id)
        message = (
            f'[{method}]{code} {host}{path} clientIP="203.0.113.{dice.randint(1, 254)}" '
            f'requestID="{hexadecimal(16, start, dice.random())}" responseTimeMS={took:.0f} '
            f'responseBytes={dice.randint(180, 42000)} userAgent="Guardian/7.4 CFNetwork/1568"'
        )
        extra = (("host", host), ("statusCode", code), ("method", method), ("path", path))
        at = start + timedelta(microseconds=dice.randrange(60_000_000))
        level = "error" if code.startswith("5") else "info"
        yield _line(world, hosted.spec.id, at, message, "request", level, dice.choice(ids), extra)


def _at_random(
    world: World, resource: str, start: datetime, text: str, level: str, ids: list[str], dice: random.Random
) -> LogLine:
    at = start + timedelta(microseconds=dice.randrange(60_000_000))
    return _line(world, resource, at, text, "app", level, dice.choice(ids) if ids else "")


def _line(
    world: World,
    resource: str,
    at: datetime,
    text: str,
    kind: str,
    level: str,
    instance: str,
    extra: tuple[tuple[str, str], ...] = (),
) -> LogLine:
    key = resource_id("log", world.seed, resource, at, text)
    return LogLine(at, key, resource, text, kind, level, instance, extra)  # type: ignore[arg-type]  # from Line


def _whole(rate: float, dice: random.Random) -> int:
    return int(rate) + (dice.random() < rate % 1)


def _pattern(name: str, wanted: str) -> re.Pattern[str]:
    if len(wanted) > 1 and wanted[0] == wanted[-1] == "/":
        return re.compile(wanted[1:-1])
    parts = ".*".join(re.escape(part) for part in wanted.split("*"))
    return re.compile(parts, re.IGNORECASE) if name == "text" else re.compile(rf"^{parts}$", re.IGNORECASE)


def _passes(world: World, line: LogLine, name: str, tests: list[re.Pattern[str]]) -> bool:
    value = line.message if name == "text" else labels(world, line).get(name)
    return value is not None and any(test.search(value) for test in tests)
