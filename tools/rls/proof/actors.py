"""The people of a world: who calls, with which role, claims and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.rls.proof.model import Condition


@dataclass(frozen=True, slots=True)
class Spec:
    """What one opening's row looks like: its rank, and what differs from a living one.

    `changes`: (condition, value) pairs; value is an SQL text literal, None for NULL.
    """

    opening: str
    rank: str = ""
    changes: tuple[tuple[Condition, str | None], ...] = ()
    alive: bool = False
    """Whether what differs leaves it alive: an expiry that is still to come, where others have none."""

    @property
    def live(self) -> bool:
        """Whether the row opens what it is for."""
        return self.alive or not self.changes

    def text(self) -> str:
        """`profile_grants manage (status revoked)`, `provider_access (consents.expires_at past)`."""
        table = self.opening.partition(".")[0]
        changed = ", ".join(_changed(condition, value) for condition, value in self.changes)
        return " ".join(filter(None, [table, self.rank])) + (f" ({changed})" if changed else "")


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """One caller. `account` is the account's key as text, empty for anon; `settings` are other GUCs.

    `name` is for people: `stranger`, `owner of a`, `profile_grants manage of a but status 'revoked'`.
    """

    name: str
    role: str
    account: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    spec: Spec | None = None
    staff: str = ""
    forger: bool = False
    """Whether he wrote the claims himself that people can write: what they say of him counts for nothing."""

    @property
    def claims_text(self) -> str:
        """The claims as PostgREST sets them in request.jwt.claims."""
        return json.dumps(self.claims, sort_keys=True) if self.claims else ""

    def acting(self) -> tuple[str, ...]:
        """The statements that make a session this caller's, to be run inside a transaction."""
        lines = [f"set local role {quoted(self.role)};"] if self.role else []
        if self.claims:
            lines.append(f"select set_config('request.jwt.claims', {literal(self.claims_text)}, true);")
            if self.account:
                lines.append(f"select set_config('request.jwt.claim.sub', {literal(self.account)}, true);")
        lines += [
            f"select set_config({literal(name)}, {literal(value)}, true);"
            for name, value in self.settings.items()
        ]
        return tuple(lines)


def _changed(condition: Condition, value: str | None) -> str:
    name = condition.column
    if condition.hops:
        name = f"{condition.table.partition('.')[2]}.{name}"
    if value is None:
        return f"{name} null"
    if condition.kind in ("future", "past", "null", "not_null") and value[:2] == "20":
        return f"{name} past" if value < "2026" else f"{name} in the future"
    return f"{name} {value}"


def literal(value: str | None) -> str:
    """A text literal; backslashes are plain (standard_conforming_strings is on)."""
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """An identifier, always quoted."""
    return '"' + name.replace('"', '""') + '"'
