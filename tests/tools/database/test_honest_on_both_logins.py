"""Honest queries pass, for a superuser and for a login that may only read, in a database full of traps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools.database.fort import Fort, besieged
from tests.tools.database.honest import EXPLAINED, INSTALLED_ONLY, MEASURED, QUERIES
from tools.sandbox.cluster import Cluster


@pytest.fixture(scope="module", params=["superuser", "reader"])
def fort(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fort]:
    """The fort, as one login sees it."""
    with besieged(cluster, tmp_path_factory.mktemp("fort"), superuser=request.param == "superuser") as fort:
        yield fort


@pytest.mark.parametrize(("kind", "query"), QUERIES)
def test_an_honest_query_is_answered(fort: Fort, kind: str, query: str) -> None:
    outcome = fort.ask(query)
    assert outcome.failure is None, f"{kind}: {outcome.failure}"


@pytest.mark.parametrize("query", EXPLAINED)
def test_a_plan_is_shown_also_of_a_write_which_does_not_happen(fort: Fort, query: str) -> None:
    if fort.executor.resources.database.target.user == fort.reader and not query.startswith("select"):
        fort.outside.execute(f'grant insert, update, delete on public.marks to "{fort.reader}"'.encode())
    outcome = fort.ask(query, tool="explain_query")
    assert outcome.failure is None, outcome.failure
    assert "cost" in outcome.structured()["plan"]
    assert fort.state()[:2] == fort.before[:2]


@pytest.mark.parametrize("query", MEASURED)
def test_a_reading_query_is_measured(fort: Fort, query: str) -> None:
    outcome = fort.ask(query, tool="explain_query", analyze=True)
    assert outcome.failure is None, outcome.failure
    assert outcome.structured()["execution_ms"] > 0


@pytest.mark.parametrize("extension", INSTALLED_ONLY)
def test_an_extension_that_is_not_everywhere_is_used_where_it_is(fort: Fort, extension: str) -> None:
    known = fort.outside.execute("select from pg_available_extensions where name = %s", [extension])
    if known.fetchone() is None:
        pytest.skip(f"{extension} is not among the extensions of this PostgreSQL")
    fort.outside.execute(f"create extension if not exists {extension}".encode())
    assert fort.ask(INSTALLED_ONLY[extension]).failure is None
