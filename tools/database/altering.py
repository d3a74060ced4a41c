"""ALTER TABLE, action by action: what it costs, what it opens, and what it destroys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node, walk

from tools.database.locks import option_names
from tools.database.reach import name_of, strings

_MEANING: Final[dict[int, tuple[str, bool]]] = {
    pb.AT_DisableRowSecurity: (
        "Row level security is OFF: whoever has a grant on {table} sees every row.",
        True,
    ),
    pb.AT_NoForceRowSecurity: ("The owner of {table} passes its policies again.", True),
    pb.AT_EnableRowSecurity: ("Row level security is on: who has no policy on {table} sees no row.", False),
    pb.AT_ForceRowSecurity: ("Its policies bind the owner of {table}, too.", False),
    pb.AT_DropColumn: ("Column {name} of {table} and its values are gone.", True),
    pb.AT_AlterColumnType: ("{table}.{name} changes its type: every value is converted.", True),
    pb.AT_SetNotNull: ("{table} is scanned under the lock to check {name}.", False),
    pb.AT_DropConstraint: ("Constraint {name} no longer protects {table}.", True),
    pb.AT_ChangeOwner: (
        "Another role owns {table}: owners pass row level security unless it is forced.",
        True,
    ),
    pb.AT_DisableTrig: ("Trigger {name} of {table} no longer runs.", True),
    pb.AT_DisableTrigAll: ("No trigger of {table} runs, foreign keys are not checked.", True),
    pb.AT_DisableTrigUser: ("No trigger of {table} runs.", True),
    pb.AT_DetachPartition: ("A partition of {table} becomes a table of its own.", False),
    pb.AT_SetUnLogged: ("{table} is emptied by a crash and not replicated from now on.", True),
}
_SAFE: Final = frozenset(
    {"now", "transaction_timestamp", "statement_timestamp", "uid", "role", "jwt", "email"}
)
"""STABLE functions: a default of these is computed once, and the rows are not rewritten."""
_REWRITES: Final = frozenset({pb.AT_SetLogged, pb.AT_SetUnLogged, pb.AT_SetTableSpace, pb.AT_SetAccessMethod})


@dataclass(frozen=True, slots=True)
class Alteration:
    """All actions of one ALTER TABLE together. `cost` is empty, scan, build or rewrite."""

    consequence: str
    destructive: bool
    cost: str
    lost: str


def actions(node: pb.AlterTableStmt) -> list[pb.AlterTableCmd]:
    """Its actions, in order."""
    return [part for item in node.cmds if isinstance(part := unwrap_node(item), pb.AlterTableCmd)]


def describe_alter(node: pb.AlterTableStmt, table: str) -> Alteration:
    """Every consequence, the heaviest cost, and what no undo brings back."""
    commands = actions(node)
    said = [_MEANING[command.subtype] for command in commands if command.subtype in _MEANING]
    words = [
        _MEANING[command.subtype][0].format(table=table, name=command.name or "?")
        for command in commands
        if command.subtype in _MEANING
    ]
    words += [f"{table}: {words}" for command in commands if (words := _option(command))]
    lost = [
        f"the values of {table}.{command.name}" if command.subtype == pb.AT_DropColumn
        else f"what the conversion of {table}.{command.name} cuts off, if it does"
        for command in commands
        if command.subtype in {pb.AT_DropColumn, pb.AT_AlterColumnType}
    ]  # fmt: skip
    costs = [cost_of(command) for command in commands]
    opened = any("OWNER's rights" in _option(command) for command in commands)
    return Alteration(
        " ".join(words),
        any(destructive for _, destructive in said) or opened,
        max(costs, key=("", "scan", "build", "rewrite").index, default=""),
        ", ".join(lost),
    )


def cost_of(command: pb.AlterTableCmd) -> str:
    """What the action does with the rows: nothing (an empty string), scan, build (an index) or rewrite."""
    inner = unwrap_node(getattr(command, "def"))
    if command.subtype in _REWRITES or command.subtype == pb.AT_AlterColumnType:
        return "rewrite"
    if command.subtype in {pb.AT_SetNotNull, pb.AT_ValidateConstraint, pb.AT_AttachPartition}:
        return "scan"
    if command.subtype == pb.AT_AddConstraint and isinstance(inner, pb.Constraint):
        if inner.contype in {pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE, pb.CONSTR_EXCLUSION}:
            return "" if inner.indexname else "build"
        return "" if inner.skip_validation else "scan"
    if command.subtype == pb.AT_AddColumn and isinstance(inner, pb.ColumnDef):
        return _added(inner)
    return ""


def _added(column: pb.ColumnDef) -> str:
    """ADD COLUMN touches no row unless a default differs by row, or a constraint must be checked."""
    constraints = [
        part for item in column.constraints if isinstance(part := unwrap_node(item), pb.Constraint)
    ]
    if name_of(strings(column.type_name.names)).name in {"serial", "bigserial", "smallserial"}:
        return "rewrite"
    if any(part.contype in {pb.CONSTR_GENERATED, pb.CONSTR_IDENTITY} for part in constraints):
        return "rewrite"
    if any(part.contype == pb.CONSTR_DEFAULT and _differs(part) for part in constraints):
        return "rewrite"
    if any(part.contype in {pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE} for part in constraints):
        return "build"
    return "scan" if any(part.contype == pb.CONSTR_CHECK for part in constraints) else ""


def _differs(default: Message) -> bool:
    calls = [part for _, part in walk(default) if isinstance(part, pb.FuncCall)]
    return any(name_of(strings(call.funcname)).name not in _SAFE for call in calls)


def _option(command: pb.AlterTableCmd) -> str:
    """What an option of a view means for who sees what."""
    if "security_invoker" not in option_names(command):
        return ""
    inner = unwrap_node(getattr(command, "def"))
    on = command.subtype == pb.AT_SetRelOptions and not any(
        word in str(inner).lower() for word in ('"false"', '"off"', '"0"', "ival: 0", "boolval: false")
    )
    if on and "boolval" in str(inner) and "boolval: true" not in str(inner):
        on = False
    return (
        "the view checks the rights and policies of who reads it."
        if on
        else "the view reads with its OWNER's rights: policies of the tables below do not bind its readers."
    )
