"""Persons' values and secrets stay out of the bank: at every write, and in files that people edited."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory import Bank, Banks, Draft, RefusedEntry, render_entry
from memory.draft import to_entry
from memory.files import file_name
from tests.tools.recall.corpus import Line, planted, technical
from tools.redaction import Redactor

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OBJECTION = Redactor(strict=True).objection
PLANTED, TECHNICAL = planted(), technical()
MOST_FALSE_ALARMS = 0.02


def draft(line: Line) -> Draft:
    """A lesson that holds the line where people put such things: in its context."""
    return Draft(
        title="Lookups were slow until the index was built",
        category="problem-solutions",
        context=line.text,
        action="create index concurrently on events (account_id)",
        result="p95 fell to 40 ms",
    )


def test_the_corpus_is_large_and_every_value_stands_in_its_line():
    assert len(PLANTED) >= 500 and len(TECHNICAL) >= 1_000
    assert all(line.value in line.text for line in PLANTED)
    assert min(Counter(line.kind for line in PLANTED).values()) >= 20


def test_every_planted_value_is_seen_and_none_is_repeated():
    missed = [(line.kind, line.text) for line in PLANTED if OBJECTION(line.text) is None]
    assert missed == []
    told = [line.kind for line in PLANTED if line.value.split()[-1] in (OBJECTION(line.text) or "")]
    assert told == []


def test_technical_text_raises_few_false_alarms():
    alarms = [(line.kind, line.text, OBJECTION(line.text)) for line in TECHNICAL if OBJECTION(line.text)]
    assert len(alarms) <= MOST_FALSE_ALARMS * len(TECHNICAL), alarms


def test_every_planted_value_is_refused_at_write(tmp_path: Path):
    bank = Bank(tmp_path, refuse=OBJECTION)
    kept: list[str] = []
    for line in PLANTED:
        try:
            bank.add(draft(line), source="a test", now=NOW)
            kept.append(line.text)
        except RefusedEntry:
            continue
    assert kept == [] and list(tmp_path.rglob("*.md")) == []


def test_every_planted_value_is_found_in_files_that_people_wrote(tmp_path: Path):
    bank = Bank(tmp_path, refuse=OBJECTION)
    clean = bank.add(draft(TECHNICAL[0]), source="a test", now=NOW).entry
    for number, line in enumerate(PLANTED[::2]):
        entry = to_entry(
            replace(draft(line), title=f"Lookups were slow, case {number}"), source="a test", now=NOW
        )
        path = tmp_path / file_name(entry)
        path.parent.mkdir(exist_ok=True)
        path.write_text(render_entry(entry), encoding="utf-8")
    assert [entry.id for entry in bank.entries()] == [clean.id]
    found = {problem.path for problem in bank.problems() if "looks like a" in problem.message}
    assert len(found) == len(PLANTED[::2])
    assert [one.entry.id for one in Banks(bank).recall("lookups slow index", now=NOW, limit=20)] == [clean.id]


@pytest.mark.parametrize(
    "text",
    [
        "John Smith (DOB 1/2/1980) saw it",
        "patient J. Smith complained",
        "Name = Jane Roe",
        "insert into profiles (full_name) values ('Jane Roe')",
        "where first_name ilike 'jane%'",
        "MRN12345678",
        "(415)555-2671",
        "PO Box 1234, Austin",
        "1980-02-03 (DOB)",
        "birthday is May 3, 1975",
        "password: hunter2",
        "mysql -u root -pSecret123",
        "curl -u user:pass1234 https://api.example.com",
        "DB_PASS=correcthorsebattery",
        "password is correcthorsebatterystaple",
        "x-vault-token: s.9f86d081884c7d659a2feaa0c",
        "create user x identified by 'abc12345'",
        "Cookie: session=9f86d081884c7d659a2feaa0c55ad015",
    ],
)
def test_what_people_write_by_hand_is_seen(text: str):
    assert OBJECTION(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://postgres:[YOUR-PASSWORD]@db.example.co:5432/postgres",
        "password=***",
        "password: <redacted>",
        "PGPASSWORD=$PGPASSWORD psql -h db",
        "MRN lookups took 900 ms",
        "mrn index scan 12345 rows",
        "SSN is PHI under 164.514",
        "the patient Portal is slow",
        "Patient Is Active",
        "Name: Health Check",
        "where full_name ilike $1",
        "the secret is rotated every 90 days",
        "password_encryption = scram-sha-256",
        "primary key: profile_id",
        "api_key: process.env.RENDER_API_KEY",
        "const patient: Patient = await load(id)",
        "cache_key: rls_disabled:ab12cd34ef56",
        "-----BEGIN CERTIFICATE----- is what the client needs",
    ],
)
def test_placeholders_and_words_about_such_values_are_kept(text: str):
    assert OBJECTION(text) is None


def test_a_github_token_is_hidden_in_results_too():
    """Its needle was `gh`, which `github_pat_` does not hold."""
    token = "github_pat_" + "a1B2c3D4e5" * 8
    assert token not in Redactor().text(f"pushed with {token}")
