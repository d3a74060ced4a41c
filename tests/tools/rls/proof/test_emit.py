"""Emitted regression tests are run for real: they fail on the faulty schema and pass on the mended one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.tools.rls.proof import sample
from tools.rls.proof.emit import emit_pgtap, emit_pytest

STAND_IN: Final = """
create schema if not exists stand_in;
create temp sequence numbering;
create or replace function stand_in.plan(n int) returns text language sql as $$ select '1..' || n $$;
create or replace function stand_in.is(have text, want text, said text) returns text language sql as $$
  select case when have is not distinct from want then 'ok ' else 'not ok ' end
    || nextval('pg_temp.numbering') || ' - ' || said
    || case when have is not distinct from want then '' else E'\\n# have: ' || coalesce(have, 'NULL') end $$;
create or replace function stand_in.finish() returns setof text language sql as $$ select '' where false $$;
set search_path = public, stand_in;
"""
"""The four functions of pgTAP that an emitted script calls; the embedded server does not have pgTAP."""


@pytest.fixture
def schema(empty_database: str) -> str:
    """The faulty schema."""
    execute(empty_database, sample.SCHEMA)
    return empty_database


def execute(dsn: str, script: str) -> None:
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        connection.execute(script.encode())


def tap(dsn: str, script: str) -> list[str]:
    """What a script prints, result after result."""
    lines: list[str] = []
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        connection.execute(STAND_IN.encode())
        cursor = connection.execute(script.encode())
        while True:
            if cursor.description:
                lines += [str(row[0]) for row in cursor.fetchall()]
            if not cursor.nextset():
                return lines


def rows(dsn: str) -> int:
    with closing(psycopg.connect(dsn)) as connection:
        (count,) = connection.execute("select count(*) from public.notes").fetchone() or (-1,)
        return int(count)


def run_pytest(dsn: str, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """The module in a project of its own."""
    (folder / "test_rls.py").write_text(script)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_rls.py"],
        cwd=folder,
        env={"RLS_TEST_DATABASE_URL": dsn, "PATH": "/usr/bin:/bin"} if dsn else {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pgtap_fails_before_and_passes_after(schema: str):
    script = emit_pgtap(sample.proof())
    before = tap(schema, script)
    assert before[0] == "1..5"
    assert [line.split(" - ")[0] for line in before if "ok" in line[:6]] == [
        f"not ok {n}" for n in range(1, 6)
    ]
    assert sum("# have: reached" in line for line in before) == 4 and "# have: refused" in before[-1]
    assert rows(schema) == 0
    execute(schema, sample.MEND)
    after = tap(schema, script)
    assert [line.split(" - ")[0] for line in after[1:]] == [f"ok {n}" for n in range(1, 6)]
    assert rows(schema) == 0


def test_pytest_fails_before_and_passes_after(schema: str, tmp_path: Path):
    script = emit_pytest(sample.proof())
    before = run_pytest(schema, tmp_path, script)
    assert "5 failed" in before.stdout, before.stdout
    assert "Any signed-in account deletes another's note." in before.stdout
    execute(schema, sample.MEND)
    after = run_pytest(schema, tmp_path, script)
    assert after.returncode == 0 and "5 passed" in after.stdout, after.stdout
    assert rows(schema) == 0


def test_a_test_that_cannot_run_is_broken_and_not_passed(schema: str, tmp_path: Path):
    leak = sample.READ.model_copy(update={"seed": ("insert into public.gone values (1)",)})
    proof = sample.proof(leaks=(leak,), denied=())
    assert "# have: broken in seed: 42P01" in tap(schema, emit_pgtap(proof))[1]
    done = run_pytest(schema, tmp_path, emit_pytest(proof))
    assert "1 failed" in done.stdout and "broken in seed: 42P01" in done.stdout
    moved = sample.READ.model_copy(update={"attack": ("select * from public.gone",)})
    proof = sample.proof(leaks=(moved,), denied=())
    assert "# have: broken in attack: 42P01" in tap(schema, emit_pgtap(proof))[1]


def test_without_a_database_the_tests_fail_and_say_what_to_set(tmp_path: Path):
    done = run_pytest("", tmp_path, emit_pytest(sample.proof()))
    assert done.returncode == 1 and "Set RLS_TEST_DATABASE_URL" in done.stdout


def test_nothing_is_left_out_in_silence():
    bare = sample.READ.model_copy(update={"attack": ()})
    proof = sample.proof(leaks=(bare,), denied=())
    for script, mark in ((emit_pgtap(proof), "-- "), (emit_pytest(proof), "# ")):
        assert f"{mark}Not turned into a test: {bare.sentence}" in script
        assert f"{mark}select * from public.notes where id = 1;" in script
    nothing = sample.proof(leaks=(), denied=())
    assert "nothing to test" in emit_pgtap(nothing) and "plan" not in emit_pgtap(nothing)
    compile(emit_pytest(nothing), "test_rls.py", "exec")


def test_a_name_from_the_database_cannot_leave_its_comment_or_string(schema: str, tmp_path: Path):
    evil = sample.READ.model_copy(
        update={
            "object": "policy a\n'; drop table public.notes; --\n on public.notes",
            "sentence": 'Quotes \' and " and \\ and """ and $test$ are\ntext.',
        }
    )
    proof = sample.proof(leaks=(evil, evil), denied=(), target='x"""\nimport os')
    lines = tap(schema, emit_pgtap(proof))
    assert lines[0] == "1..2" and lines[1].startswith("not ok 1 - policy a '; drop table")
    assert rows(schema) == 0
    done = run_pytest(schema, tmp_path, emit_pytest(proof))
    assert "2 failed" in done.stdout, done.stdout
