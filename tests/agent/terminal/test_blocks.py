"""Markdown that is still arriving, cut into blocks that are drawn once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.terminal.blocks import Blocks, split

PAGE = """# Title
One paragraph
of two lines.

- a
- b

  still b
- c

Text `<name:3f2a>`.

```sql
select 1;

-- # not a heading
```
| a | b |
|---|---|
| 1 | 2 |

> quoted

The end"""

BLOCKS = [
    "# Title",
    "One paragraph\nof two lines.",
    "- a\n- b\n\n  still b\n- c",
    "Text `<name:3f2a>`.",
    "```sql\nselect 1;\n\n-- # not a heading\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "> quoted",
    "The end",
]


@given(st.lists(st.integers(0, len(PAGE)), max_size=12))
def test_however_the_chunks_fall_the_blocks_are_the_same(cuts: list[int]):
    places = [0, *sorted(cuts), len(PAGE)]
    arriving, found = Blocks(), list[str]()
    for first, last in pairwise(places):
        found += arriving.feed(PAGE[first:last])
    assert [*found, *split(arriving.rest() + "\n\n")[0]] == BLOCKS
    assert arriving.rest() == ""


def test_a_block_is_drawn_with_the_line_that_ends_it():
    arriving = Blocks()
    drawn = [len(arriving.feed(line)) for line in PAGE.splitlines(keepends=True)]
    assert drawn == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("source", "finished"),
    [
        ("A line\n", []),
        ("A line\n\n", ["A line"]),
        ("## Heading\n", ["## Heading"]),
        ("Heading\n---\n", []),
        ("```\ncode\n\n", []),
        ("```\ncode\n```\n", ["```\ncode\n```"]),
        ("```\n", []),
        ("- item\n\n", []),
        ("- item\n\nAfter\n", ["- item"]),
        ("~~~\n```\n", []),
        ("\n\n", []),
    ],
)
def test_a_block_is_finished_when_no_line_can_change_it(source: str, finished: list[str]):
    assert split(source)[0] == finished


def _letters(text: str) -> str:
    """All but line ends and blank lines, which carry nothing between blocks."""
    return "".join(line for line in text.split("\n") if line.strip())


@given(st.text(alphabet="ab #`-|>\n*1.~", max_size=80))
def test_no_letter_is_lost_or_moved(source: str):
    arriving = Blocks()
    found = "\n".join([*arriving.feed(source), arriving.rest()])
    assert _letters(found) == _letters(source)


def test_the_last_words_are_a_sign_of_life():
    arriving = Blocks()
    arriving.feed("First line\nand the sec")
    assert arriving.tail == "and the sec"
