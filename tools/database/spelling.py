"""Names as SQL: quoted only where PostgreSQL needs it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from google.protobuf.message import Message
from postgast import deparse, scan
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from tools.database.reach import Name, name_of, strings

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")


@lru_cache(maxsize=4096)
def quoted(name: str) -> str:
    """One identifier."""
    if _PLAIN.fullmatch(name):
        kind = scan(name).tokens[0].keyword_kind
        if kind in {pb.NO_KEYWORD, pb.UNRESERVED_KEYWORD}:
            return name
    return '"' + name.replace('"', '""') + '"'


def spell(name: Name) -> str:
    """A possibly qualified name."""
    return f"{quoted(name.schema)}.{quoted(name.name)}" if name.schema else quoted(name.name)


def literal(text: str) -> str:
    """A string constant."""
    escaped = text.replace("'", "''")
    return f" E'{escaped.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{escaped}'"


def deparsed(field: str, node: Message) -> str:
    """A statement's node as SQL; `field` is its name in a parse tree (`grant_stmt`)."""
    tree = pb.ParseResult()
    getattr(tree.stmts.add().stmt, field).CopyFrom(node)
    return deparse(tree)


def expression(node: Message) -> str:
    """An expression's node as SQL."""
    tree = pb.ParseResult()
    target = tree.stmts.add().stmt.select_stmt.target_list.add().res_target
    target.val.CopyFrom(node if isinstance(node, pb.Node) else pb.Node())
    return deparse(tree).removeprefix("SELECT").strip()


def signature(node: Message) -> str:
    """`name(types)` of a function that is named with its arguments or created; empty without arguments."""
    inner = unwrap_node(node)
    if isinstance(inner, pb.ObjectWithArgs):
        if inner.args_unspecified:
            return ""
        types = [part for item in inner.objargs if isinstance(part := unwrap_node(item), pb.TypeName)]
        return f"{spell(name_of(strings(inner.objname)))}({', '.join(map(type_name, types))})"
    if isinstance(inner, pb.CreateFunctionStmt):
        given = [
            part for item in inner.parameters if isinstance(part := unwrap_node(item), pb.FunctionParameter)
        ]
        types = [part.arg_type for part in given if part.mode not in {pb.FUNC_PARAM_OUT, pb.FUNC_PARAM_TABLE}]
        return f"{spell(name_of(strings(inner.funcname)))}({', '.join(map(type_name, types))})"
    return ""


def type_name(node: pb.TypeName) -> str:
    """A type as SQL."""
    cast = pb.Node()
    cast.type_cast.arg.a_const.isnull = True
    cast.type_cast.type_name.CopyFrom(node)
    return expression(cast).removeprefix("NULL::")
