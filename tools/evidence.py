"""What this session's tools returned, as digests: the evidence that a lesson stands on.

Only the gate notes something here, so that a source names what really ran, not what a model says ran.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a lesson comes from: `ref` names tools, `calls` the first and last call in the audit log.

    `digest` is a SHA-256 over their redacted results.
    """

    kind: str
    ref: str
    calls: tuple[str, str]
    digest: str


class Evidence:
    """The results of one session since the last lesson was kept."""

    def __init__(self) -> None:
        self._calls: deque[tuple[str, str, str]] = deque(maxlen=_KEPT)

    def note(self, call: str, tool: str, text: str) -> None:
        """A call that ran: its id in the audit log, and the text it returned (only a digest is kept)."""
        self._calls.append((call, tool, sha256(text.encode(errors="replace")).hexdigest()))

    def cite(self) -> Citation:
        """The calls so far as a source; a person's word where nothing ran."""
        if not self._calls:
            return Citation("person", "", ("", ""), "")
        tools = list(dict.fromkeys(tool for _, tool, _ in self._calls))
        shown = ", ".join(tools[:6]) + (f" and {len(tools) - 6} more" if len(tools) > 6 else "")
        digest = sha256("\n".join(f"{call} {result}" for call, _, result in self._calls).encode()).hexdigest()
        return Citation("tool results", shown, (self._calls[0][0], self._calls[-1][0]), digest)

    def clear(self) -> None:
        """Begin anew: what was shown so far is kept in a lesson."""
        self._calls.clear()
