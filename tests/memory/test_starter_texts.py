"""What the entries of the starter bank promise: enough of them, runnable SQL, a source, nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest
from postgast import PgQueryError, parse

from memory import Entry, starter_bank
from memory.similar import find_duplicate
from memory.tokens import STOP_WORDS, words
from tools.redaction import Redactor

ENTRIES = starter_bank().entries()
_SQL = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
_KNOWN_SOURCES = r"documentation|reference|45 CFR|measured|measurement|recorded|SQLSTATE"
_POLICY_PART = re.compile(r"(?:USING|WITH CHECK) \(", re.IGNORECASE)
BLOCKS = [
    (entry.title, block)
    for entry in ENTRIES
    for text in (entry.context, entry.action, entry.result, entry.why)
    for block in _SQL.findall(text)
]


def test_there_are_enough_entries_and_several_of_each_category() -> None:
    assert len(ENTRIES) >= 45
    assert min(Counter(entry.category for entry in ENTRIES).values()) >= 8
    assert Counter(service for entry in ENTRIES for service in entry.applies_to["service"]).keys() >= {
        "postgres",
        "supabase",
        "render",
    }


def test_most_entries_show_sql_and_all_of_it_parses() -> None:
    assert len(BLOCKS) >= 35
    for title, block in BLOCKS:
        # An excerpt of a policy is shown without its statement.
        sql = f"ALTER POLICY p ON t {block}" if _POLICY_PART.match(block) else block
        try:
            parse(sql)
        except PgQueryError as error:
            pytest.fail(f"{title}: {error}")


def test_code_fences_are_closed() -> None:
    for entry in ENTRIES:
        for text in (entry.context, entry.action, entry.result, entry.why):
            assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0, entry.title


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_each_source_names_a_document_or_a_measurement(entry: Entry) -> None:
    assert re.search(
        r"documentation|reference|45 CFR|measured|measurement|recorded|SQLSTATE",
        entry.source.ref,
        re.IGNORECASE,
    )
    if re.search(r"\bmeasured\b", f"{entry.result} {entry.why}", re.IGNORECASE):
        assert re.search(r"PostgreSQL 17|measurement on PostgreSQL", entry.source.ref, re.IGNORECASE)


def test_no_two_entries_say_the_same() -> None:
    for entry in ENTRIES:
        assert find_duplicate(entry, [other for other in ENTRIES if other is not entry]) is None
    titles = {entry.id: set(words(entry.title)) - STOP_WORDS for entry in ENTRIES}
    bodies = {entry.id: set(words(f"{entry.title} {entry.action}")) - STOP_WORDS for entry in ENTRIES}
    for one, other in combinations(titles, 2):
        assert _overlap(titles[one], titles[other]) < 0.6, (one, other)
        assert _overlap(bodies[one], bodies[other]) < 0.5, (one, other)


def test_no_entry_is_refused_for_patients_data_or_secrets() -> None:
    objection = Redactor(strict=True).objection
    complaints = {
        entry.title: found
        for entry in ENTRIES
        for text in (entry.title, entry.context, entry.action, entry.result, entry.why, entry.source.ref)
        if (found := objection(text))
    }
    assert not complaints


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)
