from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from memory import Draft, Outcome, Source, parse_entry, render_entry
from memory.draft import to_entry
from memory.skim import skim, skimmed
from memory.tokens import words


def test_what_we_write_is_skimmed_as_it_is_parsed(draft: Draft, now: datetime) -> None:
    outcome = Outcome(now, 'dep "1": x', "failed", 'It said "no": \\ twice')
    entry = replace(
        to_entry(draft, source="s", now=now),
        title='A "title": with # signs',
        supersedes=("01M6A7B8X0WHV6XMWP7347KNDK",),
        outcomes=(outcome,),
        source=Source("a: b", "person"),
        tags=("42P17", "a: b", "plain"),
    )
    text = render_entry(entry)
    read, parsed = skim(text), skimmed(parse_entry(text))
    assert read is not None
    assert replace(read, body="") == replace(parsed, body="")
    assert set(words(parsed.body)) <= set(words(read.body))


@pytest.mark.parametrize(
    "spelling",
    [
        "title: folded\n  over two lines",
        "title: 'single'",
        "title: plain # with a comment",
        'title: "an \\u0041 escape"',
        "tags:\n  - a block\n  - list",
        "title: twice\ntitle: twice",
        "status: unheard",
    ],
)
def test_any_other_spelling_is_left_to_the_parser(spelling: str) -> None:
    rest = "" if spelling.startswith("title") else "title: x\n"
    text = f"---\nid: 01M6A7B8X0WHV6XMWP7347KNDK\n{rest}{spelling}\n---\n\n## Action\n\nx\n"
    assert skim(text) is None
    assert skim(text.replace(spelling, "title: x" if not rest else "tags: [a]")) is not None


@pytest.mark.parametrize("text", ["", "no front matter", "---\nnever closed", "---\r\nid: x\r\n---\r\n"])
def test_what_is_no_entry_of_ours_is_left_to_the_parser(text: str) -> None:
    assert skim(text) is None
