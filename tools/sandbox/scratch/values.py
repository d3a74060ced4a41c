"""Values of every type as text literals: the first is what a plain row gets, the rest are alternatives.

Everything follows from the seed, the column's name and the row's number, so that a run can be repeated.
Times are counted from the start of today, since conditions compare them with now().
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from tools.sandbox.scratch.hints import Hints
from tools.sandbox.scratch.shapes import Column


class Default:
    """The one mark for "what the column's DEFAULT gives"."""


DEFAULT: Final = Default()
Candidate: TypeAlias = str | Default | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value goes. `fresh`: no other row may have it (a key, or an exclusion constraint)."""

    column: Column
    number: int
    seed: str
    fresh: bool = False

    @property
    def label(self) -> str:
        """`given_name 17`."""
        return f"{self.column.name} {self.number}"

    @property
    def day(self) -> datetime:
        """A day of its own for fresh values, else today; two days apart so that ranges fit between."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return today + timedelta(days=2 * self.number if self.fresh else 0)


INTEGERS: Final = MappingProxyType(
    {"int2": 32000, "int4": 2_000_000_000, "int8": 2_000_000_000, "oid": 2**31}
)
TEXTS: Final = frozenset({"text", "varchar", "bpchar", "name", "citext"})
TIMES: Final = frozenset({"date", "timestamp", "timestamptz"})


def samples(place: Place, hints: Hints) -> list[str]:
    """Literals of the column's type, the plainest first. Never empty; those that do not fit are sorted out
    by the database."""
    column = place.column
    if column.labels and not column.element:
        return list(column.labels)
    if column.element:
        return _arrays(place, hints)
    if column.kind == "c":
        return [_composite(column, place)]
    if column.kind in ("r", "m"):
        return _ranges(place)
    return _plain(column.name_of_type, place, hints)


def _plain(type_name: str, place: Place, hints: Hints) -> list[str]:
    if type_name in TEXTS:
        return _texts(place, hints)
    if type_name in INTEGERS or type_name in ("numeric", "float4", "float8", "money"):
        return _numbers(type_name, place, hints)
    if type_name in TIMES:
        return _times(type_name, place, hints)
    if type_name in ("json", "jsonb"):
        return _documents(place, hints)
    made = _OTHERS.get(type_name)
    return made(place) if made else [*hints.strings, place.label, "1", ""]


def _texts(place: Place, hints: Hints) -> list[str]:
    column, number = place.column, place.number
    found = [place.label, *hints.texts(number)]
    found += [f"{column.name.lower()}-{number}", f"{column.name}{number}@example.org"]
    found += [f"https://example.org/{column.name}/{number}", f"/{column.name}/{number}"]
    found += [str(number), f"{number:010d}", f"+1555{number:07d}", f"#{number % 0xFFFFFF:06x}"]
    found += [place.label.upper().replace(" ", "_"), place.label.lower().replace(" ", "_"), "en", "EUR", ""]
    for length in hints.lengths():
        found += [_fitted(place, length), _fitted(place, length).upper(), str(number).zfill(length)[-length:]]
        if length in (32, 40, 64, 128):
            found.append(hashlib.sha512(place.label.encode()).hexdigest()[:length])
    if column.limit:
        found = [text if len(text) <= column.limit else _fitted(place, column.limit) for text in found]
    return found


def _fitted(place: Place, length: int) -> str:
    """A text of exactly this length that keeps rows apart as far as it can."""
    mark = _base36(place.number)
    return (place.column.name.lower()[: max(0, length - len(mark))] + mark)[-length:].ljust(length, "x")


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = "abcdefghijklmnopqrstuvwxyz0123456789"[digit] + text
        if not number:
            return text


def _numbers(type_name: str, place: Place, hints: Hints) -> list[str]:
    number = place.number
    if type_name in INTEGERS:
        plain = [str(number % INTEGERS[type_name])]
        near = [int(float(text)) for text in hints.numbers if abs(float(text)) < 2**62]
        if place.fresh:  # beyond a bound, and still another one for each row
            plain += [str(k + sign * number) for k in near for sign in (1, -1)]
        return (
            plain
            + [str(value) for k in near for value in (k, k + 1, k - 1)]
            + ["1", "0", "2", "10", "-1", "5", "20", "100"]
        )
    step = 1.0
    if place.column.precision:
        digits, scale = place.column.precision
        room = 10 ** max(0, digits - scale)
        step = 10.0 ** -min(scale, 3) if scale > 0 else 1.0
        plain = [f"{number % room}"] if digits > scale else [f"{number % 10**scale / 10**scale:.{scale}f}"]
    else:
        plain = [f"{number}"]
    spread = [float(text) for text in hints.numbers]
    if place.fresh:
        plain += [f"{k + sign * step * number:g}" for k in spread for sign in (1, -1)]
    middle = [f"{(a + b) / 2:g}" for a, b in pairwise(spread)]
    edges = [f"{value:g}" for k in spread for value in (k, k + step, k - step)]
    return plain + middle + edges + ["1", "0", "0.5", "10", "-1"]


def _times(type_name: str, place: Place, hints: Hints) -> list[str]:
    offsets = (-1, 0, 1, 2, 365, -365, -7300) if not place.fresh else (0, 1, -1, 2)
    dates = [_moment(type_name, place.day + timedelta(days=days)) for days in offsets]
    return [*dates, *_near_dates(hints)]


def _moment(type_name: str, moment: datetime) -> str:
    if type_name == "date":
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" + ("+00" if type_name == "timestamptz" else "")


def _near_dates(hints: Hints) -> list[str]:
    found: list[str] = []
    for text in hints.strings:
        try:
            moment = datetime.fromisoformat(text[:10])
        except ValueError:
            continue
        found += [text, f"{moment + timedelta(days=1):%Y-%m-%d}", f"{moment - timedelta(days=1):%Y-%m-%d}"]
    return found


def _documents(place: Place, hints: Hints) -> list[str]:
    words = hints.strings
    plain: list[object] = [1, place.label, list[str](), dict[str, str](), True]
    found: list[object] = [{}]
    if words:
        found += [dict.fromkeys(words, value) for value in plain]
    found += [dict.fromkeys(words, other) for other in words]
    found += [{word: value} for word in words for value in (*words, *plain[:4])]
    found += [[], [place.label], place.label, *words, 1, True, None]
    return list(dict.fromkeys(json.dumps(value) for value in found))


def _arrays(place: Place, hints: Hints) -> list[str]:
    column = place.column
    inner = Column(
        column.name, column.element, column.element, column.element_name, "b", True, labels=column.labels
    )
    if column.labels:
        elements = list(column.labels)
    else:
        named = hints.strings if column.element_name in TEXTS else ()
        elements = [*named, *_plain(column.element_name, Place(inner, place.number, place.seed), Hints())]
    quoted = ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in elements]
    found = ["{" + quoted[0] + "}"] if place.fresh else ["{}", "{" + quoted[0] + "}"]
    found += ["{" + text + "}" for text in quoted[1:4]]
    for length in dict.fromkeys([2, *(length for length in hints.lengths() if length <= 64)]):
        found.append("{" + ",".join(quoted[turn % len(quoted)] for turn in range(length)) + "}")
        found.append("{" + ",".join([quoted[0]] * length) + "}")
    return [*found, "{}"]


def _composite(column: Column, place: Place) -> str:
    """Fields of a composite type left empty, which is NULL for each of them."""
    return "(" + "," * (len(column.fields) - 1) + ")"


def _ranges(place: Place) -> list[str]:
    name = place.column.name_of_type
    number = place.number
    many = "{%s}" if place.column.kind == "m" else "%s"
    kind = name.replace("multirange", "range")
    if kind in ("int4range", "int8range", "numrange"):
        return [many % f"[{2 * number},{2 * number + 1})", many % "[0,1)", many % "(,)"]
    if kind in ("daterange", "tsrange", "tstzrange"):
        type_name = {"daterange": "date", "tsrange": "timestamp", "tstzrange": "timestamptz"}[kind]
        day, alone = place.day, Place(place.column, number, place.seed, fresh=True).day
        spans = [(alone, alone + timedelta(days=1)), (day, day + timedelta(days=1))]
        made = [f'["{_moment(type_name, a)}","{_moment(type_name, b)}")' for a, b in spans]
        return [*(many % text for text in made), many % "(,)"]
    return ["{}"] if place.column.kind == "m" else ["(,)", "empty"]


def unique_id(seed: str, name: str, number: int) -> str:
    """A version 4 uuid that follows from the seed."""
    digest = hashlib.sha256(f"{seed}/{name}/{number}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _bits(place: Place) -> list[str]:
    found = place.column.stored.partition("(")[2].rstrip(")")
    length = int(found) if found.isdigit() else 1
    return [f"{place.number % 2**length:0{length}b}", "0" * length, "1" * length]


def _hours(place: Place) -> list[str]:
    minute = place.number % 1440 if place.fresh else 540
    return [f"{minute // 60:02d}:{minute % 60:02d}:00", "09:00:00", "10:00:00", "17:00:00", "00:00:00"]


def _addresses(place: Place) -> list[str]:
    number = place.number
    return [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", "192.0.2.1"]


_OTHERS: Final[Mapping[str, Callable[[Place], list[str]]]] = {
    "uuid": lambda place: [unique_id(place.seed, place.column.name, place.number)],
    "bool": lambda place: ["false", "true"],
    "time": _hours,
    "timetz": lambda place: [f"{text}+00" for text in _hours(place)],
    "interval": lambda place: [f"{place.number} minutes" if place.fresh else "1 day", "1 hour", "0"],
    "bytea": lambda place: ["\\x" + place.label.encode().hex(), "\\x", "\\x" + "00" * 32],
    "bit": _bits,
    "varbit": lambda place: [f"{place.number:b}"],
    "inet": _addresses,
    "cidr": _addresses,
    "macaddr": lambda place: [f"0200{place.number:08x}"],
    "macaddr8": lambda place: [f"0200{place.number:012x}"],
    "xml": lambda place: [f"<a>{place.number}</a>"],
    "tsvector": lambda place: [f"'{place.column.name}' '{place.number}'"],
    "tsquery": lambda place: [f"'{place.number}'"],
    "point": lambda place: [f"({place.number},0)"],
    "line": lambda place: ["{1,-1,0}"],
    "lseg": lambda place: [f"[(0,0),({place.number},1)]"],
    "box": lambda place: [f"({2 * place.number + 1},1),({2 * place.number},0)"],
    "path": lambda place: ["((0,0),(1,1))"],
    "polygon": lambda place: ["((0,0),(1,0),(1,1))"],
    "circle": lambda place: [f"<({3 * place.number},0),1>"],
    "pg_lsn": lambda place: [f"0/{place.number:X}"],
    "char": lambda place: ["a", "b"],
    "hstore": lambda place: [f'"k"=>"{place.number}"'],
    "ltree": lambda place: [f"top.n{place.number}"],
    "jsonpath": lambda place: ["$"],
    "regclass": lambda place: ["pg_catalog.pg_class"],
    "xid": lambda place: ["3"],
    "txid_snapshot": lambda place: ["10:20:10,14,15"],
    "pg_snapshot": lambda place: ["10:20:10,14,15"],
}
