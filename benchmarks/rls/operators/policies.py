"""Faults inside a policy's own expression."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.rls import trees
from benchmarks.rls.catalog import Catalog, Policy
from benchmarks.rls.mutant import Mutant

UID = "(select auth.uid())"


def by_tree(
    catalog: Catalog, operator: str, edit: trees.Edit, policies: list[Policy] | None = None
) -> Iterator[Mutant]:
    """One mutant for every place of every policy where an edit applies; USING and CHECK change together."""
    for policy in catalog.private() if policies is None else policies:
        using = dict(enumerate(trees.expressions(policy.using, edit)))
        checked = dict(enumerate(trees.expressions(policy.checked, edit)))
        for number in sorted(using.keys() | checked.keys()):
            labels = [found[number][0] for found in (using, checked) if number in found]
            text = policy.altered(
                using[number][1] if number in using else None,
                checked[number][1] if number in checked else None,
            )
            yield of_policy(catalog, operator, policy, f"{labels[0]} {number}", text)


def of_policy(catalog: Catalog, operator: str, policy: Policy, what: str, text: str, *more: str) -> Mutant:
    """A mutant whose right object is a policy; writes into trusted tables are followed by reads."""
    trusted = policy.table in catalog.case.trusted
    return Mutant(
        f"{operator}: {policy.table} {policy.name}: {what}"[:160],
        operator,
        text,
        (policy.object, *more),
        look=(policy.table,),
        through=(policy.table,) if trusted and policy.command == "insert" else (),
    )


def conjunct_dropped(catalog: Catalog) -> Iterator[Mutant]:
    """One condition of a policy is left out."""
    yield from by_tree(catalog, "conjunct_dropped", trees.dropped)


def and_to_or(catalog: Catalog) -> Iterator[Mutant]:
    """AND became OR."""
    yield from by_tree(catalog, "and_to_or", trees.loosened)


def or_precedence(catalog: Catalog) -> Iterator[Mutant]:
    """Brackets around an OR are lost."""
    yield from by_tree(catalog, "or_precedence", trees.regrouped)


def negated_list(catalog: Catalog) -> Iterator[Mutant]:
    """Who is on the list is refused, everybody else passes."""
    yield from by_tree(catalog, "negated_list", trees.negated)


def null_passes(catalog: Catalog) -> Iterator[Mutant]:
    """A condition that is true for callers without an identity, on a table that anon may read."""
    for policy in catalog.private():
        if policy.command == "select" and policy.using:
            text = (
                f'alter policy "{policy.name}" on {policy.table} to anon, authenticated '
                f"using ({policy.using} or {UID} is null);"
            )
            yield of_policy(
                catalog,
                "null_passes",
                policy,
                "anon",
                f"{text}\ngrant select on {policy.table} to anon;",
                policy.table,
            )


def weaker_helper(catalog: Catalog) -> Iterator[Mutant]:
    """The helper of a lower level: reading opens writing."""
    for old, new in catalog.case.weaker:
        yield from by_tree(catalog, "weaker_helper", trees.called(old, new))


def word_added(catalog: Catalog) -> Iterator[Mutant]:
    """A policy lets in one more status, level or bucket."""
    for policy in catalog.private():
        words = catalog.words_in(f"{policy.using} {policy.checked}", policy.table)
        yield from by_tree(catalog, "word_added", trees.widened(words), [policy])


def level_argument(catalog: Catalog) -> Iterator[Mutant]:
    """The helper is asked for a lower level: can_access(x, 'read') where 'write' is meant."""
    yield from by_tree(catalog, "level_argument", lambda node: trees.argument(node, catalog.case.lower))


def signed_in_is_enough(catalog: Catalog) -> Iterator[Mutant]:
    """auth.uid() is not null, and no more."""
    for policy in catalog.private():
        enough = f"{UID} is not null"
        using = enough if policy.using else None
        checked = enough if policy.checked else None
        yield of_policy(catalog, "signed_in_is_enough", policy, "any", policy.altered(using, checked))


def author_is_enough(catalog: Catalog) -> Iterator[Mutant]:
    """Who once wrote the row keeps it, whatever became of the access."""
    for policy in catalog.private():
        for column in catalog.people(policy.table):
            if policy.using and policy.command in ("select", "update", "delete", "all"):
                text = f"{policy.using} or {column} = {UID}"
                yield of_policy(
                    catalog, "author_is_enough", policy, column, policy.altered(text, policy.checked and text)
                )


def wrong_column(catalog: Catalog) -> Iterator[Mutant]:
    """Another person column of the same table is compared."""
    for policy in catalog.private():
        people = catalog.people(policy.table)
        for old in people:
            for new in people:
                if old != new:
                    yield from by_tree(catalog, "wrong_column", trees.swapped({old: new}), [policy])


def check_true(catalog: Catalog) -> Iterator[Mutant]:
    """WITH CHECK (true) on INSERT."""
    for policy in catalog.private():
        if policy.command == "insert":
            yield of_policy(catalog, "check_true", policy, "insert", policy.altered(checked="true"))


def check_weaker_than_using(catalog: Catalog) -> Iterator[Mutant]:
    """UPDATE checks nothing of the new row, and the trigger that froze the owner column is gone."""
    for policy in catalog.private():
        guards = [
            t
            for t in catalog.triggers
            if t.table == policy.table and t.before and ("freeze" in t.name or "guard" in t.name)
        ]
        if policy.command in ("update", "all") and policy.using and policy.table.startswith("public."):
            drops = "".join(f'drop trigger "{t.name}" on {t.table};\n' for t in guards)
            yield of_policy(
                catalog,
                "check_weaker_than_using",
                policy,
                "true",
                drops + policy.altered(checked="true"),
                policy.table,
            )


def using_true(catalog: Catalog) -> Iterator[Mutant]:
    """USING (true)."""
    for policy in catalog.private():
        if policy.using:
            yield of_policy(
                catalog,
                "using_true",
                policy,
                policy.command,
                policy.altered("true", policy.checked and "true"),
            )


def role_anon(catalog: Catalog) -> Iterator[Mutant]:
    """Open to anon, for a widget on the website."""
    for policy in catalog.private():
        if policy.command in ("select", "all") and policy.table.startswith("public."):
            opened = (
                f'create policy "{policy.name}_site" on {policy.table} for select to anon using (true);\n'
                f"grant select on {policy.table} to anon;"
            )
            named = f"policy {policy.name}_site on {policy.table}"
            yield Mutant(
                f"role_anon: {policy.table}", "role_anon", opened, (named, policy.table), (policy.table,)
            )


def extra_permissive(catalog: Catalog) -> Iterator[Mutant]:
    """A second permissive policy, meant as a restriction: permissive ones are OR-ed."""
    for policy in catalog.private():
        words = "'" + "', '".join(("open", "final", "active", "x")) + "'"
        columns = catalog.tables[policy.table].columns if policy.table in catalog.tables else []
        test = (
            f"status::text in ({words})"
            if "status" in columns
            else "created_at <= now()"
            if "created_at" in columns
            else ""
        )
        if policy.command == "select" and test:
            text = (
                f'create policy "{policy.name}_live" on {policy.table} for select to authenticated '
                f"using ({test});"
            )
            named = f"policy {policy.name}_live on {policy.table}"
            yield Mutant(
                f"extra_permissive: {policy.table}",
                "extra_permissive",
                text,
                (named, policy.table),
                (policy.table,),
            )


def for_all(catalog: Catalog) -> Iterator[Mutant]:
    """FOR ALL in place of FOR SELECT: who reads also writes."""
    for policy in catalog.private():
        if policy.command == "select" and policy.table.startswith("public."):
            text = f'drop policy "{policy.name}" on {policy.table};\n{policy.created("all")}'
            yield of_policy(catalog, "for_all", policy, "all", text)


def uncorrelated_exists(catalog: Catalog) -> Iterator[Mutant]:
    """EXISTS that is not tied to the row: any grant opens every row."""
    for policy in catalog.private():
        for opening in catalog.case.openings:
            if policy.using and catalog.case.column in (
                catalog.tables[policy.table].columns if policy.table in catalog.tables else ()
            ):
                test = opening.exists(f"o.{opening.scope} = o.{opening.scope}")
                using = f"({policy.using}) or {test}" if policy.command != "insert" else None
                checked = f"({policy.checked}) or {test}" if policy.checked else None
                yield of_policy(
                    catalog, "uncorrelated_exists", policy, opening.table, policy.altered(using, checked)
                )


def lifecycle_inlined(catalog: Catalog) -> Iterator[Mutant]:
    """A helper inlined into one policy, and a condition of life forgotten on the way."""
    for policy in catalog.private():
        table = catalog.tables.get(policy.table)
        if policy.command != "select" or table is None or catalog.case.column not in table.columns:
            continue
        for opening in catalog.case.openings:
            for missing in range(len(opening.conditions)):
                test = opening.exists(f"o.{opening.scope} = {policy.table}.{catalog.case.column}", missing)
                yield of_policy(
                    catalog,
                    "lifecycle_inlined",
                    policy,
                    f"{opening.table} {opening.conditions[missing]}",
                    policy.altered(f"({policy.using}) or {test}"),
                )


def restrictive_lost(catalog: Catalog) -> Iterator[Mutant]:
    """A restrictive policy dropped, or created again without AS RESTRICTIVE."""
    for policy in catalog.policies:
        if not policy.permissive:
            drop = f'drop policy "{policy.name}" on {policy.table};'
            for what, text in (
                ("dropped", drop),
                ("permissive", f"{drop}\n{policy.created(permissive=True)}"),
            ):
                yield of_policy(catalog, "restrictive_lost", policy, what, text, policy.table)
