"""list_tables, describe_table, list_policies, list_functions, list_activity: true, on any PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent.executor import Executor
from tests.conftest import MakeExecutor
from tools.database.connection import Database
from tools.database.list_policies import Policies, Policy
from tools.database.list_tables import size
from tools.database.literals import without_literals

pytestmark = pytest.mark.anyio


async def told(gate: Executor, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a call that must work."""
    outcome = await gate.call(tool, arguments)
    assert outcome.failure is None, outcome.failure
    assert outcome.markdown()
    return outcome.structured()


async def test_list_tables_shows_kind_rls_and_estimates(gate: Executor) -> None:
    result = await told(gate, "list_tables")
    lines = {line["name"]: line for line in result["tables"]}
    assert lines["profiles"]["rls"] is True and lines["profiles"]["policies"] == 2
    assert lines["profiles"]["rows"] == 40 and lines["profiles"]["bytes"] > 8192
    assert lines["profiles"]["comment"] == "People of the clinic"
    assert lines["codes"]["rls"] is False
    assert lines["names"]["kind"] == "view" and lines["names"]["rls"] is None
    assert lines["roster"]["kind"] == "materialized view"


async def test_partitions_are_folded_into_their_parent_unless_asked_for(gate: Executor) -> None:
    folded = {line["name"]: line for line in (await told(gate, "list_tables"))["tables"]}
    assert folded["readings"]["partitions"] == 2 and folded["readings"]["rows"] == 40
    assert "readings_2025" not in folded
    every = {line["name"] for line in (await told(gate, "list_tables", partitions=True))["tables"]}
    assert {"readings", "readings_2025", "readings_2026"} <= every


async def test_an_unknown_schema_or_table_names_the_nearest(gate: Executor) -> None:
    schema = await gate.call("list_tables", {"schemas": ["publik"]})
    table = await gate.call("describe_table", {"table": "profile"})
    elsewhere = await gate.call("describe_table", {"table": "codes", "schema": "staff_only"})
    for outcome, near in ((schema, "public"), (table, "public.profiles"), (elsewhere, "public.codes")):
        assert outcome.failure is not None
        assert outcome.failure.kind == "not_found"
        assert near in outcome.failure.hint


async def test_describe_table_tells_all_that_is_declared(gate: Executor) -> None:
    result = await told(gate, "describe_table", table="public.profiles")
    assert [column["name"] for column in result["columns"]][:3] == ["id", "full_name", "email"]
    assert {c["name"] for c in result["constraints"]} == {"profiles_pkey", "profiles_status_check"}
    assert result["referred_by"][0]["name"] == "public.visits"
    policies = {policy["name"]: policy for policy in result["policies"]}
    assert policies["keep_out"]["permissive"] is False and policies["own_rows"]["command"] == "SELECT"
    visits = await told(gate, "describe_table", table='"visits"')
    assert any("visits_profile" in index["name"] for index in visits["indexes"])
    assert "audit_it" in visits["triggers"][0]["definition"]
    assert visits["columns"][0]["default"] == "GENERATED ALWAYS AS IDENTITY"


async def test_describe_table_knows_views_and_partitioned_tables(gate: Executor) -> None:
    view = await told(gate, "describe_table", table="names")
    assert view["kind"] == "view" and "full_name" in view["definition"]
    parent = await told(gate, "describe_table", table="readings")
    assert parent["definition"] == "PARTITION BY RANGE (at)"
    assert [part["name"] for part in parent["partitions"]] == ["public.readings_2025", "public.readings_2026"]


async def test_list_policies_shows_expressions_and_who_has_none(gate: Executor) -> None:
    result = await told(gate, "list_policies")
    own = next(policy for policy in result["policies"] if policy["name"] == "own_rows")
    assert "request.jwt.claim.sub" in own["using"] and own["roles"] == ["public"] and own["enforced"]
    assert "public.codes (RLS OFF)" in result["without"]
    one = await told(gate, "list_policies", table="profiles")
    assert {policy["table"] for policy in one["policies"]} == {"profiles"}


def test_policies_that_say_the_same_share_a_line_and_the_odd_one_stands_alone() -> None:
    def policy(table: str, using: str, *, permissive: bool = True, enforced: bool = True) -> Policy:
        return Policy(
            schema="public",
            table=table,
            name=f"{table}_select",
            command="SELECT",
            permissive=permissive,
            roles=("authenticated",),
            using=using,
            check=None,
            enforced=enforced,
            comment=None,
        )

    policies = (
        policy("visits", "mine(id)"),
        policy("notes", "true"),
        policy("bills", "mine(id)", enforced=False),
        policy("pets", "mine(id)", permissive=False),
    )
    head, _, shared, odd, narrowing, *_ = Policies(target="t", policies=policies).markdown().splitlines()
    assert head == "| policy | for | to | USING | WITH CHECK |"
    both = "visits_select on public.visits; bills_select on public.bills (NOT ENFORCED: RLS is off)"
    assert shared == f"| {both} | SELECT | authenticated | mine(id) |  |"
    assert odd == "| notes_select on public.notes | SELECT | authenticated | true |  |"
    assert narrowing.startswith("| pets_select on public.pets | SELECT RESTRICTIVE |")


