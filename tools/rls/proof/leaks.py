"""Violations gathered by their cause: one leak for one thing to mend, with the smallest script for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tools.findings import Level
from tools.review import Gap
from tools.rls.proof.attack import REFUSED, Campaign
from tools.rls.proof.blame import Blame, Cause
from tools.rls.proof.events import Violation
from tools.rls.proof.model import Kind as Belongs
from tools.rls.proof.oracles import oracles
from tools.rls.proof.replay import replay_of
from tools.rls.proof.states import Key
from tools.rls.proof.storage import astray
from tools.rls.proof.tailoring import unproven
from tools.rls.proof.verdict import Kind, Leak
from tools.sandbox.scratch.session import ScratchSession

SAMPLES: Final = 6
"""How many violations of one relation, command and kind are looked into for their causes."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a campaign found, gravest first."""

    leaks: tuple[Leak, ...]
    denied: tuple[Leak, ...]
    notes: tuple[Leak, ...]


def assemble(
    campaign: Campaign,
    blame: Blame,
    session: ScratchSession,
    generated: Mapping[str, frozenset[str]],
    *,
    replays: bool = True,
) -> Found:
    """Leaks by cause, and what owners were wrongly refused."""
    causes: dict[tuple[str, Kind], list[tuple[Violation, Cause]]] = {}
    for violation in _sampled(campaign):
        cause = blame.cause(violation)
        causes.setdefault((cause.object, violation.kind), []).append((violation, cause))
    leaks: list[Leak] = []
    for (_, kind), several in causes.items():
        violation, cause = min(several, key=lambda pair: gravity(campaign, pair[0]))
        relations = tuple(dict.fromkeys(one.row.table for one, _ in several))
        leak = Leak(
            kind=kind,
            level=Level.ERROR,
            object=cause.object,
            sentence=sentence(violation, cause, relations),
            actor=violation.actor.name,
            command=violation.command,
            relations=relations,
            policy=cause.policy,
            function=cause.function,
            times=len(several),
        )
        if replays:
            replay = replay_of(campaign.world, violation, session, generated)
            leak = leak.model_copy(
                update={
                    "replay": replay.script,
                    "seed": replay.seed,
                    "acting": replay.acting,
                    "attack": replay.attack,
                    "expect": replay.expect,
                    "witness": replay.witness,
                }
            )
        leaks.append(leak)
    leaks.sort(key=lambda leak: (ORDER.index(leak.kind), -leak.times, leak.object))
    return Found(tuple(leaks), tuple(_denials(campaign)), oracles(campaign))


ORDER: Final = (Kind.READ, Kind.ESCALATION, Kind.WRITE, Kind.CALL, Kind.DENIED, Kind.ORACLE)


def gravity(campaign: Campaign, violation: Violation) -> tuple[int, int]:
    """Who did it: what anybody can do is graver than what somebody once let in can do."""
    names = [actor.name for actor in campaign.world.actors]
    return names.index(violation.actor.name), len(violation.statements)


def _sampled(campaign: Campaign) -> list[Violation]:
    """A few violations for every relation, command, kind, function and sort of actor."""
    found: dict[tuple[str, ...], list[Violation]] = {}
    for violation in sorted(campaign.violations, key=lambda one: gravity(campaign, one)):
        spec = violation.actor.spec
        sort = (
            f"{spec.opening} {spec.changes and spec.changes[0][0].column}" if spec else violation.actor.name
        )
        key = (violation.row.table, violation.command, violation.kind, violation.function, sort)
        kept = found.setdefault(key, [])
        if len(kept) < 2:
            kept.append(violation)
    by_relation: dict[tuple[str, ...], list[Violation]] = {}
    for key, several in found.items():
        by_relation.setdefault(key[:4], []).extend(several)
    return [violation for several in by_relation.values() for violation in several[: SAMPLES * 2]]


