"""What of a log line may be shown. A line is a stranger's text and may hold a patient's values.

Shown are the program's own words, codes, ids, paths, stack frames and figures. What belongs to a person, or
is a capitalised word that no program says, becomes what `hide` makes of it: a pseudonym that is the same
wherever the value comes again. Every pattern is bounded: a line can be long and hostile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from tools.logs.words import AMBIGUOUS, KNOWN, PEOPLE, PERSONAL, PRINCIPAL, RECORDS, STRONG
from tools.redaction import Redactor

Hide = Callable[[str, str], str]
"""Makes what stands in the place of a value: (kind, value) -> text."""
LONGEST: Final = 2_000
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_OURS: Final = re.compile(r"<[a-z-]{2,20}(?::[0-9a-f]{8})?>")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ID: Final = re.compile(r"[-\w]{0,60}\d[-\w]{0,60}|[0-9a-f-]{8,64}")
_ROLE: Final = re.compile(
    r"postgres|authenticator|anon|authenticated|service_role|root|supabase_\w{1,40}|\w{1,40}_admin"
)
_PAIR: Final = re.compile(
    r"(?<![\w.<-])(?P<key>[A-Za-z_][\w.-]{0,50})(?P<sep>[\"']?\s{0,2}(?:=|:)\s{0,2})"
    r"(?P<value>\"[^\"]{0,400}\"|'[^']{0,400}'|\([^()]{0,200}\)"
    r"|(?![\w.-]{1,50}[\"']?\s{0,2}[=:])[^\s,;|)\]}\"'&]{1,200})"
    r"(?P<more>(?: (?![\w.-]{1,50}[\"']?\s{0,2}[=:])[^\s,;|)\]}\"'&=]{1,60}){0,6})"
)
_PARAMETER: Final = re.compile(r"(\$\d{1,3} = )'([^']{0,400})'")
_SQL: Final = re.compile(r"\b(?:select|insert into|update|delete from|where|values)\b", re.IGNORECASE)
_LITERAL: Final = re.compile(r"(?<!\w)'([^']{1,400})'(?!\w|\s?=)")
_DATE: Final = re.compile(
    r"(?<![\w/.-])(?:\d{4}-\d\d-\d\d(?![T ]?\d\d?:\d|\d)|\d{1,2}[/.]\d{1,2}[/.](?:19|20)\d\d)(?![\w/-])"
)
_DIGITS: Final = re.compile(r"(?<![\w.:-])(?!1[5-9]\d{8}(?!\d))\d{9,12}(?![\w.:-])")
_IP: Final = re.compile(r"(?<![\w.])(?<!connect )(?<!to )(?<!on )(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_INNER: Final = re.compile(r"(?:10|127|0)\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.")
_REFUSED: Final = re.compile(r"(?:E[A-Z]{4,20}|connect|listen|bind)\W{1,2}$")
_DOCUMENT: Final = re.compile(
    r"[\w%+'-][\w%+.'-]{0,120}\.(pdf|png|jpe?g|tiff?|docx?|xlsx?|csv|dcm|heic|rtf|odt|mp4|mov|wav|m4a|hl7|eml|zip)\b",
    re.IGNORECASE,
)
_QUERY: Final = re.compile(r"(?<=[\w/*>])\?((?:[\w.\[\]%-]{1,60}=[^\s&\"']{0,300}&?){1,30})")
_VALUE: Final = re.compile(r"=(?!(?:eq|neq|is|in|gt|gte|lt|lte)\.?(?:null|true|false)?(?:&|$))([^&]{1,300})")
_PATH: Final = re.compile(r"(?<![\w.])/(?:[\w%~+.@:'-]{1,120}/?){1,20}")
_CODE: Final = re.compile(r"\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|php|ex|exs|cs|so|cc?|cpp|h|vue|svelte)\b")
_NUMBERED: Final = re.compile(r"[\w.:-]{0,60}\d[\w.:-]{0,60}")
_IDENTIFIER: Final = re.compile(r"\d{1,8}|[0-9a-f]{8,64}|[a-z]{2,5}[-_](?=[A-Za-z]{0,40}\d)[0-9A-Za-z]{6,40}")
_QUOTED: Final = re.compile(r"\"([^\"\n]{2,300})\"|'([^'\n]{2,300})'|`([^`\n]{2,300})`")
_SMALL: Final = re.compile(r"[^\W\d_][\w'’-]{0,40}(?: [^\W\d_][\w'’-]{0,40}){1,4}")
_AFTER: Final = re.compile(
    rf"(?i:\b({'|'.join(PEOPLE)})\b(\.?(?: named| called)? ))"
    r"(?P<v>[^\W\d_][\w'’-]{1,30}(?: [^\W\d_][\w'’-]{1,30})?)(?![\w.:/=-])"
)
_RUN: Final = re.compile(
    r"(?<![\w/\\@#$<.-])(?<!\w:)[^\W\d_][\w'’]{0,40}"
    r"(?:(?: |-|\.|(?<=[A-Z])\. )[^\W\d_][\w'’]{0,40}){0,8}"
)
_WORD: Final = re.compile(r"[^\W\d_][\w'’]{0,40}")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DEEPEST: Final = 4
_INNOCENT: Final = (".id", ".uuid", ".count", "_id", "_count")
_MESSAGE: Final = ("message", "msg", "event", "error", "err")


def veil(line: str, hide: Hide, shapes: Redactor) -> str:
    """The line as it may be shown; `shapes` finds what shows itself by its form (keys, e-mail, phone ...)."""
    text = _ANSI.sub("", line[:LONGEST]).strip("\n")
    if text.startswith("{") and (found := _parsed(text)) is not None:
        return _fields(found, hide, shapes)
    return _prose(text, hide, shapes)


def veil_path(path: str, hide: Hide, shapes: Redactor) -> str:
    """The path of a request: who it is about and what was asked for is hidden, ids and routes stay."""
    path = _QUERY.sub(lambda found: _asked(found, hide), shapes.text(path[:LONGEST]))
    path = _DOCUMENT.sub(lambda found: f"{hide('file', found[0])}.{found[1].lower()}", path)
    return _segments(path, hide)


def _prose(text: str, hide: Hide, shapes: Redactor) -> str:
    text = shapes.text(text)
    text = _PARAMETER.sub(lambda found: found[1] + _kept("value", found[2], hide), text)
    text = _PAIR.sub(lambda found: _pair(found, hide), text)
    if _SQL.search(text):
        text = _LITERAL.sub(lambda found: _kept("value", found[1], hide), text)
    text = _DATE.sub(lambda found: hide("date", found[0]), text)
    text = _DIGITS.sub(lambda found: hide("number", found[0]), text)
    text = _IP.sub(lambda found: _address(found, hide), text)
    text = _QUERY.sub(lambda found: _asked(found, hide), text)
    text = _DOCUMENT.sub(lambda found: f"{hide('file', found[0])}.{found[1].lower()}", text)
    text = _PATH.sub(lambda found: _segments(found[0], hide), text)
    text = _QUOTED.sub(lambda found: _quoted(found, hide), text)
    text = _AFTER.sub(lambda found: _after(found, hide), text)
    return _RUN.sub(lambda found: _names(found, hide), text)


def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]  JSON


def _fields(value: Mapping[str, Any], hide: Hide, shapes: Redactor) -> str:
    """A line of JSON as its message and `key=value`; a nested key is written with dots."""
    flat = dict(_flattened(value, ""))
    said = next((key for key in _MESSAGE if isinstance(flat.get(key), str)), None)
    parts = [_prose(str(flat.pop(said)), hide, shapes)] if said else []
    for key, item in flat.items():
        if item is None or isinstance(item, bool):
            shown = json.dumps(item)
        elif _is_personal(key) or (PRINCIPAL.search(key) and not _is_technical(str(item))):
            shown = _kept("value", str(item), hide)
        else:
            shown = _prose(str(item), hide, shapes)
        parts.append(f"{key}={shown}")
    return " ".join(parts)


def _flattened(value: Mapping[str, Any], before: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, item in value.items():
        name = f"{before}.{key}" if before else str(key)
        if isinstance(item, Mapping) and name.count(".") < _DEEPEST:
            found.extend(_flattened(cast("Mapping[str, Any]", item), name))
        else:
            found.append((name, cast("object", item)))
    return found


def _is_personal(key: str) -> bool:
    """Any part of a dotted key: `patient.name` is the patient's."""
    snake = _HUMP.sub("_", key).lower()
    if snake.endswith(_INNOCENT):
        return False
    return PERSONAL.search(snake) is not None or any(STRONG.search(part) for part in snake.split("."))


