from __future__ import annotations

from datetime import datetime

import pytest

from memory import Banks, Entry, parse_entry, render_entry, starter_bank
from memory.banks import STARTER
from memory.files import file_name

ENTRIES = starter_bank().entries()


def test_the_starter_bank_has_no_problem_and_every_category_but_handoffs() -> None:
    assert starter_bank().problems() == ()
    assert len(ENTRIES) == len(list(STARTER.rglob("*.md"))) >= 12
    assert {entry.category for entry in ENTRIES} == {
        "deployment-patterns",
        "database-optimizations",
        "security-configurations",
        "performance-tuning",
        "problem-solutions",
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_each_entry_says_where_it_applies_and_where_it_comes_from(entry: Entry) -> None:
    assert entry.applies_to.get("service")
    assert len(str(entry.source)) > 10
    assert min(map(len, (entry.action, entry.result, entry.why))) > 60
    text = (STARTER / file_name(entry)).read_text(encoding="utf-8")
    assert parse_entry(text) == entry
    assert render_entry(entry) == text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("ERROR: 42P17 infinite recursion detected in policy for relation family_members", "42P17"),
        ("our RLS policies are slow on a big table, auth.uid() everywhere", "auth.uid()"),
        ("can anon still call my security definer function after revoke from public?", "REVOKE FROM PUBLIC"),
        ("render worker exit 137 out of memory", "exit 137"),
        ("how do I roll back a deploy on Render", "rollback"),
        ("ALTER TABLE blocked the whole app during the migration", "lock_timeout"),
        ("audit log that nobody can tamper with for HIPAA", "audit log"),
        ("materialized view leaks rows", "security_invoker"),
        ("new monthly partition readable by anon", "partition"),
        ("a user made himself member of another family", "grant"),
    ],
)
def test_a_question_in_plain_words_finds_its_entry_first(question: str, words: str, now: datetime) -> None:
    first = Banks(None, [starter_bank()]).recall(question, now=now)[0]
    assert words.lower() in first.entry.title.lower()
