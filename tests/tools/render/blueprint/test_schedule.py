"""Cron schedules: when they fired last, and how close together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tools.errors import InvalidInput
from tools.render.blueprint.schedule import Schedule

NOW = datetime(2026, 11, 24, 9, 7, tzinfo=UTC)
"""A Tuesday."""


@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ("*/15 * * * *", "2026-11-24 09:00"),
        ("20 3 * * *", "2026-11-24 03:20"),
        ("7 9 * * *", "2026-11-24 09:07"),
        ("8 9 * * *", "2026-11-23 09:08"),
        ("0 6 * * MON-FRI", "2026-11-24 06:00"),
        ("0 6 * * 7", "2026-11-22 06:00"),
        ("0 0 1 * *", "2026-11-01 00:00"),
        ("0 0 31 * *", "2026-10-31 00:00"),
        ("0 0 1 * mon", "2026-11-23 00:00"),
        ("30 4 29 2 *", None),
        ("5/20 8-9 * jan,nov *", "2026-11-24 09:05"),
    ],
)
def test_the_latest_turn(text: str, latest: str | None) -> None:
    found = Schedule.parse(text).latest(NOW)
    assert [f"{one:%Y-%m-%d %H:%M}" for one in found] == ([latest] if latest else [])


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("*/15 * * * *", timedelta(minutes=15)),
        ("0 6,18 * * *", timedelta(hours=12)),
        ("0,50 * * * *", timedelta(minutes=10)),
        ("0 6 * * *", timedelta(days=1)),
        ("30 4 29 2 *", None),
    ],
)
def test_the_shortest_gap(text: str, gap: timedelta | None) -> None:
    assert Schedule.parse(text).shortest_gap(NOW) == gap


@pytest.mark.parametrize(
    "text",
    ["", "@daily", "* * * *", "60 * * * *", "* 5-3 * * *", "*/0 * * * *", "* * * foo *", "1-2-3 * * * *"],
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(InvalidInput):
        Schedule.parse(text)
