"""The model as a tool and as `sergei rls model`."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

import argparse
import tomllib

import pytest

from agent.commands import rls_model
from tests.conftest import MakeExecutor
from tests.tools.rls.proof import styles
from tests.tools.rls.proof.models import model_of
from tools.rls.proof.model_text import lines
from tools.rls.show_access_model import AccessModel

pytestmark = pytest.mark.anyio


async def test_the_tool_answers_in_a_few_lines(make_executor: MakeExecutor, demo_dsn: str):
    outcome = await make_executor(demo_dsn).call("show_access_model", {})
    said = outcome.markdown()
    assert outcome.ok and len(said) < 6_000
    assert (
        "- opening: public.profile_grants opens public.profiles by profile_id to grantee_account_id" in said
    )
    assert "consents.status is given" in said
    assert "- 32 tables belong to public.profiles by profile_id: " in said
    assert "- 2 tables are for staff only: public.processing_passes and public.review_queue" in said
    assert "toml" not in said.replace("sergei.toml", "")


async def test_the_section_comes_on_request(make_executor: MakeExecutor, demo_dsn: str):
    outcome = await make_executor(demo_dsn).call("show_access_model", {"toml": True})
    found = outcome.result
    assert isinstance(found, AccessModel)
    assert tomllib.loads(found.section)["rls"]["accounts"] == "auth.users"


def shown(found: AccessModel, **chosen: object) -> str:
    """What the command prints."""
    return rls_model.render(found, argparse.Namespace(**{"format": "text", "toml": False, **chosen}))


def test_the_command_prints_lines_questions_and_toml():
    found = AccessModel(
        target="here", lines=("records: public.a", "    while " + "x is null, " * 20), questions=("What is b?",),
        declared=2, section="[rls]\n",
    )  # fmt: skip
    said = shown(found)
    assert said.startswith("Who may see what in here; sergei.toml declares 2 tables\n\nrecords: public.a\n")
    assert all(len(line) <= 110 for line in said.splitlines())
    assert said.endswith("  What is b?")
    assert shown(found, toml=True) == "# What is b?\n[rls]"
    assert AccessModel.model_validate_json(shown(found, format="json")) == found


def test_names_cannot_act_on_the_terminal(shim_dsn: str):
    found = model_of(shim_dsn, 'create table public."a\x1b[2Jb" (id int)')
    assert not any("\x1b" in line for line in lines(found))
    assert any("a\\x1b[2Jb" in line for line in lines(found))


def test_lines_tell_tenants_and_what_is_open(shim_dsn: str):
    tenants = lines(model_of(shim_dsn, styles.TOKEN_TENANTS))
    assert "records: public.organizations, of whoever's auth.jwt() app_metadata.org_id names them" in tenants
    todo = lines(model_of(shim_dsn, styles.TODO))
    assert "rows of public.posts whose is_published is true are for everybody" in todo
    assert "SELECT on public.comments is for anyone" in todo