def _is_technical(value: str) -> bool:
    """An id, a database role, an error's name, or words of programs."""
    words = re.split(r"[\s._/:-]+", value.lower())
    return (
        _ID.fullmatch(value) is not None
        or _ROLE.fullmatch(value) is not None
        or value.endswith(("Error", "Exception"))
        or all(word in KNOWN for word in words)
    )


def _pair(found: re.Match[str], hide: Hide) -> str:
    key, sep, value, more = found["key"], found["sep"], found["value"], found["more"]
    quoted, assigned = value[0] in "\"'(", "=" in sep
    inner, end = (value[1:-1], value[-1]) if quoted else (value, "")
    snake = _HUMP.sub("_", key)
    if _is_personal(key) and (assigned or quoted or sep.startswith(('"', "'")) or STRONG.search(snake)):
        if assigned and not quoted:
            inner, more = inner + more, ""
        return key + sep + (value[0] if quoted else "") + _kept("value", inner, hide) + end + more
    if PRINCIPAL.search(snake) and (assigned or quoted) and not _is_technical(inner):
        return key + sep + (value[0] if quoted else "") + _kept("name", inner, hide) + end + more
    return found[0]


def _kept(kind: str, value: str, hide: Hide) -> str:
    """Hidden, unless it is hidden already or says nothing."""
    value = value.strip()
    if not value or value in {"null", "None", "undefined", "true", "false", "*"}:
        return value
    ours = _OURS.search(value)
    return ours[0] if ours else hide(kind, value)


