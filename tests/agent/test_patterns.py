"""What is approved beforehand is explicit, narrow, bound to a target, expires and is on record."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from agent.approvals import Approvals, Mode
from agent.audit import AuditLog
from agent.compose import Choice, open_house
from agent.executor import Executor
from agent.mcp_clients import Clients
from agent.patterns import Pattern, wildcard
from agent.settings import load
from agent.trust import accept, in_force
from tests.agent.toys import TOYS
from tools.errors import ConfigurationError
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, Tool, tool
from tools.resources import Resources

pytestmark = pytest.mark.anyio
NIGHT = datetime(2030, 1, 15, 2, 30, tzinfo=UTC)
DONE: list[str] = []


class Service(Params):
    service: str
    wait: bool = False
    seconds: int = 60


class Done(Result):
    done: bool = True


async def _restart_preview(params: Service, resources: Resources) -> Preview:
    return Preview(action=f"restart {params.service}", target=f"Render service {params.service}")


@tool(Effect.WRITE, preview=_restart_preview, open_world=True)
async def restart_service(params: Service, resources: Resources) -> Done:
    """Restart a service."""
    DONE.append(params.service)
    return Done()


@tool(Effect.DESTRUCTIVE, preview=_restart_preview, open_world=True)
async def delete_service(params: Service, resources: Resources) -> Done:
    """Delete a service."""
    DONE.append(f"deleted {params.service}")
    return Done()


class Tags(Service):
    tags: list[str] = Field(default_factory=list[str])


@tool(Effect.WRITE, preview=_restart_preview, open_world=True)
async def tag_service(params: Tags, resources: Resources) -> Done:
    """Tag a service."""
    DONE.append(params.service)
    return Done()


class Sql(Params):
    sql: str
    timeout: float = 3.0


async def _sql_preview(params: Sql, resources: Resources) -> Preview:
    """As change_sql has it: a line for each statement, from the parser."""
    parts = [part.strip() for part in params.sql.split(";") if part.strip()]
    touches = tuple(" ".join(part.split()[:2]) + f" on {part.split()[-1]}" for part in parts)
    return Preview(
        action=params.sql,
        target="clinic@staging (db:5432)",
        touches=touches,
        destructive="drop" in params.sql,
    )


@tool(Effect.WRITE, preview=_sql_preview)
async def run_script(params: Sql, resources: Resources) -> Done:
    """Run SQL."""
    DONE.append(params.sql)
    return Done()


class Edit(Params):
    path: str
    new: str = ""


async def _edit_preview(params: Edit, resources: Resources) -> Preview:
    return Preview(action=params.new, target=f"/project/{params.path}", touches=(params.path,))


@tool(Effect.WRITE, preview=_edit_preview)
async def edit_text(params: Edit, resources: Resources) -> Done:
    """Edit a file."""
    DONE.append(params.path)
    return Done()


TOOLS: dict[str, Tool] = {
    one.name: one
    for one in (restart_service, delete_service, tag_service, run_script, edit_text, *TOYS.values())
}


def pattern(**fields: Any) -> Pattern:
    """Restart srv-1, unless told otherwise."""
    given: dict[str, Any] = {
        "name": "nightly",
        "tool": "restart_service",
        "target": "Render service srv-1",
        "arguments": {"service": "srv-1"},
        "expires": date(2030, 1, 31),
        "reason": "the nightly restart",
    }
    return Pattern.model_validate({**given, **fields})


async def runs(
    folder: Path, one: Pattern, name: str, at: datetime = NIGHT, mode: Mode = Mode.ACT, **arguments: Any
) -> bool:
    """Whether it runs although nobody is there to ask."""
    DONE.clear()
    executor = Executor(
        TOOLS,
        Resources(),
        approvals=Approvals(mode, patterns=(one,), now=lambda: at),
        redactor=Redactor(),
        audit=AuditLog(folder / "audit.jsonl", "tester"),
    )
    outcome = await executor.call(name, arguments)
    assert outcome.ok == bool(DONE)
    return outcome.ok


async def test_a_pattern_runs_what_it_names_and_every_use_is_on_record(tmp_path: Path):
    assert await runs(tmp_path, pattern(), "restart_service", service="srv-1")
    records = list(AuditLog(tmp_path / "audit.jsonl", "tester").records())
    assert [(r["event"], r["by"], r["pattern"]) for r in records] == [
        ("intent", "pattern", "nightly"),
        ("outcome", "pattern", "nightly"),
    ]


@pytest.mark.parametrize(
    ("fields", "arguments"),
    [
        ({}, {"service": "srv-2"}),
        ({}, {"service": "srv-1", "wait": True}),
        ({}, {"service": "srv-1", "seconds": 61}),
        ({"arguments": {"service": "srv-1", "wait": 1}}, {"service": "srv-1", "wait": True}),
        ({"target": "Render service srv-9"}, {"service": "srv-1"}),
        ({"environment": "staging"}, {"service": "srv-1"}),
        ({"expires": date(2030, 1, 14)}, {"service": "srv-1"}),
        ({"between": "02:31-04:00", "timezone": "UTC"}, {"service": "srv-1"}),
        ({"between": "02:00-02:30", "timezone": "UTC"}, {"service": "srv-1"}),
        ({"touches": ["restart srv-1"]}, {"service": "srv-1"}),
        ({"tool": "write"}, {"service": "srv-1"}),
    ],
)
async def test_whatever_does_not_fit_asks(tmp_path: Path, fields: dict[str, Any], arguments: dict[str, Any]):
    assert not await runs(tmp_path, pattern(**fields), "restart_service", **arguments)


async def test_every_client_has_the_persons_patterns_and_none_of_anothers_grants(tmp_path: Path):
    shared = Executor(
        TOOLS,
        Resources(),
        approvals=Approvals(Mode.ACT, patterns=(pattern(),), now=lambda: NIGHT),
        redactor=Redactor(),
        audit=AuditLog(tmp_path / "audit.jsonl", "tester"),
    )
    clients = Clients(shared)
    first, second = clients.executor("1", "probe"), clients.executor("2", "probe")
    assert first.approvals.patterns == second.approvals.patterns == (pattern(),)
    assert first.approvals.grants is not second.approvals.grants
    outcome = await first.call("restart_service", {"service": "srv-2"})
    assert outcome.failure and outcome.failure.kind == "refused", "no elicitation, no pattern: refused"


async def test_a_list_left_out_counts_as_its_default(tmp_path: Path):
    tagging = pattern(tool="tag_service", arguments={"service": "srv-1"})
    assert await runs(tmp_path, tagging, "tag_service", service="srv-1")
    assert await runs(tmp_path, tagging, "tag_service", service="srv-1", tags=[])
    assert not await runs(tmp_path, tagging, "tag_service", service="srv-1", tags=["x"])


async def test_a_pattern_is_no_use_in_investigate_mode(tmp_path: Path):
    assert not await runs(tmp_path, pattern(), "restart_service", mode=Mode.INVESTIGATE, service="srv-1")


async def test_other_arguments_run_where_the_pattern_says_any(tmp_path: Path):
    wide = pattern(other_arguments="any")
    assert await runs(tmp_path, wide, "restart_service", service="srv-1", wait=True, seconds=5)


@pytest.mark.parametrize(
    ("between", "timezone", "at", "holds"),
    [
        ("02:00-04:00", "UTC", datetime(2030, 1, 15, 2, 0, tzinfo=UTC), True),
        ("02:00-04:00", "UTC", datetime(2030, 1, 15, 4, 0, tzinfo=UTC), False),
        ("22:00-02:00", "UTC", datetime(2030, 1, 15, 23, 0, tzinfo=UTC), True),
        ("22:00-02:00", "UTC", datetime(2030, 1, 15, 1, 59, tzinfo=UTC), True),
        ("22:00-02:00", "UTC", datetime(2030, 1, 15, 12, 0, tzinfo=UTC), False),
        ("02:00-04:00", "Asia/Tokyo", datetime(2030, 1, 14, 18, 0, tzinfo=UTC), True),
        ("02:00-04:00", "America/New_York", datetime(2030, 7, 1, 6, 30, tzinfo=UTC), True),
    ],
)
def test_a_window_is_in_its_own_time_zone(between: str, timezone: str, at: datetime, holds: bool):
    one = pattern(between=between, timezone=timezone, expires=date(2030, 12, 31))
    assert one.active(at) is holds
    assert one.state(at) == ("active" if holds else f"waits for {between} {timezone}")


def test_the_last_day_counts_and_the_next_does_not():
    one = pattern(expires=date(2030, 1, 15))
    assert one.active(datetime(2030, 1, 15, 23, 59, tzinfo=UTC))
    assert one.state(datetime(2030, 1, 16, 0, 0, tzinfo=UTC)) == "expired"


async def test_nothing_destructive_runs_unless_that_is_said(tmp_path: Path):
    assert not await runs(tmp_path, pattern(tool="delete_service"), "delete_service", service="srv-1")
    said = pattern(tool="delete_service", effect="destructive")
    assert await runs(tmp_path, said, "delete_service", service="srv-1")
    assert not await runs(tmp_path, said, "delete_service", service="srv-2")


INDEXES: dict[str, Any] = {
    "tool": "run_script",
    "target": "clinic@staging*",
    "arguments": {},
    "touches": ["create index on public.*"],
}


@pytest.mark.parametrize(
    ("sql", "fits"),
    [
        ("create index public.a", True),
        ("create index public.a; create index public.b", True),
        ("create index private.a", False),
        ("create index public.a; update public.people", False),
        ("create index public.a; drop index public.b", False),
        ("select 1 -- create index public.a", False),
        ("", False),
    ],
)
async def test_sql_is_bounded_by_what_every_statement_touches(tmp_path: Path, sql: str, fits: bool):
    assert await runs(tmp_path, pattern(**INDEXES), "run_script", sql=sql) is fits


async def test_sql_word_for_word_is_that_sql_only(tmp_path: Path):
    exact = pattern(tool="run_script", target="clinic@staging*", arguments={"sql": "update a"})
    assert await runs(tmp_path, exact, "run_script", sql="update a")
    assert not await runs(tmp_path, exact, "run_script", sql="update a; update b")
    assert not await runs(tmp_path, exact, "run_script", sql="update a", timeout=9.0)


async def test_sql_that_a_pattern_does_not_mention_is_not_any_sql(tmp_path: Path):
    loose = pattern(tool="run_script", target="clinic@staging*", arguments={}, other_arguments="any")
    assert not await runs(tmp_path, loose, "run_script", sql="update a")


DOCS: dict[str, Any] = {
    "tool": "edit_text",
    "target": "/project/*",
    "arguments": {"path": {"glob": "*"}},
    "other_arguments": "any",
}


@pytest.mark.parametrize("path", ["sergei.toml", "sub/sergei.toml", "Sergei.TOML", "docs/../sergei.toml"])
async def test_the_rules_are_never_changed_by_the_rules(tmp_path: Path, path: str):
    assert await runs(tmp_path, pattern(**DOCS), "edit_text", path="docs/a.md", new="x")
    assert not await runs(tmp_path, pattern(**DOCS), "edit_text", path=path, new="[[approve]]")


async def test_a_wildcard_does_not_climb_out_of_its_folder(tmp_path: Path):
    docs = pattern(**{**DOCS, "arguments": {"path": {"glob": "docs/*"}}})
    assert not await runs(tmp_path, docs, "edit_text", path="docs/../../etc/passwd", new="x")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"target": "*"}, "target or the environment"),
        ({"expires": None}, "expires"),
        ({"reason": ""}, "reason"),
        ({"name": "Two Words"}, "name"),
        ({"between": "02:00-04:00"}, "both"),
        ({"between": "02:00-02:00", "timezone": "UTC"}, "same minute"),
        ({"between": "2-4", "timezone": "UTC"}, "between"),
        ({"between": "02:00-04:00", "timezone": "Mars/Olympus"}, "time zone"),
        ({"between": "02:00-04:00", "timezone": "../../etc/passwd"}, "time zone"),
        ({"arguments": {"sql": {"glob": "create index*"}}}, "wildcard"),
        ({"arguments": {"command": {"glob": "make *"}}}, "wildcard"),
        ({"touches": ["*"]}, "name the command"),
        ({"effect": "destructive", "arguments": {"service": {"glob": "srv-*"}}}, "exactly"),
        ({"effect": "destructive", "other_arguments": "any"}, "exactly"),
        ({"effect": "destructive", "arguments": {}}, "exactly"),
        ({"effect": "read"}, "effect"),
        ({"who": "me"}, "who"),
    ],
)
def test_a_pattern_that_is_too_wide_or_unclear_is_none(fields: dict[str, Any], why: str):
    with pytest.raises(ValidationError, match=why):
        pattern(**fields)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"tool": "restart_everything"}, "no tool called"),
        ({"tool": "say"}, "only reads"),
        ({"tool": "delete_service"}, "destructive"),
        ({"arguments": {"servise": "srv-1"}}, "no argument servise"),
        ({"expires": date(2031, 6, 1)}, "within a year"),
    ],
)
def test_a_pattern_that_could_never_apply_is_said(fields: dict[str, Any], why: str):
    assert why in pattern(**fields).objection(TOOLS, NIGHT.date())
    assert pattern().objection(TOOLS, NIGHT.date()) == ""


def _file(folder: Path, **fields: Any) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    values = {"name": "a", "tool": "edit_file", "target": "/w/*", "reason": "notes", **fields}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    page = "\n".join(["[[approve]]", f"expires = {tomorrow}", *lines, ""])
    with (folder / "sergei.toml").open("a") as file:
        file.write(page)


def test_patterns_are_read_from_the_settings_of_a_person(tmp_path: Path):
    _file(tmp_path)
    _file(tmp_path, name="b", environment="staging")
    assert [one.name for one in load(tmp_path, {}).patterns] == ["a", "b"]


@pytest.mark.parametrize("fields", [{"target": "*"}, {"reason": "x"}, {"effect": "any"}, {"tol": "x"}])
def test_a_wrong_pattern_in_the_settings_is_one_sentence(tmp_path: Path, fields: dict[str, Any]):
    _file(tmp_path, **fields)
    with pytest.raises(ConfigurationError, match=r"approve\.0"):
        load(tmp_path, {})


def test_what_a_repository_brings_is_not_in_force_until_somebody_accepts_it(tmp_path: Path):
    """A clone, a pull, or an edit by a program: the same file, which nobody here has read."""
    state = {"SERGEI_STATE_DIR": str(tmp_path / "state")}
    _file(tmp_path)
    assert in_force(load(tmp_path, state)) == ()
    accept(load(tmp_path, state))
    assert [one.name for one in in_force(load(tmp_path, state))] == ["a"]
    _file(tmp_path, name="b")
    assert in_force(load(tmp_path, state)) == (), "one more, so all of it must be read again"
    (tmp_path / "clone").mkdir()
    _file(tmp_path / "clone")
    assert in_force(load(tmp_path / "clone", state)) == (), "another workspace"
    assert (tmp_path / "state" / "accepted-patterns").stat().st_mode & 0o777 == 0o600


async def test_an_unaccepted_pattern_runs_nothing_and_is_said(tmp_path: Path):
    _file(tmp_path, target=f"{tmp_path}/*", other_arguments="any")
    settings = load(tmp_path, {"SERGEI_STATE_DIR": str(tmp_path / "state")})
    for accepted in (False, True):
        async with open_house(settings, Choice(), face="test", mode=Mode.ACT) as house:
            outcome = await house.executor.call("edit_file", {"path": "notes.md", "new": "x"})
            assert outcome.ok is accepted is (tmp_path / "notes.md").exists()
            assert accepted or "nobody accepted" in outcome.fenced()
        accept(settings)


def test_two_patterns_of_one_name_are_one_sentence(tmp_path: Path):
    _file(tmp_path)
    _file(tmp_path)
    with pytest.raises(ConfigurationError, match="two patterns called a"):
        load(tmp_path, {})


@given(st.text(), st.text(max_size=3), st.text())
def test_a_wildcard_stands_for_anything_and_nothing_else_is_special(before: str, middle: str, after: str):
    clean = before.replace("*", ""), after.replace("*", "")
    assert wildcard(f"{clean[0]}*{clean[1]}", clean[0] + middle + clean[1])
    assert wildcard(clean[0], before) is (clean[0] == before)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_wildcard_agrees_with_the_obvious_definition(glob: str, text: str):
    def obvious(glob: str, text: str) -> bool:
        if not glob:
            return not text
        if glob[0] == "*":
            return obvious(glob[1:], text) or (bool(text) and obvious(glob, text[1:]))
        return text[:1] == glob[0] and obvious(glob[1:], text[1:])

    assert wildcard(glob, text) is obvious(glob, text)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["service", "wait", "seconds"]), st.text(max_size=5), max_size=3))
async def test_only_the_exact_arguments_are_covered(
    tmp_path_factory: pytest.TempPathFactory, arguments: dict[str, str]
):
    given: dict[str, Any] = {**arguments}
    covered = await runs(tmp_path_factory.mktemp("p"), pattern(), "restart_service", **given)
    assert covered is (arguments == {"service": "srv-1"})
