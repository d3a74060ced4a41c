"""Which entries a person should look at again, and why. Pure: entries and counts in, concerns out.

    expired        its `valid_until` has passed
    failing        it failed at least twice, and at least as often as it worked
    contradicting  its outcomes disagree, or another valid entry says the opposite of the same thing
    unconfirmed    neither an outcome nor a person has confirmed it for a year
    unused         nobody recalled it in the months since recalls are counted

An entry has one concern: the first of these that holds.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from memory.entry import Entry
from memory.tokens import STOP_WORDS, words
from memory.ulid import tail, ulid_time
from memory.usage import Usage

Kind = Literal["expired", "failing", "contradicting", "unconfirmed", "unused"]
KINDS: Final[tuple[Kind, ...]] = ("expired", "failing", "contradicting", "unconfirmed", "unused")

STALE_AFTER: Final = timedelta(days=365)
UNUSED_AFTER: Final = timedelta(days=90)
_ALIKE: Final = 0.6
"""Share of their words that two entries have in common when they speak of the same thing."""

_OPPOSITES: Final = """
    enable enabled / disable disabled; add added create created / remove removed drop dropped;
    increase increased raise raised / decrease decreased lower lowered; grant granted / revoke revoked;
    allow allowed / deny denied; start started / stop stopped; widen / narrow; larger / smaller;
    more / less; with / without; before / after; on / off; / not never
"""
_SIDES: Final = {
    word: (number, side)
    for number, pair in enumerate(_OPPOSITES.split(";"))
    for side, given in enumerate(pair.split("/"))
    for word in given.split()
}
"""Each word that turns a meaning around, with the number of its pair and its side in it."""

_TURNING: Final = frozenset(_SIDES)
_NEGATED: Final = _SIDES["not"]


@dataclass(frozen=True, slots=True)
class Concern:
    """Why an entry wants a decision. `other` is the entry that it contradicts, where there is one."""

    kind: Kind
    entry: Entry
    reason: str
    other: Entry | None = None


def concerns(entries: Sequence[Entry], usage: Usage, now: datetime) -> tuple[Concern, ...]:
    """Concerns about the active ones of `entries`, gravest kind first, then oldest first. `now` is aware."""
    active = [entry for entry in entries if entry.status == "active"]
    replaced = {old for entry in active for old in entry.supersedes}
    active = [entry for entry in active if entry.id not in replaced]
    opposites = dict(_opposites(active))
    found = [
        concern
        for entry in active
        if (concern := _concern(entry, opposites.get(entry.id), usage, now)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.entry.id)))


def last_confirmed(entry: Entry) -> datetime:
    """When somebody or something last said that the entry holds: an outcome that is no failure, a person's
    confirmation, else its beginning.
    """
    moments = [outcome.when for outcome in entry.outcomes if outcome.result != "failed"]
    if entry.confirmed:
        moments.append(datetime.combine(entry.confirmed, time(), UTC))
    return max(moments, default=ulid_time(entry.id))


def next_valid_until(today: date) -> date:
    """Until when an entry is taken to hold that was confirmed today: a year on."""
    return today + STALE_AFTER


def _concern(entry: Entry, other: Entry | None, usage: Usage, now: datetime) -> Concern | None:
    if entry.valid_until and entry.valid_until < now.date():
        return Concern("expired", entry, f"It was to be valid until {entry.valid_until.isoformat()}.")
    since = _since_confirmed(entry)
    worked, failed = since["worked"], since["failed"]
    if failed >= 2 and failed >= worked:
        return Concern("failing", entry, f"It failed {failed}x and worked {worked}x.")
    if other is not None:
        reason = f"It says the opposite of {tail(other.id)} '{other.title}'."
        return Concern("contradicting", entry, reason, other)
    if worked and failed:
        reason = f"It worked {worked}x and failed {failed}x: say in which case each holds."
        return Concern("contradicting", entry, reason)
    days = (now - last_confirmed(entry)).days
    if days >= STALE_AFTER.days:
        return Concern("unconfirmed", entry, f"Nothing has confirmed it for {days} days.")
    return _unused(entry, usage, now)


def _since_confirmed(entry: Entry) -> Counter[str]:
    """Outcomes that no person has seen in a review yet: a confirmation settles those before its day."""
    return Counter(
        outcome.result
        for outcome in entry.outcomes
        if not entry.confirmed or outcome.when.date() > entry.confirmed
    )


def _unused(entry: Entry, usage: Usage, now: datetime) -> Concern | None:
    if usage.since is None or usage.times(entry.id):
        return None
    begun = max(usage.since, last_confirmed(entry))
    if now - begun < UNUSED_AFTER:
        return None
    return Concern("unused", entry, f"Nobody recalled it on this machine since {begun.date().isoformat()}.")


def _opposites(entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
    """Each entry that contradicts an other, with the other.

    Two entries contradict each other when they apply to the same place and share most of their words, but
    one says the opposite in the rest (enable, disable), or one only ever worked and the other only failed.
    """
    said = {entry.id: frozenset(words(f"{entry.title}\n{entry.action}")) for entry in entries}
    sides = {
        entry_id: frozenset(_SIDES[word] for word in spoken & _TURNING) for entry_id, spoken in said.items()
    }
    subject = {entry_id: spoken - STOP_WORDS - _TURNING for entry_id, spoken in said.items()}
    verdict = {entry.id: _verdict(entry) for entry in entries}
    for one, other in _met(entries, subject):
        opposed = _opposed(sides[one.id], sides[other.id])
        if not opposed and {verdict[one.id], verdict[other.id]} != {"worked", "failed"}:
            continue
        a, b = subject[one.id], subject[other.id]
        alike = len(a & b) >= _ALIKE * len(a | b)
        if alike and _same_place(one, other) and not _confirmed_together(one, other):
            yield one.id, other
            yield other.id, one


def _opposed(a: frozenset[tuple[int, int]], b: frozenset[tuple[int, int]]) -> bool:
    """Whether one takes a side that the other does not, and the other the opposite one."""
    return any((pair, 1 - side) in b - a for pair, side in a - b) or (_NEGATED in a) != (_NEGATED in b)


def _met(entries: Iterable[Entry], subject: Mapping[str, frozenset[str]]) -> Iterator[tuple[Entry, Entry]]:
    """Every pair that may share `_ALIKE` of its words, and few others.

    Two such sets share a word among the rarest few of each, so only those few are looked up.
    """
    known = Counter(word for spoken in subject.values() for word in spoken)
    by_word: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        spoken = sorted(subject[entry.id], key=lambda word: (known[word], word))
        rare = spoken[: len(spoken) - math.ceil(_ALIKE * len(spoken)) + 1]
        for other in {one.id: one for word in rare for one in by_word[word]}.values():
            yield other, entry
        for word in rare:
            by_word[word].append(entry)


def _same_place(one: Entry, other: Entry) -> bool:
    """Whether both apply somewhere in common: no scope that both name is disjoint."""
    return all(
        not names
        or not other.applies_to.get(scope)
        or bool(_folded(names) & _folded(other.applies_to[scope]))
        for scope, names in one.applies_to.items()
    )


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}


def _verdict(entry: Entry) -> str:
    """worked or failed where every outcome says so, else nothing."""
    results = {outcome.result for outcome in entry.outcomes}
    return results.pop() if len(results) == 1 else ""


def _confirmed_together(one: Entry, other: Entry) -> bool:
    """Whether a person has said of both that they hold, after both were there: then both do."""
    if one.confirmed is None or other.confirmed is None:
        return False
    return min(one.confirmed, other.confirmed) >= max(ulid_time(one.id), ulid_time(other.id)).date()
