"""What the index needs of an entry, read fast from the spelling that we write ourselves.

Anything else (folded values, flow maps, escapes, comments) is left to `memory.entry.parse_entry`. A file that
is skimmed though it does not parse is found by the index, and dropped when it is read for the answer.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass

from memory.entry import SECTIONS, STATUSES, AppliesTo, Entry
from memory.ulid import is_ulid

_LINE = re.compile(r"(  (?:- |  )?)?([a-z_]+):(?: (.*))?")
_NESTED = frozenset({"applies_to", "source", "outcomes"})
_PLAIN = re.compile(r"[\w./()+-][\w./()+ -]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\["\\/nt])*"')  # of these escapes JSON and YAML think alike
_LIST = re.compile(r'\[(?:(?:"[^"\\]*"|[\w./()+-][\w./()+ -]*)(?:, |(?=\])))*\]')
_ITEM = re.compile(r'"([^"\\]*)"|([\w./()+-][\w./()+ -]*)')


@dataclass(frozen=True, slots=True)
class Skimmed:
    """The texts of an entry that words are taken from, and what places it among others."""

    id: str
    title: str
    tags: tuple[str, ...]
    category: str
    applies_to: AppliesTo
    notes: tuple[str, ...]
    supersedes: tuple[str, ...]
    status: str
    body: str
    action: str


def skim(text: str) -> Skimmed | None:
    """The entry in `text`, or None when it is not in the plainest spelling."""
    if not text.startswith("---\n"):
        return None
    head, fence, body = text[4:].partition("\n---\n")
    if not fence or "\r" in text:
        return None
    fields: dict[str, list[tuple[str, ...]]] = {}
    applies_to: dict[str, tuple[str, ...]] = {}
    key = ""
    for line in head.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        indent, name, spelled = match.groups()
        if not indent:
            key = name
            if key in fields:
                return None
            fields[key] = []
        elif key not in _NESTED or (key != "outcomes" and indent != "  "):
            return None
        if indent and (key == "source" or (key == "outcomes" and name != "note")):
            continue
        values = _values(spelled)
        if values is None:
            return None
        if indent and key == "applies_to":
            applies_to[name] = values
        else:
            fields[key].append(values)
    found = {key: tuple(itertools.chain.from_iterable(given)) for key, given in fields.items()}
    return _checked(found, applies_to, body)


def skimmed(entry: Entry) -> Skimmed:
    """The same of an entry that was parsed."""
    return Skimmed(
        entry.id,
        entry.title,
        entry.tags,
        entry.category,
        entry.applies_to,
        tuple(outcome.note for outcome in entry.outcomes),
        entry.supersedes,
        entry.status,
        "\n".join((entry.preamble, entry.context, entry.action, entry.result, entry.why)),
        entry.action,
    )


def _values(spelled: str | None) -> tuple[str, ...] | None:
    """A scalar as one text, a flow list as several; None for another spelling."""
    if not spelled:
        return ()
    if _PLAIN.fullmatch(spelled):
        return (spelled,)
    if _QUOTED.fullmatch(spelled):
        return (spelled[1:-1] if "\\" not in spelled else json.loads(spelled),)
    if _LIST.fullmatch(spelled):
        return tuple(quoted or plain for quoted, plain in _ITEM.findall(spelled))
    return None


def _checked(fields: dict[str, tuple[str, ...]], applies_to: AppliesTo, body: str) -> Skimmed | None:
    one = {key: values[0] if len(values) == 1 else "" for key, values in fields.items()}
    status, category = one.get("status", "active"), one.get("category", "")
    entry_id, title = one.get("id", "").upper(), one.get("title", "")
    if not is_ulid(entry_id) or not title.strip() or status not in STATUSES:
        return None
    supersedes = tuple(old.upper() for old in fields.get("supersedes", ()))
    return Skimmed(
        entry_id,
        title,
        fields.get("tags", ()),
        category,
        applies_to,
        fields.get("outcomes", ()),
        supersedes,
        status,
        body,
        _action(body),
    )


def _action(body: str) -> str:
    """The text under `## Action`, as `parse_entry` cuts it."""
    told: list[str] = []
    inside = False
    for part in f"\n{body}".split("\n## "):
        heading, _, text = part.partition("\n")
        name = heading.lstrip(" ").rstrip(" \t").lower()
        if name in SECTIONS:
            inside = name == "action"
            told += [text] if inside else []
        elif inside:
            told.append(part)
    return "\n".join(told).strip()
