"""`/reveal`: the person at this terminal turns a pseudonym back. No tool and no client can."""

from __future__ import annotations

import re
from typing import Final

from agent.audit import AuditLog
from agent.terminal.conversation import Conversation
from agent.terminal.safe import one_line
from tools.errors import InvalidInput, NotFound
from tools.redaction import Redactor

_FORM: Final = re.compile(r"<?([a-z-]{2,20}:[0-9a-f]{8})>?")


async def reveal(talk: Conversation, rest: str) -> None:
    """Print the value on this screen only: it is part of no message, no session and no export."""
    gate = talk.house.executor
    talk.screen.line(f"  {one_line(turned_back(gate.redactor, gate.audit, rest))}")


def turned_back(redactor: Redactor, audit: AuditLog, words: str) -> str:
    """The value behind a pseudonym. It is recorded that it was asked for, before it is told.

    Raises InvalidInput for what is no pseudonym, NotFound for one that this session did not make.
    """
    found = _FORM.fullmatch(words.strip())
    if found is None:
        raise InvalidInput("/reveal takes one pseudonym.", hint="As it was shown: /reveal <name:3f2a9c1e>")
    pseudonym = f"<{found[1]}>"
    value = redactor.reveal(pseudonym)
    result = "unknown" if value is None else "told"
    audit.write("reveal", {"tool": "reveal", "pseudonym": pseudonym, "result": result})
    if value is None:
        raise NotFound(
            f"{pseudonym} cannot be turned back.",
            hint="It was made in another session, is a secret, or is too long ago.",
        )
    return value
