"""Figures, times and tables in the few words that fit a compact answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; a column that is empty in every row is left out."""
    cells = [[flat(value) for value in row] for row in rows]
    kept = [number for number, _ in enumerate(headings) if any(row[number] for row in cells)]
    lines = ["| " + " | ".join(headings[number] for number in kept) + " |", "|" + "---|" * len(kept)]
    lines += ["| " + " | ".join(row[number] for number in kept) + " |" for row in cells]
    return "\n".join(lines)


def flat(value: object) -> str:
    """One cell: line breaks and bars are made harmless, None is empty."""
    return "" if value is None else " ".join(str(value).split()).replace("|", "\\|")


def clipped(text: str, most: int) -> str:
    """The text, at most so long, with an ellipsis where it was cut."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def span(length: timedelta | float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `4 d`: the two largest units, below a day."""
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    parts: list[str] = []
    for unit, size in _UNITS:
        amount, seconds = divmod(seconds, size)
        if amount:
            parts.append(f"{amount} {unit}")
        if unit == "d" and amount >= 3:
            break
    return " ".join(parts[:2]) or "0 s"


def ago(moment: datetime | None, now: datetime) -> str:
    """`12 min ago`; empty where there is no time."""
    if moment is None:
        return ""
    return "just now" if now - moment < timedelta(seconds=5) else f"{span(now - moment)} ago"


def stamp(moment: datetime | None, now: datetime | None = None) -> str:
    """`2026-11-24 14:03:09` in UTC; without the day when that is today's."""
    if moment is None:
        return ""
    moment = moment.astimezone(UTC)
    same = now is not None and moment.date() == now.astimezone(UTC).date()
    return moment.strftime("%H:%M:%S" if same else "%Y-%m-%d %H:%M:%S")


def octets(amount: float | None) -> str:
    """1300000000 is 1.21 GiB, as plans count memory; None is empty."""
    if amount is None:
        return ""
    unit = "B"
    for unit in ("B", "KiB", "MiB", "GiB"):  # noqa: B007  it is used after the loop
        if abs(amount) < 1024:
            break
        amount /= 1024
    else:
        unit = "TiB"
    return f"{figure(amount)} {unit}"


def figure(amount: float | None) -> str:
    """Three significant digits: 0.0123, 1.23, 12.3, 1,230."""
    if amount is None:
        return ""
    if amount == 0 or abs(amount) >= 100:
        return f"{amount:,.0f}"
    return f"{amount:.3g}"


def percent(share: float | None) -> str:
    """0.1234 is 12.3 %; a trace of something is never 0 %."""
    if share is None:
        return ""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{share * 100:.3g} %" if share < 1 else f"{share * 100:.0f} %"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 service`, `7 services`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
