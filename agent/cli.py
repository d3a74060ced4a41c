"""The `sergei` command: reads the words of a command line and calls one command's `run`.

Nothing heavy is imported here: `sergei --help` must answer at once.

Exit codes: 0 nothing at --fail-on or above, 1 findings, 2 usage or settings, 3 could not run, 4 refused,
130 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

VERSION: Final = "0.1.0"
PACKAGES: Final = ("agent", "tools", "memory", "prompts")

DESCRIPTION: Final = """\
Sergei, the infrastructure engineer of a healthcare platform: Postgres, Supabase and Render.
Reading is free, changing is asked, no patient data leaves, and a claim carries its proof."""

EPILOG: Final = """\
start here:
  sergei demo                      a health platform in an embedded PostgreSQL, reviewed
  sergei chat --demo               talk to Sergei about it (needs ANTHROPIC_API_KEY)
  sergei review --database-url URL review your own database; nothing is changed

exit codes:
  0 nothing at or above --fail-on, 1 findings, 2 usage or settings, 3 could not run, 4 refused,
  130 interrupted"""


_NONE: Final[Mapping[str, Callable[[argparse.ArgumentParser], None]]] = MappingProxyType({})

COMPLETION: Final = """\
The script goes to where your shell looks for it:
  bash  sergei completion bash > ~/.local/share/bash-completion/completions/sergei
  zsh   sergei completion zsh  > ~/.zfunc/_sergei       (with fpath+=~/.zfunc before compinit)
  fish  sergei completion fish > ~/.config/fish/completions/sergei.fish"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """argparse measures a list of commands as if it were not indented, and folds the longest name."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        for below in self._iter_indented_subactions(action):
            length = len(self._format_action_invocation(below)) + self._current_indent
            self._action_max_length = max(self._action_max_length, length)


def _formatter(prog: str) -> argparse.HelpFormatter:
    return _Formatter(prog, width=100, max_help_position=30)


class SentenceParser(argparse.ArgumentParser):
    """argparse, with help of one width and an error of one sentence with the next step."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"formatter_class": _formatter, "allow_abbrev": False, **kwargs})

    def error(self, message: str) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  it exits
        self.exit(2, f"sergei: {message}. Try `{self.prog} --help`.\n")


def build_parser(instead: Mapping[str, Callable[[argparse.ArgumentParser], None]] = _NONE) -> SentenceParser:
    """The whole command line, without importing any command.

    rls, memory and run read their own words. `instead` gives them their arguments where those are wanted
    here as well, as for shell completion.
    """
    parser = SentenceParser(
        prog="sergei",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("-V", "--version", action="version", version=f"sergei {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=SentenceParser)
    _demo(commands.add_parser("demo", help="build the Guardian demo, plant faults, review it"))
    _review(commands.add_parser("review", help="review a database, or Render, and report findings"))
    instead.get("rls", _rls)(
        commands.add_parser(
            "rls", help="prove, explain, compare and mend who reaches which row", add_help=False
        )
    )
    _chat(commands.add_parser("chat", help="talk to Sergei in the terminal"))
    instead.get("run", _run)(commands.add_parser("run", help="run one tool", add_help=False))
    _tools(commands.add_parser("tools", help="list the tools"))
    _rules(commands.add_parser("rules", help="list the review rules, or show one"))
    _mcp(commands.add_parser("mcp", help="serve the tools to MCP clients"))
    _phi(commands.add_parser("phi", help="list which columns are masked as patient data, and why"))
    instead.get("memory", _memory)(
        commands.add_parser("memory", help="read, write and review what Sergei remembers", add_help=False)
    )
    _approvals(commands.add_parser("approvals", help="list what may run without asking"))
    _audit(commands.add_parser("audit", help="show, verify, export or prune the audit log"))
    _doctor(commands.add_parser("doctor", help="check the set-up and the connected database"))
    _keys(commands.add_parser("keys", help="show or keep the keys for Render and Supabase"))
    _init_role(commands.add_parser("init-role", help="create a database login that only reads"))
    _completion(commands.add_parser("completion", help="print the shell's completion of these commands"))
    return parser


def add_target(parser: argparse.ArgumentParser) -> None:
    """The flags that name the database, the same for every command that has one."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--database-url", metavar="URL", help="the database (default: sergei.toml or environment)"
    )
    where.add_argument("--demo", action="store_true", help="the Guardian demo in the sandbox")


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scale", choices=("small", "medium", "large"), help="how many synthetic people and events"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--fault", action="append", metavar="NAME", help="plant it (again for more; or `all`)")
    what.add_argument("--clean", action="store_true", help="leave the demo as it was written, without faults")
    what.add_argument("--list", action="store_true", help="list the faults")
    parser.add_argument("--no-chat", action="store_true", help="end after the review even with an API key")


