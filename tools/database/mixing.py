"""Does a query put its own values beside stored ones? Then pseudonyms must not be comparable. Pure."""

from __future__ import annotations

import re
from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import walk

from tools.database.reach import name_of, strings

_KEYS: Final = re.compile(r"json\w*_(?:each\w*|object_keys|populate\w*)|each|skeys|xmltable|xpath")
"""Functions that turn names of columns, which the caller chooses, into values."""


def mixes(node: Message) -> bool:
    """Whether a computed column may hold values that the caller chose beside those that are stored.

    Then equal values must not look equal: `select full_name ... union all select 'Jane Roe'` would be a guess
    that is answered.
    """
    for _, part in walk(node):
        if isinstance(part, pb.SelectStmt):
            chosen: list[Message] = [*part.target_list, *part.values_lists]
            mixed = part.op != pb.SETOP_NONE or any(_has_constant(item) for item in chosen)
        elif isinstance(part, pb.RangeFunction):
            mixed = _has_constant(part)
        else:
            called = name_of(strings(part.funcname)).name if isinstance(part, pb.FuncCall) else ""
            mixed = _KEYS.fullmatch(called) is not None
        if mixed:
            return True
    return False


def _has_constant(node: Message) -> bool:
    return any(isinstance(part, pb.A_Const) for _, part in walk(node))
