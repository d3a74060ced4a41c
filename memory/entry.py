"""An entry of the memory bank: what was done, what came of it, where it applies, and whether it still holds.

`parse_entry` reads a file's text, `render_entry` writes a new one, and `parse_entry(render_entry(e)) == e`.
Existing files are never rendered again: `memory.edits` changes single keys in place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, TypeVar, get_args

from memory import frontmatter
from memory.errors import InvalidEntry
from memory.ulid import is_ulid
from memory.yaml_subset import Value, block_items, quote, quote_key, quote_list

Category = Literal[
    "deployment-patterns",
    "database-optimizations",
    "security-configurations",
    "performance-tuning",
    "problem-solutions",
    "handoffs",
]
Status = Literal["active", "superseded", "retired"]
Confidence = Literal["low", "medium", "high"]
Result = Literal["worked", "failed", "partly"]
SourceKind = Literal["session", "tool", "person", "document"]
AppliesTo = Mapping[str, tuple[str, ...]]
"""Scope (service, table, project, versions, or another word) to the names it is limited to."""

CATEGORIES: tuple[Category, ...] = get_args(Category)
STATUSES: tuple[Status, ...] = get_args(Status)
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
RESULTS: tuple[Result, ...] = get_args(Result)
SOURCE_KINDS: tuple[SourceKind, ...] = get_args(SourceKind)
SECTIONS = ("context", "action", "result", "why")
_KEYS = """
    id title category tags applies_to confidence status supersedes valid_until source outcomes
    retired_because confirmed
"""
KEYS = frozenset(_KEYS.split())
ANYWHERE: AppliesTo = MappingProxyType({})

_HEADING = re.compile(r"## +(Context|Action|Result|Why)[ \t]*", re.IGNORECASE)
_ESCAPED_HEADING = re.compile(r"\\+## +(Context|Action|Result|Why)[ \t]*", re.IGNORECASE)
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})(?: .*)?\r?$", re.MULTILINE)
_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the action one time: `when` in UTC, `ref` where to look (deploy, session, ticket)."""

    when: datetime
    ref: str
    result: Result
    note: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry comes from: `ref` in words, `kind` of it (None: not said), `digest` of its evidence."""

    ref: str = ""
    kind: SourceKind | None = None
    digest: str = ""

    def __bool__(self) -> bool:
        return self != Source()

    def __str__(self) -> str:
        said = f"{self.kind}: {self.ref}" if self.kind and self.ref else self.ref or self.kind or ""
        return f"{said} ({self.digest})".strip() if self.digest else said


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing remembered. Texts use LF and have no outer blank lines.

    `confirmed` is the day on which a person last said that it still holds.
    """

    id: str
    title: str
    category: Category
    action: str
    result: str
    context: str = ""
    why: str = ""
    tags: tuple[str, ...] = ()
    applies_to: AppliesTo = field(default_factory=lambda: ANYWHERE, hash=False)
    confidence: Confidence = "medium"
    status: Status = "active"
    supersedes: tuple[str, ...] = ()
    valid_until: date | None = None
    source: Source = Source()
    outcomes: tuple[Outcome, ...] = ()
    retired_because: str = ""
    confirmed: date | None = None
    preamble: str = ""

    def count(self, result: Result) -> int:
        """How many outcomes had this result."""
        return sum(outcome.result == result for outcome in self.outcomes)


def tidy(text: str) -> str:
    """Body text as entries hold it: LF line ends, no blank lines around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def one_line(text: str) -> str:
    """`text` with every run of white space as one space."""
    return " ".join(text.split())


def conflict_line(text: str) -> int | None:
    """The line (1-based) where git left a merge conflict, or None."""
    marks = list(_CONFLICT.finditer(text))
    if {mark.group(1)[0] for mark in marks} != {"<", "=", ">"}:
        return None
    return text.count("\n", 0, marks[0].start()) + 1


@lru_cache(maxsize=32)  # a write looks at the same two texts from several sides
def parse_entry(text: str) -> Entry:
    """The entry in a file's text. InvalidEntry says which key or line does not fit."""
    if (line := conflict_line(text)) is not None:
        raise InvalidEntry(f"Git left a merge conflict at line {line}; resolve it and remove the markers.")
    document = frontmatter.split(text)
    values = frontmatter.values(document, KEYS)
    sections = _sections(document.body)
    entry_id = _text(values, "id").upper()
    if not is_ulid(entry_id):
        raise InvalidEntry(f"The front matter key 'id' must be a ULID of 26 characters; found '{entry_id}'.")
    title = _text(values, "title")
    if not title.strip():
        raise InvalidEntry("The front matter has no 'title'.")
    return Entry(
        id=entry_id,
        title=title,
        category=_word(values, "category", CATEGORIES),
        action=sections["action"],
        result=sections["result"],
        context=sections["context"],
        why=sections["why"],
        tags=_texts(values.get("tags"), "tags"),
        applies_to=_scopes(values.get("applies_to")),
        confidence=_word(values, "confidence", CONFIDENCES, "medium"),
        status=_word(values, "status", STATUSES, "active"),
        supersedes=tuple(old.upper() for old in _texts(values.get("supersedes"), "supersedes")),
        valid_until=_day(_text(values, "valid_until"), "valid_until"),
        source=_source(values.get("source")),
        outcomes=_outcomes(values.get("outcomes")),
        retired_because=_text(values, "retired_because"),
        confirmed=_day(_text(values, "confirmed"), "confirmed"),
        preamble=sections["preamble"],
    )


