"""Migrations of the usual tools, in the order in which they run, from a folder or from git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agent.commands import migrations
from tools.errors import InvalidInput, NotFound
from tools.sandbox.scratch.layout import ordered

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/"}


@pytest.mark.parametrize(
    ("files", "order"),
    [
        (["20240101_b.sql", "20230101_a.sql", "seed.txt"], ["20230101_a.sql", "20240101_b.sql"]),
        (["V10__c.sql", "V2__b.sql", "V1.5__a.sql", "R__views.sql", "U2__b.sql"],
         ["V1.5__a.sql", "V2__b.sql", "V10__c.sql", "R__views.sql"]),
        (["20240102_b/migration.sql", "20240101_a/migration.sql", "20240101_a/down.sql"],
         ["20240101_a/migration.sql", "20240102_b/migration.sql"]),
        (["1_a.up.sql", "1_a.down.sql", "2_b_down.sql", "3_breakdown.sql"],
         ["1_a.up.sql", "3_breakdown.sql"]),
        (["1.sql", "archive/0.sql", "down/1.sql"], ["1.sql"]),
        (["a/1.sql", "b/2.sql"], ["a/1.sql", "b/2.sql"]),
    ],
)  # fmt: skip
def test_each_layout_has_its_order(files: list[str], order: list[str]):
    assert ordered(dict.fromkeys(files, "")) == order


def test_sqitch_follows_its_plan():
    plan = "%syntax-version=1.0.0\n\nzebra 2024-01-01 a <a@b> # first\n@v1 2024\napple [zebra] 2024\n"
    files = {"sqitch.plan": plan, "deploy/apple.sql": "", "deploy/zebra.sql": "", "revert/zebra.sql": ""}
    assert ordered(files) == ["deploy/zebra.sql", "deploy/apple.sql"]


@pytest.mark.parametrize(
    "mark", ["-- migrate:down", "-- +goose Down", "-- +migrate Down", "--migrate:down x"]
)
def test_the_section_that_undoes_is_left_out(tmp_path: Path, mark: str):
    (tmp_path / "1.sql").write_text(f"create table a (id int);\n{mark}\ndrop table a;\n")
    assert migrations.read(str(tmp_path), ENVIRONMENT).texts == ("create table a (id int);\n",)


def test_a_revision_is_read_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "db" / "migrations"
    folder.mkdir(parents=True)
    (folder / "1.sql").write_text("one")
    identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], check=True)
    (folder / "1.sql").write_text("changed")
    (folder / "2.sql").write_text("two")
    assert migrations.read("HEAD:db/migrations", ENVIRONMENT).texts == ("one",)
    assert migrations.read("HEAD:db/migrations/1.sql", ENVIRONMENT).texts == ("one",)
    assert migrations.read("db/migrations", ENVIRONMENT).texts == ("changed", "two")
    monkeypatch.chdir(folder.parent)
    assert migrations.read("HEAD:migrations", ENVIRONMENT).texts == ("one",)
    for wrong in ("HEAD:gone", "nothing:migrations"):
        with pytest.raises(NotFound, match=r"git does not know|There is no \.sql file"):
            migrations.read(wrong, ENVIRONMENT)
    with pytest.raises(NotFound, match="no folder or file"):
        migrations.read("--upload-pack=x:y", ENVIRONMENT)


def test_what_is_no_migration_is_one_sentence(tmp_path: Path):
    with pytest.raises(NotFound, match="no folder or file"):
        migrations.read(str(tmp_path / "gone"), ENVIRONMENT)
    with pytest.raises(NotFound, match=r"There is no \.sql file"):
        migrations.read(str(tmp_path), ENVIRONMENT)
    (tmp_path / "1.sql").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InvalidInput, match="cannot be read as UTF-8"):
        migrations.read(str(tmp_path), ENVIRONMENT)
    assert not migrations.at_revision("postgresql://u@h/d") and not migrations.at_revision(str(tmp_path))
