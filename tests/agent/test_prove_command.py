"""`sergei review rls --prove` from the shell: the answer, the exit code, the tests that it emits."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.agent.test_cli import Sergei, sergei

__all__ = ["sergei"]

SCHEMA = """
create table public.profiles (
  id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users, name text);
create table public.notes (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles on delete cascade, body text);
create index on public.profiles (owner_id);
create index on public.notes (profile_id);
alter table public.profiles enable row level security;
alter table public.notes enable row level security;
create policy own on public.profiles to authenticated using (owner_id = (select auth.uid()));
create policy read on public.notes for select to authenticated using (
  profile_id in (select p.id from public.profiles p where p.owner_id = (select auth.uid())));
create policy write on public.notes for insert to authenticated with check (%s);
"""
HOLE = "exists (select 1 from public.profiles p where p.owner_id = (select auth.uid()))"
CLOSED = "profile_id in (select p.id from public.profiles p where p.owner_id = (select auth.uid()))"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Migrations with a WITH CHECK that is not tied to the row."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "1.sql").write_text(SCHEMA % HOLE)
    return tmp_path / "db"


def test_a_leak_is_executed_told_and_turned_into_tests(
    sergei: Sergei, folder: Path, tmp_path: Path, empty_database: str
):
    target = ("review", "rls", "--migrations", str(folder), "--prove")
    told = sergei(*target, "--format", "json")
    assert told.returncode == 1, told.stderr
    report = json.loads(told.stdout)
    assert report["proof"]["answer"] == "YES" and report["proof"]["target"] == str(folder)
    assert ("proven_write", "policy write on public.notes") in {
        (f["rule"], f["object"]) for f in report["findings"]
    }
    tests = tmp_path / "test_emitted.py"
    emitted = sergei(*target, "--emit", "pytest", "--output", str(tests))
    assert emitted.returncode == 1 and emitted.stderr.startswith("YES: 1 leak executed")

    def outcome() -> str:
        environment = {"RLS_TEST_DATABASE_URL": empty_database, "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests.name]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    with closing(psycopg.connect(empty_database, autocommit=True)) as admin:
        admin.execute((SCHEMA % HOLE).encode())
        assert "1 failed" in outcome()
        admin.execute(f"alter policy write on public.notes with check ({CLOSED})".encode())
        assert "1 passed" in outcome()


def test_no_leak_and_nothing_left_out_passes(sergei: Sergei, folder: Path):
    (folder / "1.sql").write_text(SCHEMA % CLOSED)
    done = sergei("review", "rls", "--migrations", str(folder), "--prove")
    assert done.returncode == 0 and "opened to them? NO\n" in done.stdout, done.stdout
    (folder / "2.sql").write_text("create view public.v as select * from public.gone;")
    lacking = sergei("review", "rls", "--migrations", str(folder), "--prove")
    assert lacking.returncode == 1 and "opened to them? NOT EXAMINED\n" in lacking.stdout
    assert "gone" in lacking.stdout
