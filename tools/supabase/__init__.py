"""Supabase's Management API: projects, Edge Functions, secrets, logs and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.registry import Tool

TOOLS: tuple[Tool, ...] = ()
