"""The plain functions of ClickHouse that log queries use."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

STAMP: Final = "%Y-%m-%dT%H:%M:%S.%f"
STARTS: Final = {
    "tostartofminute": 60,
    "tostartoffiveminutes": 300,
    "tostartoffifteenminutes": 900,
    "tostartofhour": 3600,
    "tostartofday": 86400,
}


def floor(text: Any, seconds: int) -> str:
    """The start of the step that a time lies in."""
    moment = datetime.strptime(str(text), STAMP)  # noqa: DTZ007  # the log's times are UTC without saying so
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    whole = int((moment - start).total_seconds() // seconds) * seconds
    return (start + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")


def _match(text: Any, pattern: Any) -> bool:
    return re.search(str(pattern), str(text)) is not None


def _lower(text: Any) -> str:
    return str(text).lower()


def _upper(text: Any) -> str:
    return str(text).upper()


def _length(text: Any) -> int:
    return len(str(text))


def _substring(text: Any, start: Any, many: Any = 1_000_000) -> str:
    return str(text)[int(start) - 1 : int(start) - 1 + int(many)]


def _position(text: Any, part: Any) -> int:
    return str(text).find(str(part)) + 1


def _starts(text: Any, part: Any) -> bool:
    return str(text).startswith(str(part))


def _whole(text: Any) -> int:
    return int(text) if re.fullmatch(r"[-+]?\d+", str(text)) else 0


def _number(text: Any) -> float:
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d+)?", str(text)) else 0.0


def _if(test: Any, yes: Any, no: Any) -> Any:
    return yes if test else no


def _first(*each: Any) -> Any:
    return next((one for one in each if one is not None), None)


def _round(number: Any, digits: Any = 0) -> float:
    return round(float(number), int(digits))


def _moment(text: Any) -> str:
    return str(text).replace(" ", "T").removesuffix("Z")


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "match": _match,
    "lower": _lower,
    "upper": _upper,
    "length": _length,
    "substring": _substring,
    "position": _position,
    "startswith": _starts,
    "tostring": str,
    "toint32orzero": _whole,
    "toint64orzero": _whole,
    "touint32orzero": _whole,
    "tofloat64orzero": _number,
    "if": _if,
    "coalesce": _first,
    "round": _round,
    "todatetime": _moment,
    "todatetime64": _moment,
    "parsedatetimebesteffort": _moment,
}
