"""deploy_function through the gate: bundled before, kept, watched after, and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.approvals import Answer
from tests.tools.render.write_world import WriteWorld
from tools.errors import InvalidInput
from tools.sandbox.platform import SUPABASE_VIEWER, Line
from tools.sandbox.platform.supabase_state import EdgeFunction, Trouble
from tools.supabase.deploy_function import deploy_function
from tools.supabase.deploying.kept import files_of, load, versions
from tools.supabase.deploying.sources import read_sources
from tools.supabase.deploying.watching import Figures, judge
from tools.supabase.models import FunctionBundle
from tools.workspace.jail import Workspace

pytestmark = pytest.mark.anyio
SLUG = "document-normalizer"
GOOD = (
    'import { cors } from "../_shared/cors.ts";\nDeno.serve(() => new Response("new", { headers: cors }));\n'
)


@pytest.fixture
def world(tmp_path: Path) -> WriteWorld:
    """Guardian's project, and a workspace with one function."""
    made = WriteWorld(tmp_path)
    write(made, f"functions/{SLUG}/index.ts", GOOD)
    write(made, "functions/_shared/cors.ts", "export const cors = {};\n")
    return made


def write(world: WriteWorld, name: str, text: str) -> None:
    """A file below supabase/."""
    path = world.root / "supabase" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def deployed(world: WriteWorld, slug: str = SLUG) -> EdgeFunction:
    """What the platform has."""
    assert world.platform.project is not None
    return world.platform.project.functions[slug]


def trouble(world: WriteWorld, source: str, **attributes: str) -> None:
    """Something goes wrong from now on."""
    assert world.platform.project is not None
    world.platform.project.troubles.append(
        Trouble(
            source,
            Line("Error: page of {patient} could not be read", 12, level="error"),
            world.platform.clock.now(),
            attributes=tuple(attributes.items()),
            function=SLUG,
        )
    )


async def test_what_is_shown_what_is_sent_and_what_is_kept(world: WriteWorld):
    before = deployed(world)
    said = await world.done(deploy_function, function=SLUG)
    for part in (
        "[write]",
        f"deploy the Edge Function {SLUG}, version {before.version} now",
        f"functions/deploy?slug={SLUG}",
        f'"entrypoint_path": "supabase/functions/{SLUG}/index.ts"',
        f"supabase/functions/{SLUG}/index.ts  {len(GOOD)} bytes  sha256 ",
        "supabase/functions/_shared/cors.ts",
        "guardian-production (",
        "us-east-1",
        f"supabase.co/functions/v1/{SLUG}",
        "bundled it in a dry run",
        '+Deno.serve(() => new Response("new"',
        f"deploy_function function={SLUG} restore=v{before.version}-",
    ):
        assert part in world.shown, part
    assert said.startswith("Done and watched") and f"version {before.version + 1}, ACTIVE" in said
    assert GOOD.encode() in deployed(world).source
    posts = [each for each in world.platform.requests if each.method == "POST"]
    assert [("bundleOnly=true" in each.query) for each in posts] == [True, False]


async def test_a_no_deploys_nothing_and_keeps_nothing(world: WriteWorld):
    world.answer, before = Answer.DENY, deployed(world)
    kind, _ = await world.failed(deploy_function, function=SLUG)
    assert kind == "refused" and deployed(world) == before
    assert not (world.folder / "state").exists()


async def test_a_rollback_deploys_the_very_content_again(world: WriteWorld):
    before = deployed(world)
    await world.done(deploy_function, function=SLUG, watch_minutes=0)
    place = next((world.folder / "state" / "functions").glob(f"*/{SLUG}"))
    (name,) = versions(place)
    assert (place / f"{name}.bundle").stat().st_mode & 0o077 == 0
    said = await world.done(deploy_function, function=SLUG, restore=name, watch_minutes=0)
    assert f"from the kept version {name}" in world.shown
    assert deployed(world).source == before.source and deployed(world).verify_jwt == before.verify_jwt
    assert f"version {before.version + 2}" in said
    assert len(versions(place)) == 2  # the version that was taken back is kept as well
    kept, _ = load(place, name)
    assert kept.project == world.platform.project.ref  # type: ignore[union-attr]  # checked in `deployed`


async def test_what_does_not_bundle_asks_nobody(world: WriteWorld):
    write(world, f"functions/{SLUG}/index.ts", "syntax error")
    kind, said = await world.failed(deploy_function, function=SLUG)
    assert kind == "invalid_input" and "does not bundle" in said and "could not be parsed" in said
    assert world.asked == []


