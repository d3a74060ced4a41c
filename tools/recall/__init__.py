"""The memory bank as tools."""

from __future__ import annotations

from tools.recall.recall import recall
from tools.recall.remember import remember

TOOLS = (recall, remember)
