"""PL/pgSQL source as the SQL it contains: statements, expressions, and what is handed to EXECUTE.

libpg_query's own PL/pgSQL parser stops at record variables and prints broken JSON for triggers, so the body
is cut up from its tokens instead. Nothing is executed and nothing needs to resolve: rules want to know what
a body reads, writes, calls and compares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import postgast
from postgast import PgQueryError

from tools.rls.parsing import too_long

_CALLER: Final = re.compile(r"\(*\s*(select\s+)?auth\.uid\(\s*\)\s*\)*(::uuid)?", re.IGNORECASE)
_OPENING: Final = frozenset("([")
_CLOSING: Final = frozenset(")]")
_STATEMENTS: Final = frozenset(
    {"select", "insert", "update", "delete", "with", "merge", "values", "call", "("}
)
_SKIPPED: Final = frozenset({
    "raise", "get", "close", "fetch", "move", "null", "exit", "continue", "commit", "rollback", "assert",
    "end",
})  # fmt: skip


@dataclass(slots=True)
class Source:
    """What a body contains, as SQL text: whole statements, value expressions, dynamic SQL expressions.

    `assigned` are (variables, text) of assignments and SELECT INTO, `returned` what RETURN gives.
    """

    statements: list[str] = field(default_factory=list[str])
    expressions: list[str] = field(default_factory=list[str])
    dynamic: list[str] = field(default_factory=list[str])
    assigned: list[tuple[tuple[str, ...], str]] = field(default_factory=list[tuple[tuple[str, ...], str]])
    returned: list[str] = field(default_factory=list[str])

    def callers(self) -> frozenset[str]:
        """The variables that hold who calls, and never anything else: caller uuid := auth.uid()."""
        given: dict[str, list[str]] = {}
        for names, text in self.assigned:
            for name in names:
                given.setdefault(name, []).append(text)
        return frozenset(name for name, every in given.items() if all(map(_CALLER.fullmatch, every)))


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


def read(body: str) -> Source | None:
    """Cut a PL/pgSQL body up; None when even its tokens cannot be read."""
    if too_long(body):
        return None
    tokens = _scanned(body)
    return _Reader(body.encode(), tokens).run() if tokens is not None else None


def spelled_out(text: str, callers: frozenset[str]) -> str:
    """A statement with auth.uid() in place of the variables that hold it."""
    tokens = _scanned(text) if any(name in text.lower() for name in callers) else None
    raw, parts, last = text.encode(), list[bytes](), 0
    words = [token.text.strip('"') for token in tokens or ()]
    for number, token in enumerate(tokens or ()):
        if words[number] in callers and "." not in words[max(0, number - 1) : number + 2]:
            parts += [raw[last : token.start], b"auth.uid()"]
            last = token.end
    return b"".join([*parts, raw[last:]]).decode()


def _scanned(text: str) -> list[_Token] | None:
    raw = text.encode()
    try:
        scanned = postgast.scan(text).tokens
    except PgQueryError:
        return None
    return [
        _Token(raw[t.start : t.end].decode(errors="replace").lower(), t.start, t.end)
        for t in scanned
        if raw[t.start : t.start + 2] not in (b"--", b"/*")
    ]


class _Reader:
    def __init__(self, raw: bytes, tokens: list[_Token]) -> None:
        self.raw = raw
        self.tokens = tokens
        self.at = 0
        self.source = Source()
        self.declaring = False
        self.excepting = False

    def run(self) -> Source:
        while self.at < len(self.tokens):
            self.step(self.tokens[self.at].text)
        return self.source

    def step(self, word: str) -> None:
        if word in (";", "else", "loop"):
            self.at += 1
        elif word in ("declare", "begin", "exception"):
            self.declaring, self.excepting = word == "declare", word == "exception"
            self.at += 1
        elif word == "<<":
            self.until(">>")
        elif self.declaring:
            self.declaration(self.until(";"))
        elif word in ("if", "elsif", "elseif", "while"):
            self.expression(self.until("then", "loop")[1:])
        elif word in ("when", "case"):
            condition = self.until("then" if word == "when" else "when", keep=word == "case")[1:]
            if condition and not self.excepting:
                self.expression(condition)
        elif word in ("for", "foreach"):
            self.loop(self.until("loop"))
        else:
            self.simple(word)

    def simple(self, word: str) -> None:
        if word == "end":
            self.excepting = False
        tokens = self.until(";")
        if word in _SKIPPED:
            return
        if word in _STATEMENTS:
            plain = _without_into(tokens)
            self.source.statements.append(self.text(plain))
            targets = _into(tokens, plain)
            if targets:
                self.source.assigned.append((targets, self.source.statements[-1]))
        elif word == "perform":
            self.source.statements.append("select " + self.text(tokens[1:]))
        elif word == "execute":
            self.execute(tokens[1:])
        elif word == "open":
            self.query(_after(tokens, "for"))
        elif word == "return":
            self.returning(tokens[1:])
        else:
            self.expression(_after(tokens, ":=", "="))
            self.assign(tokens)

    def assign(self, tokens: list[_Token]) -> None:
        """Keep `name := value` and `name type := value`; a field of a record counts as the record."""
        value = _after(tokens, ":=", "=", "default")
        if value and tokens:
            self.source.assigned.append(((tokens[0].text.strip('"'),), self.text(value)))

    def returning(self, tokens: list[_Token]) -> None:
        word = tokens[0].text if tokens else ""
        if tokens and (word != "query" or (tokens[1:2] and tokens[1].text != "execute")):
            self.source.returned.append(self.text(tokens[1:] if word in ("query", "next") else tokens))
        if word == "query":
            self.query(tokens[1:])
        else:
            self.expression(tokens[1:] if word == "next" else tokens)

    def loop(self, tokens: list[_Token]) -> None:
        if tokens[0].text == "foreach":
            self.expression(_after(tokens, "array"))
            return
        rest = _after(tokens, "in")
        if rest and rest[0].text == "reverse":
            rest = rest[1:]
        ranged = next((i for i, token in enumerate(rest) if token.text == ".."), None)
        if ranged is None:
            self.query(rest)
        else:
            self.expression(rest[:ranged])
            self.expression(rest[ranged + 1 :])

    def query(self, tokens: list[_Token]) -> None:
        word = tokens[0].text if tokens else ""
        if word == "execute":
            self.execute(tokens[1:])
        elif word in _STATEMENTS:
            self.source.statements.append(self.text(tokens))
        else:
            self.expression(tokens)

    def execute(self, tokens: list[_Token]) -> None:
        text, _ = _split(tokens, "into", "using")
        if text:
            self.source.dynamic.append(self.text(text))
        _, values = _split(tokens, "using")
        if values:
            self.expression(values)

    def declaration(self, tokens: list[_Token]) -> None:
        if any(token.text == "cursor" for token in tokens):
            self.query(_after(tokens, "for", "is"))
        else:
            self.expression(_after(tokens, ":=", "=", "default"))
            self.assign(tokens)

    def expression(self, tokens: list[_Token]) -> None:
        if tokens:
            self.source.expressions.append(self.text(tokens))

    def until(self, *words: str, keep: bool = False) -> list[_Token]:
        """Tokens up to one of `words` outside brackets and CASE ... END; the word itself is passed over."""
        start, depth, cases = self.at, 0, 0
        while self.at < len(self.tokens):
            text = self.tokens[self.at].text
            if not depth and not cases and text in words and self.at > start:
                break
            depth += (text in _OPENING) - (text in _CLOSING)
            if text == "case" and self.at > start and self.tokens[self.at - 1].text != "end":
                cases += 1
            elif text == "end" and cases:
                cases -= 1
            self.at += 1
        found = self.tokens[start : self.at]
        self.at += not keep
        return found

    def text(self, tokens: list[_Token]) -> str:
        # Joined from pieces: an INTO list may have been taken out of the middle.
        pieces: list[str] = []
        previous = None
        for token in tokens:
            if previous is not None and token.start > previous.end:
                pieces.append(" ")
            pieces.append(self.raw[token.start : token.end].decode(errors="replace"))
            previous = token
        return "".join(pieces)


def _split(tokens: list[_Token], *words: str) -> tuple[list[_Token], list[_Token]]:
    depth = 0
    for i, token in enumerate(tokens):
        if not depth and token.text in words:
            return tokens[:i], tokens[i + 1 :]
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
    return tokens, []


def _after(tokens: list[_Token], *words: str) -> list[_Token]:
    return _split(tokens, *words)[1]


def _without_into(tokens: list[_Token]) -> list[_Token]:
    """The statement without PL/pgSQL's INTO [STRICT] target list, which SQL would read otherwise."""
    depth = 0
    for i, token in enumerate(tokens):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth or token.text != "into" or tokens[i - 1].text in ("insert", "merge"):
            continue
        end = i + 1
        if end < len(tokens) and tokens[end].text == "strict":
            end += 1
        end += 1
        while end + 1 < len(tokens) and tokens[end].text in (".", ","):
            end += 2
        return tokens[:i] + tokens[end:]
    return tokens


def _into(tokens: list[_Token], plain: list[_Token]) -> tuple[str, ...]:
    """The variables of an INTO list that was taken out of a statement."""
    kept = {id(token) for token in plain}
    names = [token.text.strip('"') for token in tokens if id(token) not in kept]
    return tuple(name for name in names if name not in ("into", "strict", ",", "."))