def sentence(violation: Violation, cause: Cause, relations: tuple[str, ...]) -> str:
    """One sentence: who does what with whose rows, and why it goes through."""
    actor = violation.actor.name
    where = relations[0] if len(relations) == 1 else f"{relations[0]} and {len(relations) - 1} more"
    who = _introduced(actor, holds=violation.actor.spec is not None)
    match violation.kind:
        case Kind.READ | Kind.WRITE if violation.narrow is not None:
            did = f"{_narrowly(violation.narrow, violation, where)}, which is not for them"
        case Kind.READ:
            did = f"reads rows of {where} in a record that is not open to them"
        case Kind.ESCALATION:
            command = violation.write.command if violation.write else "write"
            did = f"lets themselves in by an own {command} and then reaches {where}"
        case Kind.CALL if violation.note.startswith(("leaves ", "lets ")):
            did = f"calls {violation.function}, which {violation.note}"
        case Kind.CALL:
            done = {"writes": "changes", "deletes": "deletes"}.get(violation.note, "gets")
            did = f"{done} rows of {where} by calling {violation.function}"
        case _:
            verb = {"INSERT": "adds rows to", "UPDATE": "changes rows of", "DELETE": "deletes rows of"}
            did = f"{verb.get(violation.command, 'writes to')} {where} in a record that is not open to them"
            if violation.note:
                did = f"{violation.note} in {where}"
    return f"{who} {did}: {cause.why}."


def _narrowly(key: Key, violation: Violation, where: str) -> str:
    """What somebody did with a row that is open to him, but not for this."""
    if key.state is None and key.command == "INSERT":
        return f"chooses {', '.join(key.columns)} in new rows of {where}"
    if key.state is None:
        changed = violation.write.changed if violation.write else frozenset[str]()
        return f"changes {', '.join(sorted(changed & set(key.columns)))} in rows of {where}"
    if key.to:
        return f"brings rows of {where} to {key.state.text}"
    if astray(violation.row):
        return f"adds files to {where} whose path is {key.state.value}"
    verb = {"INSERT": "adds rows to", "UPDATE": "changes rows of", "DELETE": "deletes rows of"}
    return f"{verb.get(key.command, 'reads rows of')} {where} with {key.state.text}"


def _introduced(actor: str, *, holds: bool) -> str:
    """An actor as a sentence begins with him: The owner of family b, Somebody with shares read."""
    if holds:
        return f"Somebody with {actor}"
    if actor.startswith("owner of "):
        return f"The owner of family {actor.removeprefix('owner of ')}"
    return f"A {actor}" if actor.startswith("stranger") else actor[0].upper() + actor[1:]


def _denials(campaign: Campaign) -> list[Leak]:
    """Relations whose policies shut out even the owner of the record."""
    found: list[Leak] = []
    refused: dict[str, list[Violation]] = {}
    for violation in campaign.denied:
        refused.setdefault(violation.row.table, []).append(violation)
    for title, several in refused.items():
        relation = campaign.world.snapshot.relations[title]
        reading = [policy for policy in relation.policies if policy.permissive and policy.covers("SELECT")]
        if not reading or campaign.worked.get((title, "SELECT")):
            continue
        broken = next((text for (table, _, _), text in campaign.broken.items() if table == title), "")
        one = several[0]
        who = _introduced(one.actor.name, holds=False)
        why = f"reading fails: {broken}" if broken else "no condition ever holds for them"
        found.append(
            Leak(
                kind=Kind.DENIED,
                level=Level.ERROR,
                object=reading[0].title if len(reading) == 1 else title,
                sentence=f"{who} cannot read the own rows of {title}: {why}.",
                actor=one.actor.name,
                command="SELECT",
                relations=(title,),
                policy=reading[0].title,
                times=len(several),
            )
        )
    return found


def gaps_of(campaign: Campaign) -> list[Gap]:
    """What was not examined: probes that proved nothing because nobody at all got through."""
    gaps = [Gap(what=what, why=why) for what, why in campaign.gaps]
    world = campaign.world
    for title, command in sorted(unproven(world, campaign.tried, campaign.worked)):
        why = (
            "no actor got through, not even the owner or with rows made for its policies, so that a "
            "refusal proves nothing"
        ) + _raised(campaign, title, command)
        gaps.append(Gap(what=f"{command} on {title}", why=why))
    for title, belonging in world.model.tables.items():
        if belonging.kind in (Belongs.SCOPED, Belongs.OWN) and title in world.rows and not world.rows[title]:
            gaps.append(Gap(what=title, why="no row could be made in it"))
    return gaps


def _raised(campaign: Campaign, title: str, command: str) -> str:
    """What a trigger or function answered to most who tried, where row level security let them that far."""
    said = Counter(
        outcome.message.splitlines()[0][:120]
        for several in campaign.refused.values()
        for write, outcome in several
        if (write.table, write.command) == (title, command)
        if outcome.message and outcome.state not in REFUSED and not outcome.state.startswith("23")
    )
    return f"; most were told: {said.most_common(1)[0][0]}" if said else ""
