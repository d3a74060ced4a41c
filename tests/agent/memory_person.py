"""A person with a workspace and a memory bank, who types `sergei memory ...` and reads what comes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from memory import Bank, Draft, Entry

NOW = datetime.now(UTC)


@dataclass
class Person:
    """`says` and `complains` are what the last command wrote to stdout and stderr."""

    workspace: Path
    state: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    says: str = ""
    complains: str = ""

    @property
    def bank(self) -> Bank:
        """The workspace's own bank, as somebody else sees it."""
        return Bank(self.workspace / ".sergei" / "memory", who="anna")

    def types(self, *words: str) -> int:
        """Run `sergei WORDS`. The exit code."""
        self.capture.readouterr()
        try:
            code = main(words)
        except SystemExit as end:  # argparse has said all there is to say
            code = int(end.code or 0)
        self.says, self.complains = self.capture.readouterr()
        return code

    def memory(self, *words: str) -> int:
        """Run `sergei memory WORDS`."""
        return self.types("memory", *words)

    def read(self, *words: str) -> Any:
        """What `sergei memory WORDS --json` prints."""
        self.memory(*words, "--json")
        return json.loads(self.says)

    def remembers(
        self, title: str, action: str = "Changed the setting as told.", *, days_ago: int = 0, **more: Any
    ) -> Entry:
        """Save an entry as it would have been saved `days_ago`."""
        draft: dict[str, Any] = {
            "category": "performance-tuning",
            "result": "It took 14 ms instead of 820 ms.",
        } | more
        return self.bank.add(
            Draft(title=title, action=action, **draft), source="a test", now=NOW - timedelta(days=days_ago)
        ).entry

    def edits_with(self, script: str) -> None:
        """Set an editor: a shell script that gets the file as $1."""
        file = self.state / "editor.sh"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"set -e\n{script}\n")
        self.patch.setenv("EDITOR", f"sh {file}")

    def drafts(self) -> list[Path]:
        """Texts that wait outside the bank."""
        return sorted((self.state / "memory-drafts").glob("*"))
