"""ALTER TABLE, action by action: the lock, what it costs, and what it opens or destroys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

ACCESS_EXCLUSIVE: Final = "ACCESS EXCLUSIVE (nobody reads or writes meanwhile)"
_LIGHT: Final = "SHARE UPDATE EXCLUSIVE (nobody waits but other DDL)"
_SHORT: Final = frozenset(
    {pb.AT_EnableRowSecurity, pb.AT_DisableRowSecurity, pb.AT_ForceRowSecurity, pb.AT_NoForceRowSecurity,
     pb.AT_ColumnDefault, pb.AT_DropNotNull, pb.AT_ChangeOwner, pb.AT_SetRelOptions, pb.AT_ResetRelOptions,
     pb.AT_SetStatistics}
)  # fmt: skip
_LIGHT_ACTIONS: Final = frozenset(
    {pb.AT_SetStatistics, pb.AT_ValidateConstraint, pb.AT_SetRelOptions, pb.AT_ResetRelOptions}
)
_MEANING: Final[dict[int, tuple[str, bool]]] = {
    pb.AT_DisableRowSecurity: (
        "Row level security is OFF: whoever has a grant on {table} sees every row.",
        True,
    ),
    pb.AT_NoForceRowSecurity: ("The owner of {table} passes its policies again.", True),
    pb.AT_EnableRowSecurity: ("Row level security is on: who has no policy on {table} sees no row.", False),
    pb.AT_ForceRowSecurity: ("Its policies bind the owner of {table}, too.", False),
    pb.AT_DropColumn: ("Column {name} of {table} and its values are gone.", True),
    pb.AT_AlterColumnType: (
        "{table}.{name} changes its type: the table may be rewritten under the lock.",
        True,
    ),
    pb.AT_SetNotNull: ("{table} is scanned under the lock to check {name}.", False),
    pb.AT_DropConstraint: ("Constraint {name} no longer protects {table}.", True),
    pb.AT_AddConstraint: ("{table} is scanned to check the constraint, unless it is NOT VALID.", False),
    pb.AT_ChangeOwner: (
        "Another role owns {table}: owners pass row level security unless it is forced.",
        True,
    ),
    pb.AT_DisableTrig: ("Trigger {name} of {table} no longer runs.", True),
    pb.AT_DisableTrigAll: ("No trigger of {table} runs, foreign keys are not checked.", True),
    pb.AT_DisableTrigUser: ("No trigger of {table} runs.", True),
    pb.AT_DetachPartition: ("A partition of {table} becomes a table of its own.", False),
}


@dataclass(frozen=True, slots=True)
class Alteration:
    """All actions of one ALTER TABLE together."""

    lock: str
    consequence: str
    destructive: bool
    dry: str


def describe_alter(node: pb.AlterTableStmt, table: str) -> Alteration:
    """The heaviest lock, every consequence, and why it is not tried out (an empty string: it may be)."""
    commands = [command for item in node.cmds if isinstance(command := unwrap_node(item), pb.AlterTableCmd)]
    said = [_MEANING[command.subtype] for command in commands if command.subtype in _MEANING]
    words = [
        _MEANING[command.subtype][0].format(table=table, name=command.name or "?")
        for command in commands
        if command.subtype in _MEANING
    ]
    light = bool(commands) and all(command.subtype in _LIGHT_ACTIONS for command in commands)
    brief = bool(commands) and all(_brief(command) for command in commands)
    return Alteration(
        _LIGHT if light else ACCESS_EXCLUSIVE,
        " ".join(words),
        any(destructive for _, destructive in said),
        "" if brief else "it may scan or rewrite the table while nobody can use it",
    )


def _brief(command: pb.AlterTableCmd) -> bool:
    """Whether it only touches the catalog. ADD COLUMN does when it has no default and no constraint."""
    if command.subtype == pb.AT_AddColumn:
        column = unwrap_node(getattr(command, "def"))
        return isinstance(column, pb.ColumnDef) and not column.constraints
    return command.subtype in _SHORT
