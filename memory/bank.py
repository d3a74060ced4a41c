"""One bank: a folder of Markdown files that people read, edit and keep in git, and that we write carefully.

Every write holds the bank's lock, reads the file anew, changes that text and puts it back only if the file is
still what was read. A person's edit in between is merged (the change is applied to the new text) or reported
as a BankConflict, never overwritten. Methods block on the disk: call them from a thread in async code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from memory import edits, files, history_journal
from memory.draft import Draft, check_text, check_word, note_of, to_entry
from memory.entry import RESULTS, Entry, Outcome, Result, Source, one_line, parse_entry, render_entry
from memory.errors import BankConflict, BankUnavailable, InvalidEntry, RefusedEntry, UnknownEntry
from memory.merging import Unmergeable, merged
from memory.problems import Loaded, Problem, find_problems
from memory.similar import find_duplicate
from memory.ulid import TAIL
from memory.writing import Note, write

if TYPE_CHECKING:
    from memory.lookup import Lookup

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


class Bank:
    """The bank in the folder `root`, which is created with the first write.

    `refuse` is asked about every text before it is written and about every file that is read. A `read_only`
    bank raises BankUnavailable on writes. `who` is what the history says about the writer.
    A missing folder is a problem only when the bank is `expected`.
    """

    def __init__(
        self,
        root: Path,
        *,
        refuse: Refuse | None = None,
        read_only: bool = False,
        who: str = "sergei",
        expected: bool = False,
    ) -> None:
        self.root = root
        self.read_only = read_only
        # A write looks at the same few texts from several sides.
        self._refuse = lru_cache(maxsize=64)(refuse) if refuse else None
        self.who = who
        self._expected = expected
        self._seen: dict[str, tuple[str, Loaded]] = {}
        self._lookup: Lookup | None = None

    def add(self, draft: Draft, *, source: Source | str, now: datetime) -> Saved:
        """Save a draft as a new entry, or as an outcome of the entry that already says it.

        Raises InvalidEntry (not worth keeping, and why), RefusedEntry, BankConflict, BankUnavailable.
        """
        entry = to_entry(draft, source=source, now=now)
        self._check(render_entry(entry))
        with self._writing():
            if duplicate := self.duplicate_of(entry):
                return self._merge(duplicate, entry.outcomes[0])
            return self._create(entry, f"Saved as a new entry in {entry.category}.", "added")

    def duplicate_of(self, entry: Entry) -> Entry | None:
        """The entry that already says what `entry` says, or None."""
        known = self._read_all(self._places.repeating(entry))
        found = find_duplicate(entry, [one for _, one in known.values()])
        try:
            return self.load(known[found.id][0]) if found else None
        except (InvalidEntry, RefusedEntry, UnknownEntry):
            return None

    def get(self, entry_id: str) -> Entry:
        """The entry with this id (the ULID, or its last eight characters). Raises UnknownEntry."""
        return self.load(self._find(entry_id).path)

    def load(self, path: str) -> Entry:
        """The entry in the file `path` (relative, as `files.list_files` gives it).

        Raises InvalidEntry or RefusedEntry for a file that is not one, UnknownEntry when it is gone.
        """
        try:
            _, text = files.read_text(self.root / path)
        except FileNotFoundError as error:
            raise UnknownEntry(f"The entry {path} is no longer there.") from error
        if reason := self.refusal(text):
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
            return self._change(entry_id, lambda text: edits.with_outcome(text, outcome), "outcome")

    def supersede(self, old_id: str, draft: Draft, *, source: Source | str, now: datetime) -> Saved:
        """Save `draft` as the entry that replaces `old_id`; the old one stays and points forward.

        Raises BankConflict when something already replaced it, and what `add` raises.
        """
        with self._writing():
            old = self.get(old_id)
            later = self._read_all(self._places.superseding(old.id)).values()
            if successor := next((one for _, one in later if old.id in one.supersedes), None):
                raise BankConflict(
                    f"'{old.title}' was already superseded by '{successor.title}' ({successor.id}); "
                    "supersede that one."
                )
            entry = to_entry(draft, source=source, now=now, supersedes=(old.id,))
            self._check(render_entry(entry))
            # New first: if we die in between, the link alone already makes the old one superseded.
            saved = self._create(entry, f"Saved; it supersedes '{old.title}'.", "added")
            self._change(old.id, edits.as_superseded, "superseded")
            return saved

    def retire(self, entry_id: str, reason: str) -> Entry:
        """Take an entry out of recall, with the reason. It stays in its file and can be shown."""
        reason = note_of(reason)
        if not reason:
            raise InvalidEntry("Retiring an entry needs a reason, so that nobody learns it again.")
        self._check(reason)
        with self._writing():
            return self._change(entry_id, lambda text: edits.as_retired(text, reason), "retired")

    def confirm(self, entry_id: str, day: date, *, valid_until: date | None) -> Entry:
        """Say that an entry still holds as of `day`, and until when it is taken to."""
        with self._writing():
            confirmed = partial(edits.as_confirmed, day=day, valid_until=valid_until)
            return self._change(entry_id, confirmed, "confirmed")

    def adopt(self, entry: Entry) -> Path:
        """Take an entry of another bank into this one under its own id, unless it is already here."""
        self._check(render_entry(entry))
        with self._writing():
            try:
                return self.root / self._find(entry.id).path
            except UnknownEntry:
                return self._create(entry, "Adopted.", "adopted").path

    def change(self, entry_id: str, edit: Callable[[str], str]) -> Entry:
        """Replace an entry's text by `edit(text)`; again when a person saved theirs meanwhile.

        `edit` must return a text that parses. Raises UnknownEntry, InvalidEntry, RefusedEntry, BankConflict.
        """
        with self._writing():
            return self._change(entry_id, edit, "edited")

    def save_edit(self, entry_id: str, *, read: str, text: str) -> Entry:
        """Save `text`, which a person made from what they `read`; what changed meanwhile is merged into it.

        Where both changed the same lines, theirs is kept beside the entry's file and BankConflict names it.
        Raises also UnknownEntry, InvalidEntry, RefusedEntry.
        """
        self._check(text)
        parse_entry(text)
        with self._writing():
            path = self.root / self._find(entry_id).path
            try:
                return self._change(entry_id, lambda now: merged(read, now, text), "edited")
            except Unmergeable:
                beside = files.keep_beside(path, text.encode())
                raise BankConflict(
                    f"The entry was changed in the same lines meanwhile; your text is kept in {beside}. "
                    "Put what is missing into the entry, and remove that file."
                ) from None

    def put_back(self, text: str, *, entry_id: str) -> Entry:
        """Give an entry this earlier text again, also when its file is gone. Used by `memory.history`."""
        entry = parse_entry(text)
        if entry.id != entry_id:
            raise InvalidEntry(f"That text has another id ({entry.id}) than the entry.")
        self._check(text)
        with self._writing():
            try:
                return self._change(entry_id, lambda _: text, "restored")
            except UnknownEntry:
                path = self._free_path(entry)
                self._write(path, entry, None, text.encode(), "restored")
                return entry

    def forget_history(self, entry_id: str) -> bool:
        """Remove an entry's journal with all its copies. False when there was none."""
        with self._writing():
            return history_journal.forget(self.root, entry_id)

    def refusal(self, text: str) -> str | None:
        """Why the caller's check refuses `text`, or None."""
        return self._refuse(text) if self._refuse else None

    def problems(self) -> tuple[Problem, ...]:
        """Files that do not parse or must not be here, in name order; the rest still works."""
        if self._expected and not self.root.is_dir():
            return (Problem(self.root, "There is no such folder; check it out, or name another."),)
        return find_problems(self.root, self._scan())

    def refuses(self, text: str) -> bool:
        """Whether the caller's check refuses `text`."""
        return self.refusal(text) is not None

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
        if len(wanted) >= TAIL and wanted.isalnum():
            for path in self._places.called(wanted) or ():
                loaded = self._read(path)
                if loaded and loaded.entry and _is_called(loaded.entry, wanted):
                    return loaded
            every = self._scan()
            matches = [one for one in every if one.entry and _is_called(one.entry, wanted)]
            if len({one.entry.id for one in matches if one.entry}) == 1:
                return matches[0]
            ending = f"--{wanted[-TAIL:].lower()}.md"
            if broken := next((one for one in every if one.reason and one.path.endswith(ending)), None):
                raise UnknownEntry(f"The entry in {self.root / broken.path} cannot be read: {broken.reason}")
        raise UnknownEntry(
            f"The memory bank has no entry '{entry_id.strip()}'; recall or list shows the ids."
        )

    def _read_all(self, paths: Sequence[str] | None) -> dict[str, tuple[str, Entry]]:
        """Ids with the files and entries at `paths`; of the whole bank when those are not known."""
        if paths is None:
            paths = [file.path for file in files.list_files(self.root)]
        return {entry.id: (path, entry) for path in paths if (entry := self._entry_in(path))}

    @property
    def _places(self) -> Lookup:
        if self._lookup is None:
            from memory.lookup import Lookup  # SQLite is loaded when a bank is used, not when it is named

            self._lookup = Lookup(self.root)
        return self._lookup

    def _entry_in(self, path: str) -> Entry | None:
        """To compare, not to show: whether its text is refused is asked when it is loaded."""
        try:
            return parse_entry(files.read_text(self.root / path)[1])
        except (InvalidEntry, FileNotFoundError):
            return None

    # Writing; everything below runs under the lock

    @contextmanager
    def _writing(self) -> Generator[None]:
        if self.read_only:
            raise BankUnavailable(
                f"The memory bank {self.root} is read-only; save your own entry in another bank."
            )
        if self.root.is_dir():
            # Before the lock, so that a first look at very many files keeps nobody waiting.
            self._places.refresh(locked=False)
        with files.exclusive(self.root):
            self._places.refresh(locked=True)
            yield

    def _create(self, entry: Entry, message: str, how: str) -> Saved:
        path = self.root / files.file_name(entry)
        self._write(path, entry, None, render_entry(entry).encode(), how)
        return Saved(entry, path, False, message)

    def _write(self, path: Path, entry: Entry, before: bytes | None, content: bytes, how: str) -> None:
        write(self.root, path, entry, before, content, Note(self.who, how, self._may_keep))
        self._places.wrote(path.relative_to(self.root).as_posix())

    def _may_keep(self, text: str) -> bool:
        return self.refusal(text) is None

    def _free_path(self, entry: Entry) -> Path:
        path = self.root / files.file_name(entry)
        if os.path.lexists(path):
            raise BankConflict(f"{path} is in the way; move it and try again.")
        return path

    def _merge(self, duplicate: Entry, outcome: Outcome) -> Saved:
        entry = self._change(duplicate.id, lambda text: edits.with_outcome(text, outcome), "outcome")
        history = ", ".join(f"{entry.count(word)} {word}" for word in RESULTS if entry.count(word))
        message = f"Already known: added as an outcome of '{entry.title}' ({history})."
        if entry.status != "active":
            message += f" That entry is {entry.status}; recall shows what replaced it or why."
        elif len({one.result for one in entry.outcomes}) > 1:
            message += " Its outcomes contradict each other: say in which case each holds."
        return Saved(entry, self.root / self._find(entry.id).path, True, message)

    def _change(self, entry_id: str, edit: Callable[[str], str], how: str) -> Entry:
        for _ in range(_ATTEMPTS):
            found = self._find(entry_id)
            path = self.root / found.path
            try:
                before, text = files.read_text(path)
                changed = edit(text)
                entry = parse_entry(changed)
                if found.entry and entry.id != found.entry.id:
                    raise InvalidEntry("The id of an entry is its name and never changes; put it back.")
                self._check(changed)
                if changed != text:
                    self._write(path, entry, before, changed.encode(), how)
                    self._move(path, entry)
            except (BankConflict, FileNotFoundError):
                continue
            return entry
        raise BankConflict(
            f"The entry {entry_id} keeps changing while it is being written; try again in a moment."
        )

    def _move(self, path: Path, entry: Entry) -> None:
        """An entry that got another category lies in its folder."""
        target = self.root / entry.category / path.name
        if path.parent.name == entry.category or os.path.lexists(target):
            return
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
        self._places.wrote(path.relative_to(self.root).as_posix())
        self._places.wrote(target.relative_to(self.root).as_posix())

    def _check(self, text: str) -> None:
        check_text(text)
        if reason := self.refusal(text):
            raise RefusedEntry(reason)


def _is_called(entry: Entry, wanted: str) -> bool:
    return entry.id == wanted or (len(wanted) == TAIL and entry.id.endswith(wanted))
