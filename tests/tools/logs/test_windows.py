"""Windows of time as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tools.errors import InvalidInput
from tools.logs.windows import parse_window

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("2h", "24 12:30", "24 14:30"),
        ("the last 45 minutes", "24 13:45", "24 14:30"),
        ("1h30m", "24 13:00", "24 14:30"),
        ("last hour", "24 13:30", "24 14:30"),
        ("since 09:00", "24 09:00", "24 14:30"),
        ("since 16:00", "23 16:00", "24 14:30"),
        ("since yesterday 22:00", "23 22:00", "24 14:30"),
        ("09:00-10:30", "24 09:00", "24 10:30"),
        ("between 09:00 and 10:00", "24 09:00", "24 10:00"),
        ("23:30 to 00:30", "23 23:30", "24 00:30"),
        ("yesterday", "23 00:00", "24 00:00"),
        ("yesterday 09:00-10:00", "23 09:00", "23 10:00"),
        ("today", "24 00:00", "24 14:30"),
        ("around 14:05", "24 13:55", "24 14:15"),
        ("2026-11-23", "23 00:00", "24 00:00"),
        ("2026-11-24T13:00:00Z", "24 13:00", "24 14:30"),
        ("2026-11-23T23:30:00+02:00 to 2026-11-24T01:00:00+02:00", "23 21:30", "23 23:00"),
        ("2026-11-22..2026-11-23", "22 00:00", "23 00:00"),
    ],
)
def test_what_people_say_is_understood(said: str, start: str, end: str):
    window = parse_window(said, NOW)
    assert (window.start.strftime("%d %H:%M"), window.end.strftime("%d %H:%M")) == (start, end)


@pytest.mark.parametrize(
    "said", ["in a while", "", "h", "99:00", "tomorrow", "-2h", "15:00 to 99:00", "2026-13-01"]
)
def test_what_is_no_window_is_refused_with_examples(said: str):
    with pytest.raises(InvalidInput, match="no window") as caught:
        parse_window(said, NOW)
    assert "since 09:00" in caught.value.hint


def test_a_window_that_lies_ahead_or_is_too_long_is_refused():
    with pytest.raises(InvalidInput, match="lies ahead"):
        parse_window("2026-11-25 to 2026-11-26", NOW)
    with pytest.raises(InvalidInput, match="at most 1 d"):
        parse_window("3d", NOW, longest=timedelta(days=1))
    with pytest.raises(InvalidInput, match="at most"):
        parse_window("999999w", NOW, longest=timedelta(days=1))
