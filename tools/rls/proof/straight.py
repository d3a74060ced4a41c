"""PL/pgSQL functions that only look and answer, as the one SQL expression or query that they are.

    declare found_level text;
    begin
      if auth.uid() is null then return false; end if;
      select m.level into found_level from members m where m.account = auth.uid();
      return found_level = 'manage';
    end

is `case when auth.uid() is null then false else (select m.level from ...) = 'manage' end`. Loops, writes,
dynamic SQL and exception blocks are left to execution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

import postgast
from postgast import PgQueryError

from tools.rls.parsing import too_long

_MOST_TOKENS: Final = 3_000
_LONGEST: Final = 30_000
_QUERIES: Final = frozenset({"select", "with"})


class Crooked(Exception):
    """A body that is no plain expression. `args[0]` says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign; `text` is lower case unless quoted."""

    text: str
    raw: str


@dataclass(frozen=True, slots=True)
class Answer:
    """RETURN, RETURN QUERY or RAISE; an empty value is NULL."""

    value: str
    query: bool = False


@dataclass(slots=True)
class Choice:
    """IF: (condition, statements) pairs, the last condition empty for ELSE."""

    arms: list[tuple[list[Token], list[Step]]] = field(default_factory=list["tuple[list[Token], list[Step]]"])


@dataclass(frozen=True, slots=True)
class Assigned:
    """`name := value`, or names filled by a query."""

    names: tuple[str, ...]
    value: list[Token]
    query: bool = False


@dataclass(frozen=True, slots=True)
class Returned:
    """RETURN with its tokens."""

    value: list[Token]
    query: bool = False


Step: TypeAlias = "Choice | Assigned | Returned"


@lru_cache(maxsize=2_000)
def expression_of(body: str) -> str:
    """The value that a function returns, as one SQL expression. Raises Crooked."""
    answer = _answer(_steps(body), {})
    if answer.query:
        raise Crooked("it returns rows")
    return answer.value


@lru_cache(maxsize=2_000)
def query_of(body: str) -> str:
    """The rows that a function returns, as one query. Raises Crooked."""
    answer = _answer(_steps(body), {})
    if not answer.query:
        raise Crooked("it returns a value")
    return answer.value


def _steps(body: str) -> tuple[Step, ...]:
    reader = _Reader(_tokens(body))
    steps = reader.steps()
    return tuple(steps)


def _tokens(body: str) -> list[Token]:
    if too_long(body):
        raise Crooked("it is too long")
    raw = body.encode()
    try:
        scanned = postgast.scan(body).tokens
    except PgQueryError:
        raise Crooked("its tokens cannot be read") from None
    if len(scanned) > _MOST_TOKENS:
        raise Crooked("it is too long")
    found: list[Token] = []
    for token in scanned:
        text = raw[token.start : token.end].decode(errors="replace")
        if not text.startswith(("--", "/*")):
            found.append(Token(text if text[:1] in "'\"$" else text.lower(), text))
    return found


class _Reader:
    """Statements out of tokens; whatever is not straight raises Crooked."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def steps(self) -> list[Step]:
        steps: list[Step] = []
        if self.peek() == "declare":
            self.at += 1
            while self.peek() != "begin":
                steps += self.declaration(self.until(";"))
        self.expect("begin")
        steps += self.statements("end")
        self.expect("end")
        return steps

    def statements(self, *ends: str) -> list[Step]:
        steps: list[Step] = []
        while self.peek() not in ends:
            steps += self.statement()
        return steps

    def statement(self) -> list[Step]:
        word = self.peek()
        if word == "if":
            return [self.choice()]
        tokens = self.until(";")
        rest = tokens[1:]
        if word == "null":
            return []
        if word == "return":
            if rest and rest[0].text == "query":
                if rest[1:2] and rest[1].text == "execute":
                    raise Crooked("dynamic SQL")
                return [Returned(rest[1:], query=True)]
            if rest and rest[0].text == "next":
                raise Crooked("RETURN NEXT")
            return [Returned(rest)]
        if word == "raise":
            level = rest[0].text if rest else ""
            return [] if level in ("notice", "debug", "log", "info", "warning") else [Returned([])]
        if word == "perform":
            return [Assigned((), [Token("select", "select"), *rest], query=True)]
        if word in _QUERIES:
            return [_filled(tokens)]
        if len(tokens) > 2 and tokens[1].text in (":=", "="):
            return [Assigned((word,), tokens[2:])]
        raise Crooked(f"{word.upper()} in its body")

    def declaration(self, tokens: list[Token]) -> list[Step]:
        if any(token.text in ("cursor", "alias") for token in tokens):
            raise Crooked("a cursor or alias")
        for at, token in enumerate(tokens):
            if token.text in (":=", "=", "default"):
                return [Assigned((tokens[0].text,), tokens[at + 1 :])]
        return [Assigned((tokens[0].text,), [Token("null", "null")])]

    def choice(self) -> Choice:
        found = Choice()
        self.at += 1
        while True:
            condition = self.until("then")
            found.arms.append((condition, self.statements("elsif", "elseif", "else", "end")))
            word = self.peek()
            self.at += 1
            if word == "else":
                found.arms.append(([], self.statements("end")))
                self.at += 1
            if word in ("else", "end"):
                break
        self.expect("if")
        self.expect(";")
        return found

    def until(self, word: str) -> list[Token]:
        """Tokens up to a word outside brackets and CASE ... END; the word is passed over."""
        start, depth, cases = self.at, 0, 0
        while depth or cases or self.peek() != word:
            text = self.peek()
            depth += (text in ("(", "[")) - (text in (")", "]"))
            cases += (text == "case") - (text == "end" and cases > 0)
            self.at += 1
        self.at += 1
        return self.tokens[start : self.at - 1]

    def peek(self) -> str:
        if self.at >= len(self.tokens):
            raise Crooked("its end is not found")
        return self.tokens[self.at].text

    def expect(self, word: str) -> None:
        if self.peek() != word:
            raise Crooked(f"{self.peek().upper()} in its body")
        self.at += 1


