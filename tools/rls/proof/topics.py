"""Private realtime channels: who may listen to, and speak in, the channel of somebody else's record.

Realtime asks the policies of realtime.messages, with the channel's name in realtime.topic(). No key says
whose channel `family:KEY` is: every name that the policies' own words make with a record's key is tried, and
what lets anybody in is tried by everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.objects import Policy
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.attack import Campaign
from tools.rls.proof.events import Violation
from tools.rls.proof.expect import may_read
from tools.rls.proof.model import Kind as Belongs
from tools.rls.proof.population import Population
from tools.rls.proof.probing import Attempt
from tools.rls.proof.side import Side
from tools.rls.proof.verdict import Kind
from tools.rls.proof.world import ID, MESSAGES, World, WorldRow, named, quoted
from tools.rls.proof.writing import Write
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.fill import CannotFill
from tools.sandbox.scratch.session import SqlFailure

BETWEEN: Final = ":/._-"
WORDS: Final = 8
TRIED: Final = 16
"""Channels, of those that let anybody in, which everybody tries."""
EXTENSIONS: Final = ("broadcast", "presence")


def fill(population: Population) -> None:
    """A message of each kind in every channel that the policies could mean, for both families."""
    world = population.world
    relation = population.snapshot.relations.get(MESSAGES)
    if relation is None or MESSAGES not in population.model.tables:
        return
    said = _words(population.snapshot)
    for side in world.sides[:2]:
        for title, key in _meant(population, side, said):
            for topic in _channels(said, title, key):
                if topic in world.paths:
                    continue
                world.paths[topic] = (side.account, _record(population, side, title))
                for extension in EXTENSIONS:
                    values = {"topic": topic, "extension": extension, "private": "true"}
                    given = {name: value for name, value in values.items() if name in relation.columns}
                    try:
                        side.add(population.filler.insert(MESSAGES, given))
                    except (CannotFill, SqlFailure) as failure:
                        world.gaps.append((MESSAGES, str(failure)))
                        return


def _words(snapshot: Snapshot) -> list[str]:
    """Text constants of the policies and of what they call, that may begin or end a channel's name."""
    found: dict[str, None] = {}
    reached = reach(snapshot)
    for policy in snapshot.relations[MESSAGES].policies:
        for facts in policy.parts():
            called = [one for function in reached.reached(facts) for one in body_of(function).facts]
            for text in (text for one in (facts, *called) for text in one.constants):
                word = text.strip("%^$*").strip(BETWEEN)
                if re.fullmatch(r"[A-Za-z][\w-]{1,39}", word) and word not in EXTENSIONS:
                    found[word] = None
    return list(found)[:WORDS]


