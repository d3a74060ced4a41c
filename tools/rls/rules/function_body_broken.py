"""A function names something that does not exist, or that means two things.

What it finds
    SQL and PL/pgSQL functions, trigger functions included, that read or write a schema-qualified relation
    that is not there, a column that the relation does not have (in INSERT and UPDATE lists and in references
    through an alias), a field of NEW or OLD that the trigger's table lacks, a function of your own schemas
    that is gone; and PL/pgSQL names that are a variable, parameter or RETURNS TABLE column and a column of
    the table read (42702). All of them are listed, not the first alone. Bodies that create tables are left
    out, and names that a body handles the absence of (to_regclass, an undefined_table handler).
    Where the extension plpgsql_check is installed in the database and the login may call it, it is asked
    about every PL/pgSQL function as well, a trigger function with each of its tables. What it says of wrong
    names, types and constants is told with its line; a body that it finds right is right.

Why it matters
    Postgres looks only when the function runs. A renamed column breaks consent withdrawal or a trigger at the
    first call in production: with a trigger, every write of that table fails.

Fix
    Change the body to the new name, in the same migration that renames.

When to ignore
    A function for a table that is created at run time by other code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.bodyerrors import expects_absence, makes_tables
from tools.rls.facts import Facts
from tools.rls.naming import ambiguous, missing_functions, row_fields
from tools.rls.objects import BodyError, Function
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import function_name, listed, on_function, remark, shown

_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid", "*"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function, with every broken name."""
    reached = reach(snapshot)
    for function in snapshot.functions:
        if function.schema in PLATFORM_SCHEMAS or function.bound:
            continue
        broken, twofold = ([], []) if _proven(function) else _resolved(reached, function)
        lines, others = _told(function.errors, broken, twofold)
        if broken or twofold or others:
            writes = sorted(
                {
                    f"{command} of {r.title}"
                    for r in snapshot.relations.values()
                    for t in r.triggers
                    for command in ("INSERT", "UPDATE", "DELETE")
                    if t.function == function.oid and t.fires(command)
                }
            )
            breaks = f"{listed(writes)} fails there" if writes else "every call that gets there fails"
            yield on_function(
                "function_body_broken",
                Level.ERROR,
                function,
                f"{function.title} {_said(broken, twofold, others)}: {breaks}.",
                evidence="; ".join(
                    [f"not in the catalog: {', '.join(n + lines.get(n, '') for n in broken)}"] * bool(broken)
                    + [f"42702: {', '.join(n + lines.get(n, '') for n in twofold)}"] * bool(twofold)
                    + [f"plpgsql_check: {'; '.join(_full(e) for e in others)}"] * bool(others)
                ),
                fix=remark(
                    f"create or replace {function_name(function)} with the present names, and qualified ones"
                    if broken or twofold
                    else f"create or replace {function_name(function)} without these errors"
                ),
                rank=35,
            )


def _proven(function: Function) -> bool:
    """Whether our own resolution has nothing to add: plpgsql_check read all of it and found nothing, or the
    body makes the tables that it names."""
    return (function.checked and not function.errors) or makes_tables(function.body)


def _resolved(reached: Reach, function: Function) -> tuple[list[str], list[str]]:
    broken = sorted(
        {name for facts in body_of(function).facts for name in _broken(reached, function, facts)}
        | set(row_fields(reached, function)) | set(missing_functions(reached, function))
    )  # fmt: skip
    return [] if expects_absence(function.body) else broken, sorted(set(ambiguous(reached, function)))


def _told(
    errors: tuple[BodyError, ...], broken: list[str], twofold: list[str]
) -> tuple[dict[str, str], tuple[BodyError, ...]]:
    """Where plpgsql_check sees what we saw, as ` (line 3)` by our name for it; and what it alone sees."""
    lines: dict[str, list[int]] = {}
    others: list[BodyError] = []
    for error in errors:
        same = [name for name in (*broken, *twofold) if _same(error, name, name in twofold)]
        for name in same:
            lines.setdefault(name, []).append(error.line)
        if not same:
            others.append(error)
    said = {name: ", ".join(str(n) for n in dict.fromkeys(found) if n) for name, found in lines.items()}
    return {name: f" (line {numbers})" for name, numbers in said.items() if numbers}, tuple(others)


def _same(error: BodyError, name: str, twofold: bool) -> bool:
    plain = name.partition(" (")[0]
    wanted = ("42702",) if twofold else ("42883",) if plain.endswith("()") else ("42P01", "42703", "3F000")
    last = plain.removesuffix("()").rpartition(".")[2]
    found = re.search(rf"(?<![\w$]){re.escape(last)}(?![\w$])", error.message, re.IGNORECASE)
    return error.sqlstate in wanted and found is not None


def _said(broken: list[str], twofold: list[str], others: tuple[BodyError, ...]) -> str:
    words = [f"{listed(broken)}, which {'does' if len(broken) == 1 else 'do'} not exist"] * bool(broken)
    uses = " and ".join([*words, *[f"the ambiguous {listed(twofold)}"] * bool(twofold)])
    refused = f"is refused by PostgreSQL ({listed([_short(error) for error in others], most=3)})"
    return ", and ".join([f"uses {uses}"] * bool(uses) + [refused] * bool(others))


def _short(error: BodyError) -> str:
    return (f"line {error.line}: " if error.line else "") + shown(error.message)


def _full(error: BodyError) -> str:
    kind = f" in {error.statement}" if error.statement else ""
    return f"{_short(error)} ({error.sqlstate}{kind})"


def _broken(reached: Reach, function: Function, facts: Facts) -> Iterator[str]:
    snapshot, path = reached.snapshot, reached.path(function)
    for source in facts.sources():
        known = not source.schema or source.schema.startswith("pg_") or source.schema == "information_schema"
        if (
            not known
            and snapshot.named(source.schema, source.name) is None
            and not _elsewhere(snapshot, source.schema)
        ):
            yield f"{source.schema}.{source.name}"
    for block in facts.blocks:
        statement = block.select
        if statement is None or statement.kind not in ("InsertStmt", "UpdateStmt") or not block.sources:
            continue
        relation = reached.relation(block.sources[0], path)
        fields = "cols" if statement.kind == "InsertStmt" else "target_list"
        for target in statement.many(fields) if relation is not None else ():
            if relation is not None and target.word("name") not in relation.columns:
                yield f"{relation.title}.{target.word('name')}"
    for ref in facts.columns:
        if not ref.qualifier or ref.name in _SYSTEM:
            continue
        source = next((s for b in ref.block.chain() for s in b.sources if s.alias == ref.qualifier), None)
        relation = reached.relation(source, path) if source is not None and source.schema else None
        if relation is not None and ref.name not in relation.columns:
            yield f"{relation.title}.{ref.name}"


def _elsewhere(snapshot: Snapshot, schema: str) -> bool:
    """Schemas of extensions and of the platform hold relations that a snapshot leaves out."""
    return schema in PLATFORM_SCHEMAS


RULE = Rule(
    name="function_body_broken",
    title="A function names something that does not exist, or that means two things",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
