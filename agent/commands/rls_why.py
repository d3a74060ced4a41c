"""`sergei rls why`: why a caller can see or change one row, or why not."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any, Final

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.writing import deliver, expect
from agent.compose import Choice, open_house
from tools.errors import InvalidInput
from tools.rls.explain_access import Explanation

_EPILOG: Final = """\
examples:
  sergei rls why notes --key id=5f1c... --user 0b7e...           can this account see the note, and why?
  sergei rls why notes --key id=5f1c... --user 0b7e... --for UPDATE DELETE
  sergei rls why notes --where "title = 'x'" --role anon"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("relation", metavar="TABLE", help="schema.name or name")
    parser.add_argument(
        "--key", action="append", metavar="COLUMN=VALUE", default=[], help="names the row (again for more)"
    )
    parser.add_argument("--where", metavar="CONDITION", default="", help="or an SQL condition that finds it")
    parser.add_argument("--user", metavar="ID", default="", help="the caller's account (claim sub)")
    parser.add_argument(
        "--role", metavar="ROLE", default="", help="default: authenticated, or anon without --user"
    )
    parser.add_argument("--claims", metavar="JSON", default="{}", help="more claims of the caller's token")
    parser.add_argument(
        "--for", nargs="+", metavar="COMMAND", default=["SELECT"], dest="commands",
        help="SELECT, INSERT, UPDATE, DELETE (default: SELECT)",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    arguments: dict[str, Any] = {
        "relation": args.relation,
        "key": _key(args.key),
        "where": args.where,
        "user_id": args.user,
        "role": args.role,
        "claims": _claims(args.claims),
        "commands": args.commands,
    }
    found = asyncio.run(_call(args, arguments))
    text = found.model_dump_json(indent=2) if args.format == "json" else found.markdown().replace("**", "")
    deliver(text, None, "")
    return 0


def _key(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if any(not name or not mark for name, mark, _ in pairs):
        raise InvalidInput("--key is COLUMN=VALUE.", hint="For instance --key id=42.")
    return {name: value for name, _, value in pairs}


def _claims(text: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise InvalidInput("--claims is not JSON.") from None
    if not isinstance(found, dict):
        raise InvalidInput("--claims must be a JSON object.")
    return found  # pyright: ignore[reportUnknownVariableType]  JSON


async def _call(args: argparse.Namespace, arguments: dict[str, Any]) -> Explanation:
    choice = Choice(args.database_url, args.demo)
    async with open_house(settings_module.load(), choice, face="cli") as house:
        return expect(await house.executor.call("explain_access", arguments), Explanation)
