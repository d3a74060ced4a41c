"""access_matrix as a tool and as `sergei rls matrix`: compact, whole, fit for a spreadsheet and a page."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.cli import main
from agent.reports.matrix import csv_text, html, text
from tests.conftest import MakeExecutor
from tests.tools.rls.reading import Connection, snapshot_of
from tools.errors import NotFound
from tools.rls.access_matrix import AccessMatrix, matrix
from tools.rls.matrix.answer import Matrix

pytestmark = pytest.mark.anyio


def of(connection: Connection, **arguments: object) -> Matrix:
    """The matrix of what this transaction sees."""
    return matrix(snapshot_of(connection), "here", AccessMatrix.model_validate(arguments))


async def test_the_tool_answers_in_a_few_lines(make_executor: MakeExecutor, demo_dsn: str):
    outcome = await make_executor(demo_dsn).call("access_matrix", {})
    said = outcome.markdown()
    assert outcome.ok
    assert len(said) < 8_000
    assert "| public.plans, public.regions | RLS on | S~ | S~ |" in said
    assert "18 partitions of public.clinical_events" in said
    assert "RLS does not bind service_role: BYPASSRLS." in said


async def test_one_relation_comes_with_its_reasons(make_executor: MakeExecutor, demo_dsn: str):
    outcome = await make_executor(demo_dsn).call("access_matrix", {"relations": ["profiles"]})
    said = outcome.markdown()
    assert "public.profiles, authenticated SELECT: rows by profiles_select" in said
    assert "policy profiles_select: SELECT to authenticated using" in said
    assert "only columns household_id, given_name" in said


def test_a_relation_of_another_schema_is_found_by_its_name(family: Connection):
    family.execute("create table app.kept (id int)")
    assert [line.title for line in of(family, relations=["kept"]).relations] == ["app.kept"]


def test_a_wrong_name_gets_the_nearest_ones(family: Connection):
    for arguments in ({"relations": ["profile"]}, {"roles": ["authenticate"]}, {"schemas": ["pubic"]}):
        with pytest.raises(NotFound, match="Did you mean"):
            of(family, **arguments)


def test_functions_are_told_by_security_and_role(family: Connection):
    family.execute("create function public.peek() returns int language sql security definer as 'select 1'")
    found = {one.function: one for one in of(family).functions}
    assert found["public.peek()"].security == "definer"
    assert found["public.peek()"].roles == ("anon", "authenticated")
    assert found["app.owned()"].roles == ("authenticated",)


def test_csv_has_every_cell_and_no_formula(family: Connection):
    family.execute('create table public."=cmd" (id int)')
    found = of(family, detail=True)
    rows = list(csv.DictReader(io.StringIO(csv_text(found))))
    cells = [row for row in rows if row["command"] != "EXECUTE"]
    assert len(cells) == len(found.relations) * len(found.roles) * 4
    assert {"'=cmd"} < {row["relation"] for row in rows}
    by = {(row["role"], row["relation"], row["command"]): row for row in cells}
    assert by["authenticated", "notes", "SELECT"]["access"] == "rows"
    assert by["authenticated", "notes", "SELECT"]["policies"] == "notes_select"
    assert by["authenticated", "notes", "DELETE"]["access"] == "denied"


def test_the_page_stands_alone_and_escapes_names(family: Connection):
    family.execute('create table public."<script>alert(1)</script>" (id int)')
    page = html(of(family, detail=True), datetime(2030, 1, 1, tzinfo=UTC))
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "http://" not in page and "https://" not in page
    assert 'title="authenticated SELECT: rows by notes_select"' in page


def test_the_terminal_gets_no_control_characters(family: Connection):
    family.execute('create table public."bad\x1b[2J" (id int)')
    assert "\x1b" not in text(of(family, detail=True))
    assert "\x1b" not in of(family).markdown()


def test_the_marks_of_a_line(family: Connection):
    family.execute(
        "alter table public.codes disable row level security; revoke all on public.codes from anon"
    )
    line = next(line for line in of(family).relations if line.relation == "codes")
    assert (line.marks("anon"), line.marks("authenticated"), line.rls) == ("-", "S* I* U* D*", "off")


def test_the_commands_print_write_and_exit(
    guardian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert main(["rls", "matrix", "plans", "--database-url", guardian]) == 0
    said = capsys.readouterr().out
    assert "public.plans  on   S~    S~" in said and "anon SELECT: rows by plans_select" in said
    for form, begin in (("csv", "role,schema,"), ("html", "<!doctype html>"), ("json", "{")):
        assert main(["rls", "matrix", "--database-url", guardian, "--format", form, "--output", form]) == 0
        assert (tmp_path / form).read_text().startswith(begin)
    assert json.loads((tmp_path / "json").read_text())["roles"] == ["anon", "authenticated"]
    assert main(["rls", "matrix", "nowhere", "--database-url", guardian]) == 2
    assert main(["rls", "matrix", "--database-url", guardian, "--output", "no/such/folder"]) == 2
    words = ["rls", "why", "plans", "--key", "code=free", "--database-url", guardian]
    capsys.readouterr()
    assert main(words) == 0
    assert "SELECT: yes. Policy plans_select USING is true." in capsys.readouterr().out
    assert main([*words, "--claims", "[1]"]) == 2
    assert main([*words[:3], "--key", "code", "--database-url", guardian]) == 2
    assert "Traceback" not in capsys.readouterr().err
