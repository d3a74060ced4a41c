"""How often one session has narrowed in on persons, so that answers cannot be put together to a value.

Whether a person's name begins with an M is one yes or no; a date of birth takes about fifteen of them and a
name about thirty. `LIMIT` questions of that kind per table are far more than looking somebody up needs, and
too few to spell anything out.
"""

from __future__ import annotations

from collections import deque
from typing import Final

LIMIT: Final = 12
"""Different narrowing questions about one table in one session."""
_TABLES: Final = 2_000
_COUNTS: Final = 200
_NEAR: Final = 11


class Probes:
    """The narrowing questions and the counts of one session. `limit=None`: nothing is counted (PHI off)."""

    def __init__(self, limit: int | None = LIMIT) -> None:
        self.limit = limit
        self._asked: dict[str, set[str]] = {}
        self._told: dict[str, deque[int]] = {}

    def exhausted(self, table: str) -> bool:
        """Whether no further narrowing question about this table may be answered."""
        return self.limit is not None and len(self._asked.get(table, ())) >= self.limit

    def admit(self, table: str, question: str) -> bool:
        """Count a question; False when it is one too many. The same question again costs nothing."""
        if self.limit is None or question in self._asked.get(table, ()):
            return True
        if self.exhausted(table) or (table not in self._asked and len(self._asked) >= _TABLES):
            return False
        self._asked.setdefault(table, set()).add(question)
        return True

    def reveals(self, table: str, count: int) -> bool:
        """Whether this count lies so near an earlier one that their difference tells of a few persons."""
        told = self._told.get(table, ())
        return self.limit is not None and any(0 < abs(count - other) < _NEAR for other in told)

    def tell(self, table: str, count: int) -> None:
        """Remember a count that was told."""
        if len(self._told) < _TABLES:
            self._told.setdefault(table, deque(maxlen=_COUNTS)).append(count)
