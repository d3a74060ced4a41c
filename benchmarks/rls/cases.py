"""The correct schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.rls import guardian, second
from benchmarks.rls.case import Case

CASES: Final[Mapping[str, Case]] = {case.name: case for case in (guardian.CASE, second.CASE)}
