"""Rules that need the files of the repository, and the review as the tool gives it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulated import simulated_gate, simulated_resources
from tests.tools.render.rules.files import CASES, CLEAN, changed
from tests.tools.render.rules.worlds import WORLDS, quiet
from tools.errors import ConfigurationError, InvalidInput, NotFound
from tools.findings import Level
from tools.registry import Permit, digest
from tools.render import rules
from tools.render.client import RenderClient
from tools.render.inventory import Inventory
from tools.render.repository_files import glob
from tools.render.review_render import ReviewRender, review_render
from tools.render.rules import RULES
from tools.resources import Resources, Suppression
from tools.review import Review
from tools.sandbox.platform import guardian
from tools.workspace.jail import Workspace

pytestmark = pytest.mark.anyio
SECTIONS = ("What it finds", "Why it matters", "Fix", "When to ignore")
ELSEWHERE = {"build_filter_matches_nothing", "runtime_version_unpinned", "deploys_slow"}
"""Rules whose broken and mended states stand in this file."""


def folder(place: Path, text: str, *files: str) -> Resources:
    """A repository with this render.yaml and these files."""
    (place / ".git").mkdir(exist_ok=True)
    (place / "render.yaml").write_text(text)
    for name in files:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text('{"engines": {"node": "22"}}' if name.endswith("package.json") else "x")
    return Resources(workspace_or_none=Workspace(place.resolve()))


async def reviewed(resources: Resources, **arguments: object) -> Review:
    params = ReviewRender.model_validate(arguments)
    permit = Permit("review_render", digest("review_render", params))
    result = await review_render.run(params, resources, permit)
    assert isinstance(result, Review)
    return result


async def test_a_version_may_be_pinned_in_a_variable_a_file_or_in_package_json(tmp_path: Path) -> None:
    loose = CLEAN.replace("NODE_VERSION", "OTHER")
    found = await reviewed(folder(tmp_path, loose), only=["runtime_version_unpinned"])
    names = [one.object.rpartition("services")[2] for one in found.findings]
    assert names == ["[portal]", "[sweep]"]
    assert (await reviewed(folder(tmp_path, CLEAN), only=["runtime_version_unpinned"])).findings == []
    pinned = folder(tmp_path, loose, "apps/portal/package.json", "apps/sweep/.nvmrc")
    assert (await reviewed(pinned, only=["runtime_version_unpinned"])).findings == []


async def test_a_build_filter_is_compared_with_the_repository(tmp_path: Path) -> None:
    filtered = CLEAN.replace("rootDir: apps/portal", "buildFilter:\n              paths: [app/portal/**]")
    found = await reviewed(
        folder(tmp_path, filtered, "apps/portal/x.ts"), only=["build_filter_matches_nothing"]
    )
    assert [one.level for one in found.findings] == [Level.WARN]
    mended = filtered.replace("[app/", "[apps/")
    assert (await reviewed(folder(tmp_path, mended), only=["build_filter_matches_nothing"])).findings == []


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("src/**", "src/a/b.ts", "lib/a.ts"),
        ("**/*.md", "README.md", "README.mdx"),
        ("src/**/*.js", "src/x.js", "src/x.jsx"),
        ("a?.t[sx]", "ab.ts", "a/.ts"),
        ("./apps/*/package.json", "apps/web/package.json", "apps/web/x/package.json"),
        ("[!a]b", "cb", "ab"),
        ("a[b", "a[b", "ab"),
    ],
)
async def test_patterns_match_as_render_says(pattern: str, yes: str, no: str) -> None:
    assert glob(pattern).fullmatch(yes) and not glob(pattern).fullmatch(no)


async def test_slow_deploys_are_told_by_their_median() -> None:
    from datetime import timedelta

    from tools.render.inventory import Unit
    from tools.render.models import Deploy
    from tools.render.rules.deploys_slow import check

    begun = guardian().clock.now()

    def unit(minutes: int) -> Inventory:
        deploys = [
            Deploy(id=f"dep-{n}", status="live", started_at=begun, finished_at=begun + timedelta(minutes=m))
            for n, m in enumerate((minutes, minutes, 2, 50))
        ]
        return Inventory(now=begun, units=(Unit("web", "web_service", "srv-1", deploys=tuple(deploys)),))

    assert [one.object for one in check(unit(14))] == ["web service web"]
    assert list(check(unit(8))) == []


async def test_tuple_files_documentation_and_cases_agree() -> None:
    names = [rule.name for rule in RULES]
    files = {path.stem for path in Path(rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert len(names) == len(set(names))
    assert set(names) == files
    tried = {case.rule for case in CASES} | {world.rule for world in WORLDS} | ELSEWHERE
    assert set(names) == tried


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_a_rule_is_documented_in_four_sections(rule: rules.Rule[Inventory]) -> None:
    lines = rule.doc.splitlines()
    assert lines[0].rstrip(".") == rule.title
    assert tuple(line for line in lines if line in SECTIONS) == SECTIONS
    assert rule.domain == "render"


async def test_the_file_alone_says_what_it_could_not_know(tmp_path: Path) -> None:
    text = changed((("- fromGroup: shared", "- fromGroup: elsewhere"),))
    found = await reviewed(folder(tmp_path, text))
    assert found.target == "render.yaml" and found.findings == []
    gaps = {gap.what for gap in found.coverage.not_examined}
    assert "what runs" in gaps and any("elsewhere exists" in what for what in gaps)


async def test_file_and_workspace_are_one_review(tmp_path: Path) -> None:
    here = folder(tmp_path, CLEAN)
    both = replace(simulated_resources(quiet()), workspace_or_none=here.workspace_or_none)
    found = await reviewed(both)
    assert found.target.endswith("and render.yaml")
    assert found.findings == []  # a file of other services: nothing is concluded from what is absent


async def test_neither_is_one_sentence_and_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        await reviewed(Resources())
    with pytest.raises(NotFound):
        await reviewed(Resources(workspace_or_none=Workspace(tmp_path)), blueprint="infra/render.yaml")
    with pytest.raises(InvalidInput, match="no Render rule called regions_apart"):
        await reviewed(folder(tmp_path, CLEAN), only=["regions_apart"])


async def test_what_the_api_refuses_is_a_gap_and_no_finding() -> None:
    platform = quiet()
    for path in ("/blueprints", "/postgres", "/env-vars", "/members"):
        platform.faults.add("status", "GET", path, status=403, times=99)
    found = await reviewed(simulated_resources(platform))
    assert [one.message for one in found.findings] == []
    gaps = " ".join(gap.what for gap in found.coverage.not_examined)
    assert "blueprints" in gaps and "variables of guardian-web" in gaps and "members" in gaps


async def test_a_suppression_takes_a_finding_away() -> None:
    decision = Suppression("autodeploy_without_checks", "*", "CI gates the branch.")
    resources = replace(simulated_resources(guardian()), suppressions=(decision,))
    found = await reviewed(resources, only=["autodeploy_without_checks"])
    assert found.findings == [] and found.summary.suppressed == 4


async def test_only_reads_are_sent_and_few_of_them() -> None:
    platform = guardian()
    await reviewed(simulated_resources(platform))
    assert {request.method for request in platform.requests} == {"GET"}
    assert len(platform.requests) < 40


async def test_through_the_gate_no_secret_and_no_value_comes_out(tmp_path: Path) -> None:
    platform = guardian()
    platform.world.named("guardian-web").env["VITE_KEY"] = "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"
    gate = simulated_gate(platform, tmp_path / "audit.jsonl")
    outcome = await gate.call("review_render", {})
    assert outcome.result is not None
    shown = outcome.result.model_dump_json() + outcome.result.markdown()
    assert "secret_for_browser" in shown
    assert "4eC39HqLyjWDarjtT1zdp7dc" not in shown and "simulated-session-secret" not in shown
    assert "```sql" not in outcome.result.markdown()


async def test_the_fence_of_sergei_toml_holds() -> None:
    platform = guardian()
    resources = simulated_resources(platform, services=("guardian-web",))
    assert isinstance(resources.render_or_none, RenderClient)
    found = await reviewed(resources)
    assert all("guardian-reminders" not in one.message for one in found.findings)
    assert "1 service" in found.coverage.examined
