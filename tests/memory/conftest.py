"""A fixed moment, a fresh bank, and drafts to put into it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory import Bank, Draft

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path / "bank")


@pytest.fixture
def draft() -> Draft:
    return Draft(
        title="Timeline query: index on patient_clinical_events",
        category="database-optimizations",
        action="Created an index on (profile_id, occurred_at desc) concurrently.",
        result="p95 of the timeline fell from 820 ms to 14 ms.",
        tags=("index", "timeline"),
        applies_to={"service": "postgres", "table": "patient_clinical_events"},
    )
