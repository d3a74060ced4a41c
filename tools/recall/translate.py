"""The memory bank's errors in the words of this floor."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from memory import (
    BankConflict,
    BankUnavailable,
    InvalidEntry,
    MemoryBankError,
    RefusedEntry,
    UnknownEntry,
)
from tools.errors import Conflict, InvalidInput, NotFound, Refused, SergeiError, Unavailable

_MEANS: dict[type[MemoryBankError], type[SergeiError]] = {
    InvalidEntry: InvalidInput,
    RefusedEntry: Refused,
    UnknownEntry: NotFound,
    BankConflict: Conflict,
    BankUnavailable: Unavailable,
}


@contextmanager
def translated() -> Generator[None]:
    """Raise the bank's errors as ours."""
    try:
        yield
    except MemoryBankError as error:
        raise _MEANS.get(type(error), InvalidInput)(str(error)) from None
