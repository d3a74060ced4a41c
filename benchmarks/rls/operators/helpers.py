"""Faults inside helper functions and the views they read: no policy changes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.rls import trees
from benchmarks.rls.catalog import Catalog, Function
from benchmarks.rls.mutant import Mutant

LINE = re.compile(r"^\s*(and|or)\s.*$", re.MULTILINE | re.IGNORECASE)
REFUSAL = re.compile(
    r"^\s*if [^;]*? then\s*(?:raise exception|return false|return null|return)[^;]*;(?:\s*end if;)",
    re.MULTILINE | re.IGNORECASE | re.DOTALL,
)


def of_function(catalog: Catalog, operator: str, function: Function, what: str, text: str) -> Mutant:
    """A mutant whose right object is a function."""
    look = catalog.users(function.name)
    return Mutant(
        f"{operator}: {function.title}: {what}"[:160],
        operator,
        text,
        (function.title,),
        look=look,
        functions=catalog.callers(function.name),
        chains=tuple(catalog.case.chains) if function.language == "plpgsql" else (),
    )


def helpers(catalog: Catalog) -> list[Function]:
    """Functions that some policy reaches, and those behind the API."""
    return [
        f
        for f in catalog.functions
        if f.returns != "trigger"
        and (catalog.users(f.name) or catalog.callers(f.name))
        and f.name not in catalog.case.ignored
    ]


def by_tree(catalog: Catalog, operator: str, edit: trees.Edit | None) -> Iterator[Mutant]:
    """One mutant for each place of each SQL helper, and of each view behind them. None: words are added."""
    for function in helpers(catalog):
        if function.language == "sql":
            change = edit or trees.widened(catalog.words_in(function.body))
            for number, (label, body) in enumerate(trees.edited(function.body, change)):
                yield of_function(catalog, operator, function, f"{label} {number}", function.rewritten(body))
    for view in catalog.views:
        if view.kind == "v" and view.schema != "public":
            options = f" with ({view.options})" if view.options else ""
            change = edit or trees.widened(catalog.words_in(view.definition))
            for number, (label, body) in enumerate(trees.edited(view.definition, change)):
                yield Mutant(
                    f"{operator}: {view.title}: {label} {number}"[:160],
                    operator,
                    f"create or replace view {view.title}{options} as {body};",
                    (view.title,),
                    look=catalog.users(view.name),
                    functions=catalog.callers(view.name),
                )


def helper_condition_dropped(catalog: Catalog) -> Iterator[Mutant]:
    """A condition inside a helper is left out: status, expiry, consent, the caller."""
    yield from by_tree(catalog, "helper_condition_dropped", trees.dropped)
    yield from by_tree(catalog, "helper_condition_dropped", trees.unfiltered)


def helper_and_to_or(catalog: Catalog) -> Iterator[Mutant]:
    """AND became OR inside a helper."""
    yield from by_tree(catalog, "helper_and_to_or", trees.loosened)


def helper_precedence(catalog: Catalog) -> Iterator[Mutant]:
    """Brackets around an OR are lost inside a helper."""
    yield from by_tree(catalog, "helper_precedence", trees.regrouped)


def helper_word_added(catalog: Catalog) -> Iterator[Mutant]:
    """A status or a level more is let in."""
    yield from by_tree(catalog, "helper_word_added", None)


def helper_null_passes(catalog: Catalog) -> Iterator[Mutant]:
    """Not known counts as yes."""
    yield from by_tree(catalog, "helper_null_passes", trees.trusting)
    for function in helpers(catalog):
        if function.language == "sql" and function.returns == "boolean" and function.schema != "public":
            body = f"select ({function.body.strip()}) is not false"
            yield of_function(
                catalog, "helper_null_passes", function, "is not false", function.rewritten(body)
            )


def helper_weaker(catalog: Catalog) -> Iterator[Mutant]:
    """A helper that calls another one calls that of a lower level."""
    for old, new in catalog.case.weaker:
        for mutant in by_tree(catalog, "helper_weaker", trees.called(old, new)):
            if not mutant.objects[0].endswith(f".{new}()"):
                yield mutant


def helper_always_true(catalog: Catalog) -> Iterator[Mutant]:
    """A helper that lets everybody in, left from debugging."""
    for function in helpers(catalog):
        if function.returns == "boolean" and function.schema != "public":
            body = "select true" if function.language == "sql" else "begin return true; end"
            yield of_function(catalog, "helper_always_true", function, "true", function.rewritten(body))
        elif function.many and function.language == "sql" and function.returns == "uuid":
            source = re.search(r"from (public\.\w+)", function.body)
            for table in catalog.case.anchors:
                if "profile" in function.name and table == "public.profiles":
                    body = f"select t.id from {table} t"
                    yield of_function(
                        catalog, "helper_always_true", function, "every record", function.rewritten(body)
                    )
            if (
                source
                and "id" in catalog.tables[source.group(1)].columns
                and re.search(r"select (\w+)\.id\b", function.body)
            ):
                body = f"select t.id from {source.group(1)} t"
                yield of_function(
                    catalog, "helper_always_true", function, "every row", function.rewritten(body)
                )


def helper_wrong_column(catalog: Catalog) -> Iterator[Mutant]:
    """Inside a helper another person column is compared."""
    people = {table: catalog.people(table) for table in catalog.tables}
    for columns in people.values():
        for old in columns:
            for new in columns:
                if old != new:
                    for mutant in by_tree(catalog, "helper_wrong_column", trees.swapped({old: new})):
                        if mutant.objects[0].startswith(("private.", "app.")):
                            yield mutant


def helper_shadowed(catalog: Catalog) -> Iterator[Mutant]:
    """A parameter with the name of the column it is compared with: the comparison is always true."""
    for function in helpers(catalog):
        if function.language != "sql" or not function.identity:
            continue
        for parameter in [part.split()[0] for part in function.identity.split(", ")]:
            for match in re.finditer(rf"(\w+)\.(\w+) = {parameter}\b", function.body):
                column = match.group(2)
                body = re.sub(rf"(?<![.\w]){parameter}\b", column, function.body)
                users = [
                    p
                    for p in catalog.policies
                    if re.search(rf"\b{function.name}\(", f"{p.using} {p.checked}")
                ]
                renamed = re.sub(
                    rf"\b{parameter} (?=[a-z])",
                    f"{column} ",
                    function.definition.replace(function.body, body),
                    count=1,
                )
                text = "\n".join(
                    (
                        f"drop function {function.signature} cascade;",
                        renamed + ";",
                        f"revoke execute on function {function.signature} from public, anon;",
                        f"grant execute on function {function.signature} to authenticated;",
                        *(policy.created() for policy in users),
                    )
                )
                yield of_function(catalog, "helper_shadowed", function, f"{parameter} as {column}", text)


def procedure_line_dropped(catalog: Catalog) -> Iterator[Mutant]:
    """One line of the condition in a PL/pgSQL helper, procedure or RPC is left out."""
    for function in helpers(catalog):
        if function.language == "plpgsql":
            for number, match in enumerate(LINE.finditer(function.body)):
                if match.group(0).rstrip().endswith((" then", ";")):
                    continue
                body = function.body[: match.start()] + function.body[match.end() :]
                yield of_function(
                    catalog,
                    "procedure_line_dropped",
                    function,
                    f"{match.group(0).strip()} {number}",
                    function.rewritten(body),
                )


def _says_nothing_changed(body: str, check: str) -> bool:
    """Whether a refusal only tells that the statement before it found no row."""
    found = re.match(r"\s*if (not found|(\w+) is null)\s+then\s+raise", check, re.IGNORECASE)
    kept = found[2] if found else None
    returned = re.search(rf"returning\s+[^;]*\binto {kept}\b", body, re.IGNORECASE) if kept else None
    return found is not None and (kept is None or returned is not None)


def procedure_check_dropped(catalog: Catalog) -> Iterator[Mutant]:
    """The refusal at the head of a procedure is left out."""
    for function in helpers(catalog):
        if function.language == "plpgsql":
            for number, match in enumerate(REFUSAL.finditer(function.body)):
                if _says_nothing_changed(function.body, match.group(0)):
                    continue  # without it nothing is changed in silence
                body = function.body[: match.start()] + function.body[match.end() :]
                yield of_function(
                    catalog,
                    "procedure_check_dropped",
                    function,
                    f"{' '.join(match.group(0).split())[:60]} {number}",
                    function.rewritten(body),
                )


def procedure_step_dropped(catalog: Catalog) -> Iterator[Mutant]:
    """A procedure forgets one of the changes that end older access."""
    for function in catalog.functions:
        if function.language == "plpgsql" and function.returns != "trigger":
            for number, match in enumerate(
                re.finditer(r"^\s*update public\.[^;]*;", function.body, re.MULTILINE)
            ):
                body = function.body[: match.start()] + function.body[match.end() :]
                mutant = of_function(
                    catalog, "procedure_step_dropped", function, f"step {number}", function.rewritten(body)
                )
                yield Mutant(
                    mutant.name,
                    mutant.operator,
                    mutant.sql,
                    mutant.objects,
                    chains=mutant.chains,
                    look=catalog.case.reach,
                )
