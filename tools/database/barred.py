"""Statements that change_sql never runs, why, and what to do instead."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from tools.database.locks import concurrent
from tools.database.sqltext import Piece

_ALONE: Final = "Run it on its own with psql; PostgreSQL does not allow it inside a transaction."
_READS: Final = ("it only reads", "execute_sql and explain_query are for that.")
_REFUSALS: Final[dict[str, tuple[str, str]]] = {
    "TransactionStmt": ("transaction control is Sergei's: the script is one transaction", "Leave it away."),
    "VacuumStmt": ("VACUUM and ANALYZE here cannot be undone or limited", _ALONE),
    "CreatedbStmt": ("CREATE DATABASE cannot run in a transaction", _ALONE),
    "DropdbStmt": ("DROP DATABASE cannot run in a transaction", _ALONE),
    "AlterDatabaseStmt": ("it changes the whole database", _ALONE),
    "CreateTableSpaceStmt": ("it changes the server's disks", _ALONE),
    "DropTableSpaceStmt": ("it changes the server's disks", _ALONE),
    "AlterSystemStmt": (
        "ALTER SYSTEM changes the whole server",
        "Change the setting where the server is run.",
    ),
    "CheckPointStmt": ("CHECKPOINT acts on the whole server", ""),
    "LoadStmt": ("LOAD runs code of the server's disk", ""),
    "CopyStmt": ("COPY moves data between the database and files", "Use psql's \\copy yourself."),
    "ListenStmt": ("nothing would listen", ""),
    "UnlistenStmt": ("nothing listens", ""),
    "PrepareStmt": ("nothing outlives a call", "Write the statement itself."),
    "ExecuteStmt": ("nothing outlives a call", "Write the statement itself."),
    "DeallocateStmt": ("nothing outlives a call", ""),
    "DiscardStmt": ("nothing outlives a call", ""),
    "DeclareCursorStmt": ("nothing outlives a call", ""),
    "FetchStmt": ("nothing outlives a call", ""),
    "ClosePortalStmt": ("nothing outlives a call", ""),
    "ExplainStmt": _READS,
    "VariableShowStmt": _READS,
    "CreateSubscriptionStmt": ("a subscription reaches another server", _ALONE),
    "CreateUserMappingStmt": ("it would put a password into the record", _ALONE),
}


def barred(piece: Piece) -> tuple[str, str] | None:
    """Why the statement is not run and what to do instead; None when it may be asked for."""
    return _REFUSALS.get(piece.kind) or _form(piece.node)


def _form(node: Message) -> tuple[str, str] | None:
    """Forms that PostgreSQL refuses inside a transaction block, and settings that would outlive it."""
    if isinstance(node, pb.ReindexStmt) and not concurrent(node):
        return ("REINDEX blocks the table", "REINDEX (CONCURRENTLY) in a call of its own does not.")
    if isinstance(node, pb.ReindexStmt) and not node.HasField("relation"):
        return (
            "REINDEX of a whole schema or database has no end that can be told",
            "Name a table or an index.",
        )
    if isinstance(node, pb.AlterTableStmt) and "concurrent: true" in str(node):
        return ("DETACH PARTITION CONCURRENTLY cannot run in a transaction", _ALONE)
    if isinstance(node, pb.VariableSetStmt) and not node.is_local:
        return ("SET would end with the call", "Use SET LOCAL inside the script, or ALTER ROLE ... SET.")
    if isinstance(node, pb.VariableSetStmt) and node.name in {"role", "session_authorization"}:
        return ("the script runs as the login that was shown", "")
    return None
