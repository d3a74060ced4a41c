"""What can go wrong with the memory bank.

    MemoryBankError
    ├── InvalidEntry       the text or the draft is not an entry: fix it and try again
    ├── RefusedEntry       the caller's check said no (patient details, a secret): do not try again as is
    ├── UnknownEntry       no entry has this id
    ├── BankConflict       somebody else changed the same thing, or holds the bank: read again, try again
    └── BankUnavailable    the folder cannot be read or written

Each message is one sentence: what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class MemoryBankError(ValueError):
    """The memory bank could not do what was asked."""


class InvalidEntry(MemoryBankError):
    """A file or a draft does not make an entry."""


class RefusedEntry(MemoryBankError):
    """The text holds something that must not be remembered."""


class UnknownEntry(MemoryBankError):
    """No entry of the bank has this id."""


class BankConflict(MemoryBankError):
    """The bank changed underneath, or another process holds it."""


class BankUnavailable(MemoryBankError):
    """The bank's folder cannot be used as asked."""