def _filled(tokens: list[Token]) -> Assigned:
    """`select a, b into x, y from t`: which names get which columns."""
    at = _outside(tokens, "into")
    if at is None:
        raise Crooked("a query without INTO")
    end = at + 1
    if tokens[end].text == "strict":
        end += 1
    names = [tokens[end].text]
    end += 1
    while end + 1 < len(tokens) and tokens[end].text == ",":
        names.append(tokens[end + 1].text)
        end += 2
    if end < len(tokens) and tokens[end].text == ".":
        raise Crooked("INTO a field")
    return Assigned(tuple(names), tokens[:at] + tokens[end:], query=True)


def _answer(steps: Sequence[Step], known: Mapping[str, str]) -> Answer:
    """What the statements return, with variables written out."""
    values = dict(known)
    rows: list[str] = []
    for number, step in enumerate(steps):
        if isinstance(step, Assigned):
            values |= _assigned(step, values)
        elif isinstance(step, Returned):
            text = _written(step.value, values)
            if not step.query:
                return Answer(" union all ".join(rows), query=True) if rows else Answer(text or "null")
            rows.append(text)
        elif rows:
            raise Crooked("rows under a condition")
        else:
            return _chosen(step, steps[number + 1 :], values)
    return Answer(" union all ".join(rows), query=True) if rows else Answer("null")


def _chosen(step: Choice, rest: Sequence[Step], values: dict[str, str]) -> Answer:
    parts: list[str] = []
    arms = list(step.arms)
    if arms[-1][0]:
        arms.append(([], []))
    for condition, inside in arms:
        answer = _answer([*inside, *rest], values)
        if answer.query:
            raise Crooked("rows under a condition")
        test = _written(condition, values)
        parts.append(f"when {test} then {answer.value}" if condition else f"else {answer.value}")
    text = f"case {' '.join(parts)} end"
    if len(text) > _LONGEST:
        raise Crooked("it branches too often")
    return Answer(text)


def _assigned(step: Assigned, values: Mapping[str, str]) -> dict[str, str]:
    text = _written(step.value, values)
    if not step.query:
        return {step.names[0]: f"({text})"}
    found = {"found": f"(exists ({text}))"}
    columns = _columns(step.value)
    if len(step.names) == 1 and (len(columns) != 1 or columns[0][-1].text == "*"):
        return {**found, step.names[0]: f"\0({text})"}  # a record: only its fields can be written out
    if step.names and len(columns) != len(step.names):
        raise Crooked("INTO more or fewer names than columns")
    after = _outside(step.value, "from")
    tail = _written(step.value[after:], values) if after is not None else ""
    for name, column in zip(step.names, columns, strict=False):
        found[name] = f"(select {_written(column, values)} {tail})"
    return found


def _columns(query: list[Token]) -> list[list[Token]]:
    """The select list, column by column."""
    if query[0].text != "select":
        raise Crooked("WITH before INTO")
    end = _outside(query, "from")
    found: list[list[Token]] = [[]]
    depth = 0
    for token in query[1:end]:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text == "," and not depth:
            found.append([])
        else:
            found[-1].append(token)
    return found


def _outside(tokens: list[Token], word: str) -> int | None:
    depth = 0
    for at, token in enumerate(tokens):
        if not depth and token.text == word:
            return at
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
    return None


def _written(tokens: list[Token], values: Mapping[str, str]) -> str:
    """The text with variables replaced. A column of the same name would make the statement ambiguous."""
    parts: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        before = tokens[at - 1].text if at else ""
        after = tokens[at + 1].text if at + 1 < len(tokens) else ""
        value = values.get(token.text) if before not in (".", "as") else None
        if value is None or after == "(":
            parts.append(token.raw)
        elif value.startswith("\0"):
            if after != "." or at + 2 >= len(tokens):
                raise Crooked("a whole record")
            parts.append(f"(select r.{tokens[at + 2].raw} from {value[1:]} as r)")
            at += 2
        elif after == ".":
            parts.append(token.raw)
        else:
            parts.append(value)
        at += 1
    text = _spaced(parts)
    if len(text) > _LONGEST:
        raise Crooked("it is too long when written out")
    return text


def _spaced(parts: list[str]) -> str:
    """Words with spaces between, names kept together around dots and casts."""
    text = ""
    for part in parts:
        tight = not text or part in (".", ",", ")", "::", "]", "[") or text.endswith((".", "(", "::", "["))
        text += part if tight else f" {part}"
    return text
