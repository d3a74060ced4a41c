"""The fault queue: what goes wrong with the next requests that match, before or after they took effect."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "html", "timeout", "timeout_after", "dropped", "dropped_after"]


@dataclass
class Fault:
    """One entry of the queue. Kinds that end in _after let the request take effect and lose the answer."""

    kind: Kind
    method: str
    path: re.Pattern[str]
    times: int
    status: int = 500
    message: str = "internal server error"
    retry_after: int | None = None


@dataclass
class FaultQueue:
    """Faults in the order in which they were added; the first that matches is used up by a request."""

    waiting: list[Fault] = field(default_factory=list[Fault])

    def add(
        self,
        kind: Kind,
        method: str = "*",
        path: str = ".*",
        *,
        times: int = 1,
        skip: int = 0,
        status: int = 500,
        message: str = "internal server error",
        retry_after: int | None = None,
    ) -> None:
        """Let the next `times` requests with this method and path fail, after `skip` good ones.

        The path is a regular expression that is searched in "/v1/services/srv-...". Kinds: `status` answers
        with `status` and {"message": ...} (429 with Retry-After), `html` with a page, `timeout` and `dropped`
        lose the request, `timeout_after` and `dropped_after` lose the answer.
        """
        pattern = re.compile(path)
        if skip:
            self.waiting.append(Fault("status", method, pattern, skip, status=0))
        self.waiting.append(Fault(kind, method, pattern, times, status, message, retry_after))

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, None for none."""
        for fault in self.waiting:
            if fault.times and fault.method in ("*", method) and fault.path.search(path):
                fault.times -= 1
                return fault if fault.status else None
        return None
