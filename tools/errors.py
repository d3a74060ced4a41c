"""Every error that Sergei raises on purpose.

    SergeiError
    ├── InvalidInput        the request is wrong: fix it and call again            (exit 2)
    ├── ConfigurationError  sergei.toml, a flag or an environment value is wrong   (exit 2)
    ├── NotFound            the named thing does not exist                         (exit 2)
    ├── Refused             not allowed, by a person or by a rule: do not retry    (exit 4)
    ├── Unavailable         a server cannot be reached, or took too long           (exit 3)
    ├── RemoteError         a server answered with an error (SQLSTATE or status)   (exit 3)
    │   └── OutcomeUnknown  the change was sent, and may have happened: look first (exit 3)
    └── Conflict            somebody else changed or holds it: look, then retry    (exit 3)

A message is one sentence: what is wrong, where, what to do. It never carries a patient's value: vendor
errors are translated where the vendor is called, and what may be said of them is decided there.
"""

from __future__ import annotations

from typing import ClassVar


class SergeiError(Exception):
    """Root of the tree. `code` is a SQLSTATE, an HTTP status or an empty string; `hint` is the next step."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3
    retry: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(SergeiError):
    """The caller can mend this by changing the arguments."""

    kind = "invalid_input"
    exit_code = 2
    retry = True


class ConfigurationError(SergeiError):
    """A setting is missing or malformed."""

    kind = "configuration"
    exit_code = 2


class NotFound(SergeiError):
    """The named object does not exist in this target."""

    kind = "not_found"
    exit_code = 2


class Refused(SergeiError):
    """A person or a rule said no. Trying again in other words is not wanted."""

    kind = "refused"
    exit_code = 4


class Unavailable(SergeiError):
    """A server could not be reached or did not answer in time."""

    kind = "unavailable"
    retry = True


class RemoteError(SergeiError):
    """A server understood the request and answered with an error."""

    kind = "remote"


class OutcomeUnknown(RemoteError):
    """A change was sent and no usable answer came: it may have happened. Look before sending it again."""

    kind = "outcome_unknown"


class Conflict(SergeiError):
    """The thing changed, or is held, by somebody else."""

    kind = "conflict"
    retry = True
