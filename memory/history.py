"""Who changed what in a bank, when and how: from this machine's journal, and from git where it is committed.

    log      changes, newest first: ours with who asked for them, other people's as their edits or commits
    diff     one change as a unified diff
    restore  an entry's text as it was after a change, through the same lock and checks as every write
    forget   remove the copies of an entry's old texts, for when one held what must not be kept

A change is named `TAIL.NUMBER` (journal), `TAIL.now` (an edit that no write has recorded yet) or
`TAIL@COMMIT` (git), where TAIL is the end of the entry's id. A text that the bank refuses is never shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from memory import files, history_git, history_journal
from memory.bank import Bank
from memory.entry import Entry, one_line, parse_entry
from memory.errors import InvalidEntry, MemoryBankError, RefusedEntry, UnknownEntry
from memory.history_git import Committed
from memory.history_journal import Journal
from memory.history_summary import summary_of
from memory.ulid import TAIL, tail

WITHHELD = "(withheld: the text must not be shown)"
_NOW = "now"
_COMMIT = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one entry. `who` is a name as the writer or git gave it; `how` is one word."""

    id: str
    when: datetime
    who: str
    how: str
    entry_id: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class _Step:
    """A change with its texts: None is no file, or (`known` is false) a text of which no copy is kept."""

    change: Change
    before: str | None
    after: str | None
    known: bool
    digest: str | None


def log(bank: Bank, entry_id: str | None = None, limit: int = 50) -> tuple[Change, ...]:
    """The newest `limit` changes of one entry or of all, newest first. Raises UnknownEntry."""
    steps = _steps(bank, _whole_id(bank, entry_id) if entry_id else None, limit)
    return tuple(_shown(bank, step) for step in steps[:limit])


def diff(bank: Bank, change_id: str) -> str:
    """What the change did, as a unified diff. Raises UnknownEntry, RefusedEntry."""
    step = _step(bank, change_id)
    if not step.known:
        raise UnknownEntry(f"No copy of the texts of {change_id} is kept; log shows the other changes.")
    for text in (step.before, step.after):
        if text is not None and (reason := bank.refusal(text)):
            raise RefusedEntry(reason)
    before, after = _lines(step.before), _lines(step.after)
    return "\n".join(difflib.unified_diff(before, after, "before", f"after {change_id}", lineterm=""))


def restore(bank: Bank, change_id: str) -> Entry:
    """Give the entry the text that it had after this change (of a removal: the text that was removed).

    The text comes back byte for byte, as a change of its own. Raises UnknownEntry, RefusedEntry,
    InvalidEntry for a text that is no entry, BankConflict, BankUnavailable.
    """
    step = _step(bank, change_id)
    text = step.before if step.change.how == "removed" else step.after
    if text is None:
        raise UnknownEntry(f"No copy of the text after {change_id} is kept; log shows the other changes.")
    return bank.put_back(text, entry_id=step.change.entry_id)


def forget(bank: Bank, entry_id: str) -> bool:
    """Remove the journal of an entry with all copies of its texts. What git holds stays. False: none."""
    return bank.forget_history(_whole_id(bank, entry_id))


def _whole_id(bank: Bank, entry_id: str) -> str:
    try:
        return bank.get(entry_id).id
    except UnknownEntry:
        wanted = entry_id.strip().upper()
        for path in history_journal.journal_paths(bank.root):
            if path.stem == wanted or (len(wanted) == TAIL and path.stem.endswith(wanted)):
                return path.stem
        raise


def _step(bank: Bank, change_id: str) -> _Step:
    wanted = change_id.strip().lower()
    ending = wanted.partition("@")[0].partition(".")[0]
    if len(ending) == TAIL and ending.isalnum():
        for step in _steps(bank, _whole_id(bank, ending), 10_000):
            name = step.change.id
            if name == wanted or ("@" in wanted and len(wanted) > TAIL + 4 and name.startswith(wanted)):
                return step
    raise UnknownEntry(f"The memory bank has no change '{change_id.strip()}'; log shows their ids.")


def _steps(bank: Bank, entry_id: str | None, limit: int) -> list[_Step]:
    """Changes newest first. A commit of a text that the journal knows says who the unknown editor was."""
    committed = _committed(bank, entry_id, limit)
    authors: dict[tuple[str, str | None], str] = {}
    newest: dict[str, str | None] = {}
    for step in committed:  # newest first
        authors[step.change.entry_id, step.digest] = step.change.who
        newest.setdefault(step.change.entry_id, step.digest)
    recorded: list[_Step] = []
    for step in _recorded(bank, entry_id, limit):
        change = step.change
        if change.id.endswith(f".{_NOW}") and newest.get(change.entry_id, "") == step.digest:
            continue  # committed meanwhile: git says who and why
        if change.who == history_journal.UNKNOWN:
            who = authors.get((change.entry_id, step.digest), change.who)
            step = replace(step, change=replace(change, who=who))
        recorded.append(step)
    known = {(step.change.entry_id, step.digest) for step in recorded}
    recorded += [step for step in committed if (step.change.entry_id, step.digest) not in known]
    return sorted(recorded, key=lambda step: step.change.when, reverse=True)


def _recorded(bank: Bank, entry_id: str | None, limit: int) -> list[_Step]:
    places = {entry_id: _place(bank, entry_id)} if entry_id else _newest(bank, limit)
    steps: list[_Step] = []
    for one, path in places.items():
        journal = history_journal.read_journal(history_journal.journal_path(bank.root, one))
        now = history_journal.present(bank.root / path) if path else None
        steps += _steps_of(one, journal, now)
    return steps


