"""Levels that somebody may not give in a new row, and gives by changing one: a line drawn in one place only.

Owners may add managers, managers only readers; but a manager may turn the reader into a manager.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.rls.proof.attack import REFUSED, Campaign
from tools.rls.proof.events import Violation
from tools.rls.proof.model import STAFF, Opening
from tools.rls.proof.states import Key, State
from tools.rls.proof.verdict import Kind
from tools.rls.proof.world import WorldRow

Given = dict[str, set[str]]
"""Standing -> levels."""


def promotions(campaign: Campaign) -> Iterator[Violation]:
    """Changes of a level to one that new rows of the same standing are refused, and others' are not."""
    for opening in campaign.world.model.openings:
        belonging = campaign.world.model.tables.get(opening.table)
        if opening.anchor == STAFF or not opening.level or not opening.ranks:
            continue
        if belonging is None or belonging.expect:  # a person said what is for whom
            continue
        allowed, refused = _inserted(campaign, opening)
        everybody = set[str]().union(*allowed.values()) if allowed else set[str]()
        known: set[tuple[str, str]] = set()
        for actor, outcomes in campaign.permitted.items():
            for outcome in outcomes:
                write = campaign.writes[outcome.attempt.statement]
                if write.table != opening.table or write.command != "UPDATE" or write.before is None:
                    continue
                if opening.level not in write.changed or write.after is None:
                    continue
                word = _word(campaign.standings.standing(actor, write.before).word)
                level = write.after.values.get(opening.level) or ""
                forbidden = refused.get(word, set()) - allowed.get(word, set())
                if level in forbidden & everybody and allowed.get(word) and (word, level) not in known:
                    known.add((word, level))
                    key = Key("UPDATE", state=State(opening.level, "is", level), to=True)
                    yield Violation(
                        Kind.WRITE, actor, "UPDATE", write.before, (write.sql,), write, narrow=key
                    )


def _inserted(campaign: Campaign, opening: Opening) -> tuple[Given, Given]:
    """The levels that each standing got through with in a new row, and those that it was refused."""
    allowed: Given = {}
    refused: Given = {}

    def note(found: Given, word: str, row: WorldRow) -> None:
        found.setdefault(_word(word), set()).add(row.values.get(opening.level) or "")

    for actor, outcomes in campaign.permitted.items():
        for outcome in outcomes:
            write = campaign.writes[outcome.attempt.statement]
            if (write.table, write.command) == (opening.table, "INSERT") and write.after is not None:
                note(allowed, campaign.standings.standing(actor, write.after).word, write.after)
    for actor, several in campaign.refused.items():
        for write, outcome in several:
            if (write.table, write.command) != (opening.table, "INSERT") or write.after is None:
                continue
            word = campaign.standings.standing(actor, write.after).word
            if outcome.constrained:
                note(allowed, word, write.after)
            elif outcome.state in REFUSED:
                note(refused, word, write.after)
    return allowed, refused


def _word(word: str) -> str:
    """A standing without whom the row names."""
    return word.partition("+")[0]
