"""Rules on the simulated workspace: silent when all is well, one finding when broken, none when mended."""

from __future__ import annotations

import pytest

from tests.simulated import simulated_resources
from tests.tools.render.rules.worlds import WORLDS, World, quiet
from tools.findings import Finding, Level
from tools.render.blueprint.file import read_blueprint
from tools.render.review_render import findings_of, take_inventory
from tools.sandbox.platform import Platform, guardian, incidents

pytestmark = pytest.mark.anyio


async def findings(platform: Platform, rule: str = "", file: str = "") -> list[Finding]:
    declared = read_blueprint(file) if file else None
    inventory = await take_inventory(simulated_resources(platform), declared)
    assert inventory.gaps == ()
    return [one for one in findings_of(inventory) if rule in ("", one.rule)]


async def test_the_demo_has_no_error_and_a_few_warnings() -> None:
    found = await findings(guardian())
    assert [one.message for one in found if one.level is Level.ERROR] == []
    assert {one.rule for one in found} == {
        "preview_with_production_data", "member_without_mfa", "autodeploy_without_checks",
        "unmanaged_service",
    }  # fmt: skip


async def test_a_workspace_without_them_has_no_findings() -> None:
    assert [(one.rule, one.message) for one in await findings(quiet())] == []


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world.rule}-{world.object}")
async def test_broken_gives_one_finding_and_mended_none(world: World) -> None:
    platform = quiet()
    world.broken(platform)
    found = await findings(platform, world.rule, world.file)
    assert [one.object for one in found] == [world.object]
    assert found[0].message.endswith(".") and found[0].evidence and found[0].fix
    world.mended(platform)
    assert await findings(platform, world.rule, world.mended_file or world.file) == []


@pytest.mark.parametrize(
    ("world", "look_alike"),
    [(world, number) for world in WORLDS for number in range(len(world.fine))],
    ids=lambda value: value.rule if isinstance(value, World) else str(value),
)
async def test_a_look_alike_stays_silent(world: World, look_alike: int) -> None:
    platform = quiet()
    world.fine[look_alike](platform)
    assert [one.message for one in await findings(platform, world.rule)] == []


@pytest.mark.parametrize(
    ("incident", "rule"),
    [
        ("region-mismatch", "region_apart"),
        ("heap-too-large", "heap_exceeds_plan"),
        ("maintenance-mode", "maintenance_mode_on"),
        ("blueprint-drift", "single_instance"),
        ("cron-timeout", "cron_outlasts_interval"),
    ],
)
async def test_incidents_that_stand_in_the_configuration_are_found(incident: str, rule: str) -> None:
    platform = guardian()
    next(one for one in incidents.ALL if one.name == incident).plant(platform)
    inventory = await take_inventory(simulated_resources(platform), None)
    assert rule in {one.rule for one in findings_of(inventory)}
