"""Rewrites that change nothing for anybody: what a tool says about them is a false alarm."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.rls import trees
from benchmarks.rls.catalog import Catalog
from benchmarks.rls.mutant import Mutant, spread

Make = Callable[[Catalog], Iterator[Mutant]]
PER_KIND: Final = 2
DRAFTS: Final = """
create table public.drafts (
  id uuid primary key default gen_random_uuid(), author_id uuid not null references {accounts} (id), body text
);
create index on public.drafts (author_id);
alter table public.drafts enable row level security;
revoke all on public.drafts from anon, authenticated;
grant select, insert, delete on public.drafts to authenticated;
create policy drafts_select on public.drafts for select to authenticated
  using (author_id = (select auth.uid()));
create policy drafts_insert on public.drafts for insert to authenticated
  with check (author_id = (select auth.uid()));
create policy drafts_delete on public.drafts for delete to authenticated
  using (author_id = (select auth.uid()));
"""


def _mutant(kind: str, what: str, sql: str, *look: str) -> Mutant:
    return Mutant(f"harmless {kind}: {what}"[:160], f"harmless {kind}", sql, (), look)


def _policies(catalog: Catalog, kind: str, change: Callable[[str], str | None]) -> Iterator[Mutant]:
    for policy in catalog.policies:
        using = change(policy.using) if policy.using else None
        checked = change(policy.checked) if policy.checked else None
        if using or checked:
            yield _mutant(
                kind,
                f"{policy.table} {policy.name}",
                policy.altered(using or policy.using, checked or policy.checked),
                policy.table,
            )


def reordered(catalog: Catalog) -> Iterator[Mutant]:
    """Parts of AND and OR in another order."""

    def change(text: str) -> str | None:
        return next((changed for _, changed in trees.expressions(text, trees.reversed_parts)), None)

    yield from _policies(catalog, "reordered", change)


def double_negation(catalog: Catalog) -> Iterator[Mutant]:
    """De Morgan: a and b as not (not a or not b)."""

    def change(text: str) -> str | None:
        return next((changed for _, changed in trees.expressions(text, trees.de_morgan)), None)

    yield from _policies(catalog, "de Morgan", change)


def in_for_any(catalog: Catalog) -> Iterator[Mutant]:
    """x = any (array(select ...)) as x in (select ...)."""
    for policy in catalog.policies:

        def change(text: str) -> str | None:
            changed = re.sub(r"= ANY \(ARRAY\( (SELECT [\w.]+\(\) AS \w+)\)\)", r"in (\1)", text)
            return changed if changed != text else None

        using = change(policy.using) if policy.using else None
        checked = change(policy.checked) if policy.checked else None
        if using or checked:
            yield _mutant(
                "in for any",
                f"{policy.table} {policy.name}",
                policy.altered(using or policy.using, checked or policy.checked),
                policy.table,
            )


def wrapped(catalog: Catalog) -> Iterator[Mutant]:
    """(select auth.uid()) without the select, or a helper call inside one."""

    def bare(text: str) -> str | None:
        changed = text.replace("( SELECT auth.uid() AS uid)", "auth.uid()")
        return changed if changed != text else None

    yield from _policies(catalog, "bare uid", bare)


def coalesced(catalog: Catalog) -> Iterator[Mutant]:
    """coalesce(x, false): null refuses already."""
    yield from _policies(catalog, "coalesce", lambda text: f"coalesce({text}, false)")


def is_true(catalog: Catalog) -> Iterator[Mutant]:
    """(x) is true."""
    yield from _policies(catalog, "is true", lambda text: f"({text}) is true")


def cast(catalog: Catalog) -> Iterator[Mutant]:
    """Explicit casts of what has the type already."""

    def change(text: str) -> str | None:
        changed = text.replace("( SELECT auth.uid() AS uid)", "( SELECT (auth.uid())::uuid AS uid)")
        return changed if changed != text else None

    yield from _policies(catalog, "cast", change)


def check_said(catalog: Catalog) -> Iterator[Mutant]:
    """WITH CHECK left out where it is the same as USING: PostgreSQL takes USING."""
    for policy in catalog.policies:
        if policy.command == "update" and policy.using and policy.using == policy.checked:
            text = (
                f'drop policy "{policy.name}" on {policy.table};\n'
                f'create policy "{policy.name}" on {policy.table} for update to {policy.roles} '
                f"using ({policy.using});"
            )
            yield _mutant("check omitted", policy.table, text, policy.table)


def split(catalog: Catalog) -> Iterator[Mutant]:
    """a or b as two permissive policies."""
    for policy in catalog.policies:
        if policy.command in ("select", "delete") and policy.permissive and policy.using:
            parts = trees.disjuncts(policy.using)
            if len(parts) > 1:
                text = policy.altered(parts[0]) + "".join(
                    f'\ncreate policy "{policy.name}_{n}" on {policy.table} '
                    f"for {policy.command} to {policy.roles} using ({part});"
                    for n, part in enumerate(parts[1:], 2)
                )
                yield _mutant("split", policy.table, text, policy.table)


def implied_restriction(catalog: Catalog) -> Iterator[Mutant]:
    """A restrictive policy that repeats the permissive one."""
    for policy in catalog.policies:
        alone = [
            p
            for p in catalog.policies
            if p.table == policy.table and p.command in ("select", "all") and p.permissive
        ]
        if policy.command == "select" and policy.permissive and alone == [policy] and policy.using:
            text = (
                f'create policy "{policy.name}_again" on {policy.table} as restrictive '
                f"for select to {policy.roles} using ({policy.using});"
            )
            yield _mutant("implied restriction", policy.table, text, policy.table)


def renamed_policy(catalog: Catalog) -> Iterator[Mutant]:
    """Another name."""
    for policy in catalog.policies:
        yield _mutant(
            "renamed policy",
            f"{policy.table} {policy.name}",
            f'alter policy "{policy.name}" on {policy.table} rename to "{policy.name} v2";',
            policy.table,
        )


def renamed_helper(catalog: Catalog) -> Iterator[Mutant]:
    """A helper with another name; policies follow by themselves, other bodies are rewritten."""
    for function in catalog.functions:
        users = [
            f for f in catalog.functions if f is not function and re.search(rf"\b{function.name}\(", f.body)
        ]
        if function.schema != "public" and function.returns != "trigger" and catalog.users(function.name):
            new = f"{function.name}_v2"
            text = f'alter function {function.signature} rename to "{new}";\n' + "\n".join(
                user.rewritten(
                    re.sub(rf"\b{function.schema}\.{function.name}\(", f"{function.schema}.{new}(", user.body)
                )
                for user in users
            )
            yield _mutant("renamed helper", function.title, text, *catalog.users(function.name, 2))


def granted_again(catalog: Catalog) -> Iterator[Mutant]:
    """Grants stated again, and a revoke of what nobody has."""
    for table in catalog.tables.values():
        if table.readable == len(table.columns):
            text = f"grant select on {table.name} to authenticated;\nrevoke insert on {table.name} from anon;"
            yield _mutant("granted again", table.name, text, table.name)


def commented(catalog: Catalog) -> Iterator[Mutant]:
    """Comments, also alarming ones."""
    for policy in catalog.policies:
        said = "'USING (true) was here; disable row level security'"
        text = f'comment on policy "{policy.name}" on {policy.table} is {said};'
        yield _mutant("comment", policy.table, text, policy.table)


def plpgsql_helper(catalog: Catalog) -> Iterator[Mutant]:
    """A SQL helper as PL/pgSQL."""
    for function in catalog.functions:
        if (
            function.language == "sql"
            and function.definer
            and catalog.users(function.name)
            and function.body.strip().lower().startswith("select")
        ):
            statement = function.body.strip()
            body = (
                f"\n#variable_conflict use_column\nbegin\n  return query {statement};\nend\n"
                if function.many
                else f"\nbegin\n  return ({statement});\nend\n"
            )
            text = function.rewritten(body).replace("LANGUAGE sql", "LANGUAGE plpgsql")
            yield _mutant("plpgsql helper", function.title, text, *catalog.users(function.name, 3))


def forced(catalog: Catalog) -> Iterator[Mutant]:
    """FORCE ROW LEVEL SECURITY: the owner is a superuser here."""
    for table in catalog.tables.values():
        if table.rls and not table.partition:
            yield _mutant(
                "forced", table.name, f"alter table {table.name} force row level security;", table.name
            )


def index_added(catalog: Catalog) -> Iterator[Mutant]:
    """An index, and a trigger that only counts."""
    for table in catalog.tables.values():
        if "created_at" in table.columns and not table.partition:
            yield _mutant(
                "index added", table.name, f"create index on {table.name} (created_at);", table.name
            )


def protected_table(catalog: Catalog) -> Iterator[Mutant]:
    """A new table that is the owner's alone."""
    yield _mutant("protected table", "public.drafts", DRAFTS.format(accounts=catalog.case.accounts[0]))


HARMLESS: Final[tuple[Make, ...]] = (
    reordered,
    double_negation,
    in_for_any,
    wrapped,
    coalesced,
    is_true,
    cast,
    check_said,
    split,
    implied_restriction,
    renamed_policy,
    renamed_helper,
    granted_again,
    commented,
    plpgsql_helper,
    forced,
    index_added,
    protected_table,
)


def harmless(catalog: Catalog) -> list[Mutant]:
    """A few of each kind."""
    return [mutant for make in HARMLESS for mutant in spread(make(catalog), PER_KIND)]
