"""Reports: the same review as text, JSON, SARIF, Markdown and HTML, without letting names become markup."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from agent.commands.review import at_or_above, render
from agent.reports.html import html
from agent.reports.text import Paper
from tools.findings import Finding, Level, Rule
from tools.review import Coverage, Gap, Review, Summary

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


def test_json_has_the_documented_shape():
    document: dict[str, Any] = json.loads(render(review(finding()), "json", Paper()))
    assert list(document) == ["target", "findings", "summary", "coverage"]
    fields = ["rule", "level", "domain", "schema", "table", "policy", "function", "object"]
    fields += ["message", "evidence", "fix", "cache_key"]
    assert list(document["findings"][0]) == fields
    assert document["summary"] == {"error": 1, "warn": 0, "info": 0, "suppressed": 0}
    assert document["coverage"]["not_examined"] == [{"what": "storage", "why": "no storage schema"}]


def test_text_puts_the_fix_where_it_can_be_copied():
    report = render(review(finding(fix="alter table a;\nalter table b;")), "text", Paper(width=80))
    assert "ERROR" in report and "alter table a;\n" in report and "Not examined: storage" in report
    assert "\x1b" not in report
    assert "\x1b[" in render(review(finding()), "text", Paper(colour=True))
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
    report = render(review(finding(name=EVIL)), "markdown", Paper())
    assert "<script>" not in report.replace("\\<script\\>", "")
    assert "| ERROR |" in report


def test_markdown_escapes_only_what_would_be_markup():
    report = render(review(finding(name="public._private_notes_")), "markdown", Paper())
    assert "## ERROR: public.\\_private_notes\\_\n" in report


def test_html_is_self_contained_and_escaped():
    page = html(review(finding(name=EVIL), finding(Level.WARN, "b")), datetime(2026, 1, 1, tzinfo=UTC))
    assert "<script>" not in page and "http" not in page.replace("&lt;", "")

    class Check(HTMLParser):
        open_tags: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag != "meta":
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
    assert at_or_above(review(finding(level)), fail_on) is fails
    assert not at_or_above(review(), fail_on)


def test_two_reviews_together_are_ranked_as_one():
    together = Review.together([review(finding(Level.INFO, "a")), review(finding(Level.ERROR, "b"))])
    assert [f.object for f in together.findings] == ["b", "a"]
    assert together.summary.error == 1 and len(together.coverage.not_examined) == 2


def test_a_cache_key_depends_on_rule_and_object_only():
    assert finding().cache_key == finding(Level.INFO, fix="other").cache_key
    assert finding().cache_key != finding(name="public.other").cache_key
