"""One bank: a folder of Markdown files that people read, edit and keep in git, and that we write carefully.

Every write holds the bank's lock, reads the file anew, changes that text and puts it back only if the file is
still what was read. A person's edit in between is merged (the change is applied to the new text) or reported
as a BankConflict, never overwritten. Methods block on the disk: call them from a thread in async code.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from memory import edits, files
from memory.draft import Draft, check_text, check_word, note_of, to_entry
from memory.entry import CATEGORIES, RESULTS, Entry, Outcome, Result, one_line, parse_entry, render_entry
from memory.errors import BankConflict, BankUnavailable, InvalidEntry, RefusedEntry, UnknownEntry
from memory.similar import find_duplicate
from memory.ulid import TAIL, tail

Refuse = Callable[[str], str | None]
"""Given a text, the reason why it must not be remembered (patient details, a secret), or None."""

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of a draft. `merged` means: it became an outcome of `entry`, which already said the same."""

    entry: Entry
    path: Path
    merged: bool
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A file of the bank that does not count as an entry, or counts with a caution."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file read: its entry, or the reason why there is none."""

    path: str
    entry: Entry | None
    reason: str = ""


class Bank:
    """The bank in the folder `root`, which is created with the first write.

    `refuse` is asked about every text before it is written and about every file that is read. A `read_only`
    bank raises BankUnavailable on writes.
    """

    def __init__(self, root: Path, *, refuse: Refuse | None = None, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only
        self._refuse = refuse
        self._seen: dict[str, tuple[str, Loaded]] = {}

    def add(self, draft: Draft, *, source: str, now: datetime) -> Saved:
        """Save a draft as a new entry, or as an outcome of the entry that already says it.

        Raises InvalidEntry (not worth keeping, and why), RefusedEntry, BankConflict, BankUnavailable.
        """
        entry = to_entry(draft, source=source, now=now)
        self._check(render_entry(entry))
        with self._writing():
            if duplicate := find_duplicate(entry, self.entries()):
                return self._merge(duplicate, entry.outcomes[0])
            return self._create(entry, f"Saved as a new entry in {entry.category}.")

    def get(self, entry_id: str) -> Entry:
        """The entry with this id (the ULID, or its last eight characters). Raises UnknownEntry."""
        loaded = self._find(entry_id)
        return self.load(loaded.path)

    def load(self, path: str) -> Entry:
        """The entry in the file `path` (relative, as `files.list_files` gives it).

        Raises InvalidEntry or RefusedEntry for a file that is not one, UnknownEntry when it is gone.
        """
        try:
            _, text = files.read_text(self.root / path)
        except FileNotFoundError as error:
            raise UnknownEntry(f"The entry {path} is no longer there.") from error
        if reason := self._refusal(text):
            raise RefusedEntry(reason)
        return parse_entry(text)

    def source(self, entry_id: str) -> tuple[Path, str]:
        """An entry's file and its text as it is. Raises UnknownEntry, InvalidEntry."""
        path = self.root / self._find(entry_id).path
        try:
            return path, files.read_text(path)[1]
        except FileNotFoundError as error:
            raise UnknownEntry(f"The entry {path} is no longer there.") from error

    def entries(self) -> tuple[Entry, ...]:
        """Every readable entry, oldest first. What is not readable is in `problems()`."""
        unique = {one.entry.id: one.entry for one in reversed(self._scan()) if one.entry}
        return tuple(sorted(unique.values(), key=lambda entry: entry.id))

    def record_outcome(
        self, entry_id: str, result: Result, *, now: datetime, ref: str = "", note: str = ""
    ) -> Entry:
        """Append what came of the action this time. `now` is aware.

        Raises UnknownEntry, InvalidEntry, RefusedEntry, BankConflict, BankUnavailable.
        """
        check_word(result, RESULTS, "result")
        outcome = Outcome(now.astimezone(UTC), one_line(ref), result, note_of(note))
        self._check(f"{outcome.ref}\n{note}")
        with self._writing():
            return self._change(entry_id, lambda text: edits.with_outcome(text, outcome))

    def supersede(self, old_id: str, draft: Draft, *, source: str, now: datetime) -> Saved:
        """Save `draft` as the entry that replaces `old_id`; the old one stays and points forward.

        Raises BankConflict when something already replaced it, and what `add` raises.
        """
        with self._writing():
            old = self.get(old_id)
            if successor := next((one for one in self.entries() if old.id in one.supersedes), None):
                raise BankConflict(
                    f"'{old.title}' was already superseded by '{successor.title}' ({successor.id}); "
                    "supersede that one."
                )
            entry = to_entry(draft, source=source, now=now, supersedes=(old.id,))
            self._check(render_entry(entry))
            # New first: if we die in between, the link alone already makes the old one superseded.
            saved = self._create(entry, f"Saved; it supersedes '{old.title}'.")
            self._change(old.id, edits.as_superseded)
            return saved

    def retire(self, entry_id: str, reason: str) -> Entry:
        """Take an entry out of recall, with the reason. It stays in its file and can be shown."""
        reason = note_of(reason)
        if not reason:
            raise InvalidEntry("Retiring an entry needs a reason, so that nobody learns it again.")
        self._check(reason)
        with self._writing():
            return self._change(entry_id, lambda text: edits.as_retired(text, reason))

    def confirm(self, entry_id: str, day: date, *, valid_until: date | None) -> Entry:
        """Say that an entry still holds as of `day`, and until when it is taken to."""
        with self._writing():
            return self._change(entry_id, lambda text: edits.as_confirmed(text, day, valid_until))

    def adopt(self, entry: Entry) -> Path:
        """Take an entry of another bank into this one under its own id, unless it is already here."""
        self._check(render_entry(entry))
        with self._writing():
            for one in self._scan():
                if one.entry and one.entry.id == entry.id:
                    return self.root / one.path
            return self._create(entry, "Adopted.").path

    def change(self, entry_id: str, edit: Callable[[str], str]) -> Entry:
        """Replace an entry's text by `edit(text)`; again when a person saved theirs meanwhile.

        `edit` must return a text that parses. Raises UnknownEntry, InvalidEntry, RefusedEntry, BankConflict.
        """
        with self._writing():
            return self._change(entry_id, edit)

    def problems(self) -> tuple[Problem, ...]:
        """Files that do not parse or must not be here, in name order; the rest still works."""
        loaded = self._scan()
        found = [Problem(self.root / one.path, one.reason) for one in loaded if one.reason]
        copies = Counter(one.entry.id for one in loaded if one.entry)
        for one in loaded:
            if one.entry and copies[one.entry.id] > 1:
                reason = (
                    f"Another file has the same id {one.entry.id}; give one of them its own, or remove it."
                )
                found.append(Problem(self.root / one.path, reason))
            if one.entry and not one.path.startswith(f"{one.entry.category}/"):
                reason = f"The file lies in another folder than its category '{one.entry.category}'; move it."
                found.append(Problem(self.root / one.path, reason))
        return tuple(
            sorted([*found, *self._strays()], key=lambda problem: (str(problem.path), problem.message))
        )

    def refuses(self, text: str) -> bool:
        """Whether the caller's check refuses `text`."""
        return self._refusal(text) is not None

    # Reading

    def _scan(self) -> list[Loaded]:
        seen: dict[str, tuple[str, Loaded]] = {}
        looked = time.time_ns()
        result: list[Loaded] = []
        for file in files.list_files(self.root):
            known = self._seen.get(file.path)
            loaded = known[1] if known and known[0] == file.signature else self._read(file.path)
            if loaded is None:
                continue
            if file.settled(looked):
                seen[file.path] = (file.signature, loaded)
            result.append(loaded)
        self._seen = seen
        return result

    def _read(self, path: str) -> Loaded | None:
        try:
            return Loaded(path, self.load(path))
        except UnknownEntry:
            return None
        except (InvalidEntry, RefusedEntry) as error:
            return Loaded(path, None, str(error))

    def _find(self, entry_id: str) -> Loaded:
        wanted = entry_id.strip().upper()
        if len(wanted) >= TAIL:
            # The file's name ends in the id's tail unless a person renamed it: look there before reading all.
            for path in sorted(self.root.glob(f"*/*--{tail(wanted)}.md")) if wanted.isalnum() else ():
                loaded = self._read(path.relative_to(self.root).as_posix())
                if loaded and loaded.entry and loaded.entry.id == wanted:
                    return loaded
            matches = [one for one in self._scan() if one.entry and _is_called(one.entry, wanted)]
            if len({one.entry.id for one in matches if one.entry}) == 1:
                return matches[0]
        raise UnknownEntry(
            f"The memory bank has no entry '{entry_id.strip()}'; recall or list shows the ids."
        )

    def _strays(self) -> list[Problem]:
        if not self.root.is_dir():
            return []
        found: list[Problem] = []
        for folder in self.root.iterdir():
            if folder.name in CATEGORIES and folder.is_symlink():
                found.append(Problem(folder, "The folder is a symbolic link, which is not followed."))
            elif folder.is_dir() and folder.name not in CATEGORIES and any(folder.glob("*.md")):
                known = ", ".join(CATEGORIES)
                found.append(
                    Problem(folder, f"The folder is not a category, so its files are not read ({known}).")
                )
        return found

    # Writing; everything below runs under the lock

    def _writing(self):
        if self.read_only:
            raise BankUnavailable(
                f"The memory bank {self.root} is read-only; save your own entry in another bank."
            )
        return files.exclusive(self.root)

    def _create(self, entry: Entry, message: str) -> Saved:
        path = self.root / files.file_name(entry)
        files.replace(path, expected=None, content=render_entry(entry).encode())
        return Saved(entry, path, False, message)

    def _merge(self, duplicate: Entry, outcome: Outcome) -> Saved:
        entry = self._change(duplicate.id, lambda text: edits.with_outcome(text, outcome))
        history = ", ".join(f"{entry.count(word)} {word}" for word in RESULTS if entry.count(word))
        message = f"Already known: added as an outcome of '{entry.title}' ({history})."
        if entry.status != "active":
            message += f" That entry is {entry.status}; recall shows what replaced it or why."
        elif len({one.result for one in entry.outcomes}) > 1:
            message += " Its outcomes contradict each other: say in which case each holds."
        return Saved(entry, self.root / self._find(entry.id).path, True, message)

    def _change(self, entry_id: str, edit: Callable[[str], str]) -> Entry:
        for _ in range(_ATTEMPTS):
            path = self.root / self._find(entry_id).path
            try:
                before, text = files.read_text(path)
                changed = edit(text)
                entry = parse_entry(changed)
                self._check(changed)
                files.replace(path, expected=before, content=changed.encode())
            except (BankConflict, FileNotFoundError):
                continue
            return entry
        raise BankConflict(
            f"The entry {entry_id} keeps changing while it is being written; try again in a moment."
        )

    def _check(self, text: str) -> None:
        check_text(text)
        if reason := self._refusal(text):
            raise RefusedEntry(reason)

    def _refusal(self, text: str) -> str | None:
        return self._refuse(text) if self._refuse else None


def _is_called(entry: Entry, wanted: str) -> bool:
    return entry.id == wanted or (len(wanted) == TAIL and entry.id.endswith(wanted))
