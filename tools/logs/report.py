"""Log lines as an answer: by fingerprint or one by one, veiled on their way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

from tools.logs.fingerprints import Entry, gathered, joined
from tools.logs.veil import Hide, veil, veil_path
from tools.redaction import Redactor
from tools.registry import Facts, Result
from tools.wording import clipped, counted, stamp, table

GROUPS: Final = 20
"""Groups that are shown."""
_SAMPLE: Final = 220
_ROUTES: Final = 8
_LINE: Final = 400


class Line(BaseModel):
    """One log line."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    text: str
    level: str = ""
    source: str = Field(default="", description="The service, database or kind of log.")
    instance: str = ""
    request: str = Field(default="", description="Method, path, status and time of a request.")
    frame: str = Field(default="", description="The first stack frame in the project's own code.")

    def shown(self) -> str:
        """What it says, in one line."""
        said = " ".join(filter(None, [self.request, self.text]))
        return said + (f" ↳ {self.frame}" if self.frame else "")


class LineGroup(BaseModel):
    """Lines that say the same, with the newest of them."""

    model_config = ConfigDict(frozen=True)

    count: int
    first: datetime
    last: datetime
    sources: tuple[str, ...]
    instances: int
    newest: Line


class Log(Result):
    """Log lines, gathered by what they say, or one by one (oldest first)."""

    of: str
    window: str
    asked: str = Field(description="Which lines were asked for.")
    read: int
    cut: bool = Field(
        description="Whether there are more such lines than were read; counts are of those read."
    )
    groups: tuple[LineGroup, ...] = ()
    lines: tuple[Line, ...] = ()
    unshown: int = Field(default=0, description="Groups, or lines, that were read and are not here.")
    note: str = ""
    read_at: datetime

    def redacted(self, redactor: Redactor) -> Self:
        """Texts veiled: a line may name a patient in ways that no shape shows."""
        groups = [each.model_copy(update={"newest": _veiled(each.newest, redactor)}) for each in self.groups]
        lines = [_veiled(each, redactor) for each in self.lines]
        told = {"note": redactor.text(self.note), "asked": redactor.text(self.asked)}
        return self.model_copy(update={"groups": tuple(groups), "lines": tuple(lines), **told})

    def audit_facts(self) -> Facts:
        """How many lines were read."""
        return Facts(rows=self.read)

    def markdown(self) -> str:
        """A table of groups and a line for each status of requests, or the lines."""
        found = f"{'the newest ' if self.cut else ''}{counted(self.read, 'line')}"
        grouped = f" in {counted(len(self.groups) + self.unshown, 'group')}" if self.groups else ""
        parts = [f"{self.of}: {found}{grouped} ({self.asked}), {self.window}"]
        if self.lines:
            parts.append("\n".join(self._line(line) for line in self.lines))
        said = [group for group in self.groups if group.newest.text]
        parts += [self._table(said)] if said else []
        parts += list(self._requests([group for group in self.groups if not group.newest.text]))
        if self.unshown:
            what = "groups" if self.groups else "lines"
            parts.append(f"{self.unshown:,} more {what}: narrow them with the filters.")
        return "\n\n".join([*parts, *([self.note] if self.note else [])])

    def _table(self, groups: Sequence[LineGroup]) -> str:
        several = {source for group in self.groups for source in group.sources} != {self.of}
        rows = [
            [
                f"{group.count:,}",
                group.newest.level,
                stamp(group.first, self.read_at) if group.count > 1 else "",
                stamp(group.last, self.read_at),
                ", ".join(group.sources) if several else "",
                group.instances if group.instances > 1 else "",
                clipped(group.newest.shown(), _SAMPLE),
            ]
            for group in groups
        ]
        return table(["lines", "level", "first", "last", "where", "instances", "newest line"], rows)

    def _requests(self, groups: Sequence[LineGroup]) -> Iterator[str]:
        """`Requests answered 500: 13 of ..., GET /api/timeline 5, ...`: a symptom, so one line each."""
        by_status: dict[str, list[LineGroup]] = {}
        for group in groups:
            by_status.setdefault(group.newest.request.rpartition(" ")[2], []).append(group)
        for status, found in sorted(by_status.items(), reverse=True):
            first, last = min(each.first for each in found), max(each.last for each in found)
            routes = [f"{each.newest.request.rpartition(' ')[0]} {each.count:,}" for each in found]
            more = f" and {len(routes) - _ROUTES} more routes" if len(routes) > _ROUTES else ""
            times = f"{stamp(first, self.read_at)} to {stamp(last, self.read_at)}"
            total = sum(each.count for each in found)
            yield f"Requests answered {status}: {total:,} ({times}): {', '.join(routes[:_ROUTES])}{more}"

    def _line(self, line: Line) -> str:
        several = len({each.source for each in self.lines}) > 1
        said = clipped(line.shown(), _LINE)
        level = "" if said.lower().startswith(line.level[:4].lower()) else line.level
        where = [line.source if several else "", line.instance.rpartition("-")[2], level]
        return " ".join(["-", stamp(line.at, self.read_at), *filter(None, where), said])


def summarized(
    entries: Sequence[Entry], *, one_by_one: int
) -> tuple[tuple[LineGroup, ...], tuple[Line, ...], int]:
    """Groups, or with `one_by_one` that many of the newest lines, and how many of them are left out."""
    if one_by_one:
        lines = [_line_of(entry) for entry in joined(entries)]
        return (), tuple(lines[-one_by_one:]), max(0, len(lines) - one_by_one)
    groups = [
        LineGroup(
            count=each.count,
            first=each.first,
            last=each.last,
            sources=each.sources,
            instances=each.instances,
            newest=_line_of(each.newest),
        )
        for each in gathered(entries)
    ]
    groups.sort(key=lambda each: not each.newest.text)  # what a program says before what its clients got
    return tuple(groups[:GROUPS]), (), max(0, len(groups) - GROUPS)


def seen(text: str, wanted: str, shapes: Redactor, *, path: bool = False) -> bool:
    """Whether a filter matches what of a line may be shown.

    A filter that matched what is hidden would tell what is hidden: who asks for `Mar*` would learn of every
    Maria. `*` stands for anything; no regular expression is run here over strangers' texts.
    """
    parts = [part.casefold() for part in wanted.split("*") if part]
    show = veil_path if path else veil
    shown, at = show(text, _nothing, shapes).casefold(), 0
    for part in parts:
        at = shown.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def _nothing(kind: str, value: str) -> str:
    return "\0"


def _line_of(entry: Entry) -> Line:
    return Line(
        at=entry.at,
        text=" ".join(entry.text.split("\n", 1)[0].split()) if entry.text else "",
        level=entry.level,
        source=entry.source,
        instance=entry.instance,
        request=entry.about,
        frame=entry.frame,
    )


def _veiled(line: Line, redactor: Redactor) -> Line:
    if not redactor.strict:
        return line.model_copy(
            update={"text": redactor.text(line.text), "request": redactor.text(line.request)}
        )
    hide = _hider(redactor)
    return line.model_copy(
        update={
            "text": veil(line.text, hide, redactor),
            "frame": veil(line.frame, hide, redactor),
            "request": " ".join(
                veil_path(word, hide, redactor) if "/" in word else word for word in line.request.split(" ")
            ),
        }
    )


def _hider(redactor: Redactor) -> Hide:
    """The same value has the same pseudonym as in any other text of this session."""
    return lambda kind, value: redactor.pseudonym(kind, value, scope="text")
