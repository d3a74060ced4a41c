"""Whatever is approved can be seen: no character, no blank and no letter hides what will run."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approvals import bind
from agent.exact import exact, exact_preview, mixed_scripts
from tools.registry import Preview

HIDING = (
    "\u200b\u200d\u202e\u2066\u00ad\ufeff\u034f\u115f\u3164\uffa0\u2800\u00a0\u3000\u2028\ufe0f\U000e0041"
    "\x1b\r\x08"
)
HOSTILE = st.text(st.one_of(st.sampled_from(HIDING + " \n\t;'a\u0301"), st.characters()), max_size=120)


@given(HOSTILE)
def test_every_character_can_be_seen(text: str):
    for char in exact(text):
        assert char in "\n\t " or char.isprintable()
        assert (
            unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Me"}
            or char in "\n\t"
        )
        assert char not in HIDING


@given(st.text("ab \n\t", max_size=400))
def test_no_gap_is_wide_enough_to_hide_what_follows(text: str):
    shown = exact(text)
    assert not re.search(r"\S[ \t]{24,}", shown) and not re.search(r"\n(?:[ \t]*\n){4,}", shown)
    kept = re.sub("⟨[0-9]+ (?:blanks|empty lines)⟩", "", shown)
    assert kept.split() == text.split() or "⟨" in shown
    assert re.findall("[ab]", kept) == re.findall("[ab]", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("select 1", "select 1"),
        ("select 1;" + " " * 500 + "drop table a", "select 1;⟨500 blanks⟩drop table a"),
        ("select 1;\n" + "\n" * 1000 + "drop table a", "select 1;\n⟨1000 empty lines⟩\ndrop table a"),
        ("a\u00a0b", "a\\u{a0}b"),
        ("a\u3164b", "a\\u{3164}b"),
        ("\x1b[8mdrop\x1b[0m", "\\u{1b}[8mdrop\\u{1b}[0m"),
        ("-- \rdrop", "-- \\u{d}drop"),
        ("Müller, e\u0301te\u0301", "Müller, e\u0301te\u0301"),
        ("a" + "\u0336" * 3, "a\u0336\u0336\\u{336}"),
        ("\u0336a", "\\u{336}a"),
        ("名前 text", "名前 text"),
        ("    indented\n\tso", "    indented\n\tso"),
    ],
)
def test_what_would_not_be_seen_is_spelled_out(text: str, shown: str):
    assert exact(text) == shown


def test_letters_that_only_look_alike_are_said():
    assert "p\u0430\\u{430}tients" in mixed_scripts("delete from p\u0430tients")
    assert mixed_scripts("delete from пациенты, patients, naïve") == ""
    shown = exact_preview(Preview(action="drop table p\u0430tients", target="t", consequence="All is lost."))
    assert shown.consequence.startswith("LOOK-ALIKE LETTERS") and shown.consequence.endswith("All is lost.")


@given(HOSTILE)
def test_every_field_of_a_preview_is_made_exact(text: str):
    preview = Preview(action=text, target=text, touches=(text,), consequence=text, undo=text, evidence=text)
    shown = exact_preview(preview)
    for said in (shown.action, shown.target, *shown.touches, shown.consequence, shown.undo, shown.evidence):
        assert not set(said) & set(HIDING)
    assert "\n" not in shown.target


@given(HOSTILE, HOSTILE)
def test_a_binding_tells_apart_what_a_screen_might_not(one: str, other: str):
    """It is computed from what runs, not from what is shown."""
    first, second = (bind("d", "t", Preview(action=text, target="t")) for text in (one, other))
    assert (first == second) is (one == other)
    assert bind("d", one, Preview(action="a", target="t")) == bind("d", one, Preview(action="a", target="t"))
    if one != other:
        assert bind(one, "t", Preview(action="a", target="t")) != bind(
            other, "t", Preview(action="a", target="t")
        )
