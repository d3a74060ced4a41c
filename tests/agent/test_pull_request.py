"""The verdict on a change: the base side is the baseline, wider access needs a person's word."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from agent.reports import pull_request as pr
from agent.reports.dossier import Dossier
from agent.reports.text import Paper
from tests.agent.test_reports import AT, EVIL, finding, review
from tests.tools.rls.proof import sample
from tools.findings import Level
from tools.review import Review
from tools.rls.diffing.change import Change, Direction
from tools.rls.diffing.difference import Difference
from tools.rls.proof.findings import with_proof


def difference(*directions: Direction, name: str = "policy a on public.t") -> Difference:
    changes = tuple(
        Change(
            direction=direction,
            kind="policy",
            object=name,
            sentence=f"{name} changed ({direction}).",
            reason="because",
            reaches=(f"authenticated SELECT on {name}",),
        )
        for direction in directions
    )
    return Difference(base="main", head="branch", changes=changes, access=())


def judge(base: Review, head: Review, *directions: Direction, **options: Any) -> pr.Pull:
    return pr.judged(Dossier(head, AT), base, difference(*directions), **options)


@pytest.mark.parametrize(
    ("base", "head", "directions", "options", "fails", "says"),
    [
        ((), (), (), {}, False, "PASS: nothing new was found and nobody can do more than before."),
        (("a",), ("a",), (Direction.NARROWS,), {}, False, "PASS: nothing new"),
        (("a",), ("a", "b"), (), {}, True, "FAIL: 1 new finding."),
        ((), ("b",), (), {"fail_on": "never"}, False, "PASS"),
        ((), (), (Direction.WIDENS,), {}, True, "FAIL: access becomes wider."),
        ((), (), (Direction.CHANGES,), {}, True, "FAIL: access may become wider."),
        ((), (), (Direction.WIDENS,), {"allow_wider": True}, False, "which a person said is meant"),
        ((), ("b",), (Direction.WIDENS,), {"allow_wider": True}, True, "FAIL: 1 new finding; access becomes"),
        ((), (), (Direction.NEUTRAL,), {}, False, "PASS"),
    ],
)
def test_what_fails_a_change(
    base: tuple[str, ...],
    head: tuple[str, ...],
    directions: tuple[Direction, ...],
    options: dict[str, Any],
    fails: bool,
    says: str,
):
    before = review(*(finding(name=name) for name in base))
    pull = judge(before, review(*(finding(name=name) for name in head)), *directions, **options)
    assert pull.fails is fails and says in pull.verdict()
    for form in (pr.text(pull, Paper()), pr.comment(pull)):
        assert pull.verdict().split(":")[0] in form
    assert json.loads(pr.document(pull))["verdict"]["fails"] is fails


def test_a_warning_that_is_new_passes_and_is_shown():
    pull = judge(review(), review(finding(Level.WARN, "b")))
    assert not pull.fails and "| WARN | b |" in pr.comment(pull)
    assert judge(review(), review(finding(Level.WARN, "b")), fail_on="warn").fails


def test_the_comment_shows_what_is_new_and_counts_what_is_not():
    before = review(finding(name="old"), finding(name="gone"))
    pull = judge(
        before, review(finding(name="old"), finding(name="fresh")), Direction.WIDENS, Direction.NEUTRAL
    )
    said = pr.comment(pull)
    assert said.startswith(pr.MARK + "\n## ❌ Row level security: FAIL: 1 new finding")
    assert "| ERROR | fresh |" in said and "| old |" not in said
    assert "### Fixed by this change" in said and "- ERROR gone" in said
    assert "- **widens** policy a on public.t changed" in said and "  - authenticated SELECT" in said
    assert "<summary>1 other change</summary>" in said
    assert "Against main: 1 new, 1 known, 1 fixed." in said
    assert said.count("<details>") == said.count("</details>")


def test_a_proof_of_the_head_side_is_part_of_the_verdict():
    proof = sample.proof()
    head = Dossier(with_proof(review(), proof, (), AT.date()), AT, proof=proof)
    pull = pr.judged(head, review(), difference())
    assert pull.fails and "6 new findings" in pull.verdict()  # four leaks, a denial, a gap
    assert sample.READ.replay in pr.comment(pull) and "not opened to them? YES." in pr.comment(pull)


def test_hostile_names_stay_text_in_a_comment():
    head = review(finding(name=EVIL))
    pull = pr.judged(Dossier(head, AT), review(), difference(Direction.WIDENS, Direction.NEUTRAL, name=EVIL))
    said = pr.comment(pull).replace("\\<script\\>", "")
    assert "<script>" not in said and "&lt;script&gt;" in said


def test_the_workflow_can_be_copied_as_it_is():
    text = pr.workflow()
    assert "@VERSION@" not in text and "\t" not in text
    uses = re.findall(r"uses: (\S+)", text)
    assert len(uses) == 3 and all(re.fullmatch(r"[\w/-]+@v\d+\.\d+\.\d+", one) for one in uses)
    assert "secrets." not in text and "services:" not in text
    assert re.findall(r" sergei rls pr (\".*)", text) == ['"$@" --comment comment.md --sarif rls.sarif']
    assert pr.MARK in text
    # What people write (a branch's name, a label) reaches the shell through the environment only.
    scripts = re.findall(r"run: (?:\|\n((?: {10}.*\n)+)|(.*))", text)
    assert len(scripts) == 4 and not any("${{" in "".join(script) for script in scripts)
