"""/approvals: what may run without asking; a person adds to it here and takes it back."""

from __future__ import annotations

import argparse
import json
import shlex
from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError

from agent.approvals import Approvals
from agent.patterns import Pattern
from agent.settings import FILE
from agent.terminal.calls import fit
from agent.terminal.conversation import Conversation
from agent.terminal.safe import one_line
from tools.errors import InvalidInput

USAGE: Final = (
    "/approvals add NAME TOOL --target GLOB --reason TEXT [--environment NAME] [--arg name=value] "
    "[--glob name=text*] [--touches 'CREATE INDEX on public.*'] [--any-argument] [--destructive] "
    "[--between 02:00-04:00 --timezone Europe/Berlin] [--expires 2030-12-31]"
)


async def approvals(talk: Conversation, rest: str) -> None:
    """List, `add ...`, or `withdraw N`."""
    held = talk.house.executor.approvals
    word, _, tail = rest.partition(" ")
    match word:
        case "" | "list":
            _list(talk, held)
        case "add":
            _add(talk, held, tail)
        case "withdraw":
            _withdraw(talk, held, tail.strip())
        case _:
            raise InvalidInput("/approvals lists, /approvals withdraw N takes one back.", hint=USAGE)


def _list(talk: Conversation, held: Approvals) -> None:
    if not (held.grants or held.added or held.patterns):
        talk.screen.note("Nothing is approved for this session; every change asks.")
    for index, grant in enumerate(held.grants, 1):
        action = fit(one_line(grant.action), talk.screen.width - len(grant.tool) - 7)
        since = (
            f"since {grant.given.astimezone():%H:%M}, digest {grant.digest[:16]}, on {one_line(grant.target)}"
        )
        talk.screen.line(f"  {index}  {grant.tool}  {action}")
        talk.screen.hanging([f"     {since}, until this session ends"], 5)
    for index, pattern in enumerate(held.added, len(held.grants) + 1):
        state = f"{pattern.state(held.now())}, this session only"
        talk.screen.hanging([f"  {index}  {pattern.name} ({state}): {one_line(pattern.words())}"], 5)
    for pattern in held.patterns:
        state = f"{pattern.state(held.now())}, from {FILE}"
        talk.screen.hanging([f"  -  {pattern.name} ({state}): {one_line(pattern.words())}"], 5)
    if held.unaccepted:
        talk.screen.note(
            f"{held.unaccepted} in {FILE} NOT in force: nobody accepted them here (sergei approvals accept)."
        )
    if held.patterns:
        talk.screen.note(f"What stands in {talk.settings.workspace / FILE} is taken back there.")


def _withdraw(talk: Conversation, held: Approvals, number: str) -> None:
    count = len(held.grants) + len(held.added)
    if any(pattern.name == number for pattern in held.patterns):
        file = talk.settings.workspace / FILE
        raise InvalidInput(
            f"{number} stands in {file}.", hint="Remove its [[approve]] there and start again."
        )
    if not number.isdecimal() or not 0 < int(number) <= count:
        raise InvalidInput("Withdraw which approval?", hint="/approvals numbers them.")
    place = int(number) - 1
    if place < len(held.grants):
        grant = held.grants[place]
        held.withdraw(grant.binding)
        talk.screen.note(f"{grant.tool} asks again from now on.")
        return
    gone = held.added.pop(place - len(held.grants))
    talk.screen.note(f"{gone.name} is withdrawn; {gone.tool} asks again from now on.")


def _add(talk: Conversation, held: Approvals, words: str) -> None:
    today = held.now().date()
    pattern = read_pattern(words, expires=(today + timedelta(days=1)).isoformat())
    objection = pattern.objection(talk.house.executor.catalogue, today)
    if objection:
        raise InvalidInput(f"{pattern.name}: {objection}.")
    if any(pattern.name == other.name for other in (*held.patterns, *held.added)):
        raise InvalidInput(f"There is a pattern called {pattern.name} already.")
    held.added.append(pattern)
    talk.screen.note(f"Runs without asking from now on, in this session: {one_line(pattern.words())}")


class _Flags(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        """argparse would end the program."""
        raise InvalidInput(f"/approvals add: {message}.", hint=USAGE)


def read_pattern(words: str, *, expires: str) -> Pattern:
    """The pattern that a person typed. It ends with the session, whatever it says."""
    flags = _Flags(prog="/approvals add", add_help=False, allow_abbrev=False)
    flags.add_argument("name")
    flags.add_argument("tool")
    for name in ("target", "reason", "environment", "between", "timezone"):
        flags.add_argument(f"--{name}")
    flags.add_argument("--expires", default=expires)
    for name in ("arg", "glob", "touches"):
        flags.add_argument(f"--{name}", action="append", default=[])
    flags.add_argument("--any-argument", action="store_true")
    flags.add_argument("--destructive", action="store_true")
    try:
        given = flags.parse_args(shlex.split(words))
    except ValueError:
        raise InvalidInput("Close the quotes.", hint=USAGE) from None
    fields: dict[str, Any] = {
        name: value
        for name in ("name", "target", "reason", "environment", "between", "timezone", "expires")
        if (value := getattr(given, name)) is not None
    }
    fields |= {
        "tool": given.tool.replace("-", "_"),
        "arguments": {
            **{name: _value(text) for name, text in map(_pair, given.arg)},
            **{name: {"glob": text} for name, text in map(_pair, given.glob)},
        },
        "touches": tuple(given.touches),
        "other_arguments": "any" if given.any_argument else "default",
        "effect": "destructive" if given.destructive else "write",
    }
    try:
        return Pattern.model_validate(fields)
    except ValidationError as error:
        item = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, item["loc"])) or "the pattern"
        reason = str(item.get("ctx", {}).get("error", item["msg"]))
        raise InvalidInput(f"/approvals add: {where} {reason[0].lower()}{reason[1:]}.", hint=USAGE) from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"{text} is no name=value.", hint=USAGE)
    return name.replace("-", "_"), value


def _value(text: str) -> Any:
    """A number, true, false or a list as JSON has them; anything else is text."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, dict | str) or value is None else value
