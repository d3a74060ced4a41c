"""What a function's source does: the facts of its statements, its dynamic SQL, whether all was read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tools.rls import plpgsql
from tools.rls.facts import Facts, expression, statements
from tools.rls.objects import Function

_ATOMIC: Final = re.compile(r"^\s*begin\s+atomic\b(.*)\bend\s*;?\s*$", re.IGNORECASE | re.DOTALL)
_RETURN: Final = re.compile(r"^\s*return\b(.*)$", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Body:
    """`facts` of every statement and expression; `dynamic` of what EXECUTE gets; `complete`: all parsed."""

    facts: tuple[Facts, ...]
    dynamic: tuple[Facts, ...]
    complete: bool

    def everything(self) -> Iterator[Facts]:
        """Static and dynamic parts."""
        yield from self.facts
        yield from self.dynamic


def body_of(function: Function) -> Body:
    """The parsed body of an SQL or PL/pgSQL function; empty and incomplete for other languages."""
    return _body(function.language, function.body)


@lru_cache(maxsize=4000)
def _body(language: str, text: str) -> Body:
    if language == "sql":
        return _sql(text)
    if language != "plpgsql":
        return Body((), (), complete=False)
    source = plpgsql.read(text)
    if source is None:
        return Body((), (), complete=False)
    facts: list[Facts] = []
    complete = True
    callers = source.callers()
    for statement in source.statements:
        parsed = statements(plpgsql.spelled_out(statement, callers)) or statements(statement)
        complete &= parsed is not None
        facts.extend(parsed or ())
    for value in source.expressions:
        one = expression(plpgsql.spelled_out(value, callers)) or expression(value)
        complete &= one is not None
        facts.extend([one] if one else [])
    dynamic = [one for value in source.dynamic if (one := expression(value)) is not None]
    return Body(tuple(facts), tuple(dynamic), complete and len(dynamic) == len(source.dynamic))


def _sql(text: str) -> Body:
    atomic, returned = _ATOMIC.match(text), _RETURN.match(text)
    if returned:
        one = expression(returned[1])
        return Body((one,) if one else (), (), one is not None)
    parsed = statements(atomic[1] if atomic else text)
    return Body(parsed or (), (), parsed is not None)


def plpgsql_source(function: Function) -> plpgsql.Source | None:
    """A PL/pgSQL body cut into its statements, with its variables; None when it cannot be read."""
    return _source(function.body) if function.language == "plpgsql" else None


@lru_cache(maxsize=4000)
def _source(text: str) -> plpgsql.Source | None:
    return plpgsql.read(text)
