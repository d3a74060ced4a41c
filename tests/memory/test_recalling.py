from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from memory import Bank, Banks, Draft

CACHE = Draft("Sessions vanished at noon", "problem-solutions", "Set noeviction.", "No lost sessions.")


def titles(banks: Banks, query: str, now: datetime) -> list[str]:
    return [one.entry.title for one in banks.recall(query, now=now)]


def test_a_synonym_finds_the_entry_and_the_word_itself_comes_first(bank: Bank, now: datetime) -> None:
    bank.add(replace(CACHE, title="Deployments froze"), source="s", now=now)
    bank.add(replace(CACHE, title="Releases froze", action="Set allkeys."), source="s", now=now)
    banks = Banks(bank)
    assert titles(banks, "release", now) == ["Releases froze", "Deployments froze"]


def test_an_entry_for_another_service_than_the_query_names_sinks(bank: Bank, now: datetime) -> None:
    for service in ("render", "supabase"):
        draft = replace(
            CACHE, title=f"Timeout of the {service} proxy", action=f"Raised it on {service}.",
            applies_to={"service": service},
        )  # fmt: skip
        bank.add(draft, source="s", now=now)
    banks = Banks(bank)
    assert titles(banks, "render proxy timeout", now)[0] == "Timeout of the render proxy"
    assert titles(banks, "supabase proxy timeout", now)[0] == "Timeout of the supabase proxy"


def test_the_reasons_name_the_same_error(bank: Bank, now: datetime) -> None:
    bank.add(
        replace(CACHE, context='FATAL: remaining connection slots are reserved for "a"'), source="s", now=now
    )
    (one,) = Banks(bank).recall("srv-1 says FATAL: remaining connection slots are reserved (4711)", now=now)
    assert one.why[0] == "the same error: remaining connection slots are reserved"
    assert one.relevance == 1.0


def test_a_chain_of_successors_stands_in_its_order(bank: Bank, now: datetime) -> None:
    first = bank.add(replace(CACHE, title="Zebra setting, first try"), source="s", now=now).entry
    second = bank.supersede(first.id, replace(CACHE, title="Okapi"), source="s", now=now).entry
    third = bank.supersede(second.id, replace(CACHE, title="Giraffe"), source="s", now=now).entry
    found = Banks(bank).recall("zebra setting", now=now)
    assert [one.entry.id for one in found] == [third.id, second.id, first.id]
