"""Which log lines say the same, and how those of one page are gathered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from tools.logs.veil import veil
from tools.redaction import Redactor

_LENGTH: Final = 200
_SHAPES: Final = Redactor(strict=True)
_OURS: Final = re.compile(r"<([a-z-]{2,20}):[0-9a-f]{8}>")
_LEADING: Final = re.compile(r"^\W{0,2}\d{4}-\d\d-\d\d[T ][\d:.,]{5,15}(?:Z|\s?[+-]\d\d:?\d\d)?\]?\s*")
_UUID: Final = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_KEPT: Final = re.compile(
    r"\w:\d{1,6}(?::\d{1,6})?\b|\b[A-Za-z_]{1,20}\d{1,5}\b"
    r"|(?i:\b(?:status(?: code)?|http(?:/\d(?:\.\d)?)?|code|errno|exit(?:ed)?(?: with)?|sqlstate|signal"
    r"|answered|error)\b[ :=#(]{0,3}-?(?=[0-9A-Z]{0,5}\d)[0-9A-Z]{1,6}\b)|(?<![\w.=])[45]\d\d(?![\w.])"
)
_MIXED: Final = re.compile(r"\b(?=[\w-]{0,60}\d)(?=[\w-]{0,60}[a-f])[0-9a-f][0-9a-f-]{7,63}\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_FRAME: Final = re.compile(
    r"^\s+(?:at |File \"|in |from |\.\.\. \d+ more|~|\^)|^\s*(?:Caused by: |Traceback )|^\s{4,}\S|^\s*\}"
)
_THEIRS: Final = re.compile(r"node_modules|node:internal|site-packages|/gems/|/usr/lib|dist-packages")
_FOLDER: Final = re.compile(r"(?<=[\s(\"])/(?:opt/render/project/src|usr/src/app|app|workspace)/")
_TOGETHER: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Entry:
    """One log line of any vendor, as it came; `source` is the service or the kind of log."""

    at: datetime
    text: str
    level: str = ""
    source: str = ""
    instance: str = ""
    about: str = ""
    """What is known besides the text: method, path and status of a request."""
    frame: str = ""
    """The first stack frame in the project's own code."""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that say the same; `newest` is one of them."""

    newest: Entry
    count: int
    first: datetime
    last: datetime
    sources: tuple[str, ...]
    instances: int
    fingerprint: str = field(default="", compare=False)


def fingerprint(text: str) -> str:
    """What lines that say the same have in common. It is a key: what is shown is a veiled sample."""
    line = next((part for part in text.splitlines() if part.strip()), "")
    shown = veil(_LEADING.sub("", line), lambda kind, _: f"<{kind}>", _SHAPES)
    shown = _MIXED.sub("<id>", _UUID.sub("<id>", _OURS.sub(r"<\1>", shown)))
    spared = [found.span() for found in _KEPT.finditer(shown)]

    def normal(found: re.Match[str]) -> str:
        kept = any(start <= found.start() and found.end() <= end for start, end in spared)
        return found[0] if kept else "N"

    return " ".join(_NUMBER.sub(normal, shown).split())[:_LENGTH]


def gathered(entries: Iterable[Entry]) -> list[Group]:
    """The groups: worst level first, then the most frequent, then the newest."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in joined(entries):
        groups.setdefault((fingerprint(f"{entry.about} {entry.text}"), entry.level), []).append(entry)
    found = [_group(key, lines) for (key, _), lines in groups.items()]
    return sorted(found, key=lambda each: (severity(each.newest.level), -each.count, -each.last.timestamp()))


def joined(entries: Iterable[Entry]) -> list[Entry]:
    """Oldest first, with the frames of a stack trace put to the line that they belong to."""
    lines: list[Entry] = []
    latest: dict[tuple[str, str], int] = {}
    for entry in sorted(entries, key=lambda each: each.at):
        place = (entry.source, entry.instance)
        at = latest.get(place)
        framed = not entry.about and _FRAME.match(entry.text) is not None
        if framed and at is not None and entry.at - lines[at].at <= _TOGETHER:
            lines[at] = replace(lines[at], frame=lines[at].frame or _own_frame([entry.text]))
            continue
        if not entry.about and not framed:
            latest[place] = len(lines)
        lines.append(replace(entry, frame=entry.frame or _own_frame(entry.text.splitlines()[1:])))
    return lines


def _own_frame(parts: Sequence[str]) -> str:
    """The first frame in the project's own code, without the folder that every path begins with."""
    own = (part for part in parts if _FRAME.match(part) and not _THEIRS.search(part))
    return _FOLDER.sub("", next(own, "").strip())


def severity(level: str) -> int:
    """0 for what is worst; unknown levels come last."""
    order = ("emergency", "alert", "panic", "fatal", "critical", "error", "warning", "warn", "notice", "info")
    return order.index(level.lower()) if level.lower() in order else len(order)


def _group(key: str, lines: Sequence[Entry]) -> Group:
    newest = max(lines, key=lambda each: each.at)
    framed = newest if newest.frame else next((each for each in reversed(lines) if each.frame), newest)
    return Group(
        newest=replace(newest, frame=framed.frame),
        count=len(lines),
        first=min(each.at for each in lines),
        last=newest.at,
        sources=tuple(sorted({each.source for each in lines})),
        instances=len({each.instance for each in lines if each.instance}),
        fingerprint=key,
    )
