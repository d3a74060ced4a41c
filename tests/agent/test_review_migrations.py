"""A review without a database: migrations are applied in the sandbox, and what fails there is said."""

from __future__ import annotations

import json
from pathlib import Path

from tests.agent.test_cli import Sergei, one_sentence, sergei

__all__ = ["sergei"]

FIRST = """
create table public.notes (id uuid primary key, owner_id uuid not null, body text);
alter table public.notes enable row level security;
create policy read on public.notes for select to authenticated using (true);
"""
PLAIN = "create table public.notes (id int); alter table public.notes enable row level security;"


def test_a_folder_of_migrations_is_reviewed(sergei: Sergei, tmp_path: Path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "1_notes.sql").write_text(FIRST)
    (folder / "2_broken.sql").write_text("create view public.v as select * from public.gone;")
    done = sergei("review", "--migrations", str(folder), "--format", "json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["target"] == str(folder)
    assert "policy read on public.notes" in {f["object"] for f in report["findings"]}
    assert any("gone" in gap["why"] for gap in report["coverage"]["not_examined"]), report["coverage"]
    (folder / "3_fix.sql").write_text(
        "alter policy read on public.notes using (owner_id = (select auth.uid()));"
        "create index on public.notes (owner_id);"
    )
    mended = sergei("review", "--migrations", str(folder))
    assert mended.returncode == 0, mended.stdout


def test_a_plain_schema_gets_no_roles_of_supabase(sergei: Sergei, tmp_path: Path):
    (tmp_path / "schema.sql").write_text(PLAIN)
    done = sergei("review", "--migrations", str(tmp_path / "schema.sql"), "--format", "json")
    assert json.loads(done.stdout)["findings"] == []  # nobody was granted anything
    (tmp_path / "schema.sql").write_text(PLAIN + " grant select on public.notes to anon;")
    done = sergei("review", "--migrations", str(tmp_path / "schema.sql"), "--format", "json")
    assert [f["rule"] for f in json.loads(done.stdout)["findings"]] == ["rls_enabled_no_policy"]


def test_migrations_take_the_place_of_a_database(sergei: Sergei, tmp_path: Path):
    assert "takes the place" in one_sentence(sergei("review", "--demo", "--migrations", "x"), 2)
    assert "no folder or file" in one_sentence(sergei("review", "--migrations", "x"), 2)