def _meant(population: Population, side: Side, said: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(table, key) of the account and the records of a side, and of the first row of what a word names."""
    yield population.model.accounts, side.account
    for title, record in side.records.items():
        yield title, record.values.get(population.model.anchors[title].key) or ""
    for title, belonging in population.model.tables.items():
        whose = belonging.kind in (Belongs.SCOPED, Belongs.OWN) and any(names(word, title) for word in said)
        row = side.of(title) if whose else None
        if row is not None and title not in side.records:
            yield title, row.values.get("id") or ""


def _channels(said: Iterable[str], title: str, key: str) -> Iterator[str]:
    if not key:
        return
    yield key
    for word in dict.fromkeys([*said, title.partition(".")[2].rstrip("s")]):
        for between in BETWEEN:
            yield f"{word}{between}{key}"
            yield f"{key}{between}{word}"


def names(word: str, title: str) -> bool:
    """Whether a word means a table: `patient` and `patients` mean public.patients."""
    name = title.partition(".")[2].rstrip("s")
    plain = word.lower().rstrip("s")
    return plain == name or name.endswith(f"_{plain}")


def telling(topic: str, tables: Iterable[str]) -> bool:
    """Whether a channel's name says that it is a record's: a word names a table, or there is a key alone."""
    words = [word for word in re.split(f"[{BETWEEN}]", topic) if word.isalpha()]
    return not words or any(names(word, title) for word in words for title in tables)


def _record(population: Population, side: Side, title: str) -> str:
    """The key of the record that a row of this table on this side belongs to."""
    belonging = population.model.tables.get(title)
    for anchor in (title, *(belonging.anchors if belonging else ())):
        if anchor in side.records:
            return side.records[anchor].values.get(population.model.anchors[anchor].key) or ""
    return ""


# -- the attacks -------------------------------------------------------------------------------------------


def join(campaign: Campaign) -> None:
    """Everybody listens to, and speaks in, the channels that let anybody in."""
    world = campaign.world
    topics = list(dict.fromkeys(row.values.get("topic") or "" for row in world.rows.get(MESSAGES, ())))
    topics = [topic for topic in topics if topic in world.paths]
    for command, enter in (("SELECT", listen), ("INSERT", speak)):
        if not topics or not any(p.permissive and p.covers(command) for p in _policies(world)):
            continue
        first = {actor: enter(campaign, actor, topics) for actor in _scouts(world)}
        used = [topic for topic in topics if any(topic in found for found in first.values())]
        used.sort(key=lambda topic: not telling(topic, world.model.tables))
        if not used:
            why = "no channel was found that lets anybody in, so that a refusal proves nothing"
            campaign.gaps.append((f"{command} on {MESSAGES}", why))
        # Where strangers get in and no word says that a record is meant, it is a channel for everybody.
        strange = [found for actor, found in first.items() if _strange(world, actor)]
        public = {t for t in used if any(t in found for found in strange)}
        public -= {t for t in public if telling(t, world.model.tables)}
        for actor in world.actors if used else ():
            found = first[actor] if actor in first else enter(campaign, actor, used[:TRIED])
            for topic, violation in found.items():
                if violation is not None and topic not in public:
                    campaign.violations.append(violation)


def _scouts(world: World) -> list[Actor]:
    """Who tries every name: strangers, owners, staff, and one of each kind that a record is open to."""
    kinds = {
        (actor.spec.opening, actor.spec.rank) if actor.spec else (actor.name,): actor
        for actor in reversed(world.actors)
        if actor.spec is None or actor.spec.live
    }
    return list(kinds.values())


def _strange(world: World, actor: Actor) -> bool:
    owners = {side.account for side in world.sides}
    return actor.spec is None and not actor.staff and actor.account not in owners


def _policies(world: World) -> Sequence[Policy]:
    return world.snapshot.relations[MESSAGES].policies


def listen(campaign: Campaign, actor: Actor, topics: Sequence[str]) -> dict[str, Violation | None]:
    """The channels whose messages an actor gets, and what is wrong with that."""
    shown = f'select array_agg({ID} order by {ID} collate "C")::text from {named(MESSAGES)} where topic = '
    attempts = [Attempt(shown + literal(topic), opener=_opener(topic)) for topic in topics]
    found: dict[str, Violation | None] = {}
    rows = {row.id: row for row in campaign.world.rows[MESSAGES]}
    for topic, outcome in zip(topics, campaign.probing.attempts(actor, attempts), strict=True):
        ids = [one for one in (outcome.answer or "").strip("{}").split(",") if one in rows]
        _count(campaign, "SELECT", got_in=bool(ids))
        if ids:
            mine = campaign.seen.setdefault(actor, {})
            mine[MESSAGES] = mine.get(MESSAGES, frozenset()) | set(ids)
            row = rows[ids[0]]
            wrong = may_read(campaign.world, row, campaign.standings.standing(actor, row)) is False
            heard = Violation(Kind.READ, _listening(actor, topic), "SELECT", row, (MESSAGES,))
            found[topic] = heard if wrong else None
    return found


def speak(campaign: Campaign, actor: Actor, topics: Sequence[str]) -> dict[str, Violation | None]:
    """The channels that take an actor's messages, and what is wrong with that."""
    writes = [_message(campaign.world, topic, extension) for topic in topics for extension in EXTENSIONS]
    attempts = [Attempt(write.sql, opener=_opener(_topic(write))) for write in writes]
    found: dict[str, Violation | None] = {}
    for write, outcome in zip(writes, campaign.probing.attempts(actor, attempts), strict=True):
        _count(campaign, "INSERT", got_in=outcome.worked)
        if outcome.worked:
            campaign.writes[write.sql] = write
            campaign.permitted.setdefault(actor, []).append(outcome)
            violation = campaign.violation_of(actor, write)
            topic = _topic(write)
            found[topic] = violation and replace(violation, actor=_listening(actor, topic))
    return found


def _message(world: World, topic: str, extension: str) -> Write:
    given = {"topic": topic, "extension": extension, "event": "message", "private": "true"}
    values: dict[str, str | None] = {
        name: value for name, value in given.items() if name in world.snapshot.relations[MESSAGES].columns
    }
    listed = ", ".join(quoted(name) for name in values)
    sql = f"insert into {named(MESSAGES)} ({listed}) values ({', '.join(map(literal, values.values()))})"
    return Write("insert", "INSERT", MESSAGES, sql, None, WorldRow(MESSAGES, "", values))


def _topic(write: Write) -> str:
    return (write.after and write.after.values.get("topic")) or ""


def _opener(topic: str) -> str:
    return f"select set_config('realtime.topic', {literal(topic)}, true)"


def _listening(actor: Actor, topic: str) -> Actor:
    """The actor as Realtime makes the session for a channel."""
    return replace(actor, settings={**actor.settings, "realtime.topic": topic})


def _count(campaign: Campaign, command: str, *, got_in: bool) -> None:
    key = (MESSAGES, command)
    campaign.tried[key] = campaign.tried.get(key, 0) + 1
    campaign.worked[key] = campaign.worked.get(key, 0) + got_in
