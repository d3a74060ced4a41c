from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory import Outcome, edits, parse_entry, render_entry
from memory.errors import InvalidEntry

ID = "01M808TX00693XAWKJNQXB21C8"
BY_HAND = f"""---
# kept by the platform team
x-owner:   platform   # unknown key, odd spacing
id: {ID}
status: active   # checked in May
title: 'It''s: # fine'
category: problem-solutions
notes: |
  status: not this one
  - nor this

outcomes:
- {{when: 2026-01-02, ref: a, result: worked, note: "x # y"}}   # first
# the end
---

# A heading of our own

## Action
Did it.
## Result
Fine.
"""


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.split("\n"), after.split("\n")
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_a_new_outcome_adds_its_lines_and_changes_no_other_byte(now: datetime) -> None:
    changed = edits.with_outcome(BY_HAND, Outcome(now, "dep-1: x", "failed", "no"))
    assert lines_changed(BY_HAND, changed) == (
        [],
        ["- when: 2026-11-22T09:30:00Z", '  ref: "dep-1: x"', "  result: failed", '  note: "no"'],
    )
    assert changed.index("# first") < changed.index("- when:") < changed.index("# the end")


def test_a_new_status_keeps_the_comment_behind_the_old_one() -> None:
    changed = edits.as_superseded(BY_HAND)
    assert lines_changed(BY_HAND, changed) == (
        ["status: active   # checked in May"],
        ["status: superseded   # checked in May"],
    )


def test_byte_order_mark_and_line_ends_survive(now: datetime) -> None:
    text = "\ufeff" + BY_HAND.replace("\n", "\r\n")
    changed = edits.as_retired(edits.with_outcome(text, Outcome(now, "r", "worked")), "no longer: needed")
    assert changed.startswith("\ufeff---\r\n")
    assert "\n" not in changed.replace("\r\n", "")
    assert changed.endswith(text[text.index("# A heading") :])
    assert parse_entry(changed).retired_because == "no longer: needed"


@pytest.mark.parametrize(
    "outcomes",
    [
        "",
        "outcomes:\n",
        "outcomes: []   # none yet\n",
        "outcomes: [{when: 2026-01-01, result: worked, ref: 'a: b'}]\n",
        "outcomes:\n    - when: 2026-01-01\n      result: worked\n      ref: 'a: b'\n",
    ],
)
def test_outcomes_can_be_added_however_the_list_is_written(outcomes: str, now: datetime) -> None:
    text = f"---\nid: {ID}\ntitle: t\n{outcomes}category: handoffs\n---\n"
    before = parse_entry(text)
    first, second = Outcome(now, "1", "worked"), Outcome(now, "2", "partly")
    changed = edits.with_outcome(edits.with_outcome(text, first), second)
    after = parse_entry(changed)
    assert after.outcomes == (*before.outcomes, first, second)
    assert changed.count("# none yet") == text.count("# none yet")


@given(
    st.lists(st.sampled_from(["# note", "", "x: [1, 2]", "y:", "  - a", "  deep: 'b # c'"]), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
)
def test_foreign_lines_survive_every_change(foreign: list[str], eol: str) -> None:
    lines = [
        "---",
        f"id: {ID}",
        "z:",
        *dict.fromkeys(foreign),
        "title: t",
        "category: handoffs",
        "---",
        "body",
        "",
    ]
    text = eol.join(lines)
    changed = edits.with_supersedes(edits.as_superseded(text), ID)
    kept = [line for line in changed.split(eol) if not line.startswith(("status:", "supersedes:"))]
    assert kept == lines


def test_front_matter_that_cannot_be_changed_safely_is_left_alone(now: datetime) -> None:
    text = f"---\nid: {ID}\ntitle: t\ncategory: handoffs\noutcomes: none\n---\n"
    with pytest.raises(InvalidEntry, match="'outcomes' must be a list"):
        edits.with_outcome(text, Outcome(now, "", "worked"))


def test_a_confirmation_changes_its_own_lines_only():
    confirmed = edits.as_confirmed(BY_HAND, date(2026, 11, 26), date(2027, 11, 26))
    gone, new = lines_changed(BY_HAND, confirmed)
    assert gone == [] and new == ["confirmed: 2026-11-26", "valid_until: 2027-11-26"]
    again = edits.as_confirmed(confirmed, date(2026, 12, 1), None)
    entry = parse_entry(again)
    assert (entry.confirmed, entry.valid_until) == (date(2026, 12, 1), None)
    assert parse_entry(render_entry(entry)) == entry
