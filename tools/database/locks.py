"""The locks that a statement takes on relations, as PostgreSQL 14 to 17 take them.

After AlterTableGetLockLevel() and the manual's "Explicit Locking"; the tests compare each with pg_locks.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node, walk

from tools.database.reach import Name, inspect, name_of, strings

ACCESS_EXCLUSIVE: Final = "ACCESS EXCLUSIVE"
SHARE_UPDATE: Final = "SHARE UPDATE EXCLUSIVE"
ROW_EXCLUSIVE: Final = "ROW EXCLUSIVE"
SHARE_ROW: Final = "SHARE ROW EXCLUSIVE"
_MEANING: Final = {
    "ACCESS SHARE": "like a SELECT",
    "ROW SHARE": "nobody waits but who changes the same rows",
    ROW_EXCLUSIVE: "nobody waits but who writes the same rows",
    SHARE_UPDATE: "nobody waits but other DDL",
    "SHARE": "writes wait",
    SHARE_ROW: "writes wait",
    "EXCLUSIVE": "writes wait",
    ACCESS_EXCLUSIVE: "nobody reads or writes meanwhile",
}
MODES: Final = tuple(_MEANING)
"""From the lightest to the heaviest."""


class Lock(NamedTuple):
    """One relation and the heaviest lock on it. `mode` as in LOCK TABLE."""

    table: Name
    mode: str

    def __str__(self) -> str:
        return f"{self.mode} on {self.table} ({_MEANING[self.mode]})"


def locks_of(node: Message) -> tuple[Lock, ...]:
    """The locks on relations that the statement names, heaviest per relation, in the order of names."""
    found: dict[Name, str] = {}
    for table, mode in _locks(node):
        if table not in found or MODES.index(mode) > MODES.index(found[table]):
            found[table] = mode
    return tuple(Lock(table, mode) for table, mode in sorted(found.items(), key=lambda item: str(item[0])))


def range_name(relation: pb.RangeVar) -> Name:
    """The relation that a RangeVar names."""
    return Name(relation.schemaname or None, relation.relname)


def concurrent(node: Message) -> bool:
    """Whether it is CREATE INDEX, DROP INDEX or REINDEX ... CONCURRENTLY."""
    if isinstance(node, pb.IndexStmt | pb.DropStmt):
        return node.concurrent
    return isinstance(node, pb.ReindexStmt) and any(_on(item, "concurrently") for item in node.params)


def alter_lock(command: pb.AlterTableCmd) -> str:
    """The lock on the altered table for one action of ALTER TABLE."""
    kind = command.subtype
    if kind in _TRIGGERS:
        return SHARE_ROW
    if kind == pb.AT_AddConstraint:
        constraint = unwrap_node(getattr(command, "def"))
        foreign = isinstance(constraint, pb.Constraint) and constraint.contype == pb.CONSTR_FOREIGN
        return SHARE_ROW if foreign else ACCESS_EXCLUSIVE
    if kind in {pb.AT_SetRelOptions, pb.AT_ResetRelOptions}:
        return SHARE_UPDATE if all(map(_light, option_names(command))) else ACCESS_EXCLUSIVE
    if kind == pb.AT_DetachPartition:
        part = unwrap_node(getattr(command, "def"))
        return SHARE_UPDATE if isinstance(part, pb.PartitionCmd) and part.concurrent else ACCESS_EXCLUSIVE
    return SHARE_UPDATE if kind in _LIGHT else ACCESS_EXCLUSIVE


def option_names(command: pb.AlterTableCmd) -> list[str]:
    """The storage parameters that SET (...) or RESET (...) names."""
    listed = unwrap_node(getattr(command, "def"))
    items = listed.items if isinstance(listed, pb.List) else ()
    options = [unwrap_node(item) for item in items]
    return [option.defname for option in options if isinstance(option, pb.DefElem)]


_TRIGGERS: Final = frozenset(
    {pb.AT_EnableTrig, pb.AT_EnableAlwaysTrig, pb.AT_EnableReplicaTrig, pb.AT_EnableTrigAll,
     pb.AT_EnableTrigUser, pb.AT_DisableTrig, pb.AT_DisableTrigAll, pb.AT_DisableTrigUser}
)  # fmt: skip
_LIGHT: Final = frozenset(
    {pb.AT_SetStatistics, pb.AT_ClusterOn, pb.AT_DropCluster, pb.AT_SetOptions, pb.AT_ResetOptions,
     pb.AT_ValidateConstraint, pb.AT_AttachPartition, pb.AT_DetachPartitionFinalize}
)  # fmt: skip


def _light(option: str) -> bool:
    return option.startswith(("autovacuum_", "vacuum_", "log_autovacuum", "toast_")) or option in {
        "fillfactor", "parallel_workers",
    }  # fmt: skip


def _locks(node: Message) -> list[tuple[Name, str]]:
    if isinstance(node, pb.AlterTableStmt):
        return _altered(node)
    if isinstance(node, pb.DropStmt):
        return _dropped(node)
    if isinstance(node, pb.RenameStmt):
        index = node.rename_type == pb.OBJECT_INDEX
        named = node.HasField("relation")
        return [(range_name(node.relation), SHARE_UPDATE if index else ACCESS_EXCLUSIVE)] if named else []
    if isinstance(node, pb.CreateStmt | pb.CreateForeignTableStmt):
        return _created(node)
    if isinstance(node, pb.CommentStmt):
        names = _comment_table(node)
        return [(names, SHARE_UPDATE)] if names else []
    if isinstance(node, pb.SelectStmt | pb.InsertStmt | pb.UpdateStmt | pb.DeleteStmt | pb.MergeStmt):
        return _queried(node)
    mode = _mode(node)
    return [(table, mode) for table in _named(node)] if mode else []


def _mode(node: Message) -> str:
    if isinstance(node, pb.IndexStmt):
        return SHARE_UPDATE if node.concurrent else "SHARE"
    if isinstance(node, pb.RefreshMatViewStmt):
        return "EXCLUSIVE" if node.concurrent else ACCESS_EXCLUSIVE
    if isinstance(node, pb.ReindexStmt):
        return SHARE_UPDATE if concurrent(node) else "SHARE"
    if isinstance(node, pb.LockStmt):
        return MODES[min(max(node.mode, 1), len(MODES)) - 1]
    if isinstance(node, pb.ViewStmt):
        return ACCESS_EXCLUSIVE if node.replace else ""
    return _BY_KIND.get(node.DESCRIPTOR.name, "")


_BY_KIND: Final = {
    "CreatePolicyStmt": ACCESS_EXCLUSIVE, "AlterPolicyStmt": ACCESS_EXCLUSIVE,
    "TruncateStmt": ACCESS_EXCLUSIVE,
    "RuleStmt": ACCESS_EXCLUSIVE, "ClusterStmt": ACCESS_EXCLUSIVE, "AlterObjectSchemaStmt": ACCESS_EXCLUSIVE,
    "CreateTrigStmt": SHARE_ROW, "AlterSeqStmt": SHARE_ROW, "CreateStatsStmt": SHARE_UPDATE,
    "CreatePublicationStmt": SHARE_UPDATE, "AlterPublicationStmt": SHARE_UPDATE,
}  # fmt: skip


def _named(node: Message) -> list[Name]:
    """The relations that the lock is on: the statement's own, not those of its expressions."""
    for field in ("relation", "table", "sequence", "view"):
        part = getattr(node, field, None)
        if isinstance(part, pb.RangeVar):
            return [range_name(part)]
    return sorted(inspect(node).relations, key=str)


