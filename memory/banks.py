"""The banks a session sees as one: the workspace's own, which is written, above others that are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date, datetime
from pathlib import Path

from memory.bank import Bank, Problem, Saved
from memory.briefing import Brief, PastFailure
from memory.draft import Draft, to_entry
from memory.entry import Entry, Result, Source
from memory.errors import BankUnavailable, InvalidEntry, RefusedEntry, UnknownEntry
from memory.files import INDEX_NAME
from memory.ranking import Recalled
from memory.recalling import Recalling

STARTER = Path(__file__).parent / "starter"


def starter_bank() -> Bank:
    """The entries that ship with the product, read-only."""
    return Bank(STARTER, read_only=True)


class Banks:
    """`writable` above `also`: all are read, the upper of two same ids counts, `writable` is written.

    What is recorded about an entry of a lower bank is kept on a copy of it in `writable`. Without a writable
    bank every write raises BankUnavailable. `places` names those of the banks that can be written when a
    person says so: see `in_place`.
    """

    def __init__(
        self, writable: Bank | None, also: Sequence[Bank] = (), *, places: Mapping[str, Bank] | None = None
    ) -> None:
        self.writable = writable
        self.places = dict(places or {})
        self._all = (*([writable] if writable else []), *also)
        location = writable.root / INDEX_NAME if writable and not writable.read_only else None
        self._recalling = Recalling(location, [bank.root for bank in self._all], self._load)

    def in_place(self, name: str) -> Banks:
        """The same banks, of which the one called `name` is written. Raises BankUnavailable."""
        if name not in self.places:
            known = ", ".join(self.places) or "none has a name here"
            raise BankUnavailable(f"There is no memory bank called '{name}' ({known}).")
        banks = copy(self)
        banks.writable = self.places[name]
        return banks

    def place_of(self, entry_id: str) -> str:
        """The name of the uppermost bank that has this entry; empty for one without. Raises UnknownEntry."""
        owner, _ = self._owner(entry_id)
        return next((name for name, bank in self.places.items() if bank is owner), "")

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders of the banks, the uppermost first."""
        return tuple(bank.root for bank in self._all)

    def recall(
        self,
        query: str,
        *,
        now: datetime,
        applies_to: Mapping[str, str | Sequence[str]] | None = None,
        limit: int = 5,
    ) -> list[Recalled]:
        """The entries that help with `query`, best first, each with its reasons and warnings.

        `applies_to` names the present target (service, table, project, versions); what fits it moves up.
        An empty query returns what applies to the target. `now` is aware. InvalidEntry on an odd scope.
        """
        return self._recalling.recall(query, now=now, applies_to=applies_to, limit=limit)

    def brief(
        self,
        query: str,
        *,
        now: datetime,
        applies_to: Mapping[str, str | Sequence[str]] | None = None,
        budget_tokens: int = 600,
    ) -> Brief:
        """What a turn about `query` should know, in a few lines within `budget_tokens`; empty without help.

        Only what is relevant enough to be told unasked. Scopes and `now` as in `recall`.
        """
        return self._recalling.brief(query, now=now, applies_to=applies_to, budget_tokens=budget_tokens)

    def warnings_for(self, names: Sequence[str], *, limit: int = 3) -> tuple[PastFailure, ...]:
        """What failed before on the objects `names` (tables, services, migrations), the latest first."""
        return self._recalling.warnings_for(names, limit=limit)

    def get(self, entry_id: str) -> Entry:
        """The entry with this id in the uppermost bank that has it. Raises UnknownEntry."""
        return self._owner(entry_id)[1]

    def entries(self) -> tuple[Entry, ...]:
        """Every entry of every bank, oldest first, an id once."""
        unique = {entry.id: entry for bank in reversed(self._all) for entry in bank.entries()}
        return tuple(sorted(unique.values(), key=lambda entry: entry.id))

    def problems(self) -> tuple[Problem, ...]:
        """The problems of every bank."""
        return tuple(problem for bank in self._all for problem in bank.problems())

    def add(self, draft: Draft, *, source: Source | str, now: datetime) -> Saved:
        """`Bank.add`; what a bank below already says becomes an outcome on a copy of its entry."""
        writable = self._writing()
        entry = to_entry(draft, source=source, now=now)
        if not writable.duplicate_of(entry):
            others = (bank.duplicate_of(entry) for bank in self._all if bank is not writable)
            if known := next((one for one in others if one and one.status == "active"), None):
                writable.adopt(known)
        return writable.add(draft, source=source, now=now)

    def record_outcome(
        self, entry_id: str, result: Result, *, now: datetime, ref: str = "", note: str = ""
    ) -> Entry:
        """`Bank.record_outcome`, on a copy when the entry lies in a bank below."""
        return self._adopting(entry_id).record_outcome(
            self.get(entry_id).id, result, now=now, ref=ref, note=note
        )

    def supersede(self, old_id: str, draft: Draft, *, source: Source | str, now: datetime) -> Saved:
        """`Bank.supersede`, on a copy when the old entry lies in a bank below."""
        return self._adopting(old_id).supersede(self.get(old_id).id, draft, source=source, now=now)

    def retire(self, entry_id: str, reason: str) -> Entry:
        """`Bank.retire`, on a copy when the entry lies in a bank below."""
        return self._adopting(entry_id).retire(self.get(entry_id).id, reason)

    def confirm(self, entry_id: str, day: date, *, valid_until: date | None) -> Entry:
        """`Bank.confirm`, on a copy when the entry lies in a bank below."""
        return self._adopting(entry_id).confirm(self.get(entry_id).id, day, valid_until=valid_until)

    def save_edit(self, entry_id: str, *, read: str, text: str) -> Entry:
        """`Bank.save_edit`, on a copy when the entry lies in a bank below."""
        return self._adopting(entry_id).save_edit(self.get(entry_id).id, read=read, text=text)

    def source(self, entry_id: str) -> tuple[Path, str]:
        """The file of an entry in the uppermost bank that has it, and its text. Raises UnknownEntry."""
        owner, entry = self._owner(entry_id)
        return owner.source(entry.id)

    def _writing(self) -> Bank:
        if self.writable is None:
            raise BankUnavailable("There is no memory bank to write to; name a folder for one.")
        return self.writable

    def _owner(self, entry_id: str) -> tuple[Bank, Entry]:
        for bank in self._all:
            try:
                return bank, bank.get(entry_id)
            except UnknownEntry:
                continue
        raise UnknownEntry(
            f"The memory bank has no entry '{entry_id.strip()}'; recall or list shows the ids."
        )

    def _adopting(self, entry_id: str) -> Bank:
        writable = self._writing()
        owner, entry = self._owner(entry_id)
        if owner is not writable:
            writable.adopt(entry)
        return writable

    def _load(self, bank: int, path: str) -> Entry | None:
        """The entry there, or None when the file went, broke or is refused since: `problems` tells of it."""
        try:
            return self._all[bank].load(path)
        except (InvalidEntry, RefusedEntry, UnknownEntry):
            return None