def _review(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="what to review: rls (default), render")
    add_target(parser)
    parser.add_argument(
        "--migrations",
        metavar="PATH",
        help="no database: a folder of migrations or a dump, also REV:PATH, applied in the sandbox",
    )
    parser.add_argument("--format", choices=("text", "json", "sarif", "markdown", "html"), default="text")
    parser.add_argument("--output", metavar="FILE", help="write the report to a file (- is the terminal)")
    parser.add_argument(
        "--fail-on",
        choices=("error", "warn", "info", "never"),
        default="error",
        help="the level from which findings mean exit code 1 (default: error)",
    )
    parser.add_argument(
        "--only", action="append", metavar="RULE", default=[], help="only this rule (again for more)"
    )
    parser.add_argument("--skip", action="append", metavar="RULE", default=[], help="leave this rule out")
    parser.add_argument(
        "--prove",
        action="store_true",
        help="attack a scratch copy of the schema as well; exit code 1 also for what could not be examined",
    )
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="the time a proof may take")
    parser.add_argument(
        "--emit", choices=("pgtap", "pytest"), help="regression tests of the leaks instead of the report"
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="findings in this file are known: only new ones fail"
    )
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="accept all present findings as known; exit code 0"
    )
    parser.add_argument("--schemas", nargs="+", metavar="SCHEMA", default=[], help="only these schemas")


def _chat(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("-p", "--print", metavar="QUESTION", dest="question", help="ask one question and end")
    parser.add_argument("--mode", choices=("investigate", "act"), help="investigate: nothing can change")
    parser.add_argument("--model", help="model to talk to")
    parser.add_argument("--output-format", choices=("text", "json", "stream-json"), default="text")
    parser.add_argument("--max-turns", type=int, default=50, metavar="N", help="model calls per question")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--continue", action="store_true", dest="latest", help="go on with the latest session")
    again.add_argument("--resume", metavar="SESSION", help="go on with this session")


def _ask_help(parser: argparse.ArgumentParser) -> None:
    """--help before any word: argparse's own would not know what follows."""
    parser.add_argument("-h", "--help", action="store_true", dest="help_wanted", help=argparse.SUPPRESS)


def _rls(parser: argparse.ArgumentParser) -> None:
    _ask_help(parser)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="ACTION [ARGUMENTS]")


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.epilog = COMPLETION
    parser.add_argument(
        "shell", metavar="SHELL", choices=("bash", "zsh", "fish", "entries"),
        help="bash, zsh or fish; `entries` lists what `memory show` completes with",
    )  # fmt: skip


def _run(parser: argparse.ArgumentParser) -> None:
    _ask_help(parser)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="TOOL [ARGUMENTS]")


def _tools(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "show"), default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the rule to show")


def _mcp(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "--http", metavar="HOST:PORT", help="serve over HTTP instead of stdio, e.g. 127.0.0.1:8765"
    )
    parser.add_argument("--mode", choices=("investigate", "act"), default="investigate")
    parser.add_argument(
        "--memory-tool",
        action="store_true",
        help="also offer the bank as files, by the memory tool's protocol",
    )


def _phi(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("inventory",), default="inventory")
    add_target(parser)
    parser.add_argument("--schemas", nargs="+", metavar="SCHEMA", help="only these schemas (default: public)")
    parser.add_argument("--only", choices=("all", "phi", "unsure", "safe"), default="all")
    parser.add_argument(
        "--profile", action="store_true", help="count inside the database what sampled values look like"
    )
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")


def _memory(parser: argparse.ArgumentParser) -> None:
    _ask_help(parser)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="ACTION [ARGUMENTS]")


