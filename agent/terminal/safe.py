"""Text from a model or a database, made fit for a terminal."""

from __future__ import annotations

import re
from typing import Final

from agent.approvals import visible

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_EXCEPT_JOINERS: Final = re.compile("[^\u200c\u200d]+")
"""Zero-width (non-)joiners are spared: emoji, Persian and Indic scripts are written with them."""


def harmless(text: str) -> str:
    """The text with newline and tab as its only control characters.

    Colour codes are dropped; any other control, bidirectional or invisible character is spelled out, so that
    it can neither move the cursor, rename the window, write the clipboard nor reorder what is read.
    """
    lines = _COLOUR.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _EXCEPT_JOINERS.sub(lambda found: visible(found.group()), lines)


def one_line(text: str) -> str:
    """The same as one line, runs of white space as one space."""
    return harmless(" ".join(text.split()))
