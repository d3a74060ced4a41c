"""Databases on the sandbox server: create, copy, scratch, templates, sweep."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.tools.sandbox.conftest import Lodge
from tools.errors import ConfigurationError, Conflict, InvalidInput, NotFound, Unavailable
from tools.sandbox.cluster import Cluster, SandboxSettings


def database_of(dsn: str) -> str:
    return str(conninfo_to_dict(dsn)["dbname"])


def people(dsn: str) -> int:
    with psycopg.connect(dsn) as session:
        row = session.execute("SELECT count(*) FROM person").fetchone()
    return row[0] if row else -1


def fill(dsn: str) -> None:
    with psycopg.connect(dsn) as session:
        session.execute("CREATE TABLE person AS SELECT n FROM generate_series(1, 100) AS n")


def refuse(dsn: str) -> None:
    raise AssertionError(f"{dsn} was built a second time")


def names(cluster: Cluster) -> set[str]:
    with psycopg.connect(cluster.dsn()) as session:
        return {row[0] for row in session.execute("SELECT datname FROM pg_database").fetchall()}


def test_a_database_is_created_found_and_dropped(cluster: Cluster) -> None:
    dsn = cluster.create("sergei_made")
    with psycopg.connect(dsn, autocommit=True) as session:  # dropping ends this session
        assert session.execute("SELECT current_database()").fetchone() == ("sergei_made",)
        assert cluster.exists("sergei_made")
        cluster.drop("sergei_made")
    assert not cluster.exists("sergei_made")
    cluster.drop("sergei_made")


def test_creating_twice_is_a_conflict_and_a_missing_template_is_not_found(cluster: Cluster) -> None:
    cluster.create("sergei_twice")
    with pytest.raises(Conflict, match="already exists"):
        cluster.create("sergei_twice")
    with pytest.raises(NotFound, match="sergei_nowhere"):
        cluster.create("sergei_copy", template="sergei_nowhere")
    cluster.drop("sergei_twice")


@pytest.mark.parametrize(
    "name", ["postgres", "template1", "guardian", "sergei_", "sergei_A", 'sergei_"x', "x" * 64]
)
def test_only_databases_of_ours_are_touched(cluster: Cluster, name: str) -> None:
    with pytest.raises(InvalidInput):
        cluster.drop(name)
    with pytest.raises(InvalidInput):
        cluster.create(name)


def test_scratch_copies_are_independent_and_gone_afterwards(cluster: Cluster) -> None:
    template = cluster.template("people", fill, key="1")
    with cluster.scratch("a", template) as one, cluster.scratch("a", template) as two:
        with psycopg.connect(one) as session:
            session.execute("DELETE FROM person")
        assert (people(one), people(two)) == (0, 100)
    assert not any(cluster.exists(database_of(dsn)) for dsn in (one, two))


def test_a_copy_brings_the_statistics_of_its_template(cluster: Cluster) -> None:
    with (
        cluster.scratch("stats", cluster.template("people", fill, key="1")) as dsn,
        psycopg.connect(dsn) as session,
    ):
        row = session.execute("SELECT reltuples FROM pg_class WHERE relname = 'person'").fetchone()
    assert row == (100.0,)


def test_a_scratch_database_goes_when_its_user_raises(cluster: Cluster) -> None:
    before = names(cluster)
    with pytest.raises(ZeroDivisionError), cluster.scratch("raises"):
        raise ZeroDivisionError
    assert names(cluster) == before


def test_a_template_is_built_once_per_key_and_old_keys_go(cluster: Cluster) -> None:
    old = cluster.template("keyed", fill, key="1")
    neighbour = cluster.template("keyed_too", fill, key="1")
    assert cluster.template("keyed", refuse, key="1") == old
    new = cluster.template("keyed", fill, key="2")
    assert [cluster.exists(name) for name in (old, new, neighbour)] == [False, True, True]


def test_a_template_cannot_be_connected_to(cluster: Cluster) -> None:
    template = cluster.template("closed", fill, key="1")
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(cluster.dsn(template))


def test_a_build_that_fails_leaves_nothing_and_its_error_goes_through(cluster: Cluster) -> None:
    before = names(cluster)
    with pytest.raises(AssertionError, match="a second time"):
        cluster.template("failing", refuse, key="1")
    assert names(cluster) == before


@pytest.mark.usefixtures("cluster")
def test_concurrent_processes_build_a_template_once(common_cache: Path, tmp_path: Path, lodge: Lodge) -> None:
    lodgers = [lodge("build", str(tmp_path / "diary"), cache=common_cache) for _ in range(3)]
    answers = {lodger.says()["template"] for lodger in lodgers}
    assert len(answers) == 1
    assert [lodger.leave() for lodger in lodgers] == [0, 0, 0]
    assert len((tmp_path / "diary").read_text().splitlines()) == 1


def test_what_killed_processes_leave_is_swept_and_the_living_keep_theirs(
    cluster: Cluster, common_cache: Path, lodge: Lodge
) -> None:
    builder, scratcher = lodge("stall", cache=common_cache), lodge("scratch", cache=common_cache)
    left = [database_of(builder.says()["dsn"]), database_of(scratcher.says()["dsn"])]
    with cluster.scratch("mine") as mine:
        assert all(cluster.exists(name) for name in left)
        builder.kill()
        scratcher.kill()
        template = cluster.template("stalled", fill, key="1")
        with Cluster.open(SandboxSettings(cache_dir=common_cache, idle_seconds=60.0)):
            pass
        assert not any(cluster.exists(name) for name in left)
        assert cluster.exists(database_of(mine))
        assert cluster.exists(template)


def test_a_cluster_reconnects_after_the_server_has_ended_its_session(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    with pytest.raises(Unavailable):
        cluster.exists("postgres")
    assert cluster.exists("postgres")


def test_a_server_of_the_users_own_serves_as_the_sandbox(cluster: Cluster, tmp_path: Path) -> None:
    with Cluster.open(SandboxSettings(cache_dir=tmp_path / "unused", url=cluster.dsn())) as foreign:
        assert (foreign.kind, foreign.bin_dir) == ("url", None)
        with foreign.scratch("url", foreign.template("at_url", fill, key="1")) as dsn:
            assert people(dsn) == 100
        with pytest.raises(InvalidInput):
            foreign.drop("postgres")
    assert not (tmp_path / "unused").exists()


def test_a_url_whose_user_may_not_create_databases_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as session:
        session.execute("CREATE ROLE sergei_reader LOGIN")
        try:
            with pytest.raises(ConfigurationError, match="may not create databases"):
                Cluster.open(SandboxSettings(cache_dir=tmp_path, url=cluster.dsn(user="sergei_reader")))
        finally:
            session.execute("DROP ROLE sergei_reader")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://sergei:hunter2@127.0.0.1:1/postgres", Unavailable),
        ("postgresql://sergei:hunter2@[broken", ConfigurationError),
        ("hunter2", ConfigurationError),
    ],
)
def test_a_url_that_leads_nowhere_gives_a_sentence_without_its_password(
    tmp_path: Path, url: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        Cluster.open(SandboxSettings(cache_dir=tmp_path, url=url))
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