def _address(found: re.Match[str], hide: Hide) -> str:
    before = found.string[max(0, found.start() - 24) : found.start()]
    if _INNER.match(found[0]) or _REFUSED.search(before):
        return found[0]
    return hide("ip", found[0])


def _asked(found: re.Match[str], hide: Hide) -> str:
    return "?" + _VALUE.sub(lambda value: "=" + ("*" if not _OURS.search(value[1]) else value[1]), found[1])


def _segments(whole: str, hide: Hide) -> str:
    path, mark, asked = whole.partition("?")
    if _CODE.search(path) or "node_modules" in path:
        return whole
    parts, shown = path.split("/"), list[str]()
    for number, part in enumerate(parts):
        about = number > 0 and parts[number - 1].lower() in RECORDS
        ids = _IDENTIFIER if about else _NUMBERED
        plain = not part or _OURS.search(part) or _UUID.fullmatch(part) or ids.fullmatch(part)
        capital = part[:1].isupper() and part.lower() not in KNOWN
        strange = "%" in part or "'" in part or "@" in part or capital
        if (about and not plain and part.lower() not in KNOWN) or (strange and not plain):
            part = hide("name", part)
        shown.append(part)
    return "/".join(shown) + mark + asked


def _quoted(found: re.Match[str], hide: Hide) -> str:
    """Several words in small letters in quotes are a value, unless they are all a program's."""
    inner = found[1] or found[2] or found[3]
    small = _SMALL.fullmatch(inner) is not None and inner == inner.lower()
    if small and any(word not in KNOWN for word in inner.split()):
        return found[0][0] + hide("text", inner) + found[0][-1]
    return found[0]


def _after(found: re.Match[str], hide: Hide) -> str:
    """`for patient maria gonzalez`: behind such a word, words that no program says are a name."""
    words = found["v"].split()
    known = [word.lower() in KNOWN or not word.isalpha() or _ROLE.fullmatch(word) for word in words]
    if known[0] or not found["v"].islower():
        return found[0]
    name = words[0] if known[-1] else found["v"]
    return found[1] + found[2] + hide("name", name) + found["v"][len(name) :]


def _names(found: re.Match[str], hide: Hide) -> str:
    """Runs of capitalised words: those that no program says are hidden, as one where they stand together."""
    text, shown, last, run = found[0], list[str](), 0, list[re.Match[str]]()
    words = list(_WORD.finditer(text))
    foreign = [_foreign(word[0], found, word) for word in words]
    for number, word in enumerate(words):
        before, after = number > 0 and foreign[number - 1], number + 1 < len(words) and foreign[number + 1]
        title = word[0].istitle() and (len(word[0]) == 1 or word[0].isalpha())
        doubtful = title and (before or (after and word[0].lower() in AMBIGUOUS))
        if not foreign[number] and not doubtful:
            last = _flush(text, run, shown, last, hide)
            continue
        foreign[number] = True
        run.append(word)
    last = _flush(text, run, shown, last, hide)
    return "".join(shown) + text[last:]


def _flush(text: str, run: list[re.Match[str]], shown: list[str], last: int, hide: Hide) -> int:
    if not run:
        return last
    start, end = run[0].start(), run[-1].end()
    shown += [text[last:start], hide("name", text[start:end])]
    run.clear()
    return end


def _foreign(word: str, run: re.Match[str], at: re.Match[str]) -> bool:
    """Whether a word could be a person's name: capitalised, and said by no program."""
    after = run.string[run.start() + at.end() : run.start() + at.end() + 2]
    bare = re.sub(r"['’](?:s|t|re|ve|ll|d|m)$", "", word)
    if not bare.isascii() and not bare.islower():
        return True
    if (
        not bare[0].isupper()
        or len(bare) == 1
        or bare.lower() in KNOWN
        or any(c.isdigit() or c == "_" for c in bare)
    ):
        return False
    if after[:1] in {"(", "/", "_"} or (after[:1] == "=" and bare.isupper()):
        return False
    if bare.isupper():
        return not (bare.startswith(("E", "SIG", "ERR")) and len(bare) > 4)
    inner = sum(char.isupper() for char in bare[1:])
    camel = inner > 0 and not re.match(r"(?:Mc|Mac|O['’]|D['’]|De|Di|Van|Le|La|Fitz)[A-Z]", bare)
    return not camel and not bare.endswith(("Error", "Exception", "ing", "tion"))
