"""`sergei memory export, page`: the bank as one file."""

from __future__ import annotations

import argparse
import json
from typing import Final

from agent.commands.memory_access import Access, note, opened
from agent.commands.writing import deliver, writable
from agent.reports import memory_json
from agent.reports.memory_text import successors_of
from memory import Entry

_PAGE: Final = "sergei-memory.html"


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of one action."""
    if action == "page":
        parser.add_argument(
            "output", nargs="?", default=_PAGE, metavar="FILE",
            help=f"where to (default: {_PAGE}; - is the terminal)",
        )  # fmt: skip
        parser.epilog = "One file without any outside reference: it opens anywhere and can be mailed."
    else:
        parser.add_argument("--format", choices=("markdown", "json", "html"), default="markdown")
        parser.add_argument("--json", action="store_const", const="json", dest="format", help="--format json")
        parser.add_argument("--output", metavar="FILE", help="write to a file (default: the terminal)")
    parser.add_argument("--own", action="store_true", help="leave out what ships with Sergei")


def run(args: argparse.Namespace) -> int:
    """Write the file. Files of the bank with a problem are left out, and that is said."""
    output = writable(args.output, "FILE" if args.action == "page" else "--output")
    with opened() as access:
        entries = access.own() if args.own else access.bank.entries()
        left_out = len(access.bank.problems())
        form = "html" if args.action == "page" else args.format
        deliver(_rendered(access, entries, form, left_out), output, f"{len(entries)} entries.")
        if left_out:
            note(f"{left_out} files with a problem may be missing; `sergei memory lint` names them.")
    return 0


def _rendered(access: Access, entries: tuple[Entry, ...], form: str, left_out: int) -> str:
    match form:
        case "html":
            from agent.reports.memory_page import page

            return page(entries, access.now, left_out)
        case "json":
            successors = successors_of(entries)
            found = [memory_json.document(entry, successors.get(entry.id)) for entry in entries]
            return json.dumps({"entries": found}, indent=2, ensure_ascii=False)
        case _:
            from agent.reports import memory_markdown

            return memory_markdown.document(entries, access.now)
