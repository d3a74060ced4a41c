"""A conversation as a Markdown file, for a ticket or an auditor."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from agent.messages import Block
from agent.session import Session
from agent.terminal.safe import harmless
from tools.errors import Conflict, InvalidInput


def transcript(session: Session) -> str:
    """All that was said, with the calls and their results: what the model saw, so it is redacted."""
    meta = session.meta
    about = f" about {meta.target}" if meta.target else ""
    lines = [
        f"# {meta.title or 'Conversation'}",
        "",
        f"Session {meta.id}{about}, model {meta.model}, begun {meta.created}.",
    ]
    speaker = ""
    for message in session.history():
        who = "You" if message["role"] == "user" else "Sergei"
        for block in message["content"]:
            if said(block) and who != speaker:
                speaker = who
                lines += ["", f"## {who}"]
            lines += _block(block)
    return harmless("\n".join(lines)) + "\n"


def said(block: Block) -> str:
    """What was said in a block; nothing for the circumstances that the loop puts in front."""
    text: str = block.get("text", "") if block["type"] == "text" else ""
    return "" if text.startswith(("<session>", "<memory id=")) else text


def write(session: Session, name: str) -> Path:
    """Write the transcript, mode 0600, never over another file. Raises InvalidInput, Conflict."""
    path = Path(name).expanduser()
    try:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(transcript(session))
    except FileExistsError:
        raise Conflict(f"{path} exists already.", hint="Give another name.") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written ({error.strerror}).") from None
    return path


def _block(block: Block) -> Iterator[str]:
    match block["type"]:
        case "text":
            if text := said(block):
                yield f"\n{text}"
        case "tool_use":
            yield f"\n`{block['name']}`\n\n{_fenced(json.dumps(block['input'], indent=1), 'json')}"
        case "tool_result":
            yield f"\n{_fenced(str(block['content']), 'text')}"
        case _:
            pass


def _fenced(text: str, language: str) -> str:
    """A fence that is longer than any inside it."""
    mark = "```"
    while mark in text:
        mark += "`"
    return f"{mark}{language}\n{text}\n{mark}"
