"""What speaks against a deploy, with the evidence, before anybody is asked; and what was not examined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tools.render.deploying.world import WEB, WORKER, Checkout, World, git
from tools.errors import Conflict, InvalidInput, NotFound, Refused
from tools.http.secret import Secret
from tools.registry import Permit, Preview, digest
from tools.render.deploy_service import DeployService, deploy_service, preview_deploy_service
from tools.sandbox.platform import SUPABASE_ADMIN, deploys
from tools.supabase.client import SupabaseClient

pytestmark = pytest.mark.anyio


async def asked(world: World, name: str = WEB, **arguments: object) -> Preview:
    """What a person would be shown."""
    params = DeployService.model_validate({"service": name, **arguments})
    return await preview_deploy_service(params, world.resources())


def said(preview: Preview, name: str) -> str:
    """The line of one check."""
    lines = preview.evidence.splitlines()
    return next(line for line in lines if f"{name}:" in (line[: len(name) + 1], line.split(": ")[1] + ":"))


async def test_the_question_shows_service_workspace_effect_and_undo(world: World):
    preview = await asked(world, rollback_on_regression=True)
    own = world.hosted(WEB).spec.id
    for part in (WEB, own, "web_service", "plan 2c-4g", "virginia", "https://", "workspace Guardian"):
        assert part in preview.target
    serving = world.statuses(WEB).index("new_commit live")
    assert serving == 0 and world.hosted(WEB).deploys[-1].id in preview.undo
    assert "turn autodeploy of guardian-web off and roll back to" in preview.action
    assert "without asking again" in preview.action and "once" in preview.action
    assert preview.touches == (f"service {WEB}", f"autodeploy of service {WEB}")
    plain = await asked(world)
    assert "a rollback is proposed" in plain.action and "autodeploy of" not in plain.action
    assert world.changes() == []


async def test_a_cron_job_is_not_said_to_be_taken_back(world: World):
    preview = await asked(world, "guardian-reminders", rollback_on_regression=True)
    assert "next run is not waited for" in preview.action and "roll back to" not in preview.action
    assert preview.touches == ("service guardian-reminders",)


async def test_the_question_is_the_same_when_asked_again(world: World):
    first = await asked(world)
    world.platform.clock.advance(300)
    again = await asked(world)
    assert first.model_dump(exclude={"evidence"}) == again.model_dump(exclude={"evidence"})


async def test_a_suspended_service_is_refused_with_the_way_out(world: World):
    world.hosted(WEB).change(world.platform.clock.now(), suspenders=("user",))
    with pytest.raises(Refused, match="suspended") as error:
        await asked(world)
    assert "Resume it first" in error.value.hint


async def test_a_deploy_under_way_is_a_conflict_that_names_it(world: World):
    hosted = world.hosted(WEB)
    running = deploys.create(
        world.platform.world, hosted, world.platform.clock.now(), "manual", commit=hosted.commits[0]
    )
    with pytest.raises(Conflict, match=running.id) as error:
        await asked(world)
    assert "cancel" in error.value.hint


async def test_a_service_that_is_not_there_or_is_ambiguous(world: World):
    with pytest.raises(InvalidInput, match="guardian-web"):
        await asked(world, "guardian")
    with pytest.raises(NotFound):
        await asked(world, "nothing-like-it")
    assert "guardian-web" in (await asked(world, "guardian-w")).target


async def test_warnings_of_disk_blueprint_health_and_memory(world: World):
    world.platform.world.kind("disks")[next(iter(world.platform.world.kind("disks")))]["serviceId"] = (
        world.hosted(WEB).spec.id
    )
    world.hosted(WEB).change(world.platform.clock.now(), health_check_path="", plan="1c-2g")
    preview = await asked(world)
    assert preview.destructive, "with a disk it is down for a moment"
    assert "disk" in said(preview, "disk") and said(preview, "disk").startswith("warning")
    assert said(preview, "health").startswith("warning: health: it has no health check path")
    memory = said(preview, "memory")
    assert memory.startswith("warning") and "3072 MB is not below the plan's 2048 MB" in memory
    assert memory.partition("[")[0].partition("memory: ")[2].strip() in preview.consequence + "."


async def test_without_a_checkout_it_is_said_what_was_not_examined(world: World):
    preview = await asked(world)
    assert "no checkout of it here to name the commit" in preview.action
    for name in ("migrations", "environment"):
        assert said(preview, name).startswith(f"{name}: not examined"), "what was not looked at is not ok"
    told = await world.deploy(WEB)
    assert "Not examined: migrations (this commit" in told.markdown()


async def test_the_newest_commit_is_named_and_is_what_is_deployed(world: World):
    checkout = Checkout.of(world, WEB)
    sha = checkout.commit("Timeline: group by episode", {"src/main.ts": "export const answer = 43\n"})
    preview = await asked(world)
    assert f'commit {sha} "Timeline: group by episode"' in preview.action
    assert "asked of" in said(preview, "revision")
    later = checkout.commit("Something newer", {"src/other.ts": "export {}\n"})
    assert later in (await asked(world)).action
    told = await world.deploy(WEB)
    assert world.serving(WEB) == later and told.verdict == "live_verified"


async def test_a_push_after_the_yes_is_not_deployed(world: World):
    checkout = Checkout.of(world, WEB)
    sha = checkout.commit("Seen", {"src/main.ts": "export const answer = 43\n"})
    params = DeployService(service=WEB)
    resources = world.resources()
    await preview_deploy_service(params, resources)
    checkout.commit("Not seen", {"src/main.ts": "export const answer = 44\n"})
    await deploy_service.run(params, resources, Permit("deploy_service", digest("deploy_service", params)))
    assert world.serving(WEB) == sha


async def test_a_push_that_deploys_the_same_commit_already_is_followed(world: World):
    checkout = Checkout.of(world, WEB)
    sha = checkout.commit("By a push", {"src/main.ts": "export const answer = 43\n"})
    hosted = world.hosted(WEB)
    running = deploys.create(
        world.platform.world, hosted, world.platform.clock.now(), "new_commit", commit=hosted.commits[-1]
    )
    assert "nothing new is deployed" in (await asked(world)).action
    told = await world.deploy(WEB)
    assert (told.verdict, told.deploy) == ("live_verified", running.id)
    assert world.serving(WEB) == sha and world.changes() == []


async def test_commits_that_are_older_the_same_or_unknown(world: World):
    checkout = Checkout.of(world, WEB)
    first = git(checkout.root, "rev-parse", "HEAD").strip()
    second = checkout.commit("Second", {"src/main.ts": "export const answer = 43\n"})
    assert "it serves already" in said(await asked(world, commit=first), "revision")
    serves(world, WEB)
    assert "older than the serving commit" in said(await asked(world, commit=first[:10]), "revision")
    assert second[:12] in said(await asked(world, commit=first), "revision")
    with pytest.raises(NotFound, match="not in this checkout"):
        await asked(world, commit="abcdef1")
    for wrong in ("main", "../../x", "-x"):
        with pytest.raises(InvalidInput, match="hexadecimal"):
            await asked(world, commit=wrong)
    with pytest.raises(InvalidInput, match="built from a repository"):
        await asked(world, image="nginx:1")
    with pytest.raises(InvalidInput, match="runs an image"):
        await asked(world, "guardian-ocr", commit=first)
    with pytest.raises(InvalidInput, match="cron job"):
        await asked(world, "guardian-reminders", commit=first)


def serves(world: World, name: str) -> None:
    """Let the newest commit be the one that serves."""
    hosted = world.hosted(name)
    hosted.deploys[-1] = replace(hosted.deploys[-1], commit=hosted.commits[-1])


async def test_variables_that_new_code_reads_and_the_service_lacks(world: World):
    checkout = Checkout.of(world, WEB)
    checkout.commit(
        "Reads more",
        {
            "src/units.ts": "const at = process.env.NORMALIZER_URL\nconst log = process.env.LOG_LEVEL\n"
            "const soft = process.env.SOFT_SETTING ?? 'off'\nconst port = process.env.PORT\n",
            "src/units.test.ts": "process.env.ONLY_IN_TESTS\n",
            "README.md": "process.env.IN_PROSE\n",
        },
    )
    line = said(await asked(world), "environment")
    assert line.startswith("warning") and "NORMALIZER_URL (src/units.ts:1)" in line
    for absent in ("LOG_LEVEL", "SOFT_SETTING", "PORT", "ONLY_IN_TESTS", "IN_PROSE"):
        assert absent not in line
    world.hosted(WEB).env["NORMALIZER_URL"] = "https://normalizer.example"
    assert said(await asked(world), "environment").startswith("ok")


async def test_variables_of_the_example_and_of_a_group(world: World):
    checkout = Checkout.of(world, WEB)
    checkout.commit("Example", {".env.example": "QUEUE_URL=\nexport EXAMPLE_KEY=x\n# COMMENTED=1\n"})
    line = said(await asked(world), "environment")
    assert "EXAMPLE_KEY" in line and "QUEUE_URL" not in line and "COMMENTED" not in line


BLUEPRINT = """
services:
  - type: web
    name: guardian-web
    envVars:
      - key: SESSION_SECRET
        sync: false
      - key: DECLARED_KEY   # new
        sync: false
      - fromGroup: guardian-shared
  - type: worker
    name: guardian-document-worker
    envVars:
      - key: OTHER_KEY
        value: x