async def test_list_functions_says_who_may_really_execute(gate: Executor) -> None:
    result = await told(gate, "list_functions", schemas=["public", "staff_only"])
    functions = {function["name"]: function for function in result["functions"]}
    assert functions["definer"]["security_definer"] and functions["definer"]["search_path"] == '""'
    assert "public" not in functions["definer"]["callers"]
    assert "public" in functions["bump"]["callers"] and functions["bump"]["volatility"] == "volatile"
    only = await told(gate, "list_functions", schemas=[], security_definer_only=True)
    assert [function["name"] for function in only["functions"]] == ["definer"]


async def test_callers_follow_supabase_default_privileges(
    empty_database: str, make_executor: MakeExecutor
) -> None:
    gate = make_executor(empty_database)
    database = gate.resources.database
    async with database.session(read_only=False) as session:
        await session.run("set local role postgres")
        await session.run("create function public.opened() returns int language sql as 'select 1'")
        await session.run("revoke execute on function public.opened() from public")
    result = await told(gate, "list_functions", name_like="opened")
    await database.close()
    assert result["functions"][0]["callers"] == ["anon", "authenticated", "service_role"]


async def test_list_activity_shows_who_blocks_whom_without_literals(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    gate, other = make_executor(clinic_copy), Database(clinic_copy)
    async with other.session(read_only=False, keep=False) as holder:
        pid = (await holder.fetch("select pg_backend_pid() as pid"))[0]["pid"]
        await holder.run("update public.profiles set full_name = 'Quill Secret'")

        async def wait() -> None:
            async with other.session(read_only=False, keep=False) as session:
                await session.run("delete from public.profiles where full_name like 'Quill%'")

        waiting = asyncio.create_task(wait())
        blocked: list[dict[str, Any]] = []
        while not blocked:
            sessions = (await told(gate, "list_activity"))["sessions"]
            # A session's text is that of its last statement until the server has noted the next one.
            waits = [line for line in sessions if line["blocked_by"] == [pid]]
            blocked = [line for line in waits if not line["query"].startswith("BEGIN")]
        told_text = (await gate.call("list_activity", {})).markdown()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await other.close()
    await gate.resources.database.close()
    assert blocked[0]["query"] == "delete from public.profiles where full_name like $1"
    assert "uill" not in told_text


@pytest.mark.parametrize("tool", ["list_tables", "list_policies", "list_functions", "list_activity"])
async def test_an_empty_plain_database_is_no_obstacle(
    plain_database: str, make_executor: MakeExecutor, tool: str
) -> None:
    gate = make_executor(plain_database)
    arguments: dict[str, Any] = {} if tool == "list_activity" else {"schemas": list[str]()}
    outcome = await gate.call(tool, arguments)
    missing = await gate.call("execute_sql", {"sql": "select * from anything"})
    await gate.resources.database.close()
    assert outcome.failure is None
    assert missing.failure is not None
    assert "no tables at all" in missing.failure.message


async def test_an_empty_database_says_that_it_is_empty(
    plain_database: str, make_executor: MakeExecutor
) -> None:
    gate = make_executor(plain_database)
    outcome = await gate.call("list_tables", {})
    await gate.resources.database.close()
    assert outcome.markdown().startswith("The database holds no tables")


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("select * from t where a = 'Jane' and b = 42", "select * from t where a = $1 and b = $2"),
        ("alter role x password 'hunter2'", "alter role x password ?"),
        ("select 'cut off in the mid", "select ?"),
        ("select $q$Jane$q$ /* Jane */ -- Jane", "select $1"),
        ("set x = 'Jane'", "set x = $1"),
        ("insert into t values ('it''s Jane', E'Jane\\'s')", "insert into t values ($1, $2)"),
    ],
)
def test_literals_are_taken_out_of_statements(sql: str, plain: str) -> None:
    shown = without_literals(sql)
    assert "Jane" not in shown and "hunter2" not in shown
    assert shown == plain or "alter role" in sql


@pytest.mark.parametrize(
    ("octets", "words"), [(None, ""), (12, "12 B"), (1536, "1.5 kB"), (5 * 1024**3, "5.0 GB")]
)
def test_sizes_in_words(octets: int | None, words: str) -> None:
    assert size(octets) == words
