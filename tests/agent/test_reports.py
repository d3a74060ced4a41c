"""Reports: the same review as text, JSON, SARIF, Markdown and HTML, without letting names become markup."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from agent.baseline import Baseline, Known, compare
from agent.commands.review import at_or_above, fails, proof_of, render, with_gaps
from agent.outcome import Failure, Outcome
from agent.reports.dossier import Dossier
from agent.reports.html import html
from agent.reports.text import Paper
from tests.tools.rls.proof import sample
from tools.errors import RemoteError, Unavailable
from tools.findings import Finding, Level, Rule
from tools.registry import Result
from tools.resources import Suppression
from tools.review import Coverage, Gap, Review, Summary
from tools.rls.proof.findings import with_proof
from tools.rls.proof.verdict import Answer, Proof

AT = datetime(2026, 1, 1, tzinfo=UTC)
LEVELS = {"none", "note", "warning", "error"}
EVIL = 'public.a"b|`c`<script>alert(1)</script>'


def finding(level: Level = Level.ERROR, name: str = "public.visits", fix: str = "drop policy x;") -> Finding:
    return Finding(
        rule="rls_policy_always_true",
        level=level,
        domain="rls",
        schema="public",
        table="visits",
        object=name,
        message=f"Everybody reads {name}.",
        evidence="USING (true)",
        fix=fix,
    )


def review(*findings: Finding) -> Review:
    return Review(
        target="guardian@sandbox (unix socket)",
        findings=list(findings),
        summary=Summary.of(list(findings)),
        coverage=Coverage(
            examined=["60 tables"], not_examined=[Gap(what="storage", why="no storage schema")]
        ),
    )


def dossier(*findings: Finding, **more: Any) -> Dossier:
    return Dossier(review(*findings), AT, **more)


def proven(**changes: Any) -> Dossier:
    """A report with a proof in it."""
    proof = sample.proof(**changes)
    return Dossier(with_proof(review(finding()), proof, (), AT.date()), AT, proof=proof)


def test_json_has_the_documented_shape():
    document: dict[str, Any] = json.loads(render(dossier(finding()), "json", Paper()))
    assert list(document) == ["target", "findings", "summary", "coverage", "run"]
    assert document["run"]["at"] == "2026-01-01T00:00:00+00:00"
    fields = ["rule", "level", "domain", "schema", "table", "policy", "function", "object"]
    fields += ["message", "evidence", "fix", "cache_key"]
    assert list(document["findings"][0]) == fields
    assert document["summary"] == {"error": 1, "warn": 0, "info": 0, "suppressed": 0}
    assert document["coverage"]["not_examined"] == [{"what": "storage", "why": "no storage schema"}]


def test_text_puts_the_fix_where_it_can_be_copied():
    report = render(dossier(finding(fix="alter table a;\nalter table b;")), "text", Paper(width=80))
    assert "ERROR" in report and "alter table a;\n" in report and "Not examined: storage" in report
    assert "\x1b" not in report
    assert "\x1b[" in render(dossier(finding()), "text", Paper(colour=True))
    assert max(map(len, report.splitlines())) <= 80


def test_sarif_describes_rules_and_points_at_them():
    rule: Rule[Any] = Rule(
        "rls_policy_always_true", "A policy lets everybody in", Level.ERROR, "rls", lambda _: (), "Doc."
    )
    from agent.reports.sarif import sarif

    run: dict[str, Any] = json.loads(sarif(review(finding()), (rule,), "1.0"))["runs"][0]
    result = run["results"][0]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] == "error" and result["partialFingerprints"]["sergei/v1"] == finding().cache_key
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "database/public.visits"}, "region": {"startLine": 1}}


def test_sarif_has_what_the_standard_requires_of_every_real_rule():
    from agent.reports.sarif import sarif
    from tools.rls.rules import RULES

    document: dict[str, Any] = json.loads(sarif(review(finding()), RULES, "1.0"))
    assert document["version"] == "2.1.0" and "sarif-2.1.0" in document["$schema"]
    (run,) = document["runs"]
    described = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(described) == [rule.name for rule in RULES]
    for rule in described.values():
        assert rule["shortDescription"]["text"] and rule["defaultConfiguration"]["level"] in LEVELS
        assert "**Why it matters**" in rule["help"]["markdown"] and "\n    " not in rule["help"]["markdown"]
    for result in run["results"]:
        assert result["ruleId"] in described and result["level"] in LEVELS and result["message"]["text"]


def test_markdown_keeps_hostile_names_plain():
    report = render(dossier(finding(name=EVIL)), "markdown", Paper())
    assert "<script>" not in report.replace("\\<script\\>", "")
    assert "| ERROR |" in report


def test_markdown_escapes_only_what_would_be_markup():
    report = render(dossier(finding(name="public._private_notes_")), "markdown", Paper())
    assert "## ERROR: public.\\_private_notes\\_\n" in report


def test_html_is_self_contained_and_escaped():
    page = html(dossier(finding(name=EVIL), finding(Level.WARN, "b")))
    assert "<script>" not in page and "http" not in page.replace("&lt;", "")

    well_formed(page)


def well_formed(page: str) -> None:
    """Every tag is closed in its place."""

    class Check(HTMLParser):
        open_tags: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "br"):
                self.open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open_tags.pop() == tag

    check = Check()
    check.open_tags = []
    check.feed(page)
    assert check.open_tags == []


@pytest.mark.parametrize(
    ("level", "fail_on", "fails"),
    [
        (Level.ERROR, "error", True),
        (Level.WARN, "error", False),
        (Level.WARN, "warn", True),
        (Level.INFO, "info", True),
        (Level.ERROR, "never", False),
    ],
)
def test_fail_on_is_a_threshold(level: Level, fail_on: str, fails: bool):
    assert at_or_above([finding(level)], fail_on) is fails
    assert not at_or_above([], fail_on)


def test_a_proof_answers_first_in_every_format():
    report = proven()
    text = render(report, "text", Paper())
    assert text.splitlines()[2].endswith("not opened to them? YES")
    assert text.index("YES") < text.index("proven_read") < text.index("rls_policy_always_true")
    assert (
        "select * from public.notes where id = 1;" in text
        and "NOT EXAMINED by the proof: public.scans" in text
    )
    assert "never decided by being false: body <> ''" in text
    markdown = render(report, "markdown", Paper())
    assert "not opened to them? YES.**" in markdown and "<summary>Replay as stranger</summary>" in markdown
    page = html(report)
    well_formed(page)
    assert page.index("<b>YES</b>") < page.index("Replay: the whole script")
    assert report.proof and all(line in page for line in (report.proof.inputs, report.digest))
    assert page.count("<details>") == len(report.proof.leaks) + len(report.proof.denied)


def test_a_proof_in_sarif_and_json_keeps_its_replays():
    report = proven()
    run: dict[str, Any] = json.loads(render(report, "sarif", Paper()))["runs"][0]
    assert run["properties"]["answer"] == "YES"
    told = [r for r in run["results"] if r["ruleId"] == "proven_read"]
    assert told[0]["properties"]["replay"] == [sample.READ.replay]
    described = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {r["ruleId"] for r in run["results"]} <= described
    document = json.loads(render(report, "json", Paper()))
    assert document["proof"]["leaks"][0]["replay"] == sample.READ.replay
    assert document["run"]["scope"]["proved"] is False  # the scope is what the command says


def test_a_hostile_name_in_a_proof_stays_text():
    evil = sample.READ.model_copy(update={"object": EVIL, "replay": f"-- {EVIL}\n```", "actor": EVIL})
    report = proven(leaks=(evil,), model=(EVIL,), doubts=(EVIL,))
    page = html(report)
    well_formed(page)
    assert "<script>" not in page
    plain = render(report, "markdown", Paper()).replace("\\<script\\>", "")
    fenced = re.sub(r"^(`{3,})(?:sql|text)\n.*?^\1$", "", plain, flags=re.S | re.M)
    assert "<script>" not in fenced


def test_a_name_in_a_proof_cannot_move_the_cursor():
    evil = "public.t\x1b[2J\x1b]0;x\x07\nsecond\u202eline"
    leak = sample.READ.model_copy(
        update={"object": evil, "sentence": evil, "actor": evil, "attack": (evil,), "relations": (evil,)}
    )
    report = proven(leaks=(leak,), model=(evil,), doubts=(evil,))
    text = render(report, "text", Paper())
    assert not set("\x1b\x07\u202e") & set(text)
    assert "public.t" in text and sample.READ.acting[0] in text


@pytest.mark.parametrize(
    ("changes", "fail_on", "wrong"),
    [
        ({}, "error", True),
        ({}, "never", False),
        ({"leaks": (), "denied": ()}, "error", True),  # something was not examined
        ({"leaks": (), "denied": (), "gaps": ()}, "error", False),
        ({"leaks": (), "gaps": ()}, "error", True),  # people are locked out
    ],
)
def test_a_proof_that_is_not_whole_fails(changes: dict[str, Any], fail_on: str, wrong: bool):
    proof = sample.proof(**changes)
    report = Dossier(with_proof(review(), proof, (), AT.date()), AT, proof=proof)
    assert fails(report, fail_on) is wrong


def test_two_reasons_for_one_gap_are_one_finding():
    gaps = (Gap(what="public.scans", why="no row."), Gap(what="public.scans", why="no time"))
    proof = sample.proof(leaks=(), denied=(), gaps=gaps)
    (found,) = with_proof(review(), proof, (), AT.date()).findings
    assert found.message == "Nothing is proven about public.scans: no row; no time."


def test_a_gap_that_somebody_looked_at_can_be_suppressed():
    proof = sample.proof(leaks=(), denied=())
    looked = Suppression("proof_incomplete", "public.scans", "read by hand")
    report = Dossier(with_proof(review(), proof, (looked,), AT.date()), AT, proof=proof)
    assert not fails(report, "error") and report.review.summary.suppressed == 1


def test_a_baseline_fails_on_what_is_new_or_graver_only():
    old, new = finding(name="public.a"), finding(name="public.b")
    graver, fixed = finding(Level.ERROR, "public.c"), finding(name="public.d")
    known = tuple(
        Known(cache_key=f.cache_key, rule=f.rule, level=level, object=f.object, schema=f.schema_)
        for f, level in ((old, Level.ERROR), (graver, Level.WARN), (fixed, Level.ERROR))
    )
    baseline = Baseline(sergei_baseline=1, target="x", written=AT.date(), findings=known)

    def against(*found: Finding) -> Dossier:
        standing = compare(review(*found), baseline, "known.json", lambda _: True)
        return dossier(*found, standing=standing)

    report = against(old, new, graver)
    assert [f.object for f in report.shown] == ["public.b", "public.c"] and fails(report, "error")
    assert not fails(against(old), "error")
    for form in ("text", "markdown", "html"):
        written = render(report, form, Paper())
        assert "Against known.json: 1 new, 1 graver than before, 1 known, 1 fixed." in written, form
        assert "public.d" in written and "public.a" in written
    run: dict[str, Any] = json.loads(render(report, "sarif", Paper()))["runs"][0]
    assert [r["baselineState"] for r in run["results"]] == ["unchanged", "new", "updated"]
    document = json.loads(render(report, "json", Paper()))
    assert [one["object"] for one in document["baseline"]["fixed"]] == ["public.d"]


def test_two_reviews_together_are_ranked_as_one():
    together = Review.together([review(finding(Level.INFO, "a")), review(finding(Level.ERROR, "b"))])
    assert [f.object for f in together.findings] == ["b", "a"]
    assert together.summary.error == 1 and len(together.coverage.not_examined) == 2


def test_a_cache_key_depends_on_rule_and_object_only():
    assert finding().cache_key == finding(Level.INFO, fix="other").cache_key
    assert finding().cache_key != finding(name="public.other").cache_key


class Wrapped(Result):
    """What a tool that proves may answer with."""

    proof: Proof


@pytest.mark.parametrize("failed", [False, True])
def test_a_proof_comes_through_the_gate_or_its_failure_does(failed: bool):
    failure = Failure("unavailable", "The sandbox is gone.", "", "", retry=True, exit_code=3)
    outcome = Outcome("1", "prove_isolation", None if failed else Wrapped(proof=sample.proof()), failure, 1.0)
    if failed:
        with pytest.raises(Unavailable, match="The sandbox is gone"):
            proof_of(outcome)
    else:
        assert proof_of(outcome) == sample.proof()
    with pytest.raises(RemoteError, match="did not return a proof"):
        proof_of(Outcome("1", "prove_isolation", review(), None, 1.0))


def test_a_copy_that_lacked_something_proves_nothing_about_it():
    whole = sample.proof(leaks=(), denied=(), gaps=(), answer=Answer.NO)
    lacking = with_gaps(whole, (Gap(what="view v", why="its table is missing"),))
    assert lacking.answer is Answer.NOT_EXAMINED and len(lacking.gaps) == 1
    assert with_gaps(whole, ()).answer is Answer.NO
    assert with_gaps(sample.proof(), (Gap(what="view v", why="x"),)).answer is Answer.YES
