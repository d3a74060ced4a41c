"""What a person approved beforehand: a small, explicit, expiring rule. No model and no tool can make one.

    sergei.toml  [[approve]] ──┐  read once, at the start
    /approvals add ... ────────┴▶ Pattern ── covers(request, now)? ─▶ runs without asking, on record by name

A call is covered when *everything* fits: the tool, every argument, the target, the environment, the effect,
the time. An argument that the pattern does not name must have its default. SQL and commands are never matched
by a wildcard, which could not bound them: they stand word for word, or (SQL) what every statement touches, as
the parser sees it, is what is approved. sergei.toml itself is never covered: else a change of the rules could
be waved through by the rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.registry import Effect, Tool

if TYPE_CHECKING:
    from agent.approvals import Request

SETTINGS_FILE: Final = "sergei.toml"
LONGEST: Final = timedelta(days=366)
"""How far ahead a pattern may expire."""

_CODE: Final = frozenset({"sql", "command"})
_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d"


class Glob(BaseModel):
    """Text in which `*` stands for anything, line breaks too. No other character is special.

    A value with `..` in it as a folder never fits: `docs/*` is not meant to leave docs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    glob: str = Field(min_length=1)

    def fits(self, value: object) -> bool:
        """Whether it matches the whole value, which must be text."""
        return isinstance(value, str) and ".." not in value.split("/") and wildcard(self.glob, value)


Constraint = bool | int | float | str | list[str] | Glob