async def test_files_that_change_while_a_person_reads_ask_again(world: WriteWorld):
    world.while_asked = lambda: write(world, "functions/_shared/cors.ts", "export const cors = { a: 1 };\n")
    before = deployed(world)
    kind, said = await world.failed(deploy_function, function=SLUG)
    assert kind == "conflict" and deployed(world) == before and "Call it again" in said


async def test_a_function_that_anybody_may_call_is_said_in_capitals(world: WriteWorld):
    write(world, "config.toml", f"[functions.{SLUG}]\nverify_jwt = false\n")
    said = await world.done(deploy_function, function=SLUG, watch_minutes=0)
    assert "[destructive]" in world.shown and "ANYBODY CAN CALL IT WITHOUT A TOKEN" in world.shown
    assert deployed(world).verify_jwt is False and "verify_jwt OFF" in said


async def test_what_is_deployed_decides_about_tokens_where_the_settings_say_nothing(world: WriteWorld):
    slug = "document-processor"  # deployed with verify_jwt off
    write(world, f"functions/{slug}/index.ts", "Deno.serve(() => new Response('x'));\n")
    await world.done(deploy_function, function=slug, watch_minutes=0)
    assert deployed(world, slug).verify_jwt is False and "[write]" in world.shown


async def test_secrets_that_are_read_and_not_there(world: WriteWorld):
    code = (
        'Deno.env.get("VISION_API_KEY"); Deno.env.get("SUPABASE_URL"); Deno.env.get("NOT_THERE");'
        ' Deno.env.get("OPTIONAL") ?? "x"; const k = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";\n'
    )
    write(world, f"functions/{SLUG}/index.ts", code)
    await world.done(deploy_function, function=SLUG, watch_minutes=0)
    assert f"no secret NOT_THERE (supabase/functions/{SLUG}/index.ts), which the code reads" in world.shown
    assert "looks like a secret" in world.shown
    assert "4eC39" not in world.shown


async def test_a_new_function(world: WriteWorld):
    write(world, "functions/hello/index.ts", "Deno.serve(() => new Response('x'));\n")
    said = await world.done(deploy_function, function="hello", watch_minutes=0)
    assert "which is new" in world.shown and "supabase functions delete hello" in world.shown
    assert deployed(world, "hello").version == 1 and "version 1, ACTIVE" in said


@pytest.mark.parametrize(
    ("source", "attributes", "part"),
    [
        ("function_edge_logs", {"response.status_code": "500"}, "answered with 5xx"),
        ("function_logs", {"event_type": "BootFailure"}, "fails to start"),
        ("function_logs", {"event_type": "Log"}, "more errors are logged"),
    ],
)
async def test_a_bad_version_is_called_worse_with_the_way_back(
    world: WriteWorld, source: str, attributes: dict[str, str], part: str
):
    world.while_asked = lambda: trouble(world, source, **attributes)
    said = await world.done(deploy_function, function=SLUG)
    assert said.startswith("Deployed, and WORSE") and part in said
    assert "Take it back" in said and "restore=v" in said
    assert "could not be read" not in said  # no line of a log reaches the answer


async def test_too_few_calls_prove_nothing():
    quiet, before = Figures(3, calls=2), Figures(30, calls=180, failed=1)
    assert judge(before, quiet)[0] == "inconclusive"
    assert judge(before, Figures(3, calls=20, failed=0))[0] == "fine"
    assert judge(before, Figures(3, calls=20, failed=2))[0] == "fine"
    assert judge(before, Figures(3, calls=20, failed=3))[0] == "worse"
    assert judge(Figures(30, calls=100, failed=50), Figures(3, calls=20, failed=10))[0] == "fine"


async def test_a_lost_answer_is_settled_by_looking(world: WriteWorld):
    before = deployed(world)
    world.platform.faults.add("timeout_after", "POST", "/functions/deploy", skip=1)
    said = await world.done(deploy_function, function=SLUG, watch_minutes=0)
    assert "state shows that it happened" in said and deployed(world).version == before.version + 1
    world.platform.faults.add("timeout", "POST", "/functions/deploy", skip=1)
    write(world, "functions/_shared/cors.ts", "export const cors = { b: 1 };\n")
    kind, said = await world.failed(deploy_function, function=SLUG, watch_minutes=0)
    assert kind == "outcome_unknown" and "still the one deployed" in said
    assert deployed(world).version == before.version + 1


