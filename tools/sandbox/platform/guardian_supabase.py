"""Guardian's Supabase project."""

from __future__ import annotations

from datetime import datetime, timedelta

from tools.sandbox.platform.supabase_state import SupabaseProject


def guardian_project(seed: int, now: datetime) -> SupabaseProject:
    """The project."""
    return SupabaseProject(
        "gdnprodhealthrecords", "guardian-production", "us-east-1", now - timedelta(days=400), {}
    )