def _steps_of(entry_id: str, journal: Journal, now: history_journal.Present | None) -> list[_Step]:
    records = list(journal.records)
    outside, void = history_journal.unrecorded(journal, entry_id, now)
    if void is not None:
        records.pop()
    texts = {record.after: journal.text(record.after) for record in records}
    if outside:
        records.append(outside)
        if now:
            texts[outside.after] = now.content.decode("utf-8", errors="replace")
    steps: list[_Step] = []
    for record in records:
        before = texts.get(record.before) if record.before else None
        after = texts.get(record.after) if record.after else None
        known = (record.before is None or before is not None) and (record.after is None or after is not None)
        name = f"{tail(entry_id)}.{_NOW if record is outside else record.number}"
        change = Change(name, record.when, record.who, record.how, entry_id, record.title, record.summary)
        steps.append(_Step(change, before, after, known, record.after))
    return steps


def _shown(bank: Bank, step: _Step) -> Change:
    if step.after is not None and bank.refuses(step.after):
        return replace(step.change, title=WITHHELD, summary=WITHHELD)
    return step.change


def _newest(bank: Bank, limit: int) -> dict[str, str | None]:
    """The entries that were changed last, with their files; those whose file is gone among them."""
    touched = {path.stem: path.stat().st_mtime_ns for path in history_journal.journal_paths(bank.root)}
    endings = {tail(one): one for one in touched}
    found: dict[str, tuple[int, str]] = {}
    others: list[tuple[int, str]] = []
    for file in files.list_files(bank.root):
        if one := endings.get(_ending(file.path)):
            found[one] = (max(file.mtime_ns, touched[one]), file.path)
        else:
            others.append((file.mtime_ns, file.path))
    gone = touched.keys() - found.keys()
    # A name that a person gave may hide the file of a journal; of the others the newest are enough.
    for moment, path in sorted(others, reverse=True):
        named = not _ending(path)
        if (len(found) - len(touched) < limit or (named and gone)) and (one := _id_in(bank, path)):
            found.setdefault(one, (max(moment, touched.get(one, 0)), path))
    latest = sorted(found, key=lambda one: found[one][0], reverse=True)[:limit]
    places: dict[str, str | None] = {one: found[one][1] for one in latest}
    return places | dict.fromkeys(sorted(touched.keys() - found.keys()))


def _place(bank: Bank, entry_id: str) -> str | None:
    """The file of an entry, which may be broken or refused by now."""
    unnamed = [file.path for file in files.list_files(bank.root) if not _ending(file.path)]
    named = [path.relative_to(bank.root).as_posix() for path in bank.root.glob(f"*/*--{tail(entry_id)}.md")]
    own = next((path for path in (*named, *unnamed) if _id_in(bank, path) == entry_id), None)
    return own or next(iter(named), None)


def _id_in(bank: Bank, path: str) -> str | None:
    try:
        return parse_entry(files.read_text(bank.root / path)[1]).id
    except (MemoryBankError, FileNotFoundError):
        return None


def _ending(path: str) -> str:
    """The end of the id that the file's name carries, unless a person gave it another name."""
    head, _, ending = Path(path).stem.rpartition("--")
    return ending if head and len(ending) == TAIL else ""


def _committed(bank: Bank, entry_id: str | None, limit: int) -> list[_Step]:
    paths = ["."]
    if entry_id:
        paths = [
            f":(glob)*/*--{tail(entry_id)}.md",
            *(f":(literal){path}" for path in [_place(bank, entry_id)] if path),
        ]
    found = history_git.commits(bank.root, paths, limit=limit)
    texts = history_git.blobs(bank.root, _names(found))
    steps: list[_Step] = []
    for one in found:
        step = _committed_step(bank, one, texts)
        if step and (entry_id is None or step.change.entry_id == entry_id):
            steps.append(step)
    return _without_moves(steps)


def _names(found: Iterable[Committed]) -> set[str]:
    return {name for one in found for name in (one.before, one.after) if name}


def _committed_step(bank: Bank, one: Committed, texts: dict[str, str]) -> _Step | None:
    before, after = texts.get(one.before or ""), texts.get(one.after or "")
    entry = _entry(after) or _entry(before)
    if entry is None:
        return None
    shown = [text for text in (before, after) if text is not None]
    withheld = any(bank.refuses(text) for text in shown)
    how = "removed" if one.after is None else "committed"
    subject = one_line(one.subject)
    if bank.refuses(subject):
        subject = WITHHELD
    change = Change(
        f"{tail(entry.id)}@{one.commit[:_COMMIT]}", one.when, one_line(one.author), how, entry.id,
        WITHHELD if withheld else entry.title,
        WITHHELD if withheld else f"{subject}: {summary_of(before, after)}",
    )  # fmt: skip
    known = (one.before is None or before is not None) and (one.after is None or after is not None)
    digest = history_journal.digest_of(after.encode()) if after is not None else None
    return _Step(change, before, after, known, digest)


def _without_moves(steps: list[_Step]) -> list[_Step]:
    """A commit that moves a file removes and adds it: one step, with the text before and the text after."""
    found: dict[str, _Step] = {}
    for step in steps:
        other = found.get(step.change.id)
        if other is None:
            found[step.change.id] = step
            continue
        gone, come = (step, other) if step.after is None else (other, step)
        summary = "moved to another file" if gone.before == come.after else "moved and changed"
        change = replace(come.change, summary=f"{come.change.summary.partition(': ')[0]}: {summary}")
        found[step.change.id] = replace(come, change=change, before=gone.before)
    return list(found.values())


def _entry(text: str | None) -> Entry | None:
    try:
        return None if text is None else parse_entry(text)
    except InvalidEntry:
        return None


def _lines(text: str | None) -> list[str]:
    return [] if text is None else text.splitlines()
