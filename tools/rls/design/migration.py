"""The plans of a design as one migration script, and the script that takes it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tools.rls.design.access import Access
from tools.rls.design.existing import free_name, guard
from tools.rls.design.helpers import Library
from tools.rls.objects import Policy, Relation
from tools.rls.privileges import PUBLIC, Acl
from tools.rls.wording import literal, quoted, table_name

PRIVILEGES: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
KEEP: Final = """create function {name}() returns trigger
language plpgsql set search_path = '' as $$
declare
  kept text;
begin
  -- Binds those whom the policies bind: the service and definer functions may still hand a row over.
  if pg_catalog.row_security_active(tg_relid) then
    foreach kept in array tg_argv loop
      if pg_catalog.to_jsonb(new) -> kept is distinct from pg_catalog.to_jsonb(old) -> kept then
        raise exception '% of % cannot be changed', kept, tg_table_name using errcode = '42501';
      end if;
    end loop;
  end if;
  return new;
end
$$;
revoke execute on function {name}() from {outsiders};"""


@dataclass(frozen=True, slots=True)
class Migration:
    """`script` is the whole change, `undo` takes it back; `questions` are for a person."""

    script: str
    undo: str
    questions: tuple[str, ...]


def write(
    library: Library,
    plans: Sequence[Access],
    planned: str = "",
    *,
    new: frozenset[str] = frozenset(),
    heading: Iterable[str] = (),
) -> Migration:
    """The migration: planned tables (`new` are their names), the private schema, helpers, table by table."""
    keeper = _keeper(library) if any(_guards(access) for access in plans) else ""
    tables = [_table(library, access, keeper) for access in plans]
    parts = [
        *(f"-- {line}" for line in heading),
        "begin;",
        *([planned.strip().rstrip(";") + ";"] if planned.strip() else []),
        *library.schema_statements(),
        *library.made,
        *(f"\n-- {access.table.title}\n{text}" for access, text in zip(plans, tables, strict=True)),
        "commit;",
    ]
    undo = [
        "begin;",
        *(_undone(library, access) for access in plans if access.table.title not in new),
        *(line for access in plans if access.table.title in new for line in reversed(access.undo)),
        *(f"drop table {table_name(library.snapshot.relations[title])} cascade;" for title in sorted(new)),
        *reversed(library.undo),
        "commit;",
    ]
    questions = [question for access in plans for question in access.questions]
    return Migration("\n".join(parts) + "\n", "\n".join(undo) + "\n", tuple(dict.fromkeys(questions)))


def _guards(access: Access) -> bool:
    return bool(access.kept) and "UPDATE" in access.commands


def _keeper(library: Library) -> str:
    """The trigger function that keeps columns: the schema's own, or a new one."""
    known = guard(library.snapshot)
    if known:
        library.reused.append(known)
        return known
    name = quoted(library.schema, free_name(library.snapshot, library.schema, "keep_columns"))
    outsiders = ", ".join(["public", *(quoted(role.name) for role in library.snapshot.callers)])
    library.made.append(KEEP.format(name=name, outsiders=outsiders))
    library.undo.append(f"drop function {name}();")
    return name


def _table(library: Library, access: Access, keeper: str) -> str:
    table, name, role = access.table, table_name(access.table), quoted(library.role)
    lines = [f"alter table {name} enable row level security;"]
    lines += [f"drop policy {quoted(policy.name)} on {name};" for policy in _replaced(table)]
    outsiders = [PUBLIC, *(quoted(one.name) for one in library.snapshot.callers)]
    lines.append(f"revoke all on {name} from {', '.join(outsiders)};")
    granted = [command.lower() for command in access.commands]
    if granted:
        lines.append(f"grant {', '.join(granted)} on {name} to {role};")
    lines += [_policy(access, command, role) for command in access.commands]
    if access.everybody and "anon" in library.snapshot.roles:
        lines.append(f"grant select on {name} to anon;")
        policy = quoted(f"{table.name}_published"[:63])
        lines.append(f"create policy {policy} on {name} for select to anon\n  using ({access.everybody});")
    if _guards(access):
        kept = ", ".join(literal(column) for column in access.kept)
        trigger = quoted(f"{table.name}_keep"[:63])
        each = f"for each row execute function {keeper}({kept})"
        lines.append(f"create trigger {trigger} before update on {name}\n  {each};")
    lines += access.functions
    lines += [f"create index {index} on {name} ({quoted(column)});" for column, index in _indexes(access)]
    return "\n".join(lines)


def _policy(access: Access, command: str, role: str) -> str:
    name = quoted(f"{access.table.name}_{command.lower()}"[:63])
    clauses = [
        f"{word} ({text})"
        for word, text in (("using", access.using.get(command)), ("with check", access.check.get(command)))
        if text
    ]
    head = f"create policy {name} on {table_name(access.table)} for {command.lower()} to {role}"
    return "\n  ".join([head, *clauses]) + ";"


def _replaced(table: Relation) -> list[Policy]:
    """Permissive policies give way to the design; restrictive ones only narrow it and stay."""
    return [policy for policy in table.policies if policy.permissive]


def _indexes(access: Access) -> list[tuple[str, str]]:
    """Columns that policies compare and no index begins with."""
    table = access.table
    led = {
        index.columns[0] for index in table.indexes if index.valid and not index.predicate and index.columns
    }
    led |= {key.columns[0] for key in table.keys if key.kind in "pu" and key.columns}
    return [(c, quoted(f"{table.name}_{c}_idx"[:63])) for c in access.filtered if c not in led]


def _undone(library: Library, access: Access) -> str:
    """The table as it was: policies, privileges of API roles, row level security."""
    table, name = access.table, table_name(access.table)
    lines = [f"drop index {quoted(table.schema)}.{index};" for _, index in _indexes(access)]
    lines += reversed(access.undo)
    if _guards(access):
        lines.append(f"drop trigger {quoted(f'{table.name}_keep'[:63])} on {name};")
    made = [f"{table.name}_{command.lower()}"[:63] for command in access.commands]
    made += [f"{table.name}_published"[:63]] if access.everybody and "anon" in library.snapshot.roles else []
    lines += [f"drop policy {quoted(policy)} on {name};" for policy in made]
    lines += [restored(table, policy) for policy in _replaced(table)]
    if not table.rls:
        lines.append(f"alter table {name} disable row level security;")
    callers = [PUBLIC, *(role.name for role in library.snapshot.callers), library.role]
    lines += regranted(table.acl, name, list(dict.fromkeys(callers)))
    return "\n".join(lines)


def restored(table: Relation, policy: Policy) -> str:
    """CREATE POLICY of a policy as it stands in the catalog."""
    roles = ", ".join("public" if role == PUBLIC else quoted(role) for role in policy.roles)
    kind = "" if policy.permissive else " as restrictive"
    head = f"create policy {quoted(policy.name)} on {table_name(table)}{kind}"
    lines = [f"{head} for {policy.command.lower()} to {roles}"]
    lines += [f"using ({policy.using_text})"] if policy.using_text else []
    lines += [f"with check ({policy.check_text})"] if policy.check_text else []
    return "\n  ".join(lines) + ";"


def regranted(acl: Acl, name: str, roles: Sequence[str]) -> list[str]:
    """The table privileges of these roles as they were."""
    lines: list[str] = []
    for role in roles:
        written = PUBLIC if role == PUBLIC else quoted(role)
        held = [privilege.lower() for privilege in PRIVILEGES if privilege in acl.get(role, frozenset())]
        lines.append(f"revoke all on {name} from {written};")
        if held:
            lines.append(f"grant {', '.join(held)} on {name} to {written};")
    return lines
