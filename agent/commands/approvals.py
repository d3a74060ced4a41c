"""`sergei approvals`: what may run without asking, as sergei.toml has it."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from agent import settings as settings_module
from agent.compose import check_patterns
from agent.settings import FILE, Settings
from agent.terminal.interrupts import forget_typed
from agent.terminal.safe import one_line
from agent.trust import accept, is_accepted
from tools import catalogue
from tools.errors import Refused


def run(args: argparse.Namespace) -> int:
    """`list` every `[[approve]]` with its state and where it is taken back; `accept` puts them in force."""
    settings = settings_module.load()
    check_patterns(settings.patterns, catalogue(), settings.workspace / FILE)
    if args.format == "json":
        print(json.dumps(_listed(settings), indent=2, ensure_ascii=False))
        return 0
    if not settings.patterns:
        print("Nothing is approved beforehand: every change asks.")
        return 0
    now = datetime.now(UTC)
    for pattern in settings.patterns:
        print(f"{pattern.name} ({pattern.state(now)}): {one_line(pattern.words())}")
    if args.action == "accept" and not is_accepted(settings):
        _accept(settings)
    if not is_accepted(settings):
        print("\nNOT in force: nobody on this machine accepted them as they stand (sergei approvals accept).")
    print(f"\nTo take one back, remove its [[approve]] from {settings.workspace / FILE}.")
    print("Every use is on record: sergei audit.")
    return 0


def _listed(settings: Settings) -> list[dict[str, object]]:
    now, accepted = datetime.now(UTC), is_accepted(settings)
    return [
        {**one.model_dump(mode="json"), "state": one.state(now), "accepted": accepted}
        for one in settings.patterns
    ]


def _accept(settings: Settings) -> None:
    """Ask whoever sits at the terminal. Raises Refused when nobody does."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("Patterns are accepted by a person in a terminal, and nobody is here.")
    forget_typed(sys.stdin.fileno())
    if input("\nMay all of this run without asking, from this machine? Type yes: ").strip().lower() != "yes":
        raise Refused("Nothing was accepted.")
    accept(settings)
    print("Accepted. A change in any of them must be accepted anew.")