databases:
  - name: jobs
envVarGroups:
  - name: guardian-shared
    envVars:
      - key: GROUP_KEY
        value: y
"""


async def test_a_variable_that_render_yaml_declares_stops_unless_a_person_overrules(world: World):
    checkout = Checkout.of(world, WEB)
    checkout.commit("Blueprint", {"render.yaml": BLUEPRINT})
    with pytest.raises(Refused, match="DECLARED_KEY") as error:
        await asked(world)
    assert "despite=['environment']" in error.value.hint
    preview = await asked(world, despite=["environment"])
    assert preview.destructive and "OVERRULED: render.yaml declares DECLARED_KEY" in preview.consequence
    assert world.changes() == []


async def test_without_a_blueprint_in_force_render_yaml_only_warns(world: World):
    checkout = Checkout.of(world, WEB)
    checkout.commit("Blueprint", {"render.yaml": BLUEPRINT})
    world.platform.world.kind("blueprints").clear()
    line = said(await asked(world), "environment")
    assert line.startswith("warning") and "DECLARED_KEY, GROUP_KEY" in line and "OTHER_KEY" not in line


async def test_the_new_values_of_variables_are_never_shown(world: World):
    world.hosted(WEB).env["NODE_OPTIONS"] = "--max-old-space-size=3072 --require=/secret-agent"
    preview = await asked(world)
    text = preview.model_dump_json()
    assert "3072" in text and "secret-agent" not in text and "simulated-session-secret" not in text


EXPAND = "alter table document add column units text;\n"
CONTRACT = "alter table document drop column legacy_code;\n"


async def test_migrations_against_the_list_of_supabase(world: World):
    checkout = Checkout.of(world, WORKER)
    assert world.platform.project is not None
    done = world.platform.project.migrations[-1]
    name = f"supabase/migrations/{done['version']}_{done['name']}.sql"
    checkout.commit("Old migration", {name: "select 1;\n"})
    supabase = SupabaseClient(
        Secret(SUPABASE_ADMIN.text),
        transport=world.platform.transport(),
        project_ref=world.platform.project.ref,
    )

    async def line(**arguments: object) -> str:
        params = DeployService.model_validate({"service": WORKER, **arguments})
        preview = await preview_deploy_service(params, world.resources(supabase_or_none=supabase))
        return said(preview, "migrations")

    assert "none is pending" in await line()
    checkout.commit("Expand", {"supabase/migrations/20991231000000_units.sql": EXPAND})
    with pytest.raises(Refused, match="apply them before the code that needs them"):
        await line()
    assert "20991231000000_units.sql" in await line(despite=["migrations"])
    checkout.commit("Contract", {"supabase/migrations/20991231000001_drop.sql": CONTRACT})
    told = await line()
    assert told.startswith("warning") and "drops column document.legacy_code" in told
    assert "only once the new release is verified" in told


async def test_a_pre_deploy_command_that_drops_what_the_serving_release_uses_stops(world: World):
    checkout = Checkout.of(world, WEB)
    sha = checkout.commit("Uses it", {"src/code.ts": "select('legacy_code')\n"})
    serves(world, WEB)
    checkout.commit("Uses it no more", {"src/code.ts": "select('code')\n"})
    checkout.commit("Contract", {"db/migrations/0042_drop.sql": CONTRACT})
    with pytest.raises(Refused, match="which the serving release still uses") as error:
        await asked(world)
    assert "0042_drop.sql drops column document.legacy_code" in error.value.message
    preview = await asked(world, despite=["migrations"])
    assert f"src/code.ts at {sha[:12]}" in preview.evidence


async def test_an_expanding_migration_of_a_pre_deploy_command_is_a_warning(world: World):
    checkout = Checkout.of(world, WEB)
    checkout.commit("Expand", {"prisma/migrations/1_units/migration.sql": EXPAND})
    told = said(await asked(world), "migrations")
    assert told.startswith("warning") and "runs first" in told and "A rollback does not undo them" in told


async def test_a_checkout_of_another_repository_says_nothing_about_this_one(world: World):
    Checkout.of(world, WEB)
    world.hosted(WEB).change(world.platform.clock.now(), repo="https://github.com/elsewhere/other")
    assert "no checkout of it here to name the commit" in (await asked(world)).action


async def test_a_configuration_of_the_repository_runs_nothing(world: World):
    checkout = Checkout.of(world, WEB)
    mark = world.folder / "ran"
    script = world.folder / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o700)
    for key in ("core.fsmonitor", "core.sshCommand", "diff.external", "core.pager", "credential.helper"):
        git(checkout.root, "config", key, str(script))
    git(checkout.root, "config", "core.hooksPath", str(world.folder))
    mark.unlink(missing_ok=True)
    sha = git(checkout.root, "-c", "core.fsmonitor=false", "rev-parse", "HEAD").strip()
    assert sha in (await asked(world)).action
    assert not mark.exists()
