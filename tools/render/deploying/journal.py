"""What was begun and how far it came, on disk before each step that changes something.

    begun ── POST deploys ──▶ following ──▶ live (baking) ──▶ closed
                                              └─▶ undoing ── PATCH, POST rollback ──▶ returning ──▶ closed

A state is written before its request: after a crash the next call knows what may have been sent, looks at
Render, and goes on. It holds ids, times and figures; of log lines only what is fit to be shown.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from tools.errors import Unavailable
from tools.render.deploying.figures import Figures
from tools.render.deploying.revision import Revision
from tools.resources import Resources

State = Literal["begun", "following", "live", "undoing", "returning", "closed"]
STALE: Final = timedelta(hours=24)
"""An unfinished journal older than this is history, not work."""


class Step(BaseModel):
    """Something that happened, and when."""

    at: datetime
    what: str


class Journal(BaseModel):
    """One deploy or rollback of one service. `known` are the deploys that were there before it."""

    service: str
    kind: Literal["deploy", "rollback"] = "deploy"
    state: State = "begun"
    started: datetime
    sent_at: datetime
    revision: Revision
    known: tuple[str, ...]
    previous: str
    previous_revision: str
    instances: tuple[str, ...] = ()
    baseline: Figures
    healthy_before: bool | None = None
    deploy: str = ""
    live_at: datetime | None = None
    rollback: str = ""
    rollback_sent_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    verdict: str = ""
    steps: list[Step] = []

    def open(self, now: datetime) -> bool:
        """Whether there is something to go on with."""
        if now - self.started > STALE:
            return False
        return self.state != "closed" or self.verdict in {"live_inconclusive", "unknown"}


def folder(resources: Resources) -> Path:
    """Where journals and locks lie: with the user's state, else in the workspace."""
    root = resources.state_dir or resources.workspace.root / ".sergei"
    return root / "deploys"


def read(place: Path, service: str) -> Journal | None:
    """The journal of a service; None without one, or when it cannot be read."""
    try:
        return Journal.model_validate_json((place / f"{service}.json").read_bytes())
    except (OSError, ValidationError):
        return None


def write(place: Path, journal: Journal) -> None:
    """Put it on disk, whole or not at all. Raises Unavailable: nothing may be sent that is not on record."""
    path = place / f"{journal.service}.json"
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with beside.open("xb") as file:
            file.write(journal.model_dump_json(indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written ({error.strerror}).") from None