def _approvals(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "accept"),
        default="list",
        help="accept puts the patterns of sergei.toml in force on this machine, after a yes",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("show", "verify", "export", "prune"),
        default="show",
        help="prune deletes closed files that are older than the retention",
    )
    parser.add_argument("--last", type=int, default=20, metavar="N", help="records to show")
    parser.add_argument("--since", metavar="DATE", help="only from then on, e.g. 2030-12-31 (UTC)")
    parser.add_argument("--until", metavar="DATE", help="only before then")
    parser.add_argument("--tool", metavar="TOOL", help="only this tool")
    parser.add_argument("--format", choices=("text", "json", "jsonl", "csv"), default="text")


def _init_role(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--name", default="sergei_reader", help="name of the login (default: sergei_reader)")
    parser.add_argument("--schemas", nargs="+", metavar="SCHEMA", default=["public"], help="what it may read")
    parser.add_argument(
        "--become", nargs="+", metavar="ROLE", default=[], help="roles it may act as, e.g. authenticated"
    )
    parser.add_argument("--ask-password", action="store_true", help="type the password instead of a made one")
    parser.add_argument("--print", action="store_true", help="only print the SQL; nothing is changed")


def _keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "set", "forget"),
        default="list",
        help="set asks for the key and keeps it in the system's keyring",
    )
    parser.add_argument("vendor", nargs="?", choices=("render", "supabase"))


def _doctor(parser: argparse.ArgumentParser) -> None:
    add_target(parser)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the `sergei` script."""
    # Start-up makes thousands of classes that stay. Looking through them again and again while they load,
    # and once more at the end, was a third of the time of a short command.
    gc.set_threshold(50_000)
    try:
        return _flushed(_perform(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        print("sergei: interrupted", file=sys.stderr)
        return 130
    finally:
        gc.freeze()


def _perform(arguments: Sequence[str]) -> int:
    problem = _misplaced()
    if problem:
        print(f"sergei: {problem}", file=sys.stderr)
        return 3
    for number, word in enumerate(arguments, start=1):
        if not _is_unicode(word):
            print(f"sergei: argument {number} is not valid UTF-8: {word!a}.", file=sys.stderr)
            return 2
    stdout: object = sys.stdout
    if isinstance(stdout, TextIOWrapper):
        stdout.reconfigure(errors="backslashreplace")  # a letter the terminal lacks must not end us
    parser = build_parser()
    try:
        args = parser.parse_args(arguments)
    except SystemExit as end:  # after --help, --version or a mistake
        return int(end.code or 0)
    if args.command is None:
        parser.print_help()
        return 0
    return _guarded(args)


def _is_unicode(word: str) -> bool:
    """Whether an argument was UTF-8: other bytes arrive as surrogates, which nothing can encode."""
    return not any("\ud800" <= char <= "\udfff" for char in word)


def _guarded(args: argparse.Namespace) -> int:
    """Run the command; a person's mistake or a server's failure is one sentence, never a traceback."""
    import logging

    from tools.errors import SergeiError

    # A library's warning about a connection that an interrupt cut is no news to the person who cut it.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    try:
        return int(import_module(f"agent.commands.{args.command.replace('-', '_')}").run(args))
    except SergeiError as error:
        code = f" [{error.code}]" if error.code else ""
        print(f"sergei: {error.message}{code} {error.hint}".rstrip(), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `sergei tools | head -1`: not our mistake and not the reader's
        return 0
    except OSError as error:  # a full disk, a folder that may not be entered
        where = f"{error.filename}: " if error.filename else ""
        print(f"sergei: {where}{error.strerror or error}.", file=sys.stderr)
        return 3


def _flushed(code: int) -> int:
    """The exit code, once all that was printed has left. 3 where it could not be written.

    Python flushes at its end as well, and complains with a traceback.
    """
    stdout: object = sys.stdout  # None where a service closed it
    try:
        if isinstance(stdout, TextIOWrapper):
            stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left has nowhere to go
        if code == 3:
            return code  # said already
        if not isinstance(error, BrokenPipeError):
            print(f"sergei: the output could not be written: {error.strerror}.", file=sys.stderr)
            return 3
    return code


def _misplaced() -> str:
    """A sentence when the four packages do not share one folder: another `tools` would run as ours."""
    folders: dict[str, Path | None] = {}
    for name in PACKAGES:
        spec = find_spec(name)
        folders[name] = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
    home = folders["agent"]
    for name, folder in folders.items():
        if folder != home:
            return (
                f"the package `{name}` comes from {folder}, not from {home}: another project shadows it. "
                "Install Sergei in its own environment (uv tool install or pipx)."
            )
    return ""
