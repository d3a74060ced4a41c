"""A policy calls a function that queries tables, once for every row.

What it finds
    Functions that read tables and are called in a policy with a column of the row as argument, where Postgres
    cannot inline them: definer, PL/pgSQL, or with settings of their own. Reported once per function, with its
    policies.

Why it matters
    One query per row: 100,000 rows took 14.9 seconds where a set of ids, fetched once, took 1 millisecond.

Fix
    Turn the question round: a function that returns the ids the caller may see, used as
    profile_id = any (array(select my_profiles())).

When to ignore
    Tables of which people only ever read single rows by key.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.objects import Function, Policy
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import counted, function_name, listed, on_function, remark


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    reached = reach(snapshot)
    found: dict[int, tuple[Function, list[Policy]]] = {}
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            for part in policy.parts():
                refs = {id(c.node) for c in part.columns if reached.column(c, relation) == (relation, c.name)}
                for call in part.calls:
                    if any(id(node) in refs for argument in call.arguments for node in argument.walk()):
                        for function in reached.resolve(call):
                            if _queries(reached, function):
                                found.setdefault(function.oid, (function, []))[1].append(policy)
    for function, policies in found.values():
        titles = list(dict.fromkeys(policy.title for policy in policies))
        yield on_function(
            "policy_function_per_row",
            Level.WARN,
            function,
            f"{function.title} runs its query once per row in"
            f" {counted(len(titles), 'policy', 'policies')}: {listed(titles)}.",
            evidence=f"language {function.language},"
            f" {'security definer' if function.definer else 'invoker'}, reads tables",
            fix=remark(
                f"instead of {function_name(function)}: a function returning setof the ids,",
                "security definer, stable, used as  <id> = any (array(select <function>()))",
            ),
            rank=55,
        )


def _queries(reached: Reach, function: Function) -> bool:
    if function.schema in PLATFORM_SCHEMAS:
        return False
    inlined = function.language == "sql" and not function.definer and not function.config
    if inlined:
        return False
    return any(True for f in reached.closure([function]) for one in body_of(f).facts for _ in one.sources())


RULE = Rule(
    name="policy_function_per_row",
    title="A policy calls a function that queries tables, once for every row",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
