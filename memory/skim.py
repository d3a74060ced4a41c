"""What the index needs of an entry, read fast from the spelling that we write ourselves.

Anything else (folded values, flow maps, escapes, comments) is left to `memory.entry.parse_entry`; a file that is
skimmed though it does not parse is found by the index and then dropped when it is read for the answer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from memory.entry import STATUSES, Entry
from memory.ulid import is_ulid

_FIELD = re.compile(r"(  )?([a-z_]+):(?: (.*))?")
_OUTCOME = re.compile(r"  (?:- |  )(when|ref|result|note): (.*)")
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
    names: tuple[str, ...]
    notes: tuple[str, ...]
    supersedes: tuple[str, ...]
    status: str
    body: str


def skim(text: str) -> Skimmed | None:
    """The entry in `text`, or None when it is not in the plainest spelling."""
    if not text.startswith("---\n"):
        return None
    head, fence, body = text[4:].partition("\n---\n")
    if not fence or "\r" in text:
        return None
    fields: dict[str, tuple[str, ...]] = {}
    names: list[str] = []
    notes: list[str] = []
    key = ""
    for line in head.split("\n"):
        if key == "outcomes" and (outcome := _OUTCOME.fullmatch(line)):
            name, spelled = outcome.groups()
            if name != "note":
                continue
        elif found := _FIELD.fullmatch(line):
            indent, name, spelled = found.groups()
            if indent and key == "source":
                continue
            if indent and key != "applies_to":
                return None
            if not indent:
                key = name
                if key in fields:
                    return None
                fields[key] = ()
        else:
            return None
        values = _values(spelled)
        if values is None:
            return None
        if line[0] != " ":
            fields[key] = values
        elif key == "applies_to":
            names += values
        elif name == "note":
            notes += values
    return _checked(fields, tuple(names), tuple(notes), body)


def skimmed(entry: Entry) -> Skimmed:
    """The same of an entry that was parsed."""
    return Skimmed(
        entry.id,
        entry.title,
        entry.tags,
        tuple(name for names in entry.applies_to.values() for name in names),
        tuple(outcome.note for outcome in entry.outcomes),
        entry.supersedes,
        entry.status,
        "\n".join((entry.preamble, entry.context, entry.action, entry.result, entry.why)),
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


def _checked(
    fields: dict[str, tuple[str, ...]], names: tuple[str, ...], notes: tuple[str, ...], body: str
) -> Skimmed | None:
    one = {key: values[0] if len(values) == 1 else "" for key, values in fields.items()}
    status = one.get("status", "active")
    entry_id, title = one.get("id", "").upper(), one.get("title", "")
    if not is_ulid(entry_id) or not title.strip() or status not in STATUSES:
        return None
    supersedes = tuple(old.upper() for old in fields.get("supersedes", ()))
    return Skimmed(entry_id, title, fields.get("tags", ()), names, notes, supersedes, status, body)
