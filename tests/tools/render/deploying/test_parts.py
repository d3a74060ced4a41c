"""The small parts: plans and heap flags, addresses of repositories, log lines, migrations that take away."""

from __future__ import annotations

import pytest

from tools.render.deploying.fingerprints import fingerprint
from tools.render.deploying.memory_fit import check_memory, plan_memory
from tools.render.deploying.migrations import losses_of
from tools.render.deploying.reasons import failure_words
from tools.render.deploying.repository import same_place
from tools.render.deploying.revision import Revision


@pytest.mark.parametrize(
    ("plan", "megabytes"),
    [
        ("starter", 512), ("standard", 2048), ("pro plus", 8192), ("0.5c-512mb", 512), ("2c-4g", 4096),
        ("12c-96g", 98304), ("free", 512), ("custom", None), ("", None),
    ],
)  # fmt: skip
def test_the_memory_of_a_plan(plan: str, megabytes: int | None):
    assert plan_memory(plan) == megabytes


@pytest.mark.parametrize(
    ("plan", "command", "settings", "level"),
    [
        ("1c-2g", "node a.js", {"NODE_OPTIONS": "--max-old-space-size=1536"}, "ok"),
        ("1c-2g", "node a.js", {"NODE_OPTIONS": "--max-old-space-size=1900"}, "warning"),
        ("1c-2g", "node --max_old_space_size=4096 a.js", {}, "warning"),
        (
            "1c-2g",
            "node a.js",
            {"NODE_OPTIONS": "--max-old-space-size=800", "WEB_CONCURRENCY": "4"},
            "warning",
        ),
        ("1c-2g", "gunicorn app --workers 3", {"JAVA_OPTS": "-Xmx1g"}, "warning"),
        (
            "1c-2g",
            "node a.js",
            {"NODE_OPTIONS": "--max-old-space-size=1500", "WORKER_CONCURRENCY": "4"},
            "ok",
        ),
        ("1c-2g", "node a.js", {}, "ok"),
        ("0.5c-512mb", "celery worker --concurrency 16", {}, "warning"),
        ("0.5c-512mb", "node a.js", {"WORKER_CONCURRENCY": "8"}, "warning"),
        ("4c-16g", "node a.js", {"WORKER_CONCURRENCY": "8"}, "ok"),
        ("strange", "node --max-old-space-size=9999 a.js", {}, "ok"),
    ],
)
def test_heap_flags_against_the_plan(plan: str, command: str, settings: dict[str, str], level: str):
    assert check_memory(plan, command, settings).level == level


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://github.com/org/repo", "git" + "@" + "github.com:org/repo.git", True),
        ("https://github.com/Org/Repo/", "ssh://git" + "@" + "github.com/org/repo", True),
        ("https://token" + "@" + "github.com/org/repo.git", "https://github.com/org/repo", True),
        ("https://github.com/org/repo", "https://github.com/org/repo2", False),
        ("https://github.com/org/repo", "https://gitlab.com/org/repo", False),
    ],
)
def test_addresses_of_one_repository(one: str, other: str, same: bool):
    assert same_place(one, other) is same


@pytest.mark.parametrize(
    "line",
    [
        "error extract failed patient=Marisol Okonjo dob=1961-02-03 mrn=MRN-123456",
        "Could not notify Marisol Okonjo about a result",
        "error: duplicate key value (email)=(marisol.okonjo" + "@" + "example.org)",
        'payload {"name": "Marisol Okonjo", "ssn": "078-05-1120"}',
        "2030-01-02T10:00:00Z error patient='Marisol Okonjo' is gone",
    ],
)
def test_a_line_is_shown_without_anybody(line: str):
    shown = fingerprint(line)
    assert shown
    for value in ("Marisol", "Okonjo", "okonjo", "1961", "123456", "078-05"):
        assert value not in shown, shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("job 12 failed after 300 ms", "job 4711 failed after 9 ms"),
        ("error ECONNREFUSED 203.0.113.7:5432", "error ECONNREFUSED 203.0.113.9:5432"),
    ],
)
def test_lines_that_differ_in_numbers_are_one(one: str, other: str):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("alter table a add column b text; create index on a (b);", []),
        ("alter table a drop column b, drop column c;", ["drops column a.b", "drops column a.c"]),
        ("drop table public.a;", ["drops table public.a"]),
        ("alter table a rename column b to c;", ["renames a.b to c"]),
        ("alter table a rename to z;", ["renames a to z"]),
        ("alter table a alter b type int using b::int;", ["changes the type of a.b"]),
        ("alter table a alter b set not null;", ["makes a.b NOT NULL"]),
        ("this is no sql", ["could not be read as SQL, so what it takes away is not known"]),
    ],
)
def test_what_a_migration_takes_away(sql: str, said: list[str]):
    assert [loss.what for loss in losses_of("1_a.sql", sql)] == said


def test_an_image_is_the_same_however_the_vendor_spells_it():
    revision = Revision(image="nginx:1.27")
    assert revision.is_of("", "docker.io/library/nginx:1.27") and not revision.is_of("", "nginx:1.28")
    assert Revision(commit="abcdef1").is_of("abcdef1234", "") and not Revision(commit="abcdef1").is_of(
        "b", ""
    )


def test_reasons_in_words():
    assert failure_words({"failure": {"evicted": False, "nonZeroExit": 137}}) == "exited with code 137"
    assert failure_words({"evicted": True}) == "evicted from its machine"
    assert failure_words({}) == "for an unknown reason"
