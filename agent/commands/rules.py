"""`sergei rules`: what the reviewers look for."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from typing import Any

from tools.errors import InvalidInput
from tools.findings import Rule
from tools.render.rules import RULES as RENDER_RULES
from tools.rls.proof.findings import PROOF_RULES
from tools.rls.rules import RULES

EVERY: tuple[Rule[Any], ...] = (*PROOF_RULES, *RULES, *RENDER_RULES)
"""What a review can report: what a proof executed first, then what the rules read."""


def run(args: argparse.Namespace) -> int:
    """List the rules, or print one rule's documentation."""
    if args.action == "list" and args.name:
        raise InvalidInput("`sergei rules list` takes no name.", hint=f"sergei rules show {args.name}")
    if args.action == "list":
        print(listing())
        return 0
    if not args.name:
        raise InvalidInput("Which rule?", hint="sergei rules show NAME; `sergei rules` lists them.")
    rules = {rule.name: rule for rule in EVERY}
    if args.name not in rules:
        near = get_close_matches(str(args.name), rules, n=1)
        hint = f"Did you mean {near[0]}?" if near else "`sergei rules` lists them."
        raise InvalidInput(f"There is no rule called {args.name}.", hint=hint)
    rule = rules[args.name]
    print(f"{rule.name} ({rule.level}, {rule.domain})\n\n{rule.doc.strip()}")
    return 0


def listing() -> str:
    """One line a rule: the README holds the same text."""
    longest = max(len(rule.name) for rule in EVERY)
    return "\n".join(f"{rule.level:<5}  {rule.name:<{longest}}  {rule.title}" for rule in EVERY)
