"""Loading a text by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

import prompts

FOLDER = Path(prompts.__file__).parent


def test_a_text_ends_in_one_newline() -> None:
    text = prompts.load("persona")
    assert text.endswith("\n") and not text.endswith("\n\n")


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "",
        "../README",
        "persona.md",
        "/etc/hosts",
        "requests/../persona",
        "requests",
        "Persona",
        "a\0b",
    ],
)
def test_an_unknown_or_crooked_name_is_refused_with_the_names_that_exist(name: str) -> None:
    with pytest.raises(prompts.PromptNotFound, match="persona") as caught:
        prompts.load(name)
    assert isinstance(caught.value, LookupError)
    assert repr(name) in str(caught.value)


def test_every_text_is_used_somewhere() -> None:
    used = {*prompts.SECTIONS, prompts.GUARDIAN, "claude-code", "delegation", "mcp", "when-guardian"}
    assert {file.stem for file in FOLDER.glob("*.md")} == used


def test_every_text_is_printable_without_surprises() -> None:
    for file in FOLDER.rglob("*.md"):
        text = file.read_bytes().decode("utf-8")
        assert all(char == "\n" or char.isprintable() for char in text), file
