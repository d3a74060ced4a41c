"""SQL as text: checked, parsed and split, before anything of it reaches a server.

The parser is PostgreSQL's own (libpg_query), in C: a chain of many thousand operators overflows its stack
and would take the process down, so long chains are refused from the flat token stream first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError, Message
from postgast import PgQueryError, parse, scan
from postgast.walk import unwrap_node

from tools.errors import InvalidInput

MAX_CHARS: Final = 500_000
_MAX_CHAIN: Final = 3_000
_OPEN, _CLOSE, _COMMA, _SEMICOLON = "([", ")]", ",", ";"


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement: its text (without the semicolon) and its parse tree."""

    text: str
    node: Message

    @property
    def kind(self) -> str:
        """The parse tree's name of the statement: SelectStmt, CreatePolicyStmt..."""
        return str(self.node.DESCRIPTOR.name)


def parse_script(sql: str, what: str = "sql") -> list[Piece]:
    """Every statement of a script, in order. Raises InvalidInput with line and column of an error."""
    octets = check_text(sql, what)
    try:
        _refuse_chains(octets)
        tree = parse(sql)
    except PgQueryError as error:
        raise _syntax(sql, octets, error, what) from None
    except DecodeError:
        raise _too_deep(what) from None
    pieces: list[Piece] = []
    for raw in tree.stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(octets)
        text = octets[raw.stmt_location : end].decode("utf-8").strip()
        pieces.append(Piece(text, unwrap_node(raw.stmt)))
    return pieces


def parse_one(sql: str, what: str = "sql") -> Piece:
    """The only statement of `sql`. Raises InvalidInput when there is none or more than one."""
    pieces = parse_script(sql, what)
    if not pieces:
        raise InvalidInput(f"`{what}` holds no statement.")
    if len(pieces) > 1:
        raise InvalidInput(
            f"`{what}` holds {len(pieces)} statements and exactly one is run at a time.", hint="Split them."
        )
    return pieces[0]


def check_text(text: str, what: str) -> bytes:
    """UTF-8 octets of an argument. Raises InvalidInput for NUL, invalid Unicode, or too much of it."""
    if "\0" in text:
        raise InvalidInput(f"`{what}` contains a NUL byte, which PostgreSQL cannot take.")
    if len(text) > MAX_CHARS:
        raise InvalidInput(f"`{what}` is longer than {MAX_CHARS:,} characters.", hint="Send it in parts.")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(f"`{what}` is not valid Unicode (a lone surrogate).") from None


def _refuse_chains(octets: bytes) -> None:
    """Refuse what could nest deeper than the parser's stack: many tokens with no comma between them."""
    runs, links = [0], 0
    for token in scan(octets.decode("utf-8")).tokens:
        word = octets[token.start : token.end].decode("utf-8", errors="replace").lower()
        if word == _SEMICOLON:
            runs, links = [0], 0
        elif word in _OPEN:
            runs.append(0)
        elif word in _CLOSE and len(runs) > 1:
            runs.pop()
        elif word == _COMMA:
            runs[-1] = 0
        links += word in {"union", "intersect", "except", "join"}
        runs[-1] += 1
        if runs[-1] > _MAX_CHAIN or links > _MAX_CHAIN or len(runs) > _MAX_CHAIN:
            raise _too_deep("sql")


def _too_deep(what: str) -> InvalidInput:
    return InvalidInput(
        f"`{what}` chains or nests more expressions than the parser can follow (about 45).",
        hint="Use concat(), = any(array[...]) or a common table expression instead of a long chain.",
    )


def _syntax(sql: str, octets: bytes, error: PgQueryError, what: str) -> InvalidInput:
    said = error.message[:1].upper() + error.message[1:]
    if error.cursorpos <= 0:
        return InvalidInput(f"`{what}` does not parse: {said}.", code="42601")
    before = octets[: error.cursorpos - 1].decode("utf-8", errors="ignore")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    near = sql.splitlines()[line - 1][max(0, column - 41) : column + 39] if sql.splitlines() else ""
    hint = f"Near: {near.strip()}" if len(sql) > 80 else ""
    return InvalidInput(f"`{what}` line {line}, column {column}: {said}.", hint=hint, code="42601")
