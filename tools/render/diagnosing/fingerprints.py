"""Log lines that say the same, and the part of a line that may be shown.

A log line is a stranger's text and may name a patient. What is shown of it are words of the trade: numbers,
ids, quoted texts and values after `=` are left out, and so is everything that could be a name.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 170
_READ: Final = 2_000
"""Characters of one line that are looked at; a stack trace in one line is longer."""
_ANSI: Final = re.compile(r"\x1b\[[0-9;]{0,12}[A-Za-z]")
_LEADING: Final = re.compile(
    r"^\s*(?:\[?\d{4}-\d\d-\d\d[T ][\d:.,]{5,15}(?:Z|\s?[+-]\d\d:?\d\d)?\]?\s*|\[\d{1,9}\]\s*"
    r"|[DIWEF], (?:\[[^\]]{0,40}\]\s{0,3})?(?=[A-Z]))+"
)
_STEPS: Final = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"), "<email>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "<ip>"),
    (re.compile(r"(https?://[\w.-]{1,200})[^\s\"')]{0,300}"), r"\1/..."),
    (re.compile(r"(?<![\w-])(?=[\w-]{0,40}\d)[0-9a-zA-Z]{1,12}(?:[-_][0-9a-zA-Z]{2,40}){1,6}(?![\w-])"), "<id>"),
    (re.compile(r"(?<!\w)(?=[0-9a-f]{0,40}\d)[0-9a-f]{8,64}(?!\w)", re.I), "<id>"),
)
_KNOWN_NUMBER: Final = re.compile(
    r"(?i)(?:\b(?:status(?: code)?|http(?:/\d\.\d)?|code|errno|exit(?:ed)?(?: with)?(?: status| code)?|signal)"
    r"[ :=#]{0,2}|[:\[]|\bE)(\d{1,5})\b|\b(4\d\d|5\d\d) (?=[A-Z][a-z])"
)
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_QUOTED: Final = re.compile(r"'([^'\n]{0,300})'|\"([^\"\n]{0,300})\"|`([^`'\n]{0,300})[`']")
_NAMEABLE: Final = re.compile(r"@?[\w./:*\[\]@-]{1,120}")
_PAIR: Final = re.compile(r"\b([A-Za-z_][\w.-]{0,30})=(?!=)([^\s,;)\"']{1,200})")
_NAMES: Final = re.compile(r"(?<![\w.:/-])[A-ZÀ-Þ][a-zß-ÿ'’]{1,30}(?:[ -][A-ZÀ-Þ][a-zß-ÿ'’]{1,30}){1,3}(?![\w(:])")
_WHOM: Final = re.compile(
    r"\b((?:patient|person|member|child|user|name|by|for)\s{1,2})([A-ZÀ-Þ][a-zß-ÿ'’]{1,30}(?: [A-ZÀ-Þ][\w'’-]{1,30})*)"
)
_TRADE: Final = frozenset(
    """Access Active Address Agent Allocation Already Application Array Bad Bearer Body Booting Build Cache
    Cannot Certificate Channel Client Closed Code Command Connection Connections Content Could Database Denied
    Deploy Detected Dispatcher Early Entity Error Exception Exceeded Exhausted Exited Expired Failed Fatal Forbidden
    Found Gateway Has Heap Health Host Http Internal Invalid Job Key Large Life Limit Limits Link List Lock
    Many Max Memory Method Missing Module Network Not Object Open Operation Out Page Payload Permission Pool
    Port Query Queue Rate Reached Read Record Refused Reject Request Requests Required Reset Resource Response
    Retries Run Server Service Session Slots Socket Space Start Started Status Stream Table Temporarily
    Time Timed Timeout Token Too Type Unable Unauthorized Unavailable Unexpected Unhandled Unknown Unprocessable
    Upstream User Value Version Wait Was Worker Write""".split()
)
_PLAIN_KEYS: Final = frozenset(
    "status code errno level attempt attempts retries signal host type class queue state severity".split()
)


def fingerprint(message: str) -> str:
    """What lines that say the same have in common, at most 170 characters, fit to be shown."""
    text = _LEADING.sub("", _ANSI.sub("", message[:_READ])).strip()
    text = text.splitlines()[0] if text else ""
    for pattern, instead in _STEPS:
        text = pattern.sub(instead, text)
    text = _QUOTED.sub(_quoted, text)
    text = _PAIR.sub(_pair, text)
    text = _WHOM.sub(r"\1<name>", text)
    text = _NAMES.sub(_named, text)
    kept = {found.span(found.lastindex or 1) for found in _KNOWN_NUMBER.finditer(text)}
    text = _NUMBER.sub(lambda found: found[0] if found.span() in kept else "N", text)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _quoted(found: re.Match[str]) -> str:
    """A quoted text stays where it can only be a module, a file, a variable or a host."""
    value = found[1] or found[2] or found[3] or ""
    if _NAMEABLE.fullmatch(value) and not value[:1].isdigit():
        single = value[:1].isupper() and value[1:].islower()
        return "'<value>'" if single else f"'{value}'"
    return "'<value>'"


def _pair(found: re.Match[str]) -> str:
    plain = found[1].lower() in _PLAIN_KEYS or found[2].isdigit() or found[2].startswith("<")
    return found[0] if plain else f"{found[1]}=<value>"


def _named(found: re.Match[str]) -> str:
    words = re.split(r"[ -]", found[0])
    return found[0] if any(word in _TRADE for word in words) else "<name>"
