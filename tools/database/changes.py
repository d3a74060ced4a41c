"""What one changing statement is, read from its parse tree: command, lock, consequence, and what forbids it.

Locks and rewrites after the PostgreSQL manual ("Explicit Locking", "ALTER TABLE" notes), versions 14 to 17.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from tools.database.altering import ACCESS_EXCLUSIVE, describe_alter
from tools.database.barred import barred
from tools.database.guard import statement_words
from tools.database.reach import Name, inspect, name_of, strings
from tools.database.sqltext import Piece

_OPAQUE: Final = "it runs code whose effects cannot be told from the statement"


@dataclass(frozen=True, slots=True)
class Change:
    """One statement. `refusal` forbids it; `dry` says why it is not tried out first; empty means no."""

    piece: Piece
    command: str
    tables: tuple[Name, ...] = ()
    lock: str = ""
    consequence: str = ""
    destructive: bool = False
    refusal: str = ""
    hint: str = ""
    dry: str = ""
    returns_rows: bool = False

    @property
    def rows(self) -> bool:
        """Whether it is INSERT, UPDATE, DELETE or MERGE."""
        return self.command in {"INSERT", "UPDATE", "DELETE", "MERGE"}

    @property
    def defines_code(self) -> bool:
        """Whether later statements of the script could run what this one defines."""
        return self.piece.kind in _DEFINES_CODE


def read_change(piece: Piece) -> Change:
    """Describe one statement. Never raises: what must not run carries a `refusal`."""
    refusal = barred(piece)
    if refusal:
        return Change(piece, statement_words(piece.kind), refusal=refusal[0], hint=refusal[1])
    describe = _DESCRIBERS.get(piece.kind)
    if describe is not None:
        return describe(piece)
    command = statement_words(piece.kind)
    tables = tuple(sorted(inspect(piece.node).relations, key=str))
    dry = "" if piece.kind in _SHORT else f"{command} is not tried out"
    return Change(piece, command, tables=tables, lock=_LOCKS.get(piece.kind, ""), dry=dry)


def names_dropped(drop: pb.DropStmt) -> list[list[str]]:
    """The dotted names that a DROP lists."""
    names: list[list[str]] = []
    for item in drop.objects:
        node = unwrap_node(item)
        if isinstance(node, pb.List):
            names.append(strings(node.items))
        elif isinstance(node, pb.ObjectWithArgs):
            names.append(strings(node.objname))
        elif isinstance(node, pb.TypeName):
            names.append(strings(node.names))
        else:
            names.append(strings([item]))
    return names


def dropped_kind(drop: pb.DropStmt) -> str:
    """TABLE, POLICY, FUNCTION..."""
    return (
        pb.ObjectType.Name(drop.remove_type).removeprefix("OBJECT_").replace("MATVIEW", "MATERIALIZED VIEW")
    )


_DEFINES_CODE: Final = frozenset(
    {"CreateFunctionStmt", "AlterFunctionStmt", "CreateTrigStmt", "CreateEventTrigStmt", "RuleStmt",
     "DefineStmt",
     "CreateCastStmt", "CreateDomainStmt", "AlterDomainStmt", "ViewStmt", "CreateTableAsStmt",
     "CreateExtensionStmt", "AlterObjectSchemaStmt", "RenameStmt"}
)  # fmt: skip
_SHORT: Final = frozenset(
    {"CreatePolicyStmt", "AlterPolicyStmt", "GrantStmt", "GrantRoleStmt", "AlterDefaultPrivilegesStmt",
     "CommentStmt", "CreateFunctionStmt", "ViewStmt", "CreateStmt", "CreateSchemaStmt", "CreateEnumStmt",
     "CreateSeqStmt", "CreateDomainStmt"}
)  # fmt: skip
_LOCKS: Final[dict[str, str]] = {
    "CreateTrigStmt": "SHARE ROW EXCLUSIVE (writes wait)",
    "RenameStmt": ACCESS_EXCLUSIVE,
    "RefreshMatViewStmt": "ACCESS EXCLUSIVE, EXCLUSIVE when CONCURRENTLY",
    "RuleStmt": ACCESS_EXCLUSIVE,
    "LockStmt": "the lock it names",
    "ClusterStmt": ACCESS_EXCLUSIVE,
    "CommentStmt": "SHARE UPDATE EXCLUSIVE (nobody waits but other DDL)",
    "ViewStmt": "ACCESS EXCLUSIVE on the view when it replaces one",
}


def _dml(piece: Piece) -> Change:
    node, command = piece.node, statement_words(piece.kind)
    relation = getattr(node, "relation", None)
    table = (
        Name(relation.schemaname or None, relation.relname)
        if isinstance(relation, pb.RangeVar)
        else Name(None, "?")
    )
    whole = isinstance(node, pb.UpdateStmt | pb.DeleteStmt) and not node.HasField("where_clause")
    consequence = ""
    if whole:
        done = "deleted" if command == "DELETE" else "changed"
        consequence = f"{command} without WHERE: every row of {table} is {done}."
    elif command == "DELETE":
        consequence = f"Rows of {table} are gone after the commit, with what cascades from them."
    returns = any(name.startswith("returning") for name in (field.name for field, _ in node.ListFields()))
    return Change(
        piece, command, (table,), "ROW EXCLUSIVE (nobody waits but who writes the same rows)", consequence,
        destructive=whole or command == "DELETE", returns_rows=returns,
    )  # fmt: skip


def _select(piece: Piece) -> Change:
    reach = inspect(piece.node)
    calls = ", ".join(sorted(f"{name}()" for name in reach.functions)) or "no function"
    return Change(
        piece, "SELECT", tuple(sorted(reach.relations, key=str)), "what its functions take",
        f"A SELECT that calls {calls}: it changes what they change.", dry=_OPAQUE, returns_rows=True,
    )  # fmt: skip


def _drop(piece: Piece) -> Change:
    node = piece.node
    if not isinstance(node, pb.DropStmt):
        return Change(piece, "DROP")
    kind, names = dropped_kind(node), names_dropped(node)
    shown = ", ".join(".".join(name) for name in names)
    cascade = node.behavior == pb.DROP_CASCADE
    consequence = _DROPS.get(kind, f"{kind.lower()} {shown} is gone.").format(shown=shown)
    consequence += " CASCADE takes along everything that depends on it." if cascade else ""
    on_table = kind in {"POLICY", "TRIGGER", "RULE"}
    tables = tuple(_named(name[:-1] if on_table else name) for name in names)
    return Change(
        piece, f"DROP {kind}", tables, ACCESS_EXCLUSIVE, consequence, destructive=True,
        dry="" if kind == "POLICY" else f"DROP {kind} takes its locks until the end of the transaction",
    )  # fmt: skip


_DROPS: Final[dict[str, str]] = {
    "TABLE": "{shown} and all its rows are gone; only a backup brings them back.",
    "SCHEMA": "Schema {shown} and everything in it is gone.",
    "COLUMN": "{shown} and its values are gone.",
    "POLICY": (
        "Policy {shown} no longer applies. A dropped permissive policy hides rows from its roles, a dropped"
        " restrictive one opens them."
    ),
}


def _named(parts: list[str]) -> Name:
    return Name(parts[-2] if len(parts) > 1 else None, parts[-1]) if parts else Name(None, "?")


def _truncate(piece: Piece) -> Change:
    tables = tuple(sorted(inspect(piece.node).relations, key=str))
    return Change(
        piece, "TRUNCATE", tables, ACCESS_EXCLUSIVE,
        f"Every row of {', '.join(map(str, tables))} is gone; no row trigger fires.",
        destructive=True, dry="TRUNCATE locks the table against everybody",
    )  # fmt: skip


def _policy(piece: Piece) -> Change:
    node = piece.node
    if not isinstance(node, pb.CreatePolicyStmt | pb.AlterPolicyStmt):
        return Change(piece, "POLICY")
    table = Name(node.table.schemaname or None, node.table.relname)
    # ALTER POLICY without TO keeps the roles that the policy has.
    unsaid = "PUBLIC" if isinstance(node, pb.CreatePolicyStmt) else "Whoever the policy is for"
    roles = ", ".join(roles_of(node.roles)) or unsaid
    words = statement_words(piece.kind)
    permissive = not isinstance(node, pb.CreatePolicyStmt) or node.permissive
    opens = f"{roles} may reach every row of {table} that the policy accepts (permissive policies are OR-ed)."
    always = permissive and any(_always(clause) for clause in (node.qual, node.with_check))
    return Change(
        piece, words, (table,), ACCESS_EXCLUSIVE,
        opens if permissive else f"{roles} may lose rows of {table} that the policy does not accept.",
        destructive=always,
    )  # fmt: skip


def _always(clause: Message) -> bool:
    node = unwrap_node(clause)
    return isinstance(node, pb.A_Const) and node.HasField("boolval") and node.boolval.boolval


def _function(piece: Piece) -> Change:
    node = piece.node
    if not isinstance(node, pb.CreateFunctionStmt):
        return Change(piece, "CREATE FUNCTION")
    options = [option for item in node.options if isinstance(option := unwrap_node(item), pb.DefElem)]
    definer = any(
        option.defname == "security" and option.arg.HasField("boolean") and option.arg.boolean.boolval
        for option in options
    )
    said = "It runs with its owner's rights for whoever may execute it." if definer else ""
    return Change(piece, "CREATE FUNCTION", (name_of(strings(node.funcname)),), consequence=said)


def _grant(piece: Piece) -> Change:
    node = piece.node
    if not isinstance(node, pb.GrantStmt | pb.GrantRoleStmt):
        return Change(piece, "GRANT")
    roles = roles_of(node.grantees if isinstance(node, pb.GrantStmt) else node.grantee_roles)
    command = "GRANT" if node.is_grant else "REVOKE"
    open_to = [role for role in roles if role in {"public", "anon", "authenticated"}]
    consequence = f"{', '.join(roles)} {'gains' if node.is_grant else 'loses'} these privileges."
    if node.is_grant and open_to:
        consequence += f" {', '.join(open_to)}: that is everybody who can reach the API."
    if not node.is_grant and "public" in roles:
        consequence += " Grants to anon and authenticated by name stay."
    tables = tuple(sorted(inspect(node).relations, key=str))
    return Change(
        piece, command, tables, "none on the table", consequence, destructive=bool(open_to and node.is_grant)
    )


def roles_of(specs: Iterable[Message]) -> list[str]:
    """Role names of a list of RoleSpec nodes; PUBLIC is `public`."""
    names: list[str] = []
    for item in specs:
        role = unwrap_node(item)
        if isinstance(role, pb.RoleSpec):
            names.append("public" if role.roletype == pb.ROLESPEC_PUBLIC else role.rolename or "current_user")
    return names


def _alter(piece: Piece) -> Change:
    node = piece.node
    if not isinstance(node, pb.AlterTableStmt):
        return Change(piece, "ALTER")
    table = Name(node.relation.schemaname or None, node.relation.relname)
    told = describe_alter(node, str(table))
    kind = pb.ObjectType.Name(node.objtype).removeprefix("OBJECT_").replace("MATVIEW", "MATERIALIZED VIEW")
    return Change(
        piece, f"ALTER {kind}", (table,), told.lock, told.consequence, told.destructive, dry=told.dry
    )


def _index(piece: Piece) -> Change:
    tables = tuple(sorted(inspect(piece.node).relations, key=str))
    return Change(
        piece, "CREATE INDEX", tables, "SHARE (writes wait until it is built)",
        "Writes to the table wait while the index is built; CONCURRENTLY (with psql) avoids that.",
        dry="building an index blocks writes",
    )  # fmt: skip


def _opaque(piece: Piece) -> Change:
    command = {"DoStmt": "DO", "CallStmt": "CALL"}[piece.kind]
    return Change(piece, command, consequence=f"{command}: {_OPAQUE}.", destructive=True, dry=_OPAQUE)


_DESCRIBERS: Final[dict[str, Callable[[Piece], Change]]] = {
    "InsertStmt": _dml, "UpdateStmt": _dml, "DeleteStmt": _dml, "MergeStmt": _dml, "SelectStmt": _select,
    "DropStmt": _drop, "TruncateStmt": _truncate, "CreatePolicyStmt": _policy, "AlterPolicyStmt": _policy,
    "GrantStmt": _grant, "GrantRoleStmt": _grant, "AlterTableStmt": _alter, "IndexStmt": _index,
    "CreateFunctionStmt": _function, "DoStmt": _opaque, "CallStmt": _opaque,
}  # fmt: skip
