"""Who reaches what: every actor's reads and writes of some tables, row by row, before and after a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tools.rls.fixing.narrow import Narrow, Thorough
from tools.rls.proof.actors import Actor
from tools.rls.proof.attack import Campaign
from tools.rls.proof.expect import may_read, may_write
from tools.rls.proof.model import Kind
from tools.rls.proof.probing import Attempt
from tools.rls.proof.standing import Standing
from tools.rls.proof.world import WorldRow
from tools.rls.proof.writing import Write
from tools.rls.storage import OBJECTS

REFUSALS = ("", "42501")
"""A statement that changed nothing, or was refused."""
PER_KIND: Final = 8
"""Statements of one command on one table that an actor tries. Uploads to storage come by the hundred."""


@dataclass(frozen=True, slots=True)
class Reach:
    """`reads`: (actor, table) -> ids. `writes`: (actor, statement) -> whether it went through.

    `broken`: (table, command, SQLSTATE) of statements that failed otherwise than by a refusal.
    """

    reads: Mapping[tuple[str, str], frozenset[str]]
    writes: Mapping[tuple[str, str], bool]
    broken: frozenset[tuple[str, str, str]]

    @property
    def cells(self) -> int:
        """How many (actor, row) and (actor, statement) pairs were tried or read."""
        return len(self.writes) + sum(len(ids) for ids in self.reads.values())


@dataclass(frozen=True, slots=True)
class Change:
    """What is different after a change, by what the model says of it.

    `lost` was rightful and is gone, `opened` is now possible and not rightful: both speak against a change.
    `closed` was not rightful and is gone; `gained` is rightful and was not possible before; `other` has no
    verdict in the model. Each entry is a sentence.
    """

    lost: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    left: int = 0
    """Wrongful reads and writes that are still possible."""
    missing: int = 0
    """Rightful readings that are not possible."""
    broken: tuple[str, ...] = ()

    def plus(self, other: Change) -> Change:
        """Both together."""
        return Change(
            tuple(dict.fromkeys((*self.lost, *other.lost))),
            tuple(dict.fromkeys((*self.opened, *other.opened))),
            tuple(dict.fromkeys((*self.closed, *other.closed))),
            tuple(dict.fromkeys((*self.gained, *other.gained))),
            tuple(dict.fromkeys((*self.other, *other.other))),
            self.left + other.left,
            self.missing + other.missing,
            tuple(dict.fromkeys((*self.broken, *other.broken))),
        )

    @property
    def same(self) -> bool:
        """Whether nobody's reach changed at all."""
        return not (self.lost or self.opened or self.closed or self.gained or self.other or self.broken)

    @property
    def harmless(self) -> bool:
        """Whether no rightful access was lost and nothing was opened."""
        return not (self.lost or self.opened or self.broken)


@dataclass(slots=True)
class Tried:
    """The statements of one round, kept so that the next one is the same."""

    writes: dict[str, list[Write]] = field(default_factory=dict[str, list[Write]])
    tactics: Thorough | None = None


def read_of(campaign: Narrow, tables: frozenset[str]) -> Reach:
    """What one actor of each sort reads of these tables at this moment."""
    reads: dict[tuple[str, str], frozenset[str]] = {}
    broken: set[tuple[str, str, str]] = set()
    for actor in sample(campaign.world.actors):
        _read(campaign, actor, tables, reads, broken)
    return Reach(reads, {}, frozenset(broken))


def _read(
    campaign: Narrow,
    actor: Actor,
    tables: frozenset[str],
    reads: dict[tuple[str, str], frozenset[str]],
    broken: set[tuple[str, str, str]],
) -> None:
    queries = [query for query in Campaign.queries_of(campaign, actor.role) if query.table in tables]
    answers = campaign.probing.reads(actor, [query.sql for query in queries]) if queries else []
    for query, seen in zip(queries, answers, strict=True):
        reads[actor.name, query.table] = query.ids(seen.ids)
        if seen.state not in REFUSALS:
            broken.add((query.table, "SELECT", seen.state))


def reached(
    campaign: Narrow, tables: frozenset[str], tried: Tried, actors: Iterable[Actor] | None = None
) -> Reach:
    """What actors (one of each sort, where none are named) read and write of these tables at this moment."""
    reads: dict[tuple[str, str], frozenset[str]] = {}
    writes: dict[tuple[str, str], bool] = {}
    broken: set[tuple[str, str, str]] = set()
    for actor in sample(campaign.world.actors) if actors is None else actors:
        _read(campaign, actor, tables, reads, broken)
        every = statements(campaign, actor, tables, tried)
        outcomes = campaign.probing.attempts(actor, [Attempt(write.sql) for write in every])
        for write, outcome in zip(every, outcomes, strict=True):
            writes[actor.name, write.sql] = outcome.worked
            if outcome.state not in REFUSALS and not outcome.state.startswith(("23", "P0", "22")):
                broken.add((write.table, write.command, outcome.state))
    return Reach(reads, writes, frozenset(broken))


def sample(actors: Iterable[Actor], *, every_end: bool = True) -> list[Actor]:
    """One actor of each sort: a holder for every level, and a former one for every way in which it ended.

    Candidates are compared by these; the attack on all fixes together is made by everybody. Without
    `every_end`, one former holder stands for all ways.
    """
    chosen: dict[tuple[str, ...], Actor] = {}
    for actor in actors:
        spec = actor.spec
        if spec is None:
            key = (actor.name,)
        elif spec.live:
            key = (spec.opening, spec.rank)
        else:
            ended = (spec.changes[0][0].table, spec.changes[0][0].column) if every_end else ()
            key = (spec.opening, "ended", *ended)
        chosen.setdefault(key, actor)
    return list(chosen.values())


