"""`sergei phi inventory`: what execute_sql shows and masks, column by column, and why."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import sys

from agent import settings as settings_module
from agent.commands.review import width
from agent.compose import Choice, open_house
from agent.executor import Outcome
from tools.database.phi_inventory import Inventory
from tools.errors import RemoteError, SergeiError


def run(args: argparse.Namespace) -> int:
    """Print the inventory. Exit 1 when sergei.toml corrects a column that does not exist."""
    found = asyncio.run(_inventory(args))
    match args.format:
        case "json":
            print(found.model_dump_json(indent=2))
        case "csv":
            print(as_csv(found), end="")
        case _:
            print(as_text(found, width()))
    for name in found.unknown_corrections:
        print(f"sergei: sergei.toml corrects {name}, which does not exist.", file=sys.stderr)
    return 1 if found.unknown_corrections else 0


async def _inventory(args: argparse.Namespace) -> Inventory:
    arguments = {"schemas": args.schemas or ["public"], "only": args.only, "profile": args.profile}
    choice = Choice(args.database_url, args.demo)
    async with open_house(settings_module.load(), choice, face="cli") as house:
        return _expect(await house.executor.call("phi_inventory", arguments))


def _expect(outcome: Outcome) -> Inventory:
    """The inventory inside an outcome; its failure as the error it was."""
    if isinstance(outcome.result, Inventory):
        return outcome.result
    failure = outcome.failure
    if failure is None:
        raise RemoteError("phi_inventory did not return an inventory.")
    kinds = {kind.kind: kind for kind in SergeiError.__subclasses__()}
    raise kinds.get(failure.kind, RemoteError)(failure.message, hint=failure.hint, code=failure.code)


def as_csv(found: Inventory) -> str:
    """A heading and one line per column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "column", "type", "verdict", "why", "sample", "advice"])
    for line in found.columns:
        writer.writerow(
            [line.table, line.column, line.type, line.verdict, line.why, line.profile, line.advice]
        )
    return out.getvalue()


def as_text(found: Inventory, columns: int) -> str:
    """The columns under their table, then the totals."""
    lines: list[str] = []
    name = max((len(line.column) for line in found.columns), default=0)
    kind = min(max((len(line.type) for line in found.columns), default=0), 20)
    former = ""
    for line in found.columns:
        if line.table != former:
            lines += ["", line.table] if former else [line.table]
            former = line.table
        sample = f" ({line.profile})" if line.profile else ""
        text = f"  {line.verdict:<7}{line.column:<{name}}  {line.type[:kind]:<{kind}}  {line.why}{sample}"
        lines.append(text if len(text) <= columns else text[: columns - 1] + "…")
    lines += [""] if lines else []
    lines.append(f"{found.phi} phi, {found.unsure} unsure (masked, too), {found.safe} safe in {found.target}")
    advice = [f"  {line.advice}" for line in found.columns if line.advice]
    if advice:
        lines += ["The sample suggests for [phi.columns] in sergei.toml, for you to judge:", *advice]
    else:
        lines.append(
            'Correct a verdict in sergei.toml: [phi.columns] "schema.table.column" = "safe" or "phi".'
        )
    return "\n".join(lines)
