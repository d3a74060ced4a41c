"""What a schema allows today, in the words of the model: the section that a person confirms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.rls.proof.attack import Campaign
from tools.rls.proof.declared import as_mapping


def expectations(campaign: Campaign) -> Mapping[str, Any]:
    """`[rls]` with `expect`: for every table and command the standings that got through."""
    found: dict[str, dict[str, list[str]]] = {}
    for title in campaign.world.tables:
        belonging = campaign.world.model.tables.get(title)
        if belonging is None:
            continue
        found[title] = {"select": sorted(_readers(campaign, title))}
        for command in ("INSERT", "UPDATE", "DELETE"):
            found[title][command.lower()] = sorted(_writers(campaign, title, command))
    return {**as_mapping(campaign.world.model), "expect": found}


def _readers(campaign: Campaign, title: str) -> set[str]:
    return {
        campaign.standings.standing(actor, row).word
        for actor in campaign.world.actors
        for row in campaign.world.rows[title]
        if row.id in campaign.seen.get(actor, {}).get(title, frozenset())
    }


def _writers(campaign: Campaign, title: str, command: str) -> set[str]:
    words: set[str] = set()
    for actor, outcomes in campaign.permitted.items():
        for outcome in outcomes:
            write = campaign.writes[outcome.attempt.statement]
            if write.table == title and write.command == command:
                for row in (write.before, write.after):
                    if row is not None:
                        words.add(campaign.standings.standing(actor, row).word)
    return words
