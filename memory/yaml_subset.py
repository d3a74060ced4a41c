"""The small part of YAML that front matter is written in.

Reading is liberal: plain, 'single' and "double" quoted scalars (also folded over lines), flow lists and maps,
block lists and maps, comments. Every scalar stays text; nothing becomes a number, a date or a boolean behind
the author's back (`no` is not False, `1.10` is not 1.1). Anchors, tags and block scalars (`|`, `>`) are
refused with the line number.

Writing is strict: a scalar stands plain only if every YAML reader takes it for that very string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from memory.errors import InvalidEntry

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

_KEY = re.compile(r"""(?:([A-Za-z_][\w.-]*)|"([^"\\]*)"|'([^']*)')\s*:(?=\s|$)""")
_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./()+ -]*[A-Za-z0-9_./()+-])?")
# What YAML 1.1 or 1.2 readers resolve to something other than a string.
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"})
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_FLOW_PLAIN = re.compile(r"[^,\[\]{}]*?(?=\s*(?:[,\[\]{}]|:\s|\s#|$))")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_MUST_ESCAPE = re.compile('[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff"\\\\]')
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


class Line(NamedTuple):
    """One line that is neither blank nor only a comment."""

    number: int
    indent: int
    text: str


def quote(text: str) -> str:
    """`text` as one YAML scalar on one line, quoted whenever a reader could take it for anything else."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _RESERVED:
        return text
    return '"' + _MUST_ESCAPE.sub(_escape, text) + '"'


def quote_key(text: str) -> str:
    """`text` as a key: plain when it is one word, else in double quotes."""
    return text if _KEY.fullmatch(f"{text}:") and text.casefold() not in _RESERVED else f'"{text}"'


def quote_list(texts: Sequence[str]) -> str:
    """A flow list: `[a, "b: c"]`."""
    return "[" + ", ".join(quote(text) for text in texts) + "]"


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"


def to_lines(texts: Sequence[str], first_number: int) -> list[Line]:
    """Lines that carry meaning, with their number and indentation in spaces."""
    lines: list[Line] = []
    for number, text in enumerate(texts, first_number):
        stripped = text.strip()
        if not stripped or stripped.startswith("#"):
            continue
        indent = len(text) - len(text.lstrip(" "))
        if text[indent] == "\t":
            raise InvalidEntry(f"Line {number} is indented with a tab; YAML wants spaces.")
        lines.append(Line(number, indent, stripped))
    return lines


def parse_mapping(lines: list[Line]) -> dict[str, Value]:
    """The mapping that `lines` spell. `lines` is consumed. InvalidEntry names the line that does not fit."""
    if not lines:
        return {}
    mapping, at = _mapping(lines, 0, lines[0].indent)
    if at < len(lines):
        raise InvalidEntry(f"Line {lines[at].number} does not fit the indentation above it.")
    return mapping


def _node(lines: list[Line], at: int) -> tuple[Value, int]:
    line = lines[at]
    if _is_item(line.text):
        return _sequence(lines, at, line.indent)
    if _KEY.match(line.text):
        return _mapping(lines, at, line.indent)
    return _scalar(line.text, lines, at, line.indent - 1)


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _sequence(lines: list[Line], at: int, indent: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    while at < len(lines) and lines[at].indent == indent and _is_item(lines[at].text):
        line = lines[at]
        rest = _COMMENT.sub("", line.text[1:]).lstrip() and line.text[1:].lstrip()
        if not rest:
            value, at = _nested(lines, at, indent)
        elif _KEY.match(rest):
            # The mapping begins on the dash's own line: its indentation is where its first key stands.
            lines[at] = Line(line.number, indent + len(line.text) - len(rest), rest)
            value, at = _mapping(lines, at, lines[at].indent)
        else:
            value, at = _scalar(rest, lines, at, indent)
        items.append(value)
    return items, at


def _mapping(lines: list[Line], at: int, indent: int) -> tuple[dict[str, Value], int]:
    mapping: dict[str, Value] = {}
    while at < len(lines) and lines[at].indent == indent:
        line = lines[at]
        match = _KEY.match(line.text)
        if match is None:
            if _is_item(line.text):
                break
            raise InvalidEntry(f"Line {line.number} is not `key: value`.")
        key = match.group(1) or match.group(2) or match.group(3) or ""
        if key in mapping:
            raise InvalidEntry(f"Line {line.number} gives the key '{key}' a second time.")
        rest = line.text[match.end() :].strip()
        if rest and not rest.startswith("#"):
            mapping[key], at = _scalar(rest, lines, at, indent)
        elif at + 1 < len(lines) and lines[at + 1].indent == indent and _is_item(lines[at + 1].text):
            mapping[key], at = _sequence(lines, at + 1, indent)
        else:
            mapping[key], at = _nested(lines, at, indent)
    return mapping, at


def _nested(lines: list[Line], at: int, indent: int) -> tuple[Value, int]:
    if at + 1 < len(lines) and lines[at + 1].indent > indent:
        return _node(lines, at + 1)
    return None, at + 1


def _scalar(first: str, lines: list[Line], at: int, indent: int) -> tuple[Value, int]:
    """An inline value and the deeper lines that it is folded over."""
    number = lines[at].number
    parts = [first]
    at += 1
    while at < len(lines) and lines[at].indent > indent:
        parts.append(lines[at].text)
        at += 1
    return inline(_fold(parts), number), at


def _fold(parts: list[str]) -> str:
    if parts[0][0] not in "\"'[{":
        return " ".join(_COMMENT.sub("", part).strip() for part in parts)
    folded = parts[0]
    for part in parts[1:]:
        # In double quotes a backslash at the end of the line swallows the line break.
        folded = folded[:-1] + part if folded.endswith("\\") and folded[0] == '"' else f"{folded} {part}"
    return folded


def inline(text: str, number: int) -> Value:
    """The value of one (folded) line: a scalar, a flow list or a flow map."""
    if text[0] in "|>":
        raise InvalidEntry(
            f"Line {number} uses a block scalar ('{text[0]}'); write the text on one quoted line."
        )
    if text[0] in "&*!%@`":
        raise InvalidEntry(f"Line {number} starts with '{text[0]}'; put the value in double quotes.")
    if text[0] not in "\"'[{":
        return _null(_COMMENT.sub("", text).strip())
    value, end = _flow(text, 0, number)
    if _COMMENT.sub("", text[end:]).strip():
        raise InvalidEntry(f"Line {number} has text after the closing quote or bracket.")
    return value


def value_end(text: str) -> int:
    """Where the quoted or bracketed value at the start of `text` ends; its length when it goes on below."""
    try:
        return _flow(text, 0, 0)[1]
    except InvalidEntry:
        return len(text)


def _null(text: str) -> str | None:
    return None if text in ("", "~", "null") else text


def _flow(text: str, at: int, number: int) -> tuple[Value, int]:
    opening = text[at : at + 1]
    if opening == "[":
        return _flow_list(text, at + 1, number)
    if opening == "{":
        return _flow_map(text, at + 1, number)
    if opening in ('"', "'"):
        match = (_DOUBLE if opening == '"' else _SINGLE).match(text, at)
        if match is None:
            raise InvalidEntry(f"Line {number} opens a quote that is never closed.")
        inner = match.group(1)
        return (_unescape(inner, number) if opening == '"' else inner.replace("''", "'")), match.end()
    match = _FLOW_PLAIN.match(text, at)
    if match is None:
        raise InvalidEntry(f"Line {number} has a list or map that cannot be read.")
    return _null(match.group().strip()), match.end()


def _flow_list(text: str, at: int, number: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return items, at + 1
        item, at = _flow(text, at, number)
        items.append(item)
        at = _separator(text, at, "]", number)


def _flow_map(text: str, at: int, number: int) -> tuple[dict[str, Value], int]:
    mapping: dict[str, Value] = {}
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return mapping, at + 1
        key, at = _flow(text, at, number)
        at = _skip(text, at)
        if not isinstance(key, str) or text[at : at + 1] != ":":
            raise InvalidEntry(f"Line {number} has a map entry that is not `key: value`.")
        mapping[key], at = _flow(text, _skip(text, at + 1), number)
        at = _separator(text, at, "}", number)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _separator(text: str, at: int, closing: str, number: int) -> int:
    at = _skip(text, at)
    found = text[at : at + 1]
    if found == ",":
        return at + 1
    if found != closing:
        raise InvalidEntry(f"Line {number} has a list or map that is never closed with '{closing}'.")
    return at


def _unescape(text: str, number: int) -> str:
    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) > 1:
            point = int(code[1:], 16)
            if point > 0x10FFFF:
                raise InvalidEntry(f"Line {number} escapes a character that does not exist (\\{code}).")
            return chr(point)
        if code not in _ESCAPES:
            raise InvalidEntry(f"Line {number} has the unknown escape '\\{code}' in double quotes.")
        return _ESCAPES[code]

    return _ESCAPE.sub(one, text)


def block_items(items: Sequence[Mapping[str, str]], indent: int) -> list[str]:
    """Block list lines (without line ends) of maps whose values are already rendered scalars."""
    lines: list[str] = []
    for item in items:
        for position, (key, rendered) in enumerate(item.items()):
            lines.append(" " * indent + ("- " if position == 0 else "  ") + f"{key}: {rendered}")
    return lines
