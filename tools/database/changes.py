"""What one changing statement is, read from its parse tree: command, locks, consequence, and what forbids it.

Costs after the PostgreSQL manual ("ALTER TABLE" notes), versions 14 to 17; locks in `locks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from tools.database.access import describe_access
from tools.database.altering import describe_alter
from tools.database.barred import barred
from tools.database.dropping import (
    LASTING,
    covers_all,
    drop_consequence,
    dropped_kind,
    names_dropped,
    object_kind,
)
from tools.database.guard import statement_words
from tools.database.locks import Lock, concurrent, locks_of, range_name
from tools.database.reach import Name, inspect, name_of, strings
from tools.database.sqltext import Piece

_OPAQUE: Final = "it runs code whose effects cannot be told from the statement"


@dataclass(frozen=True, slots=True)
class Change:
    """One statement. `refusal` forbids it; `dry` says why it is not tried out first; empty means no.

    `cost` is what it does with existing rows (scan, build, rewrite or an empty string), `lost` what no undo
    brings back, `alone` that it runs outside a transaction.
    """

    piece: Piece
    command: str
    tables: tuple[Name, ...] = ()
    locks: tuple[Lock, ...] = ()
    consequence: str = ""
    destructive: bool = False
    refusal: str = ""
    hint: str = ""
    dry: str = ""
    cost: str = ""
    lost: str = ""
    returns_rows: bool = False
    alone: bool = False

    @property
    def rows(self) -> bool:
        """Whether it is INSERT, UPDATE, DELETE or MERGE."""
        return self.command in {"INSERT", "UPDATE", "DELETE", "MERGE"}

    @property
    def defines_code(self) -> bool:
        """Whether later statements of the script could run what this one defines."""
        return self.piece.kind in _DEFINES_CODE

    @property
    def runs_code(self) -> bool:
        """Whether it could run functions: rows, defaults, checks, index expressions."""
        return self.rows or self.piece.kind in _RUNS_CODE


def read_change(piece: Piece) -> Change:
    """Describe one statement. Never raises: what must not run carries a `refusal`."""
    refusal = barred(piece)
    if refusal:
        return Change(piece, statement_words(piece.kind), refusal=refusal[0], hint=refusal[1])
    node, locks = piece.node, locks_of(piece.node)
    meaning = describe_access(node)
    if meaning is not None:
        tables = tuple(lock.table for lock in locks) or _objects(node)
        return Change(
            piece, meaning.command, tables, locks, meaning.consequence, meaning.destructive, meaning.refusal,
            meaning.hint,
        )  # fmt: skip
    describe = _DESCRIBERS.get(piece.kind)
    if describe is not None:
        return describe(piece, locks)
    tables = tuple(lock.table for lock in locks) or tuple(sorted(inspect(node).relations, key=str))
    command = _command(node)
    if piece.kind in _TRIED:
        return Change(piece, command, tables, locks)
    unknown = f"What follows from {command} is not known to Sergei: read it closely."
    said = _MEANINGS.get(piece.kind, "")
    return Change(
        piece,
        command,
        tables,
        locks,
        said or unknown,
        destructive=not said,
        dry=f"{command} is not tried out",
    )


_DEFINES_CODE: Final = frozenset(
    {"CreateFunctionStmt", "AlterFunctionStmt", "CreateTrigStmt", "CreateEventTrigStmt", "RuleStmt",
     "DefineStmt",
     "CreateCastStmt", "CreateDomainStmt", "AlterDomainStmt", "ViewStmt", "CreateTableAsStmt",
     "CreateExtensionStmt", "AlterObjectSchemaStmt", "RenameStmt"}
)  # fmt: skip
_RUNS_CODE: Final = frozenset({"AlterTableStmt", "IndexStmt", "CreateStmt", "AlterDomainStmt"})
_TRIED: Final = frozenset(
    {"CommentStmt", "ViewStmt", "CreateStmt", "CreateSchemaStmt", "CreateEnumStmt", "CreateSeqStmt",
     "AlterSeqStmt", "CreateDomainStmt", "CreateTrigStmt", "RenameStmt", "AlterObjectSchemaStmt",
     "AlterEnumStmt", "CreateStatsStmt", "CompositeTypeStmt", "ConstraintsSetStmt"}
)  # fmt: skip
_MEANINGS: Final = {
    "RefreshMatViewStmt": "The rows of the materialized view are computed anew.",
    "CreateTableAsStmt": "A new table holds a copy of the rows, with the rights of new tables.",
    "ClusterStmt": "The whole table is written anew in the order of an index.",
    "LockStmt": "The lock is held until the transaction ends.",
    "NotifyStmt": "Who listens gets the message at the commit.",
    "CreateExtensionStmt": "The extension's functions are there for everybody who may use its schema.",
}
_VERBS: Final = {
    "CreateEnumStmt": "CREATE TYPE", "CompositeTypeStmt": "CREATE TYPE", "CreateSeqStmt": "CREATE SEQUENCE",
    "AlterSeqStmt": "ALTER SEQUENCE", "AlterEnumStmt": "ALTER TYPE", "CreateStatsStmt": "CREATE STATISTICS",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW", "CreateTableAsStmt": "CREATE TABLE AS",
}  # fmt: skip


def _command(node: Message) -> str:
    if isinstance(node, pb.RenameStmt):
        kind = node.relation_type if node.rename_type == pb.OBJECT_COLUMN else node.rename_type
        return f"ALTER {object_kind(kind)}".replace("TABCONSTRAINT", "TABLE")
    if isinstance(node, pb.AlterObjectSchemaStmt):
        return f"ALTER {object_kind(node.object_type)}"
    kind = str(node.DESCRIPTOR.name)
    return _VERBS.get(kind) or statement_words(kind)


def _objects(node: Message) -> tuple[Name, ...]:
    """What a statement about access names, when it locks no table."""
    if isinstance(node, pb.CreateFunctionStmt):
        return (name_of(strings(node.funcname)),)
    return tuple(sorted(inspect(node).relations, key=str))


def _dml(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    node, command = piece.node, statement_words(piece.kind)
    relation = getattr(node, "relation", None)
    table = range_name(relation) if isinstance(relation, pb.RangeVar) else Name(None, "?")
    consequence, lost, whole = "", "", False
    if isinstance(node, pb.UpdateStmt | pb.DeleteStmt):
        bare = not node.HasField("where_clause")
        joined = node.from_clause if isinstance(node, pb.UpdateStmt) else node.using_clause
        whole = (bare and not joined) or (not bare and covers_all(node.where_clause))
        how = "without WHERE" if bare else "with a WHERE that is always true"
        done = "deleted" if command == "DELETE" else "changed"
        lost = f"the {'rows' if command == 'DELETE' else 'old values'} of {table}"
        if whole:
            consequence = f"{command} {how}: every row of {table} is {done}."
        elif command == "DELETE":
            consequence = f"Rows of {table} are gone after the commit, with what cascades from them."
    elif isinstance(node, pb.MergeStmt):
        lost = f"the old values of {table}"
    returns = any(name.startswith("returning") for name in (field.name for field, _ in node.ListFields()))
    return Change(
        piece, command, (table,), locks, consequence, destructive=whole or command == "DELETE", lost=lost,
        returns_rows=returns,
    )  # fmt: skip


def _select(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    reach = inspect(piece.node)
    calls = ", ".join(sorted(f"{name}()" for name in reach.functions)) or "no function"
    return Change(
        piece, "SELECT", tuple(lock.table for lock in locks), locks,
        f"A SELECT that calls {calls}: it changes what they change.", dry=_OPAQUE, returns_rows=True,
    )  # fmt: skip


def _drop(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    node = piece.node
    if not isinstance(node, pb.DropStmt):
        return Change(piece, "DROP")
    kind, names = dropped_kind(node), names_dropped(node)
    cascade = node.behavior == pb.DROP_CASCADE
    on_table = kind in {"POLICY", "TRIGGER", "RULE"}
    tables = tuple(name_of(name[:-1] if on_table else name) for name in names)
    lost = ", ".join(".".join(name) for name in names) if kind in LASTING else ""
    return Change(
        piece, f"DROP {kind}", tables, locks, drop_consequence(kind, names, cascade=cascade),
        destructive=True,
        dry=f"DROP {kind} takes its locks until the end of the transaction" if kind in LASTING else "",
        lost=f"{kind.lower()} {lost}" if lost else "", alone=node.concurrent,
    )  # fmt: skip


def _truncate(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    tables = tuple(lock.table for lock in locks)
    shown = ", ".join(map(str, tables))
    return Change(
        piece, "TRUNCATE", tables, locks, f"Every row of {shown} is gone; no row trigger fires.",
        destructive=True, dry="TRUNCATE locks the table against everybody", lost=f"the rows of {shown}",
    )  # fmt: skip


def _alter(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    node = piece.node
    if not isinstance(node, pb.AlterTableStmt):
        return Change(piece, "ALTER")
    table = range_name(node.relation)
    told = describe_alter(node, str(table))
    return Change(
        piece, f"ALTER {object_kind(node.objtype)}", (table,), locks, told.consequence, told.destructive,
        cost=told.cost, lost=told.lost,
    )  # fmt: skip


def _index(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    tables, alone = tuple(lock.table for lock in locks), concurrent(piece.node)
    said = "" if alone else (
        "Writes to the table wait while the index is built; CREATE INDEX CONCURRENTLY, in a call of its own,"
        " avoids that."
    )  # fmt: skip
    return Change(piece, "CREATE INDEX", tables, locks, said, cost="" if alone else "build", alone=alone)


def _reindex(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    return Change(piece, "REINDEX", tuple(lock.table for lock in locks), locks, alone=True)


def _set(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    node = piece.node
    name = node.name if isinstance(node, pb.VariableSetStmt) else ""
    # A dry run has timeouts of its own, and they must hold.
    dry = "" if name == "search_path" else f"it changes {name or 'settings'} for what follows"
    said = f"SET LOCAL {name} holds for the statements after it."
    untriggered = name == "session_replication_role"
    said += " Triggers and foreign keys are not checked meanwhile." if untriggered else ""
    return Change(piece, "SET LOCAL", (), locks, said, destructive=untriggered, dry=dry)


def _opaque(piece: Piece, locks: tuple[Lock, ...]) -> Change:
    command = {"DoStmt": "DO", "CallStmt": "CALL"}[piece.kind]
    return Change(
        piece, command, (), locks, f"{command}: {_OPAQUE}.", destructive=True, dry=_OPAQUE,
        lost="whatever that code changes",
    )  # fmt: skip


_DESCRIBERS: Final[dict[str, Callable[[Piece, tuple[Lock, ...]], Change]]] = {
    "InsertStmt": _dml, "UpdateStmt": _dml, "DeleteStmt": _dml, "MergeStmt": _dml, "SelectStmt": _select,
    "DropStmt": _drop, "TruncateStmt": _truncate, "AlterTableStmt": _alter, "IndexStmt": _index,
    "ReindexStmt": _reindex, "VariableSetStmt": _set, "DoStmt": _opaque, "CallStmt": _opaque,
}  # fmt: skip
