"""What a schema allows today, in the words of the model: the section that a person confirms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tools.rls.proof.actors import Actor
from tools.rls.proof.attack import Campaign
from tools.rls.proof.declared import as_mapping
from tools.rls.proof.deliberate import observed
from tools.rls.proof.states import TO, Key, State, keys_of
from tools.rls.proof.storage import OBJECTS, astray, stray_states
from tools.rls.proof.world import WorldRow
from tools.rls.proof.writing import Write

WRITING: Final = ("INSERT", "UPDATE", "DELETE")


def expectations(campaign: Campaign) -> Mapping[str, Any]:
    """`[rls]` with `expect`: for every table and command the standings that got through.

    A column or a state is named only where it is for fewer than the command as a whole.
    """
    watched = Watched(campaign)
    found = {
        title: {text: sorted(words) for text, words in watched.table(title)}
        for title in campaign.world.tables
        if title in campaign.world.model.tables
    }
    return {**as_mapping(campaign.world.model), "expect": {**found, **observed(campaign, campaign.called)}}


@dataclass(frozen=True, slots=True)
class Tried:
    """One write that an actor tried: what he was to the row before and after, and whether it went through."""

    write: Write
    before: str
    after: str
    through: bool
    meant: bool = True
    """Whether a refusal says anything: a value that the column does not take says nothing."""


@dataclass(eq=False)
class Watched:
    """What happened in one campaign, by table."""

    campaign: Campaign

    def table(self, title: str) -> Iterator[tuple[str, set[str]]]:
        """Every key of a table with the words of those who got through."""
        readers = self._readers(title, lambda _: True)[0]
        columns = dict(self._columns(title))
        nobody = keys_of(text for text, words in columns.items() if not words)
        fixed = {name for key in nobody for name in key.columns}
        yield "select", plainest(readers)
        for command in WRITING:
            yield command.lower(), plainest(self._writers(title, command))
        for state in self.campaign.wishes.states.get(title, ()):
            got, tried = self._readers(title, lambda row, state=state: state.holds(row.values))
            yield from _narrowed(Key("SELECT", state=state), readers, got, tried)
            for command in WRITING:
                for text, words in self._state(title, command, state):
                    if not (f" {TO}" in text and state.column in fixed):  # nobody changes it at all
                        yield text, words
        yield from self._strays() if title == OBJECTS else ()
        yield from columns.items()
        yield from self._kept(title)

    # -- reading -------------------------------------------------------------------------

    def _readers(self, title: str, counts: Callable[[WorldRow], bool]) -> tuple[set[str], set[str]]:
        """Who reads such rows, and who asked for them."""
        got: set[str] = set()
        asked: set[str] = set()
        for actor in self.campaign.world.actors:
            seen = self.campaign.seen.get(actor, {}).get(title, frozenset[str]())
            for row in self.campaign.world.rows[title]:
                if counts(row):
                    word = self.campaign.standings.standing(actor, row).word
                    asked.add(word)
                    if row.id in seen:
                        got.add(word)
        return got, asked

    # -- writing -------------------------------------------------------------------------

    @cached_property
    def tried(self) -> dict[str, list[Tried]]:
        """Table -> the writes that were tried on it."""
        found: dict[str, list[Tried]] = {}
        for actor, outcomes in self.campaign.permitted.items():
            for outcome in outcomes:
                write = self.campaign.writes[outcome.attempt.statement]
                found.setdefault(write.table, []).append(self._tried(actor, write, through=True))
        for actor, several in self.campaign.refused.items():
            for write, outcome in several:
                one = self._tried(
                    actor,
                    write,
                    through=outcome.constrained,
                    meant=not outcome.state.startswith("22"),
                )
                found.setdefault(write.table, []).append(one)
        return found

    def _tried(self, actor: Actor, write: Write, *, through: bool, meant: bool = True) -> Tried:
        words = [
            self.campaign.standings.standing(actor, row).word if row is not None else ""
            for row in (write.before, write.after)
        ]
        return Tried(write, words[0], words[1], through, meant)

    def _writers(self, title: str, command: str) -> set[str]:
        """Those who got through, by what they were to the row as it was and as it became."""
        words: set[str] = set()
        for actor, outcomes in self.campaign.permitted.items():
            for outcome in outcomes:
                write = self.campaign.writes[outcome.attempt.statement]
                if (write.table, write.command) == (title, command) and not astray(write.after):
                    one = self._tried(actor, write, through=True)
                    words |= {one.before, one.after} - {""}
        return words

    def _state(self, title: str, command: str, state: State) -> Iterator[tuple[str, set[str]]]:
        every = self._writers(title, command)
        mine = [one for one in self.tried.get(title, ()) if one.write.command == command and one.meant]

        def narrowed(key: Key, held: Callable[[Tried], bool]) -> Iterator[tuple[str, set[str]]]:
            several = [one for one in mine if held(one)]
            got = {one.before or one.after for one in several if one.through}
            asked = {one.before or one.after for one in several}
            yield from _narrowed(key, every, got, asked)

        def is_so(one: Tried) -> bool:
            row = one.write.before or one.write.after
            return row is not None and state.holds(row.values)

        def becomes_so(one: Tried) -> bool:
            before, after = one.write.before, one.write.after
            return (
                before is not None
                and after is not None
                and state.column in one.write.changed
                and state.holds(after.values)
                and not state.holds(before.values)
            )

        yield from narrowed(Key(command, state=state), is_so)
        if command == "UPDATE":
            yield from narrowed(Key(command, state=state, to=True), becomes_so)

    def _strays(self) -> Iterator[tuple[str, set[str]]]:
        """Paths that nobody's file has, where they are refused to those who may add files."""
        every = self._writers(OBJECTS, "INSERT")
        tried = self.tried.get(OBJECTS, ())
        for state in stray_states(one.write.after for one in tried):
            mine = [one for one in tried if one.write.after and state.holds(one.write.after.values)]
            got = {one.after for one in mine if one.through}
            refused = {one.after for one in mine} - got
            if every & refused:
                yield Key("INSERT", state=state).text, plainest((every - refused) | got)

    def _columns(self, title: str) -> Iterator[tuple[str, set[str]]]:
        """Columns that not everybody may change who may change the row, those of one kind together."""
        every = {one.before for one in self.tried.get(title, ()) if one.through and one.before and one.after}
        alike: dict[frozenset[str], list[str]] = {}
        for name in self.campaign.wishes.columns.get(title, ()) if every else ():
            mine = [one for one in self.tried.get(title, ()) if name in one.write.changed]
            got = {one.before for one in mine if one.through}
            words = {word for word in every if word in got or word.partition("+")[0] in got}
            if words != every:
                alike.setdefault(frozenset(plainest(words)), []).append(name)
        for words, names in alike.items():
            yield Key("UPDATE", tuple(sorted(names))).text, set(words)

    def _kept(self, title: str) -> Iterator[tuple[str, set[str]]]:
        """Columns whose value nobody chooses who adds a row: no role of a caller may name them."""
        world = self.campaign.world
        relation = world.snapshot.relations[title]
        roles = [world.snapshot.roles[name] for name in {actor.role for actor in world.actors}]
        kept = [
            name
            for name in self.campaign.wishes.columns.get(title, ())
            if not any(world.snapshot.may_column(role, relation, name, "INSERT") for role in roles)
        ]
        if kept and self._writers(title, "INSERT"):
            yield Key("INSERT", tuple(sorted(kept))).text, set()


def _narrowed(key: Key, every: set[str], got: set[str], asked: set[str]) -> Iterator[tuple[str, set[str]]]:
    """The key with those who were not refused, where somebody was who may otherwise."""
    left = every - (asked - got)
    if left != every:
        yield key.text, plainest(left)


def plainest(words: set[str]) -> set[str]:
    """Without what a shorter word says already: `owner` covers `owner+party`."""
    return {word for word in words if "+" not in word or word.partition("+")[0] not in words}
