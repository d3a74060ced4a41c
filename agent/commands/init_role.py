"""`sergei init-role`: a login that only reads: its SQL, and after a yes the login itself."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from getpass import getpass
from typing import TYPE_CHECKING

from agent import settings as settings_module
from agent.compose import Choice, open_house
from agent.terminal.ask import terminal_asker
from tools.errors import InvalidInput

if TYPE_CHECKING:
    from agent.executor import Outcome
    from tools.database.connection import Database


def run(args: argparse.Namespace) -> int:
    """Exit 0, or the code of the failure: 4 when nobody said yes."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from tools.database.create_reader_role import create_reader_role, plan_of
    from tools.database.reader_sql import scram_verifier, script

    settings = settings_module.load()
    asker = terminal_asker(color=settings.color)
    choice = Choice(args.database_url, args.demo)
    schemas, become = tuple(args.schemas), tuple(args.become)
    offered = {create_reader_role.name: create_reader_role}
    async with open_house(settings, choice, face="cli", asker=asker, tools=offered) as house:
        database = house.executor.resources.database
        plan, notes = await plan_of(database, args.name, schemas, become)
        if args.print:
            print(script(plan))
            for note in notes:
                _remark(note)
            _remark("Instead of '(not shown)' write a password, or set one with \\password in psql.")
            return 0
        password = _asked() if args.ask_password else secrets.token_urlsafe(24)
        arguments = {
            "name": args.name,
            "schemas": list(schemas),
            "become": list(become),
            "verifier": scram_verifier(password),
        }
        outcome = await house.executor.call(create_reader_role.name, arguments)
        given = "" if plan.exists or args.ask_password else password
        return _told(outcome, database, args.name, given)


def _told(outcome: Outcome, database: Database, name: str, password: str) -> int:
    """What came of it; a password that was made here is shown this once and kept nowhere."""
    if outcome.failure is not None:
        print(f"sergei: {outcome.failure.sentence()}", file=sys.stderr)
        return outcome.failure.exit_code
    target = database.target
    user = f"{name}.{target.project_ref}" if "pooler" in target.host and target.project_ref else name
    host = target.host if not target.host.startswith(("/", "@")) else ""
    print(f"{name} reads {database.target.label} from now on, and cannot write there.")
    if password:
        print(f"\n  password  {password}\n\nIt is shown this once and kept nowhere. Connect with:")
    else:
        print("\nConnect with its password and:")
    place = f"{host}:{target.port}" if host else ""
    extra = "" if host else f"?host={target.host}"
    print(f"  SERGEI_DATABASE_URL=postgresql://{user}:PASSWORD@{place}/{target.database}{extra}")
    return 0


def _asked() -> str:
    if not sys.stdin.isatty():
        raise InvalidInput("--ask-password needs a terminal.", hint="Leave it away: a password is made.")
    first, second = getpass("Password for the new login: "), getpass("Once more: ")
    if first != second:
        raise InvalidInput("The two passwords differ.")
    return first


def _remark(text: str) -> None:
    """Beside the SQL, which alone goes to stdout."""
    print(f"-- {text}", file=sys.stderr)
