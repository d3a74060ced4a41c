"""The statements that make policies count, and those that put them back word for word.

A clause `e` becomes `CASE WHEN (e) THEN seen_1_true() ELSE seen_1_false() END`. The two functions return
true and false and do nothing else: PostgreSQL counts calls of PL/pgSQL functions in pg_stat_user_functions
where track_functions says so, and each function says so for itself. Such counts survive ROLLBACK (tests roll
back) and are kept in READ ONLY transactions (PostgREST reads in them), where a table or a sequence could not
be written. NULL counts as false, which is how a policy takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, LiteralString

from tools.rls.wording import literal, quoted

SCHEMA: Final = "sergei_coverage"

POLICIES: Final[LiteralString] = """
select p.oid::int8 as oid, n.nspname::text as schema, c.relname::text as relation, p.polname::text as policy,
       pg_get_expr(p.polqual, p.polrelid) as using_text,
       pg_get_expr(p.polwithcheck, p.polrelid) as check_text
from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
order by 2, 3, 4
"""
STANDING: Final[LiteralString] = """
select (select r.rolsuper from pg_roles r where r.rolname = current_user) as super,
       to_regnamespace('sergei_coverage') is not null as started,
       (select count(*)::int from pg_stat_activity a
        where a.datname = current_database() and a.backend_type = 'client backend'
          and a.pid <> pg_backend_pid() and a.application_name <> 'sergei') as sessions
"""
CLAUSES: Final[LiteralString] = """
select s.number, s.clause, s.original, s.wrapped, n.nspname::text as schema, c.relname::text as relation,
       p.polname::text as policy, p.polcmd::text as command, p.polpermissive as permissive,
       case s.clause when 'using' then pg_get_expr(p.polqual, p.polrelid)
                     else pg_get_expr(p.polwithcheck, p.polrelid) end as now,
       coalesce(pg_stat_get_function_calls(to_regproc(t.name || 'true')), 0)::int8 as trues,
       coalesce(pg_stat_get_function_calls(to_regproc(t.name || 'false')), 0)::int8 as falses
from sergei_coverage.policies s
cross join lateral (select format('sergei_coverage.seen_%s_', s.number) as name) t
left join pg_policy p on p.oid = s.policy
left join pg_class c on c.oid = p.polrelid left join pg_namespace n on n.oid = c.relnamespace
order by s.number
"""


@dataclass(frozen=True, slots=True)
class Clause:
    """USING or WITH CHECK of one policy. `text` is how PostgreSQL prints it with search_path pg_catalog."""

    oid: int
    schema: str
    relation: str
    policy: str
    kind: Literal["using", "check"]
    text: str

    @property
    def altering(self) -> str:
        """`ALTER POLICY p ON s.t USING` or `... WITH CHECK`."""
        words = "using" if self.kind == "using" else "with check"
        return f"alter policy {quoted(self.policy)} on {quoted(self.schema, self.relation)} {words}"


def clauses(rows: Iterable[dict[str, Any]]) -> list[Clause]:
    """The clauses of the policies that POLICIES gave."""
    found: list[Clause] = []
    for row in rows:
        place = (row["oid"], row["schema"], row["relation"], row["policy"])
        if row["using_text"] is not None:
            found.append(Clause(*place, "using", row["using_text"]))
        if row["check_text"] is not None:
            found.append(Clause(*place, "check", row["check_text"]))
    return found


def starting(found: Sequence[Clause]) -> Iterator[str]:
    """The statements that make every clause count, for one transaction."""
    yield "set local search_path = pg_catalog"
    yield f"create schema {SCHEMA}"
    yield (
        f"create table {SCHEMA}.policies (number int primary key, policy oid not null, clause text not null,"
        " original text not null, wrapped text)"
    )
    for number, clause in enumerate(found, 1):
        for outcome in ("true", "false"):
            name = f"{SCHEMA}.seen_{number}_{outcome}()"
            yield (
                f"create function {name} returns boolean language plpgsql volatile security definer"
                f" set track_functions = 'pl' as 'begin return {outcome}; end'"
            )
            yield f"grant execute on function {name} to public"
        yield f"{clause.altering} ({_wrapped(clause.text, number)})"
        yield (
            f"insert into {SCHEMA}.policies values"  # noqa: S608  every value is a literal of ours
            f" ({number}, {clause.oid}, {literal(clause.kind)}, {literal(clause.text)})"
        )
    yield (
        f"update {SCHEMA}.policies s set wrapped = case s.clause when 'using'"  # noqa: S608  constant
        " then pg_get_expr(p.polqual, p.polrelid) else pg_get_expr(p.polwithcheck, p.polrelid) end"
        " from pg_policy p where p.oid = s.policy"
    )


def _wrapped(text: str, number: int) -> str:
    return f"case when ({text}) then {SCHEMA}.seen_{number}_true() else {SCHEMA}.seen_{number}_false() end"


@dataclass(frozen=True, slots=True)
class Return:
    """How to go back: what to restore, what somebody changed meanwhile (left alone), what is in the way."""

    restored: tuple[Clause, ...]
    changed: tuple[str, ...]
    mixed: tuple[str, ...]
    numbers: tuple[int, ...]


def returning(rows: Sequence[dict[str, Any]]) -> Return:
    """Sort the clauses that CLAUSES gave by what became of them."""
    restored: list[Clause] = []
    changed: list[str] = []
    mixed: list[str] = []
    for row in rows:
        if row["policy"] is None:  # dropped, or made anew by a migration
            continue
        place = f"policy {row['policy']} on {row['schema']}.{row['relation']}"
        now = row["now"] or ""
        if now == row["wrapped"]:
            words = (row["schema"], row["relation"], row["policy"], row["clause"], row["original"])
            restored.append(Clause(0, *words))
        elif f"{SCHEMA}." in now:
            mixed.append(place)
        else:
            changed.append(place)
    return Return(tuple(restored), tuple(changed), tuple(mixed), tuple(row["number"] for row in rows))


def stopping(back: Return) -> Iterator[str]:
    """The statements that put policies back and remove ours. Nothing is dropped by CASCADE."""
    yield "set local search_path = pg_catalog"
    for clause in back.restored:
        yield f"{clause.altering} ({clause.text})"
    for number in back.numbers:
        yield f"drop function {SCHEMA}.seen_{number}_true(), {SCHEMA}.seen_{number}_false()"
    yield f"drop table {SCHEMA}.policies"
    yield f"drop schema {SCHEMA}"


def script(statements: Iterable[str]) -> str:
    """The statements as a file for psql: all of it or nothing."""
    lines = "".join(f"{statement};\n" for statement in statements)
    return f"begin;\nset local lock_timeout = '3s';\n{lines}commit;\n"