class Pattern(BaseModel):
    """One `[[approve]]`. Every field narrows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    tool: str
    reason: str = Field(min_length=3)
    expires: date = Field(description="The last day on which it holds.")
    target: str = Field(default="*", description="Glob on the target that the question would show.")
    environment: Literal["production", "staging", "development", "sandbox", "unknown"] | None = None
    arguments: dict[str, Constraint] = Field(default_factory=dict[str, Constraint])
    other_arguments: Literal["default", "any"] = "default"
    touches: tuple[str, ...] = Field(default=(), description="Every line of `touches` must fit one of these.")
    effect: Literal[Effect.WRITE, Effect.DESTRUCTIVE] = Effect.WRITE
    between: str = Field(default="", pattern=rf"^(?:{_CLOCK}-{_CLOCK})?$")
    timezone: str = ""

    @model_validator(mode="after")
    def _bounded(self) -> Pattern:
        problem = _unbounded(self)
        if problem:
            raise ValueError(problem)
        return self

    def covers(self, request: Request, now: datetime) -> bool:
        """Whether this very call was approved beforehand."""
        return (
            request.tool == self.tool
            and self.active(now)
            and (self.environment is None or request.environment == self.environment)
            and (request.effect is Effect.WRITE or self.effect is Effect.DESTRUCTIVE)
            and wildcard(self.target, request.preview.target)
            and self._arguments_fit(request.arguments, request.stated)
            and self._touches_fit(request.preview.touches)
            and not _changes_the_rules(request.preview.target, *request.preview.touches)
        )

    def active(self, now: datetime) -> bool:
        """Whether it holds at this moment."""
        local = now.astimezone(self._zone)
        if local.date() > self.expires:
            return False
        if not self.between:
            return True
        start, end = map(time.fromisoformat, self.between.split("-"))
        clock = local.time()
        return start <= clock < end if start < end else clock >= start or clock < end

    def state(self, now: datetime) -> str:
        """`active`, `expired`, or when it is active."""
        if now.astimezone(self._zone).date() > self.expires:
            return "expired"
        return "active" if self.active(now) else f"waits for {self.between} {self.timezone}"

    def words(self) -> str:
        """What it allows, in one line."""
        given = [f"{name}={_said(value)}" for name, value in self.arguments.items()]
        given += ["any other argument"] if self.other_arguments == "any" else []
        given += [f"touching {touch}" for touch in self.touches]
        where = self.target if self.environment is None else f"{self.target} in {self.environment}"
        when = f", {self.between} {self.timezone}" if self.between else ""
        mark = " DESTRUCTIVE" if self.effect is Effect.DESTRUCTIVE else ""
        return f"{self.tool}{mark} {' '.join(given)} on {where}{when}, until {self.expires}: {self.reason}"

    def objection(self, tools: Mapping[str, Tool], today: date) -> str:
        """Why it could never apply, or holds for too long; an empty string if it is in order."""
        tool = tools.get(self.tool)
        if tool is None:
            return f"there is no tool called {self.tool}"
        if tool.effect is Effect.READ:
            return f"{self.tool} only reads and is never asked about"
        if tool.effect is Effect.DESTRUCTIVE and self.effect is not Effect.DESTRUCTIVE:
            return f'{self.tool} is destructive, which must be said: effect = "destructive"'
        strange = sorted(set(self.arguments) - set(tool.params.model_fields))
        if strange:
            return f"{self.tool} has no argument {strange[0]}"
        if self.expires > today + LONGEST:
            return f"it must expire within a year, and says {self.expires}"
        return ""

    @property
    def _zone(self) -> tzinfo:
        return UTC if self.timezone in {"", "UTC"} else ZoneInfo(self.timezone)

    def _arguments_fit(self, arguments: Mapping[str, Any], stated: frozenset[str]) -> bool:
        for name, value in arguments.items():
            constraint = self.arguments.get(name)
            if constraint is None:
                if name in _CODE and not (name == "sql" and self.touches):
                    return False
                if self.other_arguments == "default" and name in stated and name not in _CODE:
                    return False
            elif isinstance(constraint, Glob):
                if not constraint.fits(value):
                    return False
            elif not _same(constraint, value):
                return False
        return set(self.arguments) <= set(arguments)

    def _touches_fit(self, touches: tuple[str, ...]) -> bool:
        if not self.touches:
            return True
        return bool(touches) and all(any(wildcard(glob, one) for glob in self.touches) for one in touches)


def wildcard(glob: str, text: str) -> bool:
    """Whether the glob matches the whole text. Linear: no backtracking for a hostile text to exploit."""
    first, *rest = glob.split("*")
    if not rest:
        return glob == text
    if not text.startswith(first):
        return False
    place, last = len(first), rest.pop()
    for part in rest:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(text) - len(last) >= place and text.endswith(last)


def _same(constraint: bool | float | str | list[str], value: object) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (constraint, value))
    return constraint == value if numbers else json.dumps(constraint) == json.dumps(value)  # 1 is not true


def _unbounded(pattern: Pattern) -> str:
    """Why a pattern is too wide, or unclear."""
    globs = [name for name, value in pattern.arguments.items() if isinstance(value, Glob)]
    if not pattern.target.strip("*") and pattern.environment is None:
        return "must name the target or the environment that it holds for"
    if bool(pattern.between) != bool(pattern.timezone):
        return "needs both `between` and `timezone`, or neither"
    if pattern.between and len({*pattern.between.split("-")}) == 1:
        return "begins and ends at the same minute"
    if not _known(pattern.timezone):
        return f"has a time zone that this machine does not know: {pattern.timezone}"
    if _CODE & set(globs):
        return "cannot bound SQL or a command by a wildcard: write it whole, or (SQL) give `touches`"
    if any(not touch.partition("*")[0].strip() for touch in pattern.touches):
        return "has a `touches` that begins with a wildcard: name the command, as in CREATE INDEX on public.*"
    if pattern.effect is Effect.DESTRUCTIVE and (
        globs or pattern.touches or pattern.other_arguments == "any" or not pattern.arguments
    ):
        return "is destructive, so every argument must be given exactly"
    return ""


def _known(timezone: str) -> bool:
    try:
        return timezone in {"", "UTC"} or bool(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder
        return False


def _changes_the_rules(*places: str) -> bool:
    return any(SETTINGS_FILE in place.casefold() for place in places)


def _said(value: Constraint) -> str:
    return value.glob if isinstance(value, Glob) else json.dumps(value, ensure_ascii=False)
