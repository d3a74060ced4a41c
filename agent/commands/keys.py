"""`sergei keys`: which vendors' keys are there, and keeping one in the system's keyring."""

from __future__ import annotations

import argparse
import sys
from getpass import getpass

from agent import keys
from agent import settings as settings_module
from agent.settings import Settings
from tools.errors import InvalidInput


def run(args: argparse.Namespace) -> int:
    """Exit 0; the key itself is never printed."""
    settings = settings_module.load()
    if args.action == "list":
        for vendor, variable in keys.VARIABLES.items():
            print(f"{vendor:<10} {_where(settings, vendor, variable)}")
        return 0
    if args.vendor is None:
        raise InvalidInput("Name the vendor.", hint=f"One of {', '.join(keys.VARIABLES)}.")
    if args.action == "forget":
        there = keys.forget(settings, args.vendor)
        print(f"{args.vendor}: {'removed from' if there else 'there was none in'} the keyring.")
        return 0
    keys.keep(settings, args.vendor, _asked(args.vendor))
    print(f"{args.vendor}: kept in the keyring; `sergei doctor` shows what it may do.")
    return 0


def _where(settings: Settings, vendor: str, variable: str) -> str:
    in_environment = settings.render_key if vendor == "render" else settings.supabase_key
    if in_environment:
        return f"from {variable}"
    return (
        "from the keyring"
        if keys.kept(settings, vendor)
        else f"none; set {variable}, or `sergei keys set {vendor}`"
    )


def _asked(vendor: str) -> str:
    """The key, typed unseen or piped in: never an argument, which other users of the machine could read."""
    typed = getpass(f"Key for {vendor} (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    key = typed.strip()
    if len(key) < 8 or any(char.isspace() for char in key):
        raise InvalidInput("That is no key.")
    return key
