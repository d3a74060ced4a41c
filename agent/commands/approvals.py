"""`sergei approvals`: what may run without asking, as sergei.toml has it."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from agent import settings as settings_module
from agent.compose import check_patterns
from agent.settings import FILE
from agent.terminal.safe import one_line
from tools import catalogue


def run(args: argparse.Namespace) -> int:
    """List every `[[approve]]`, whether it holds now, and where it is taken back."""
    settings = settings_module.load()
    file, now = settings.workspace / FILE, datetime.now(UTC)
    check_patterns(settings.patterns, catalogue(), file)
    if args.format == "json":
        listed = [{**one.model_dump(mode="json"), "state": one.state(now)} for one in settings.patterns]
        print(json.dumps(listed, indent=2, ensure_ascii=False))
        return 0
    if not settings.patterns:
        print("Nothing is approved beforehand: every change asks.")
        return 0
    for pattern in settings.patterns:
        print(f"{pattern.name} ({pattern.state(now)}): {one_line(pattern.words())}")
    print(f"\nTo take one back, remove its [[approve]] from {file}. Every use is in `sergei audit`.")
    return 0
