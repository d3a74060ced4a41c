"""Render: services, deploys, logs, metrics and what they cost."""

from __future__ import annotations

from tools.render.list_services import list_services

TOOLS = (list_services,)
