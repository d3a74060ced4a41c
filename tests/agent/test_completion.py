"""Completion scripts: made from the parsers, sound for their shell, with the entries of the bank."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.commands import memory, rls
from agent.commands.completion import script
from memory import starter_bank
from memory.ulid import tail
from tests.agent.memory_person import Person
from tools import catalogue

PROGRAM = "import sys; from agent.cli import main; sys.exit(main())"
SHELLS = ("bash", "zsh", "fish")

BASH = """
source {script}
complete_words() {{
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${{#COMP_LINE}}; COMPREPLY=()
  "$(complete -p sergei | sed 's/.*-F \\([^ ]*\\).*/\\1/')" sergei "${{COMP_WORDS[COMP_CWORD]}}"
  printf '%s\\n' "${{COMPREPLY[@]}}"
}}
"""


def in_a(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_the_script(shell: str, tmp_path: Path):
    file = tmp_path / "script"
    file.write_text(script(shell))
    subprocess.run([in_a(shell), "-n", str(file)], check=True, capture_output=True)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_action_and_tool_is_in_it(person: Person, shell: str):
    assert person.types("completion", shell) == 0
    names = {*memory.ACTIONS, *rls.ACTIONS, *(name.replace("_", "-") for name in catalogue()), "init-role"}
    assert [name for name in names if name not in person.says] == []


def completed(person: Person, tmp_path: Path, *words: str) -> set[str]:
    """What bash offers for the last word, with `sergei` being this very program."""
    program = tmp_path / "bin" / "sergei"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n')
    program.chmod(0o755)
    (tmp_path / "script").write_text(script("bash"))
    quoted = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        [in_a("bash"), "-c", f"{BASH.format(script=tmp_path / 'script')}complete_words sergei {quoted}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=person.workspace,
        env={
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": str(person.state),
            "SERGEI_STATE_DIR": str(person.state),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )
    return set(done.stdout.split())


def test_bash_completes_commands_values_and_entries(person: Person, tmp_path: Path):
    mine = person.remembers("Raise work_mem for the report")
    assert completed(person, tmp_path, "mem") == {"memory"}
    assert completed(person, tmp_path, "memory", "re") == {"restore", "retire", "review"}
    assert completed(person, tmp_path, "memory", "list", "--status", "") == {
        "active",
        "superseded",
        "retired",
    }
    assert completed(person, tmp_path, "memory", "show", tail(mine.id)[:4]) >= {tail(mine.id)}
    assert completed(person, tmp_path, "memory", "outcome", tail(mine.id), "") == {
        "worked",
        "failed",
        "partly",
    }


def test_entries_are_listed_for_the_scripts(person: Person):
    mine = person.remembers("Raise work_mem for the report")
    assert person.types("completion", "entries") == 0
    lines = person.says.splitlines()
    assert f"{tail(mine.id)}\traise work mem for the report" in lines and len(lines) == 1 + len(
        starter_bank().entries()
    )
    person.patch.setenv("SERGEI_MEMORY", "off")
    assert person.types("completion", "entries") == 0
    assert person.says == person.complains == ""


def test_another_shell_is_one_sentence(person: Person):
    assert person.types("completion", "tcsh") == 2
    assert "invalid choice" in person.complains and person.complains.count("\n") == 1
