"""DROP, TRUNCATE and statements on rows: what is gone afterwards, and what no undo brings back."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message
from postgast import deparse
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from tools.database.reach import strings

LASTING: Final = frozenset({"TABLE", "SCHEMA", "TYPE", "DOMAIN", "EXTENSION", "FOREIGN TABLE"})
"""Kinds of objects that a DROP does not give back from the catalog alone."""
_DROPS: Final[dict[str, str]] = {
    "TABLE": "{shown} and all its rows are gone; only a backup brings them back.",
    "SCHEMA": "Schema {shown} and everything in it is gone.",
    "POLICY": (
        "Policy {shown} no longer applies. A dropped permissive policy hides rows from its roles, a dropped"
        " restrictive one opens them."
    ),
    "FUNCTION": "{shown} is gone: policies, views and API calls that use it fail.",
    "TRIGGER": "Trigger {shown} no longer runs: what it kept up (audit rows, derived columns) is not kept.",
    "INDEX": "Index {shown} is gone: queries that used it read the whole table.",
    "ROLE": "{shown} cannot log in any more.",
    "PUBLICATION": "Publication {shown} is gone: its subscribers get no more changes.",
}


def names_dropped(drop: pb.DropStmt) -> list[list[str]]:
    """The dotted names that a DROP lists."""
    return [dotted(item) for item in drop.objects]


def dotted(item: Message) -> list[str]:
    """The parts of a name as DROP, COMMENT and ALTER spell objects."""
    node = unwrap_node(item)
    if isinstance(node, pb.List):
        last = unwrap_node(node.items[-1]) if node.items else node
        return (
            strings(node.items) if isinstance(last, pb.String) else [dotted(part)[-1] for part in node.items]
        )
    if isinstance(node, pb.ObjectWithArgs):
        return strings(node.objname)
    if isinstance(node, pb.TypeName):
        return strings(node.names)
    return [node.sval] if isinstance(node, pb.String) else []


def dropped_kind(drop: pb.DropStmt) -> str:
    """TABLE, POLICY, FUNCTION..."""
    return object_kind(drop.remove_type)


def object_kind(kind: pb.ObjectType) -> str:
    """An object type in SQL's words."""
    name = pb.ObjectType.Name(kind).removeprefix("OBJECT_").replace("MATVIEW", "MATERIALIZED VIEW")
    return name.replace("FOREIGN_TABLE", "FOREIGN TABLE").replace("EVENT_TRIGGER", "EVENT TRIGGER")


def drop_consequence(kind: str, names: list[list[str]], *, cascade: bool) -> str:
    """What is gone."""
    shown = ", ".join(".".join(name) for name in names)
    said = _DROPS.get(kind, f"{kind.lower()} {shown} is gone.").format(shown=shown)
    return said + (" CASCADE takes along everything that depends on it." if cascade else "")


def covers_all(where: Message) -> bool:
    """Whether a WHERE clause keeps no row out, as far as its text tells: none, TRUE, 1 = 1, NOT FALSE."""
    node = unwrap_node(where)
    if isinstance(node, pb.Node):
        return True
    if isinstance(node, pb.A_Const):
        return node.HasField("boolval") and node.boolval.boolval
    if isinstance(node, pb.BoolExpr):
        parts = [covers_all(item) for item in node.args]
        if node.boolop == pb.NOT_EXPR:
            inner = unwrap_node(node.args[0])
            return isinstance(inner, pb.A_Const) and inner.HasField("boolval") and not inner.boolval.boolval
        return all(parts) if node.boolop == pb.AND_EXPR else any(parts)
    if isinstance(node, pb.A_Expr) and strings(node.name) == ["="]:
        left, right = unwrap_node(node.lexpr), unwrap_node(node.rexpr)
        constant = isinstance(left, pb.A_Const) and isinstance(right, pb.A_Const)
        return constant and _bare(left) == _bare(right)
    return False


def clause(where: Message) -> str:
    """A WHERE clause as SQL, or an empty string."""
    node = unwrap_node(where)
    if isinstance(node, pb.Node):
        return ""
    tree = pb.ParseResult()
    wrapped = where if isinstance(where, pb.Node) else pb.Node()
    tree.stmts.add().stmt.select_stmt.where_clause.CopyFrom(wrapped)
    return deparse(tree).removeprefix("SELECT").strip()


def _bare(constant: Message) -> str:
    return "\n".join(line for line in str(constant).splitlines() if not line.startswith("location"))
