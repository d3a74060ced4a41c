"""The domain set: what is found among a team's notes, and what stays silent when nothing fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory.contenders import NOW, Search, alone, memory_bank, new_folder
from benchmarks.memory.domain import KINDS, Question, notes, questions
from memory import Entry


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with the ids found (best first), and how many entries a brief would tell."""

    asked: Question
    found: tuple[str, ...]
    told: tuple[str, ...] = ()

    @property
    def hit(self) -> bool:
        """Whether one of the answers is among the best five."""
        return bool(set(self.asked.expects) & set(self.found))


def as_text(entry: Entry) -> str:
    """An entry as plain text, for contenders that know no fields."""
    names = [name for names in entry.applies_to.values() for name in names]
    notes = [outcome.note for outcome in entry.outcomes]
    parts = (entry.title, *entry.tags, *names, entry.context, entry.action, entry.result, entry.why, *notes)
    return "\n".join(parts)


def answers() -> tuple[list[Answer], dict[str, list[Answer]], list[Entry]]:
    """The bank's answers to every question, the other contenders' answers, and the notes."""
    entries, asked = notes(), questions()
    with new_folder() as folder:
        banks, search = memory_bank(entries, Path(folder) / "bank")
        ours = [
            Answer(
                one,
                tuple(search(one.question, one.applies_to)),
                tuple(
                    told.entry.id
                    for told in banks.brief(one.question, now=NOW, applies_to=one.applies_to).entries
                ),
            )
            for one in asked
        ]
    others: dict[str, list[Answer]] = {}
    for name, contender in alone({entry.id: as_text(entry) for entry in entries}).items():
        if contender is not None:
            others[name] = [_asked(contender, one) for one in asked]
    return ours, others, entries


def _asked(search: Search, one: Question) -> Answer:
    return Answer(one, tuple(search(one.question, one.applies_to)))


def recall(answers: Sequence[Answer]) -> float:
    """Recall@5 over the questions that have an answer (any of the expected entries counts)."""
    return _share([one.hit for one in answers if one.asked.expects])


def superseded_first(answers: Sequence[Answer], entries: Sequence[Entry]) -> int:
    """How often an entry stands above the one that replaced it, or without it."""
    successor = {old: entry.id for entry in entries for old in entry.supersedes}
    errors = 0
    for one in answers:
        place = {entry_id: at for at, entry_id in enumerate(one.found)}
        errors += any(
            place.get(successor[found], 99) > at for found, at in place.items() if found in successor
        )
    return errors


def show() -> None:
    """Print the figures, the two halves apart: weights were chosen on the even questions."""
    ours, others, entries = answers()
    answered = [one for one in ours if one.asked.expects]
    print(
        f"\ndomain set: {len(entries)} notes, {len(ours)} questions, {len(answered)} of them with an answer"
    )
    print(
        f"  {'recall@5':<24}{'all':>7}{'even':>7}{'odd':>7}   "
        + " ".join(f"{kind:>11}" for kind in KINDS[:-1])
    )
    for name, given in {"memory bank": ours, **others}.items():
        cells = "".join(f"{recall(half):7.3f}" for half in (given, given[::2], given[1::2]))
        kinds = " ".join(f"{recall([a for a in given if a.asked.kind == kind]):11.3f}" for kind in KINDS[:-1])
        print(f"  {name:<24}{cells}   {kinds}")
    print(f"  superseded above its successor: {superseded_first(ours, entries)} of {len(ours)}", end="")
    for name, given in others.items():
        print(f"; {name}: {superseded_first(given, entries)}", end="")
    print()
    print("  told unasked (brief)        all   even    odd")
    _line("nothing where nothing fits", ours, lambda a: not a.asked.expects, lambda a: not a.told)
    _line("an answer where there is one", ours, lambda a: bool(a.asked.expects), _helped)


def _helped(one: Answer) -> bool:
    return bool(set(one.asked.expects) & set(one.told))


def _line(
    name: str, given: list[Answer], among: Callable[[Answer], bool], good: Callable[[Answer], bool]
) -> None:
    halves = (given, given[::2], given[1::2])
    cells = "".join(f"{_share([good(one) for one in half if among(one)]):7.3f}" for half in halves)
    print(f"  {name:<24}{cells}")


def _share(results: Sequence[bool]) -> float:
    return sum(results) / len(results) if results else 0.0
