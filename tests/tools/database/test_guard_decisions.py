"""How the guard decides: by what code does, whatever its name or label, and what a person may allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.tools.database.fort import Fort, besieged
from tests.tools.database.hostile import HOSTILE
from tools.database.bodies import read_code
from tools.database.catalog import Catalog, Relation
from tools.database.guard import judge
from tools.database.reach import Reach
from tools.sandbox.cluster import Cluster

PLANNED = ("labels that lie", "operators", "casts, domains and types", "aggregates", "attribute notation")


@pytest.fixture(scope="module", params=["superuser", "reader"])
def fort(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fort]:
    """The fort, as one login sees it."""
    with besieged(cluster, tmp_path_factory.mktemp("fort"), superuser=request.param == "superuser") as fort:
        yield fort


def allowing(fort: Fort, *names: str) -> Fort:
    """The same fort, where a person allowed these functions."""
    executor = fort.executor
    executor.resources = replace(executor.resources, allowed_functions=names)
    return fort


def test_planning_an_attack_changes_nothing_either(fort: Fort) -> None:
    for statement in (statement for kind in PLANNED for statement in HOSTILE[kind]):
        fort.ask(statement, tool="explain_query")
    assert fort.settled() == fort.before


def test_measuring_an_attack_is_refused(fort: Fort) -> None:
    for statement in (statement for kind in PLANNED for statement in HOSTILE[kind]):
        outcome = fort.ask(statement, tool="explain_query", analyze=True)
        assert outcome.failure is not None, statement
    assert fort.settled() == fort.before


def test_a_policy_is_judged_where_it_would_run(fort: Fort) -> None:
    table, view = fort.ask("select count(*) from walled"), fort.ask("select count(*) from view_walled")
    direct = fort.ask("select count(*) from walled_direct")
    obeys = fort.executor.resources.database.target.user == fort.reader
    assert (table.failure is not None, direct.failure is not None) == (obeys, obeys)
    assert view.failure is not None and "pg_advisory_lock" in view.failure.message
    assert fort.settled() == fort.before


def test_a_volatile_function_that_only_reads_is_no_danger(fort: Fort) -> None:
    assert fort.ask("select reader()").failure is None


def test_a_refusal_names_the_function_the_reason_and_the_way_out(fort: Fort) -> None:
    outcome = fort.ask("select dynamic_one('select 1')")
    assert outcome.failure is not None
    assert "public.dynamic_one() builds SQL at run time" in outcome.failure.message
    assert 'allow_functions = ["public.dynamic_one"]' in outcome.failure.hint


def test_what_a_person_allowed_runs_on_this_target_alone(fort: Fort) -> None:
    allowed = allowing(fort, "public.dynamic_one").ask("select dynamic_one('select 1')")
    other = fort.ask("select open_execute('select 1')")
    allowing(fort)
    assert allowed.failure is None, allowed.failure
    assert other.failure is not None


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("pg_catalog.pg_advisory_lock", "select pg_advisory_lock(1)"),
        ("pg_catalog.pg_read_file", "select pg_read_file('PG_VERSION')"),
        ("public.dblink", "select * from dblink('dbname=postgres', 'select 1') as t(a int)"),
        ("pg_catalog.pg_authid", "select * from pg_authid"),
        ("public.says_immutable", "select says_immutable()"),
        ("public.definer_secret", "select definer_secret()"),
    ],
)
def test_nobody_can_allow_what_is_never_allowed(fort: Fort, name: str, statement: str) -> None:
    outcome = allowing(fort, name).ask(statement)
    allowing(fort)
    assert outcome.failure is not None
    assert "allow_functions" not in outcome.failure.hint


def test_a_table_with_more_partitions_than_the_server_has_locks_is_refused() -> None:
    wide = Relation(20000, "public", "wide", "p", extension=False, definition=None, locks=9_000)
    assert judge(Reach("SelectStmt"), Catalog(relations={20000: wide}, room=3_200))
    assert not judge(Reach("SelectStmt"), Catalog(relations={20000: replace(wide, locks=900)}, room=3_200))


def test_the_setting_of_another_name_than_a_constant_is_refused(fort: Fort) -> None:
    assert fort.ask("select current_setting('app.' || 'tenant', true)").failure is not None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("begin perform 1; delete from t; end", ("DELETE",)),
        ("with a as (select 1) update t set n = 1", ("UPDATE",)),
        ("begin for r in insert into t values (1) returning n loop end loop; end", ("INSERT",)),
        ("begin if x then notify a; end if; end", ("NOTIFY",)),
        ("begin return query delete from t returning 1; end", ("DELETE",)),
        ("select 1 from t for key share", ("FOR SHARE",)),
        ("begin set local search_path = x; end", ("SET",)),
        ("begin commit; end", ("COMMIT",)),
        ("begin atomic; insert into t values (1); end", ("INSERT",)),
        ("<<x>> begin update t set n = 1; end", ("UPDATE",)),
        ("begin x := 'delete from t'; return x; /* update */ end -- insert", ()),
        ("begin delete := 1; return new.update; end", ()),
        ('select "insert", t.set, count(*) filter (where true) from t', ()),
    ],
)
def test_statements_inside_bodies_are_found_and_words_that_are_none_are_not(
    body: str, words: tuple[str, ...]
) -> None:
    assert read_code(body).forbidden == words


@pytest.mark.parametrize(
    "body", ["begin execute 'x'; end", 'begin perform U&"\\0061"(); end', "begin return 'open; end"]
)
def test_a_body_that_cannot_be_told_is_opaque(body: str) -> None:
    assert "opaque" in read_code(body).shapes
