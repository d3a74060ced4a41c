"""The names that the modules of the simulated platform share."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object as it goes over the wire."""
