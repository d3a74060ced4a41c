"""The way back of ALTER TABLE (and of ALTER VIEW, INDEX, SEQUENCE), action by action, from the old state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from tools.database.altering import actions
from tools.database.dropping import object_kind
from tools.database.locks import option_names, range_name
from tools.database.reach import Name
from tools.database.spelling import literal, quoted, spell

if TYPE_CHECKING:
    from tools.database.connection import Session

State = dict[str, Any]
"""One relation as `_STATE` reads it; empty when it does not exist yet."""
_STATE: Final = """
select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
  pg_catalog.pg_get_userbyid(c.relowner)::text as owner, coalesce(c.reloptions, '{}') as options,
  c.relrowsecurity as secured, c.relforcerowsecurity as forced, c.relpersistence::text as persistence,
  c.relreplident::text as identity,
  (select x.indexrelid::pg_catalog.regclass::text from pg_catalog.pg_index x
   where x.indrelid = c.oid and x.indisreplident) as identity_index,
  (select i.relname::text from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid
   where x.indrelid = c.oid and x.indisclustered) as clustered,
  coalesce((select pg_catalog.json_object_agg(a.attname, pg_catalog.json_build_object(
     'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'required', a.attnotnull,
     'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'generated', a.attgenerated::text,
     'identity', a.attidentity::text, 'position', a.attnum,
     'statistics', a.attstattarget, 'storage', a.attstorage::text))
   from pg_catalog.pg_attribute a
   left join pg_catalog.pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '{}') as columns,
  coalesce((select pg_catalog.json_object_agg(k.conname, pg_catalog.json_build_object(
     'text', pg_catalog.pg_get_constraintdef(k.oid), 'valid', k.convalidated))
   from pg_catalog.pg_constraint k where k.conrelid = c.oid), '{}') as constraints,
  coalesce((select pg_catalog.json_object_agg(t.tgname, t.tgenabled::text)
   from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal), '{}') as triggers,
  array(select k.relname::text from pg_catalog.pg_class k where k.relnamespace = c.relnamespace) as taken,
  coalesce((select pg_catalog.json_object_agg(i.inhrelid::pg_catalog.regclass::text,
      pg_catalog.pg_get_expr(p.relpartbound, p.oid))
   from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhrelid
   where i.inhparent = c.oid), '{}') as partitions
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
_STORAGE: Final = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
_ENABLED: Final = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
_ROW_SECURITY: Final = {
    pb.AT_EnableRowSecurity: ("secured", "DISABLE"), pb.AT_DisableRowSecurity: ("secured", "ENABLE"),
    pb.AT_ForceRowSecurity: ("forced", "NO FORCE"), pb.AT_NoForceRowSecurity: ("forced", "FORCE"),
}  # fmt: skip
_NOTHING: Final = "-- {what}: nothing changes, it is so already"


async def read_state(session: Session, name: Name) -> State:
    """The relation's state; an empty dict when there is none of that name."""
    rows = await session.fetch(_STATE, {"schema": name.schema or "", "name": name.name})
    return rows[0] if rows else {}


async def undo_alter(session: Session, node: pb.AlterTableStmt) -> list[str]:
    """One line for each action, last one first. A line that is no SQL is a comment that says why."""
    table = range_name(node.relation)
    state = await read_state(session, table)
    if not state:
        return [f"-- {table} is not there yet: its way back is the one of the statement that makes it"]
    kind = object_kind(node.objtype)
    head = f"ALTER {'TABLE' if kind == 'TYPE' else kind} {spell(Name(state['schema'], state['name']))}"
    lines: list[str] = []
    for command in reversed(actions(node)):
        back = _back(command, state)
        lines += [line if line.startswith("--") else f"{head} {line};" for line in back]
    return lines


def _back(command: pb.AlterTableCmd, state: State) -> Iterable[str]:
    kind = command.subtype
    if kind in _ROW_SECURITY:
        field, word = _ROW_SECURITY[kind]
        turned = state[field] != (kind in {pb.AT_EnableRowSecurity, pb.AT_ForceRowSecurity})
        return [f"{word} ROW LEVEL SECURITY" if turned else _NOTHING.format(what="ROW LEVEL SECURITY")]
    if kind in {pb.AT_SetRelOptions, pb.AT_ResetRelOptions}:
        return _options(command, state)
    if command.name in state["columns"] and kind in _COLUMN:
        return _COLUMN[kind](quoted(command.name), state["columns"][command.name])
    if kind in _ANY:
        return _ANY[kind](command, state)
    return [
        f"-- {pb.AlterTableType.Name(kind).removeprefix('AT_')}: no way back is known; note the old state"
    ]


def _options(command: pb.AlterTableCmd, state: State) -> list[str]:
    old = dict(option.split("=", 1) for option in state["options"])
    names = option_names(command)
    kept = ", ".join(f"{name} = {literal(old[name])}" for name in names if name in old)
    fresh = ", ".join(name for name in names if name not in old)
    lines = [f"SET ({kept})"] if kept else []
    return lines + ([f"RESET ({fresh})"] if fresh and command.subtype == pb.AT_SetRelOptions else [])


def _default(name: str, old: State) -> list[str]:
    return [f"ALTER COLUMN {name} " + (f"SET DEFAULT {old['default']}" if old["default"] else "DROP DEFAULT")]


def _required(name: str, old: State) -> list[str]:
    return [f"ALTER COLUMN {name} {'SET' if old['required'] else 'DROP'} NOT NULL"]


def _type(name: str, old: State) -> list[str]:
    back = f"ALTER COLUMN {name} TYPE {old['type']} USING {name}::{old['type']}"
    return ["-- what the conversion cut off does not come back", back]


def _dropped_column(name: str, old: State) -> list[str]:
    made = f"ADD COLUMN {name} {old['type']}"
    if old["generated"]:
        return [f"{made} GENERATED ALWAYS AS ({old['default']}) STORED"]
    if old["identity"]:
        word = "ALWAYS" if old["identity"] == "a" else "BY DEFAULT"
        return [f"-- numbers of {name} are new ones", f"{made} GENERATED {word} AS IDENTITY"]
    lines = (
        [f"ALTER COLUMN {name} SET NOT NULL", "-- fill the column before NOT NULL"] if old["required"] else []
    )
    made += f" DEFAULT {old['default']}" if old["default"] else ""
    also = f"-- the values of {name} are gone; indexes, constraints and policies on it must be made again"
    return [also, made, *reversed(lines)]


_COLUMN: Final[dict[int, Callable[[str, State], list[str]]]] = {
    pb.AT_ColumnDefault: _default,
    pb.AT_SetNotNull: _required,
    pb.AT_DropNotNull: _required,
    pb.AT_AlterColumnType: _type,
    pb.AT_DropColumn: _dropped_column,
    pb.AT_SetStatistics: lambda name, old: [
        f"ALTER COLUMN {name} SET STATISTICS {-1 if old['statistics'] is None else old['statistics']}"
    ],
    pb.AT_SetStorage: lambda name, old: [f"ALTER COLUMN {name} SET STORAGE {_STORAGE[old['storage']]}"],
    pb.AT_AddIdentity: lambda name, _: [f"ALTER COLUMN {name} DROP IDENTITY"],
}


def _added_column(command: pb.AlterTableCmd, state: State) -> list[str]:
    column = unwrap_node(getattr(command, "def"))
    name = column.colname if isinstance(column, pb.ColumnDef) else ""
    if name in state["columns"]:
        return [_NOTHING.format(what=f"column {name}")]
    return [f"DROP COLUMN {quoted(name)}"]


def _added_constraint(command: pb.AlterTableCmd, state: State) -> list[str]:
    constraint = unwrap_node(getattr(command, "def"))
    if not isinstance(constraint, pb.Constraint):
        return []
    name = constraint.conname or constraint_name(constraint, state)
    if not name:
        return ["-- ADD CONSTRAINT without a name: DROP CONSTRAINT with the name that PostgreSQL chose"]
    return [f"DROP CONSTRAINT {quoted(name)}"]


def constraint_name(constraint: pb.Constraint, state: State) -> str:
    """The name that PostgreSQL gives an unnamed constraint, or an empty string when it is not certain."""
    ending = {pb.CONSTR_PRIMARY: "pkey", pb.CONSTR_UNIQUE: "key", pb.CONSTR_FOREIGN: "fkey"}.get(
        constraint.contype
    )
    keys = constraint.fk_attrs if constraint.contype == pb.CONSTR_FOREIGN else constraint.keys
    columns = [part.sval for item in keys if isinstance(part := unwrap_node(item), pb.String)]
    columns = [] if constraint.contype == pb.CONSTR_PRIMARY else columns
    return free_name([state["name"], *columns, ending], state) if ending else ""


def free_name(parts: list[str], state: State) -> str:
    """The name that PostgreSQL makes of these parts: numbered when taken, empty when it would be cut."""
    wanted = name = "_".join(parts)
    number, taken = 0, {*state["constraints"], *state["taken"]}
    while name in taken:
        number += 1
        name = f"{wanted}{number}"
    return name if len(name.encode()) < 60 else ""


def _dropped_constraint(command: pb.AlterTableCmd, state: State) -> list[str]:
    old = state["constraints"].get(command.name)
    if not old:
        return [_NOTHING.format(what=f"constraint {command.name}")]
    return [f"ADD CONSTRAINT {quoted(command.name)} {old['text']}"]


def _validated(command: pb.AlterTableCmd, state: State) -> list[str]:
    old = state["constraints"].get(command.name)
    if not old or old["valid"]:
        return [_NOTHING.format(what=f"constraint {command.name}")]
    name = quoted(command.name)
    return [f"DROP CONSTRAINT {name}", f"ADD CONSTRAINT {name} {old['text']}"]  # its text says NOT VALID


def _trigger(command: pb.AlterTableCmd, state: State) -> list[str]:
    names = [command.name] if command.name else list(state["triggers"])
    return [
        f"{_ENABLED[state['triggers'][name]]} TRIGGER {quoted(name)}"
        for name in names
        if name in state["triggers"]
    ] or ["-- triggers: none of that name"]


def _partition(command: pb.AlterTableCmd, state: State) -> list[str]:
    part = unwrap_node(getattr(command, "def"))
    if not isinstance(part, pb.PartitionCmd):
        return []
    name = range_name(part.name)
    if command.subtype == pb.AT_AttachPartition:
        return [f"DETACH PARTITION {spell(name)}"]
    bound = next(
        (b for child, b in state["partitions"].items() if child.split(".")[-1] == quoted(name.name)), ""
    )
    return [f"ATTACH PARTITION {spell(name)} {bound}" if bound else "-- DETACH: the partition is not there"]


def _identity(_: pb.AlterTableCmd, state: State) -> list[str]:
    words = {"d": "DEFAULT", "n": "NOTHING", "f": "FULL", "i": f"USING INDEX {state['identity_index']}"}
    return [f"REPLICA IDENTITY {words[state['identity']]}"]


def _inherit(command: pb.AlterTableCmd, _: State) -> list[str]:
    parent = unwrap_node(getattr(command, "def"))
    word = "NO INHERIT" if command.subtype == pb.AT_AddInherit else "INHERIT"
    return [f"{word} {spell(range_name(parent))}"] if isinstance(parent, pb.RangeVar) else []


_LOGGED: Final = {"p": "SET LOGGED", "u": "SET UNLOGGED"}
_ANY: Final[dict[int, Callable[[pb.AlterTableCmd, State], list[str]]]] = {
    pb.AT_AddColumn: _added_column,
    pb.AT_AddConstraint: _added_constraint,
    pb.AT_DropConstraint: _dropped_constraint,
    pb.AT_ValidateConstraint: _validated,
    pb.AT_ChangeOwner: lambda _, state: [f"OWNER TO {quoted(state['owner'])}"],
    pb.AT_AttachPartition: _partition,
    pb.AT_DetachPartition: _partition,
    pb.AT_ReplicaIdentity: _identity,
    pb.AT_SetLogged: lambda _, state: [_LOGGED[state["persistence"]]],
    pb.AT_SetUnLogged: lambda _, state: [_LOGGED[state["persistence"]]],
    pb.AT_AddInherit: _inherit,
    pb.AT_DropInherit: _inherit,
    pb.AT_ClusterOn: lambda _, state: [
        f"CLUSTER ON {quoted(state['clustered'])}" if state["clustered"] else "SET WITHOUT CLUSTER"
    ],
    **dict.fromkeys(
        (
            pb.AT_EnableTrig, pb.AT_EnableAlwaysTrig, pb.AT_EnableReplicaTrig, pb.AT_EnableTrigAll,
            pb.AT_EnableTrigUser, pb.AT_DisableTrig, pb.AT_DisableTrigAll, pb.AT_DisableTrigUser,
        ),
        _trigger,
    ),
}  # fmt: skip