async def test_rate_limits_are_waited_for_and_a_lesser_key_is_told(world: WriteWorld, tmp_path: Path):
    world.platform.faults.add("status", "POST", "/functions/deploy", status=429, retry_after=11)
    await world.done(deploy_function, function=SLUG, watch_minutes=0)
    assert any("waiting 11 s" in told for told in world.told)
    (tmp_path / "other").mkdir()
    viewer = WriteWorld(tmp_path / "other", supabase_key=SUPABASE_VIEWER.text)
    write(viewer, f"functions/{SLUG}/index.ts", "Deno.serve(() => new Response('x'));\n")
    kind, said = await viewer.failed(deploy_function, function=SLUG)
    assert kind == "refused" and "SUPABASE_ACCESS_TOKEN lacks the right" in said
    assert "dry run could not be made" in viewer.shown


async def test_a_version_that_cannot_be_kept_is_not_deployed_over(world: WriteWorld):
    (world.folder / "state").write_text("a file where a folder should be")
    before = deployed(world)
    kind, said = await world.failed(deploy_function, function=SLUG)
    assert kind == "unavailable" and "nothing was deployed" in said and deployed(world) == before


@pytest.mark.parametrize(
    ("arguments", "kind", "part"),
    [
        ({"function": "nowhere"}, "not_found", "no file"),
        ({"function": SLUG, "restore": "v1-00000000"}, "not_found", "is kept on this machine"),
        ({"function": SLUG, "restore": "../x"}, "invalid_input", "is no version"),
        ({"function": "../x"}, "invalid_input", "function"),
    ],
)
async def test_what_makes_no_sense(world: WriteWorld, arguments: dict[str, str], kind: str, part: str):
    found, said = await world.failed(deploy_function, **arguments)
    assert found == kind and part in said and world.asked == []


def test_imports_are_followed_and_nothing_else_is_sent(world: WriteWorld):
    write(
        world,
        f"functions/{SLUG}/deno.jsonc",
        '{ // maps\n "imports": {"@/": "../_shared/", "zod": "npm:zod",}}',
    )
    write(
        world,
        f"functions/{SLUG}/index.ts",
        'import "./a.ts"; import z from "zod"; import x from "@/cors.ts";',
    )
    write(world, f"functions/{SLUG}/a.ts", 'export * from "./b.ts"; const c = await import("./c.json");')
    for name in ("b.ts", "c.json", "unused.ts", ".env"):
        write(world, f"functions/{SLUG}/{name}", "{}")
    found = read_sources(Workspace(world.root), SLUG)
    folder = f"supabase/functions/{SLUG}/"
    assert {file.name.removeprefix(folder) for file in found.files} == {
        "index.ts", "a.ts", "b.ts", "c.json", "deno.jsonc", "supabase/functions/_shared/cors.ts",
    }  # fmt: skip
    assert found.import_map == f"{folder}deno.jsonc" and found.entrypoint == f"{folder}index.ts"
    write(world, f"functions/{SLUG}/b.ts", 'import "./gone.ts";')
    with pytest.raises(InvalidInput, match=r"b\.ts imports '\./gone\.ts'"):
        read_sources(Workspace(world.root), SLUG)


def test_a_bundle_of_several_files_is_read_to_the_byte():
    edge = "x1"
    content = (
        (
            f'--{edge}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{{}}\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; filename="source/index.ts"\r\n\r\na\r\n--x\n\r\n'
            f"--{edge}\r\nSupabase-Path: ../../etc/passwd\r\nContent-Disposition: form-data\r\n\r\nb\r\n"
            f"--{edge}\r\nSupabase-Path: _shared/b.bin\r\nContent-Disposition: form-data; filename=x\r\n\r\n"
        ).encode()
        + b"\x00\xff\r\n\r\n"
        + f"\r\n--{edge}--\r\n".encode()
    )
    files = files_of(FunctionBundle(f"multipart/form-data; boundary={edge}", content))
    assert [(file.name, file.content) for file in files] == [
        ("index.ts", b"a\r\n--x\n"),
        ("_shared/b.bin", b"\x00\xff\r\n\r\n"),
    ]
    assert files_of(FunctionBundle("application/vnd.denoland.eszip", b"ESZIP2")) == ()