def _altered(node: pb.AlterTableStmt) -> list[tuple[Name, str]]:
    commands = [part for item in node.cmds if isinstance(part := unwrap_node(item), pb.AlterTableCmd)]
    found = [(range_name(node.relation), alter_lock(command)) for command in commands]
    for command in commands:
        for _, part in walk(command):
            if isinstance(part, pb.PartitionCmd):
                found.append((range_name(part.name), ACCESS_EXCLUSIVE))
            if isinstance(part, pb.Constraint) and part.contype == pb.CONSTR_FOREIGN:
                found.append((range_name(part.pktable), SHARE_ROW))
            if command.subtype == pb.AT_AddInherit and isinstance(part, pb.RangeVar):
                found.append((range_name(part), SHARE_UPDATE))
    return found


def _created(node: pb.CreateStmt | pb.CreateForeignTableStmt) -> list[tuple[Name, str]]:
    base = node if isinstance(node, pb.CreateStmt) else node.base_stmt
    parents = [part for item in base.inh_relations if isinstance(part := unwrap_node(item), pb.RangeVar)]
    partition = base.HasField("partbound")
    found = [(range_name(parent), ACCESS_EXCLUSIVE if partition else SHARE_UPDATE) for parent in parents]
    for _, part in walk(base):
        if isinstance(part, pb.Constraint) and part.contype == pb.CONSTR_FOREIGN:
            found.append((range_name(part.pktable), SHARE_ROW))
        if isinstance(part, pb.TableLikeClause):
            found.append((range_name(part.relation), "ACCESS SHARE"))
    own = range_name(base.relation)
    return [(table, mode) for table, mode in found if table != own]


def _dropped(node: pb.DropStmt) -> list[tuple[Name, str]]:
    if node.remove_type in {pb.OBJECT_POLICY, pb.OBJECT_TRIGGER, pb.OBJECT_RULE}:
        return [(name_of(_parts(item)[:-1]), ACCESS_EXCLUSIVE) for item in node.objects]
    if node.remove_type in _RELATIONS:
        mode = SHARE_UPDATE if node.concurrent else ACCESS_EXCLUSIVE
        return [(name_of(_parts(item)), mode) for item in node.objects]
    return []


_RELATIONS: Final = frozenset(
    {pb.OBJECT_TABLE, pb.OBJECT_VIEW, pb.OBJECT_MATVIEW, pb.OBJECT_INDEX, pb.OBJECT_SEQUENCE,
     pb.OBJECT_FOREIGN_TABLE}
)  # fmt: skip


def _parts(item: Message) -> list[str]:
    node = unwrap_node(item)
    return strings(node.items) if isinstance(node, pb.List) else strings([item])


def _comment_table(node: pb.CommentStmt) -> Name | None:
    parts = _parts(node.object)
    if node.objtype in _RELATIONS:
        return name_of(parts)
    return name_of(parts[:-1]) if node.objtype == pb.OBJECT_COLUMN and len(parts) > 1 else None


def _queried(node: Message) -> list[tuple[Name, str]]:
    """Rows: what is written, what is locked by FOR UPDATE, what is read."""
    common = {part.ctename for _, part in walk(node) if isinstance(part, pb.CommonTableExpr)}
    written = [
        range_name(part.relation)
        for _, part in walk(node)
        if isinstance(part, pb.InsertStmt | pb.UpdateStmt | pb.DeleteStmt | pb.MergeStmt)
    ]
    locking = any(isinstance(part, pb.LockingClause) for _, part in walk(node))
    read = [name for name in inspect(node).relations if name.schema or name.name not in common]
    return [(table, ROW_EXCLUSIVE) for table in written] + [
        (table, "ROW SHARE" if locking else "ACCESS SHARE") for table in read if table not in written
    ]


def _on(item: Message, option: str) -> bool:
    node = unwrap_node(item)
    return isinstance(node, pb.DefElem) and node.defname == option and "false" not in str(node.arg)