def render_entry(entry: Entry) -> str:
    """A new file's text for `entry`: LF line ends, every key in one fixed order."""
    lines = [
        "---",
        f'id: "{entry.id}"',
        f"title: {quote(entry.title)}",
        f"category: {entry.category}",
        f"tags: {quote_list(entry.tags)}",
    ]
    if entry.applies_to:
        lines.append("applies_to:")
        lines += [f"  {quote_key(scope)}: {quote_list(names)}" for scope, names in entry.applies_to.items()]
    lines += [f"confidence: {entry.confidence}", f"status: {entry.status}"]
    if entry.retired_because:
        lines.append(f"retired_because: {quote(entry.retired_because)}")
    if entry.supersedes:
        lines.append(f"supersedes: {quote_list(entry.supersedes)}")
    if entry.valid_until:
        lines.append(f"valid_until: {entry.valid_until.isoformat()}")
    if entry.confirmed:
        lines.append(f"confirmed: {entry.confirmed.isoformat()}")
    lines += _source_lines(entry.source)
    lines.append("outcomes:" if entry.outcomes else "outcomes: []")
    lines += block_items([outcome_fields(outcome) for outcome in entry.outcomes], 2)
    lines += ["---", ""]
    if entry.preamble:
        lines += [_guard(entry.preamble), ""]
    for name in SECTIONS:
        if content := getattr(entry, name):
            lines += [f"## {name.capitalize()}", "", _guard(content), ""]
    return "\n".join(lines)


def _source_lines(source: Source) -> list[str]:
    if source.kind is None and not source.digest:
        return [f"source: {quote(source.ref)}"]
    fields = {"kind": source.kind or "", "ref": quote(source.ref), "digest": quote(source.digest)}
    return ["source:", *(f"  {key}: {value}" for key, value in fields.items() if value not in ("", '""'))]


def outcome_fields(outcome: Outcome) -> dict[str, str]:
    """An outcome's keys with their values as YAML scalars."""
    when = outcome.when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"when": when, "ref": quote(outcome.ref), "result": outcome.result, "note": quote(outcome.note)}


def _guard(content: str) -> str:
    """A line that reads like one of our headings gets a backslash, as Markdown spells a literal '#'."""
    return "\n".join(
        "\\" + line if _HEADING.fullmatch(line) or _ESCAPED_HEADING.fullmatch(line) else line
        for line in content.split("\n")
    )


def _sections(body: str) -> dict[str, str]:
    parts: dict[str, list[str]] = {name: [] for name in ("preamble", *SECTIONS)}
    current = "preamble"
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if match := _HEADING.fullmatch(line):
            current = match.group(1).lower()
        else:
            parts[current].append(line[1:] if _ESCAPED_HEADING.fullmatch(line) else line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}


def _text(values: Mapping[str, Value], key: str) -> str:
    value = values.get(key)
    if isinstance(value, list | dict):
        raise InvalidEntry(f"The front matter key '{key}' must be one text, not a list or a map.")
    return value or ""


def _texts(value: Value, key: str) -> tuple[str, ...]:
    """A list of texts; one text alone counts as a list of one."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        raise InvalidEntry(f"The front matter key '{key}' must be a list of texts, not a map.")
    texts: list[str] = []
    for item in value or []:
        if not isinstance(item, str):
            raise InvalidEntry(f"The front matter key '{key}' must be a list of texts.")
        texts.append(item)
    return tuple(texts)


def _word(
    values: Mapping[str, Value], key: str, words: tuple[_Word, ...], default: _Word | None = None
) -> _Word:
    text = _text(values, key).strip()
    if not text and default is not None:
        return default
    for word in words:
        if text == word:
            return word
    raise InvalidEntry(f"The front matter key '{key}' must be one of {', '.join(words)}; found '{text}'.")


def _scopes(value: Value) -> AppliesTo:
    if value is None:
        return ANYWHERE
    if not isinstance(value, dict):
        raise InvalidEntry("The front matter key 'applies_to' must be a map, such as `service: [postgres]`.")
    return MappingProxyType({scope: _texts(names, f"applies_to.{scope}") for scope, names in value.items()})


def _source(value: Value) -> Source:
    """A map of kind, ref and digest, or one text alone."""
    if isinstance(value, list):
        raise InvalidEntry("The front matter key 'source' must be a text or a map of kind, ref and digest.")
    if not isinstance(value, dict):
        return Source(value or "")
    ref, digest = _text(value, "ref"), _text(value, "digest")
    if not _text(value, "kind"):
        return Source(ref, digest=digest)
    kind: SourceKind = _word(value, "kind", SOURCE_KINDS)
    return Source(ref, kind, digest)


def _outcomes(value: Value) -> tuple[Outcome, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidEntry("The front matter key 'outcomes' must be a list.")
    outcomes: list[Outcome] = []
    for item in value:
        if not isinstance(item, dict):
            raise InvalidEntry("Each outcome must be a map with when, ref, result and note.")
        when = _moment(_text(item, "when"))
        outcomes.append(
            Outcome(when, _text(item, "ref"), _word(item, "result", RESULTS), _text(item, "note"))
        )
    return tuple(outcomes)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidEntry(
            f"An outcome's 'when' must be a date and time such as 2026-05-01T09:30:00Z; found '{text}'."
        ) from error
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise InvalidEntry(f"An outcome's 'when' lies outside the calendar: '{text}'.") from error


def _day(text: str, key: str) -> date | None:
    if not text.strip():
        return None
    try:
        return datetime.combine(datetime.fromisoformat(text.strip()).date(), time(), UTC).date()
    except ValueError as error:
        raise InvalidEntry(
            f"The front matter key '{key}' must be a date such as 2027-05-01; found '{text}'."
        ) from error
