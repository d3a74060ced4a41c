from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.errors import InvalidEntry
from memory.yaml_subset import Value, parse_mapping, quote, quote_list, to_lines

AMBIGUOUS = [
    *("", "a: b", "a #b", "- a", "no", "Yes", "null", "1.10", "0x1F", "2026-01-01", "12:30", "~", "*a", "&a"),
    *("!a", "@a", "`a", "%a", "[a", "{a", "a\nb", " a", "a ", "|", ">", "'a'", '"', "\\", "é", "\u2028"),
    *("\ufeff", "1e3", "-1", "=", "<<", "?", "a\tb"),
]
SCALARS = st.text(st.characters(codec="utf-8"), max_size=40)


def parsed(text: str) -> dict[str, Value]:
    return parse_mapping(to_lines(text.split("\n"), 1))


@given(SCALARS)
def test_every_text_comes_back_from_its_quoted_form(text: str) -> None:
    assert parsed(f"key: {quote(text)}  # said so")["key"] == text


@given(st.lists(SCALARS, max_size=5))
def test_every_list_comes_back_from_its_quoted_form(texts: list[str]) -> None:
    assert parsed(f"key: {quote_list(texts)}")["key"] == texts


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_what_another_reader_could_misread_is_quoted(text: str) -> None:
    assert quote(text).startswith('"')
    assert "\n" not in quote(text)


def test_ordinary_words_stay_plain() -> None:
    assert quote("session 4 of the timeline (srv-abc)") == "session 4 of the timeline (srv-abc)"


def test_scalars_stay_text() -> None:
    assert parsed("a: no\nb: 1.10\nc: 2026-01-01\nd: true") == {
        "a": "no",
        "b": "1.10",
        "c": "2026-01-01",
        "d": "true",
    }


def test_the_ways_people_and_tools_write_values_are_read() -> None:
    text = """
title: Fix: the timeline   # a colon that strict readers refuse
quoted: 'it''s fine'
long: >folded by hand
empty:
tilde: ~
list:
- at the key's own indent
- "a: b"
nested:
  service: [postgres, 'render']
  map: {a: b, "c d": [e]}
outcomes:
  - when: 2026-01-01
    note: a long note that a tool
      folded over two lines
  -
    when: x
"""
    with pytest.raises(InvalidEntry, match="Line 4 uses a block scalar"):
        parsed(text)
    assert parsed(text.replace("long: >folded", "long: folded")) == {
        "title": "Fix: the timeline",
        "quoted": "it's fine",
        "long": "folded by hand",
        "empty": None,
        "tilde": None,
        "list": ["at the key's own indent", "a: b"],
        "nested": {"service": ["postgres", "render"], "map": {"a": "b", "c d": ["e"]}},
        "outcomes": [
            {"when": "2026-01-01", "note": "a long note that a tool folded over two lines"},
            {"when": "x"},
        ],
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\na: 2", "Line 2 gives the key 'a' a second time"),
        ("a: &anchor b", "Line 1 starts with '&'"),
        ('a: "open', "Line 1 opens a quote"),
        ("a: [b, c", "Line 1 has a list or map that is never closed"),
        ("a: [b [c]]", "Line 1 has a list or map that is never closed"),
        ("a: {b}", "not `key: value`"),
        ("a:\n\tb: c", "Line 2 is indented with a tab"),
        ("a:\n    b: c\n  d: e", "Line 3 does not fit the indentation"),
        ('a: "b" c', "Line 1 has text after the closing quote"),
        (r'a: "\q"', "Line 1 has the unknown escape"),
        (r'a: "\UFFFFFFFF"', "escapes a character that does not exist"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        parsed(text)
    assert sentence in str(caught.value)


@given(st.text(st.sampled_from("ab:-# \n'\"[]{},|\\\t~&"), max_size=60))
def test_any_text_is_read_or_refused_in_our_own_words(text: str) -> None:
    try:
        parsed(text)
    except InvalidEntry as error:
        assert str(error)
