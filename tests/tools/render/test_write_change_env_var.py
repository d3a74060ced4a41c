"""change_env_var through the gate: one variable at a time, and a secret that passes nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.approvals import Answer
from tests.tools.render.write_world import CACHE, OCR, WEB, WORKER, WriteWorld
from tools.render.change_env_var import change_env_var
from tools.render.changing.literals import objection
from tools.render.changing.values import entries
from tools.sandbox.platform import RENDER_VIEWER

pytestmark = pytest.mark.anyio
GROUP = "guardian-shared"
SECRET = "Zk3vQ9tLw7Xp2RbN"  # what must appear nowhere


@pytest.fixture
def world(tmp_path: Path) -> WriteWorld:
    """Guardian's services; the person's environment has one secret, and so has a .env file."""
    made = WriteWorld(
        tmp_path, environment={"NEW_VISION_KEY": SECRET, "RENDER_API_KEY": "rnd_x", "EMPTY": ""}
    )
    (made.root / ".env").write_text(f"# keys\nexport VISION_API_KEY='{SECRET}'\nPLAIN=a # note\nEMPTY=\n")
    (made.root / "key.pem").write_text("-----BEGIN\nabc\n-----END\n")
    return made


def everything(world: WriteWorld, *said: str) -> str:
    """All that anybody was told, and all that was written down."""
    audit = (world.folder / "audit.jsonl").read_text()
    return "\n".join((*said, *world.told, audit, *(repr(each) for each in world.asked)))


@pytest.mark.parametrize("source", ["env:NEW_VISION_KEY", "file:.env#VISION_API_KEY"])
async def test_a_secret_is_set_and_shown_nowhere(world: WriteWorld, source: str):
    before = dict(world.hosted(WORKER).env)
    said = await world.done(change_env_var, service=WORKER, key="VISION_API_KEY", value_from=source)
    own = world.hosted(WORKER).spec.id
    assert f'PUT /services/{own}/env-vars/VISION_API_KEY {{"value": "<secret:' in world.shown
    assert "[write]" in world.shown and "Nothing is deployed by this" in world.shown
    assert "value_from=previous puts it back while this session lasts, then it is gone" in world.shown
    assert "Done" in said and "in force from the next deploy on" in said
    assert world.hosted(WORKER).env == before | {"VISION_API_KEY": SECRET}
    assert world.sent == [f"PUT /services/{own}/env-vars/VISION_API_KEY"]
    told = everything(world, said, world.shown)
    assert SECRET not in told and before["VISION_API_KEY"] not in told


async def test_previous_puts_back_what_this_session_replaced(world: WriteWorld):
    old = world.hosted(WORKER).env["VISION_API_KEY"]
    kind, said = await world.failed(
        change_env_var, service=WORKER, key="VISION_API_KEY", value_from="previous"
    )
    assert kind == "not_found" and "replaced no value" in said
    await world.done(change_env_var, service=WORKER, key="VISION_API_KEY", value_from="env:NEW_VISION_KEY")
    await world.done(change_env_var, service=WORKER, key="VISION_API_KEY", value_from="previous")
    assert world.hosted(WORKER).env["VISION_API_KEY"] == old
    await world.done(change_env_var, service=WORKER, key="VISION_API_KEY", action="delete")
    assert "[destructive]" in world.shown and "may not start" in world.shown
    assert "VISION_API_KEY" not in world.hosted(WORKER).env
    await world.done(change_env_var, service=WORKER, key="VISION_API_KEY", value_from="previous")
    assert world.hosted(WORKER).env["VISION_API_KEY"] == old


async def test_a_no_changes_nothing(world: WriteWorld):
    world.answer = Answer.DENY
    before = dict(world.hosted(WORKER).env)
    kind, _ = await world.failed(
        change_env_var, service=WORKER, key="VISION_API_KEY", value_from="env:NEW_VISION_KEY"
    )
    assert kind == "refused" and world.sent == [] and world.hosted(WORKER).env == before


async def test_a_file_that_changed_while_a_person_read_asks_again(world: WriteWorld):
    world.while_asked = lambda: (world.root / ".env").write_text("VISION_API_KEY=another")
    kind, said = await world.failed(
        change_env_var, service=WORKER, key="VISION_API_KEY", value_from="file:.env#VISION_API_KEY"
    )
    assert kind == "conflict" and "Call it again" in said and world.sent == []


async def test_a_literal_is_for_what_is_no_secret(world: WriteWorld):
    said = await world.done(change_env_var, service=WEB, key="LOG_LEVEL", value="debug")
    assert '{"value": "debug"}' in world.shown
    assert "goes before LOG_LEVEL of the group guardian-shared" in world.shown
    assert f"change_env_var service={WEB} key=LOG_LEVEL action=delete" in world.shown
    assert world.hosted(WEB).env["LOG_LEVEL"] == "debug" and "Done" in said
    kind, said = await world.failed(change_env_var, service=WEB, key="LOG_LEVEL", value="debug")
    assert kind == "invalid_input" and "already" in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SESSION_SECRET", "debug"),
        ("SMTP_PASSWORD", "1234"),
        ("STRIPE_KEY", "on"),
        ("WEBHOOK_SIGNING", "abc"),
        ("DATABASE_URL", "postgresql://app:pw" + "@" + "db.internal/app"),
        ("SETTING", "a8f3e1c09b7d4e2f"),
        ("SETTING", "Zk3vQ9tLw7Xp"),
        ("TENANT", "9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f"),
        ("SETTING", "one\ntwo"),
        ("SETTING", "x" * 201),
        ("SUPPORT", "jane.doe" + "@" + "example.org"),
    ],
)
async def test_a_literal_that_may_be_a_secret_is_refused_without_echo(
    world: WriteWorld, key: str, value: str
):
    kind, said = await world.failed(change_env_var, service=WEB, key=key, value=value)
    assert kind == "invalid_input" and "value_from" in said
    assert len(value) < 6 or value not in said
    assert world.asked == [] and world.sent == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LOG_LEVEL", "debug"),
        ("WORKER_CONCURRENCY", "8"),
        ("NODE_OPTIONS", "--max-old-space-size=3072"),
        ("TOKEN_TTL_SECONDS", "3600"),
        ("NODE_ENV", "production"),
        ("PUBLIC_URL", "https://app.guardian.example/path"),
        ("FEATURE_NEW_TIMELINE", "true"),
        ("ALLOWED_ORIGINS", "https://a.example,https://b.example"),
        ("EMPTY", ""),
        ("TZ", "Europe/Berlin"),
        ("MODEL", "claude-sonnet-5-5"),
        ("RETRY_BACKOFF", "1.5"),
    ],
)
def test_everyday_settings_may_be_written_out(key: str, value: str):
    assert objection(key, value) == ""


async def test_a_group_names_its_services_and_who_has_its_own(world: WriteWorld):
    world.hosted(WEB).env["LOG_LEVEL"] = "warn"
    said = await world.done(change_env_var, service=GROUP, key="LOG_LEVEL", value="debug")
    group = world.record("env-groups", GROUP)
    assert f"PUT /env-groups/{group['id']}/env-vars/LOG_LEVEL" in world.shown
    assert "3 services: guardian-web, guardian-document-worker, guardian-reminders" in world.shown
    assert "WITHOUT EFFECT for guardian-web" in world.shown
    assert group["envVars"] == {
        "LOG_LEVEL": "debug",
        "QUEUE_URL": group["envVars"]["QUEUE_URL"],
        "SENTRY_ENVIRONMENT": "production",
    }
    assert "Done" in said
    await world.done(change_env_var, service=GROUP, key="LOG_LEVEL", action="delete")
    assert "[destructive]" in world.shown and "LOG_LEVEL" not in group["envVars"]


async def test_deleting_lets_the_groups_value_count(world: WriteWorld):
    world.hosted(WEB).env["LOG_LEVEL"] = "warn"
    said = await world.done(change_env_var, service=WEB, key="LOG_LEVEL", action="delete")
    assert "LOG_LEVEL of the group guardian-shared counts" in world.shown and "gone" in said


async def test_a_secret_goes_from_one_service_to_another(world: WriteWorld):
    value = world.hosted(WORKER).env["VISION_API_KEY"]
    said = await world.done(
        change_env_var, service=OCR, key="VISION_API_KEY", value_from=f"render:{WORKER}#VISION_API_KEY"
    )
    assert f"with VISION_API_KEY of {WORKER}" in world.shown
    assert world.hosted(OCR).env["VISION_API_KEY"] == value
    assert value not in everything(world, said, world.shown)


async def test_a_secret_under_a_public_name_is_warned_of(world: WriteWorld):
    await world.done(change_env_var, service=WEB, key="NEXT_PUBLIC_VISION", value_from="env:NEW_VISION_KEY")
    assert "NOT SECRET" in world.shown


async def test_a_whole_file_loses_only_its_last_line_break(world: WriteWorld):
    await world.done(change_env_var, service=WEB, key="SIGNING_KEY", value_from="file:key.pem")
    assert world.hosted(WEB).env["SIGNING_KEY"] == "-----BEGIN\nabc\n-----END"


@pytest.mark.parametrize(
    ("arguments", "kind", "part"),
    [
        ({"value_from": "env:NOWHERE"}, "not_found", "no variable NOWHERE"),
        ({"value_from": "env:EMPTY"}, "not_found", "or it is empty"),
        ({"value_from": "env:RENDER_API_KEY"}, "refused", "is what Sergei works with"),
        ({"value_from": "file:../audit.jsonl"}, "refused", "outside the workspace"),
        ({"value_from": "file:/etc/passwd"}, "refused", "outside the workspace"),
        ({"value_from": "file:nowhere"}, "not_found", "no file"),
        ({"value_from": "file:.env#NOWHERE"}, "not_found", "no line NOWHERE="),
        ({"value_from": "file:.env#EMPTY"}, "invalid_input", "is empty"),
        ({"value_from": f"render:{WORKER}#NOWHERE"}, "not_found", "has no variable NOWHERE"),
        ({"value_from": f"render:{CACHE}#X"}, "invalid_input", "no environment variables"),
        ({"value_from": SECRET}, "invalid_input", "value_from is env:NAME"),
        ({}, "invalid_input", "set needs either"),
        ({"value": "a", "value_from": "env:NEW_VISION_KEY"}, "invalid_input", "set needs either"),
        ({"action": "delete", "value": "a"}, "invalid_input", "delete takes no value"),
        ({"action": "delete"}, "invalid_input", "nothing to delete"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(
    world: WriteWorld, arguments: dict[str, str], kind: str, part: str
):
    found, said = await world.failed(change_env_var, service=WEB, key="SOMETHING", **arguments)
    assert found == kind and part in said and SECRET not in said
    assert world.asked == [] and world.sent == []


async def test_a_link_out_of_the_workspace_is_not_followed(world: WriteWorld):
    outside = world.folder / "outside.txt"
    outside.write_text(SECRET)
    (world.root / "link").symlink_to(outside)
    kind, said = await world.failed(change_env_var, service=WEB, key="A_KEY", value_from="file:link")
    assert kind == "refused" and SECRET not in said


async def test_lost_answers_rate_limits_and_errors_that_echo(world: WriteWorld):
    world.platform.faults.add("timeout_after", "PUT", "/env-vars/")
    said = await world.done(change_env_var, service=WEB, key="A_KEY", value_from="env:NEW_VISION_KEY")
    assert "Done" in said and world.hosted(WEB).env["A_KEY"] == SECRET
    world.platform.faults.add("status", "DELETE", "/env-vars/", status=429, retry_after=3)
    world.platform.faults.add("dropped_after", "DELETE", "/env-vars/")
    said = await world.done(change_env_var, service=WEB, key="A_KEY", action="delete")
    assert "gone" in said and "A_KEY" not in world.hosted(WEB).env
    assert any("waiting 3 s" in told for told in world.told)
    world.platform.faults.add("status", "PUT", "/env-vars/", status=400, message=f"bad value {SECRET}")
    kind, said = await world.failed(change_env_var, service=WEB, key="A_KEY", value_from="env:NEW_VISION_KEY")
    assert kind == "invalid_input" and SECRET not in everything(world, said)


async def test_a_lesser_key_gives_one_clear_sentence_and_knows_that_it_cannot_undo(tmp_path: Path):
    world = WriteWorld(tmp_path, render_key=RENDER_VIEWER.text)
    kind, said = await world.failed(change_env_var, service=WEB, key="NODE_ENV", value="staging")
    assert kind == "refused" and "RENDER_API_KEY lacks the right" in said
    assert "cannot be read with this key" in world.shown and "[destructive]" in world.shown
    kind, said = await world.failed(
        change_env_var, service=WEB, key="X", value_from=f"render:{WORKER}#VISION_API_KEY"
    )
    assert kind == "invalid_input" and "may not read it" in said


def test_lines_of_an_env_file():
    text = "A=1\nexport B = \"two\\nlines\" \nC='#x'\nD=x#y # note\n# E=1\nA=3\nnoise\n"
    assert entries(text) == {"A": "3", "B": "two\nlines", "C": "#x", "D": "x#y"}
