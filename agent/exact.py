"""Text that somebody approves: everything in it can be seen, wherever it stands.

invisible, bidirectional, control characters ─▶ \\u{202e}
blanks that are no plain space, fillers, marks without a letter ─▶ \\u{3164}
600 spaces before the part that matters ─▶ ⟨600 blanks⟩
a thousand empty lines ─▶ ⟨1000 empty lines⟩
a Cyrillic а in a Latin word ─▶ as it is, and said
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from agent.approvals import visible
from tools.registry import Preview

_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that print as nothing."""

_BLANKS: Final = re.compile(r"(?<![ \t\n])[ \t]{24,}|(?<=\n)[ \t]{64,}|\A[ \t]{64,}")
_EMPTY_LINES: Final = re.compile(r"(?<=\n)(?:[ \t]*\n){4,}")
_WORD: Final = re.compile(r"\w+")
_SCRIPTS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})
"""Alphabets whose letters can be mistaken for one another."""


def exact(text: str) -> str:
    """The text with everything that would not be seen spelled out."""
    lines = _EMPTY_LINES.sub(_said_lines, _spelled(visible(text)))
    return _BLANKS.sub(lambda found: f"⟨{len(found.group())} blanks⟩", lines)


def exact_preview(preview: Preview) -> Preview:
    """The preview with every field made exact, and a warning where letters only look alike."""
    doubt = mixed_scripts("\n".join((preview.action, preview.target, *preview.touches)))
    return preview.model_copy(
        update={
            "action": exact(preview.action),
            "target": exact(preview.target).replace("\n", "⏎"),
            "touches": tuple(exact(item) for item in preview.touches),
            "consequence": " ".join(filter(None, (doubt, exact(preview.consequence)))),
            "undo": exact(preview.undo),
            "evidence": exact(preview.evidence),
        }
    )


def mixed_scripts(text: str) -> str:
    """A sentence about words whose letters come from more than one alphabet; empty when there is none."""
    mixed = [word for word in dict.fromkeys(_WORD.findall(text)) if not word.isascii() and _mixes(word)]
    if not mixed:
        return ""
    spelled = ", ".join(_escaped(word) for word in mixed[:5])
    more = f" and {len(mixed) - 5} more" if len(mixed) > 5 else ""
    return f"LOOK-ALIKE LETTERS of different alphabets in one word: {spelled}{more}."


def _mixes(word: str) -> bool:
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in word if char.isalpha()}
    return len(scripts & _SCRIPTS) > 1


def _escaped(word: str) -> str:
    return "".join(char if char.isascii() else f"{char}\\u{{{ord(char):x}}}" for char in word)[:80]


def _spelled(text: str) -> str:
    if text.isascii():
        return text
    shown: list[str] = []
    marks = 9  # a mark at the very beginning has no letter to stand on
    for char in text:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in {"Mn", "Me"} else 0 if kind[0] in "LN" else 9
        # More than two marks on a letter pile up over the neighbouring lines.
        piled = kind == "Me" or (kind == "Mn" and marks > 2)
        unseen = piled or char in _FILLERS or (kind == "Zs" and char != " ")
        shown.append(f"\\u{{{ord(char):x}}}" if unseen else char)
    return "".join(shown)


def _said_lines(found: re.Match[str]) -> str:
    return f"⟨{found.group().count(chr(10))} empty lines⟩\n"
