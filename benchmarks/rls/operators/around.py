"""Faults beside the policies: switches, grants, triggers, keys, views, partitions."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.rls.catalog import Catalog
from benchmarks.rls.mutant import Mutant


def rls_off(catalog: Catalog) -> Iterator[Mutant]:
    """Row level security switched off."""
    for table in catalog.tables.values():
        if table.rls and not table.partition and table.name not in catalog.case.reference and table.readable:
            text = f"alter table {table.name} disable row level security;"
            yield Mutant(f"rls_off: {table.name}", "rls_off", text, (table.name,), (table.name,))


def table_added(catalog: Catalog) -> Iterator[Mutant]:
    """A new table without row level security, which default privileges opened to anon at once."""
    for target in (*catalog.case.anchors, *catalog.case.accounts[:1]):
        for name in ("symptom_notes", "import_buffer"):
            stem = target.partition(".")[2].removesuffix("s")
            text = (
                "alter default privileges in schema public grant all on tables to anon, authenticated;\n"
                f"create table public.{name}_{stem} (id uuid primary key default gen_random_uuid(), "
                f"{stem}_id uuid not null references {target} (id), note text);\n"
                f"create index on public.{name}_{stem} ({stem}_id);\n"
                f"grant all on public.{name}_{stem} to anon, authenticated;"
            )
            table = f"public.{name}_{stem}"
            rows = f"insert into {table} ({stem}_id, note) select id, 'x' from {target};"
            yield Mutant(f"table_added: {table}", "table_added", text, (table,), (table,), rows=rows)


def view_as_owner(catalog: Catalog) -> Iterator[Mutant]:
    """A view of the API reads with the rights of its owner."""
    for view in catalog.views:
        if view.schema == "public" and "security_invoker" in view.options:
            text = f"alter view {view.title} reset (security_invoker);"
            yield Mutant(f"view_as_owner: {view.title}", "view_as_owner", text, (view.title,), (view.title,))


def view_added(catalog: Catalog) -> Iterator[Mutant]:
    """A new view over a table, without security_invoker, granted by default privileges."""
    for table in catalog.tables.values():
        if not table.partition and table.name not in catalog.case.reference and table.rls:
            view = f"{table.name}_report"
            text = (
                f"create view {view} as select t.* from {table.name} t;\n"
                f"grant select on {view} to authenticated;"
            )
            yield Mutant(f"view_added: {view}", "view_added", text, (view,), (view,))


def matview_added(catalog: Catalog) -> Iterator[Mutant]:
    """A materialized view in the API schema: it cannot have policies."""
    for table in catalog.tables.values():
        if not table.partition and table.rls and catalog.case.column in table.columns:
            view = f"{table.name}_daily"
            column = catalog.case.column
            text = (
                f"create materialized view {view} as select t.{column}, count(*) as n "
                f"from {table.name} t group by t.{column};\n"
                f"grant select on {view} to authenticated;"
            )
            yield Mutant(
                f"matview_added: {view}",
                "matview_added",
                text,
                (view,),
                (view,),
                rows=f"refresh materialized view {view};",
            )


def partition_open(catalog: Catalog) -> Iterator[Mutant]:
    """A partition without row level security of its own, granted like every new table."""
    for table in catalog.tables.values():
        if table.partition:
            text = (
                f"alter table {table.name} disable row level security;\n"
                f"grant select, insert on {table.name} to authenticated;"
            )
            yield Mutant(
                f"partition_open: {table.name}", "partition_open", text, (table.name,), (table.name,)
            )


def grant_widened(catalog: Catalog) -> Iterator[Mutant]:
    """UPDATE or INSERT of all columns of what opens records, where the clean grant leaves out some."""
    for table in catalog.tables.values():
        if table.partition or table.name not in (*catalog.case.trusted, *catalog.case.accounts):
            continue
        for privilege, command in (("update", "update"), ("insert", "insert")):
            policies = [p.object for p in catalog.policies_on(table.name, command) if p.permissive]
            if policies:
                text = f"grant {privilege} on {table.name} to authenticated;"
                yield Mutant(
                    f"grant_widened: {privilege} {table.name}",
                    "grant_widened",
                    text,
                    (table.name, *policies),
                    (table.name,),
                )


def grant_and_policy(catalog: Catalog) -> Iterator[Mutant]:
    """A table that only services use is opened for a dashboard."""
    for table in catalog.tables.values():
        if (
            table.rls
            and not table.partition
            and not table.readable
            and table.name not in catalog.case.reference
        ):
            text = (
                f"create policy dashboard on {table.name} for select to authenticated using (true);\n"
                f"grant select on {table.name} to authenticated;"
            )
            named = f"policy dashboard on {table.name}"
            yield Mutant(
                f"grant_and_policy: {table.name}",
                "grant_and_policy",
                text,
                (named, table.name),
                (table.name,),
            )


def trigger_dropped(catalog: Catalog) -> Iterator[Mutant]:
    """The trigger that guarded an owner or a state column went with a refactoring."""
    refusing = {f.signature for f in catalog.functions if "raise exception" in f.body}
    for trigger in catalog.triggers:
        if trigger.before and trigger.function in refusing and not trigger.table.startswith("auth."):
            text = f'drop trigger "{trigger.name}" on {trigger.table};'
            policies = [p.object for p in catalog.policies_on(trigger.table, "update")]
            objects = (trigger.table, f"trigger {trigger.name} on {trigger.table}", *policies)
            yield Mutant(
                f"trigger_dropped: {trigger.table} {trigger.name}",
                "trigger_dropped",
                text,
                objects,
                (trigger.table,),
            )


def trigger_disabled(catalog: Catalog) -> Iterator[Mutant]:
    """The same trigger disabled for a back-fill and never enabled again."""
    for mutant in trigger_dropped(catalog):
        table, name = mutant.objects[0], mutant.objects[1].split(" ")[1]
        yield Mutant(
            mutant.name.replace("dropped", "disabled"),
            "trigger_disabled",
            f'alter table {table} disable trigger "{name}";',
            mutant.objects,
            mutant.look,
        )


def parents_of_two_records(catalog: Catalog) -> Iterator[Mutant]:
    """The key that held two parents of a row to one record became a plain one."""
    for key in catalog.keys:
        if len(key.columns) < 2 or catalog.case.column not in key.columns:
            continue
        for own, theirs in zip(key.columns, key.target_columns, strict=True):
            if own == catalog.case.column or theirs != "id":
                continue
            unique = (
                f"create unique index on {key.target} (id);\n"
                if not catalog.has_plain_key(key.target)
                else ""
            )
            if unique and catalog.tables[key.target].kind == "p":
                continue
            text = (
                f'alter table {key.table} drop constraint "{key.name}";\n{unique}'
                f"alter table {key.table} add foreign key ({own}) references {key.target} ({theirs});"
            )
            policies = [
                p.object
                for p in catalog.policies
                if p.table == key.table and p.command in ("insert", "update", "all")
            ]
            yield Mutant(
                f"parents_of_two_records: {key.table} {own}",
                "parents_of_two_records",
                text,
                (key.table, *policies),
                (key.table,),
            )


def owner_granted_self(catalog: Catalog) -> Iterator[Mutant]:
    """INSERT into a table that opens records, checked for nothing but the person: opened to oneself."""
    for table in catalog.case.trusted:
        for policy in [one for one in catalog.policies_on(table, "insert") if one.permissive]:
            for column in catalog.people(table):
                check = f"{column} = (select auth.uid())"
                text = policy.altered(checked=check) + f"\ngrant insert on {table} to authenticated;"
                yield Mutant(
                    f"self_grant: {table} {column}",
                    "self_grant",
                    text,
                    (policy.object, table),
                    (table,),
                    through=(table,),
                )


def self_join(catalog: Catalog) -> Iterator[Mutant]:
    """A new INSERT policy on a table that opens something: everybody adds himself."""
    for table in catalog.case.trusted:
        for column in catalog.people(table):
            text = (
                f'create policy "{column}_joins" on {table} for insert to authenticated '
                f"with check ({column} = (select auth.uid()));\n"
                f"grant insert on {table} to authenticated;"
            )
            named = f"policy {column}_joins on {table}"
            yield Mutant(f"self_join: {table} {column}", "self_join", text, (named, table), (table,))


def un_revoke(catalog: Catalog) -> Iterator[Mutant]:
    """The person a row opens something to may update it, and nothing guards the state."""
    for table in catalog.case.trusted:
        guards = [t for t in catalog.triggers if t.table == table and t.before]
        for column in catalog.people(table):
            for keep in (False, True):
                drops = (
                    ""
                    if keep
                    else "".join(
                        f'drop trigger "{t.name}" on {table};\n' for t in guards if "touch" not in t.name
                    )
                )
                text = (
                    drops + f'create policy "{column}_edits" on {table} for update to authenticated '
                    f"using ({column} = (select auth.uid()));\n"
                    f"grant update on {table} to authenticated;"
                )
                named = f"policy {column}_edits on {table}"
                yield Mutant(
                    f"un_revoke: {table} {column} {'guarded' if keep else 'unguarded'}",
                    "un_revoke",
                    text,
                    (named, table),
                    (table,),
                )
