from __future__ import annotations

import pytest

from memory.fingerprint import error_runs


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            'ERROR: duplicate key value violates unique constraint "profiles_pkey" (SQLSTATE 23505)',
            'we got `duplicate key value violates unique constraint "doses_pkey"` twice',
        ),
        (
            "2026-11-02T10:11:12Z srv-abc123 FATAL:  remaining connection slots are reserved for roles",
            "remaining connection slots are reserved (pid 4711)",
        ),
        (
            "invalid input syntax for type uuid: 'abc'",
            'invalid input syntax for type uuid: "0b5c9a2e-5c0e-4c55-9e0a-1f1f1f1f1f1f"',
        ),
        ("connect ECONNREFUSED 10.0.0.1:5432, giving up", "connect ECONNREFUSED db.internal:6543, giving up"),
        (
            "canceling statement due to lock timeout",
            "ERROR: canceling statement due to lock timeout at 12:01",
        ),
    ],
)
def test_the_same_failure_with_other_values_has_runs_in_common(one: str, other: str) -> None:
    assert set(error_runs(one)) & set(error_runs(other, everywhere=True))


def test_different_failures_have_nothing_in_common() -> None:
    texts = (
        "permission denied for table x",
        "deadlock detected while locking rows",
        "JavaScript heap out of memory",
    )
    runs = [set(error_runs(text)) for text in texts]
    assert all(runs)
    assert not runs[0] & runs[1]
    assert not runs[1] & runs[2]


def test_a_text_without_an_error_has_none_unless_it_is_a_question() -> None:
    assert error_runs("We split the table by month.") == []
    assert error_runs("Split the table.", everywhere=True) == ["e_split_the_table"]


def test_values_leave_no_trace() -> None:
    told = 'ERROR: relation "secret_table" does not exist at character 15 in /srv/app/run.py'
    assert error_runs(told) == [
        "e_relation_does_not",
        "e_does_not_exist",
        "e_not_exist_at",
        "e_exist_at_character",
        "e_at_character_in",
    ]