def statements(campaign: Narrow, actor: Actor, tables: frozenset[str], tried: Tried) -> list[Write]:
    """The writes that an actor tries on these tables: of many for one command, some from all over them."""
    if tried.tactics is None:
        tried.tactics = campaign.tactics_for(tables)
    if actor.name not in tried.writes:
        kinds: dict[tuple[str, str], list[Write]] = {}
        for write in tried.tactics.writes_of(actor):
            kinds.setdefault((write.table, write.command), []).append(write)
        tried.writes[actor.name] = [write for several in kinds.values() for write in _spread(several)]
    return tried.writes[actor.name]


def _spread(several: list[Write]) -> list[Write]:
    step = max(1, -(-len(several) // PER_KIND))
    return several[::step]


def compared(campaign: Narrow, before: Reach, after: Reach, tried: Tried) -> Change:
    """The difference, judged by the model."""
    found: dict[str, dict[str, None]] = {name: {} for name in ("lost", "opened", "closed", "gained", "other")}
    left = missing = 0
    actors = {actor.name: actor for actor in campaign.world.actors}
    for (name, table), ids in before.reads.items():
        now = after.reads.get((name, table), frozenset())
        rows = {row.id: row for row in campaign.world.rows_of(table)}
        for one, row in rows.items():
            allowed = _may_read(campaign, actors[name], row)
            left += allowed is False and one in now
            missing += allowed is True and one not in now
            _sort(found, f"{name} reads {table}", allowed, one in ids, one in now)
    for name, several in tried.writes.items():
        for write in several:
            was, is_now = (
                before.writes.get((name, write.sql), False),
                after.writes.get((name, write.sql), False),
            )
            if not (was or is_now):
                continue
            allowed = _may(campaign, actors[name], write)
            left += allowed is False and is_now
            _sort(found, f"{name}: {write.command} on {write.table}", allowed, was, is_now)
    broken = sorted(
        f"{command} on {table} fails with {state}" for table, command, state in after.broken - before.broken
    )
    return Change(
        *(tuple(found[name]) for name in ("lost", "opened", "closed", "gained", "other")),
        left=left,
        missing=missing,
        broken=tuple(broken),
    )


def _sort(
    found: dict[str, dict[str, None]], text: str, allowed: bool | None, was: bool, is_now: bool
) -> None:
    if was == is_now:
        return
    if allowed is None:
        found["other"][f"{text} ({'no longer' if was else 'now'})"] = None
    elif was:
        found["lost" if allowed else "closed"][text] = None
    else:
        found["gained" if allowed else "opened"][text] = None


def _may_read(campaign: Campaign, actor: Actor, row: WorldRow) -> bool | None:
    """Whether a reading is rightful. That staff may read persons' rows is no claim that they must.

    Nor is it one that everybody may list the files of a public bucket, which are served without a policy.
    """
    standing = campaign.standings.standing(actor, row)
    allowed = may_read(campaign.world, row, standing)
    belonging = campaign.world.model.tables.get(row.table)
    silent = belonging is None or (belonging.kind is not Kind.STAFF and "SELECT" not in belonging.expect)
    if allowed and ((standing.base == "staff" and silent) or dormant(campaign, row)):
        return None
    if allowed and row.table == OBJECTS and not (standing.inside or standing.party):
        return None
    return allowed


def _may(campaign: Narrow, actor: Actor, write: Write) -> bool | None:
    """Whether a write is rightful by the rows before and after it. Letting oneself in is never claimed."""
    if campaign.violation_of(actor, write) is not None:
        return False
    verdicts = [
        _may_row(campaign, actor, write, row) for row in (write.before, write.after) if row is not None
    ]
    return True if verdicts and all(verdict is True for verdict in verdicts) else None


def _may_row(campaign: Narrow, actor: Actor, write: Write, row: WorldRow) -> bool | None:
    standing = campaign.standings.standing(actor, row)
    model = campaign.world.model
    opened = [opening.anchor for opening in model.openings if opening.table == row.table]
    owned = any(model.anchors[title].owners for title in opened if title in model.anchors)
    if opened and ((standing.party and write.command == "INSERT") or (owned and standing.base != "owner")):
        return None  # how far a delegate may let others in, or himself, differs from schema to schema
    if dormant(campaign, row) or (write.command == "DELETE" and _manages_not(campaign, standing)):
        return None
    return may_write(campaign.world, row, standing, write.command, living=write.living)


def _manages_not(campaign: Campaign, standing: Standing) -> bool:
    """Whether a level below managing is asked to delete: schemas differ in this, so nothing is claimed."""
    ranked = any("manage" in rank.rights for one in campaign.world.model.openings for rank in one.ranks)
    return ranked and standing.base == "opening" and "manage" not in standing.rights


def dormant(campaign: Campaign, row: WorldRow) -> bool:
    """Whether the row belongs to a record that is not in force (archived): nothing is claimed of it."""
    world = campaign.world
    belonging = world.model.tables.get(row.table)
    for hops in belonging.paths if belonging is not None else ():
        record = world.follow(row, hops)
        anchor = world.model.anchors.get(record.table) if record is not None else None
        if record is not None and anchor is not None:
            for condition in anchor.conditions:
                if not world.meets(condition, record):
                    return True
    return False
