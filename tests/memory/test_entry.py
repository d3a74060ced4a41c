from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory import CATEGORIES, CONFIDENCES, RESULTS, Entry, Outcome, Source, parse_entry, render_entry
from memory.entry import SOURCE_KINDS, STATUSES, tidy
from memory.errors import InvalidEntry
from memory.ulid import is_ulid, new_ulid, ulid_time

LINE = st.text(st.characters(codec="utf-8"), max_size=30)
TITLE = LINE.filter(lambda text: bool(text.strip()))
WORDS = st.sampled_from(
    ["## Action", "\\## Why", "## result ", "---", "```", "plain text", "", "a: b # c", "\t\r"]
)
CONTENT = st.one_of(LINE, st.lists(WORDS, max_size=6).map("\n".join)).map(tidy)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 4 * 10**15).map(lambda micros: EPOCH + timedelta(microseconds=micros))
ULIDS = MOMENTS.map(new_ulid)
NAMES = st.lists(LINE, max_size=3).map(tuple)
OUTCOMES = st.builds(Outcome, MOMENTS, LINE, st.sampled_from(RESULTS), LINE)

ENTRIES = st.builds(
    Entry,
    id=ULIDS,
    title=TITLE,
    category=st.sampled_from(CATEGORIES),
    action=CONTENT,
    result=CONTENT,
    context=CONTENT,
    why=CONTENT,
    tags=NAMES,
    applies_to=st.dictionaries(
        st.sampled_from(["service", "table", "versions", "odd scope"]), NAMES, max_size=3
    ),
    confidence=st.sampled_from(CONFIDENCES),
    status=st.sampled_from(STATUSES),
    supersedes=st.lists(ULIDS, max_size=2).map(tuple),
    valid_until=st.none() | st.dates(date(1000, 1, 1)),
    source=st.builds(Source, LINE, st.none() | st.sampled_from(SOURCE_KINDS), LINE),
    outcomes=st.lists(st.builds(Outcome, MOMENTS, LINE, st.sampled_from(RESULTS), LINE), max_size=3).map(
        tuple
    ),
    retired_because=LINE,
    preamble=CONTENT,
)


@settings(max_examples=60)
@given(ENTRIES)
def test_an_entry_comes_back_from_its_file(entry: Entry) -> None:
    text = render_entry(entry)
    assert parse_entry(text) == entry
    assert parse_entry(text.replace("\n", "\r\n")) == entry


@pytest.mark.parametrize(
    ("line", "source", "words"),
    [
        ("source: documentation", Source("documentation"), "documentation"),
        ("source: {kind: person, ref: Tessa}", Source("Tessa", "person"), "person: Tessa"),
        (
            "source:\n  kind: tool\n  ref: explain\n  digest: sha256:0a1b",
            Source("explain", "tool", "sha256:0a1b"),
            "tool: explain (sha256:0a1b)",
        ),
        ("title2: x", Source(), ""),
    ],
)
def test_a_source_is_a_text_or_a_map(line: str, source: Source, words: str) -> None:
    entry = parse_entry(f"---\nid: 01M808TX00693XAWKJNQXB21C8\ntitle: t\ncategory: handoffs\n{line}\n---\n")
    assert (entry.source, str(entry.source), bool(entry.source)) == (source, words, bool(words))


def test_an_entry_without_action_is_read_for_what_it_says() -> None:
    entry = parse_entry(
        "---\nid: 01m808tx00693xawkjnqxb21c8\ntitle: Handed over\ncategory: handoffs\n---\nfree text"
    )
    assert (entry.id, entry.preamble, entry.action, entry.status) == (
        "01M808TX00693XAWKJNQXB21C8",
        "free text",
        "",
        "active",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not start with front matter"),
        ("# title\n", "does not start with front matter"),
        ("---\nid: x\n", "never closed"),
        ("---\nid: short\ntitle: t\n---\n", "'id' must be a ULID of 26 characters; found 'SHORT'"),
        ("---\nid: 01M808TX00693XAWKJNQXB21C8\ncategory: handoffs\n---\n", "no 'title'"),
        ("---\nid: 01M808TX00693XAWKJNQXB21C8\ntitle: t\ncategory: misc\n---\n", "found 'misc'"),
        ("---\nid: 01M808TX00693XAWKJNQXB21C8\ntitle: t\nnot a key\n---\n", "Line 4 is not `key: value`"),
        (
            "---\nid: 01M808TX00693XAWKJNQXB21C8\ntitle: t\ntitle: u\n---\n",
            "Line 4 gives the key 'title'",
        ),
        ("---\na: b\n<<<<<<< HEAD\nc: d\n=======\nc: e\n>>>>>>> main\n---\n", "merge conflict at line 3"),
    ],
)
def test_a_file_that_is_no_entry_says_why(text: str, sentence: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        parse_entry(text)
    assert sentence in str(caught.value)


def test_a_setext_underline_is_not_taken_for_a_conflict() -> None:
    text = "---\nid: 01M808TX00693XAWKJNQXB21C8\ntitle: t\ncategory: handoffs\n---\nHead\n=======\n"
    assert parse_entry(text).preamble == "Head\n======="


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("outcomes: [{when: yesterday, result: worked}]", "'when' must be a date and time"),
        ("outcomes: [{when: 0001-01-01T00:00:00+14:00, result: worked}]", "outside the calendar"),
        ("outcomes: [text]", "Each outcome must be a map"),
        ("valid_until: soon", "'valid_until' must be a date"),
        ("applies_to: postgres", "'applies_to' must be a map"),
        ("tags: {a: b}", "'tags' must be a list"),
        ("source: [a]", "'source' must be a text or a map"),
        ("source: {kind: rumour, ref: a}", "'kind' must be one of session, tool, person, document"),
    ],
)
def test_a_known_key_with_a_wrong_value_is_named(line: str, sentence: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        parse_entry(f"---\nid: 01M808TX00693XAWKJNQXB21C8\ntitle: t\ncategory: handoffs\n{line}\n---\n")
    assert sentence in str(caught.value)


def test_ulids_sort_by_time_and_tell_it() -> None:
    early, late = new_ulid(datetime(2026, 1, 1, tzinfo=UTC)), new_ulid(datetime(2026, 1, 2, tzinfo=UTC))
    assert early < late
    assert is_ulid(early)
    assert ulid_time(early) == datetime(2026, 1, 1, tzinfo=UTC)
    assert ulid_time("7" + "Z" * 25).year == 9999
