"""The life of a private server: start, share, crash, stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.tools.sandbox.conftest import Lodge, until
from tools.errors import ConfigurationError, Unavailable
from tools.sandbox.binaries import (
    Binaries,
    choose_binaries,
    embedded_binaries,
    find_system_binaries,
)
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.lease import is_held
from tools.sandbox.place import server_account
from tools.sandbox.reaper import command_line, has_clients, recorded_pid, server_pid


def home_of(cache: Path) -> Path:
    return cache / "embedded-17"


def is_stopped(cache: Path) -> bool:
    return server_pid(home_of(cache) / "data") is None and not is_held(home_of(cache) / "reaper")


def test_two_processes_share_one_server(cache: Path, lodge: Lodge) -> None:
    first, second = lodge("hold"), lodge("hold")  # at once: one of them starts it
    one, two = first.says(), second.says()
    assert one["started"] == two["started"]
    assert (first.leave(), second.leave()) == (0, 0)


def test_the_server_outlives_a_killed_user_while_another_one_is_left(cache: Path, lodge: Lodge) -> None:
    victim, other = lodge("hold", idle=0.1), lodge("hold", idle=0.1)
    started = other.says()["started"]
    victim.says()
    victim.kill()
    assert lodge("hold", idle=0.1).says()["started"] == started


def test_the_server_stops_after_every_user_was_killed(cache: Path, lodge: Lodge) -> None:
    users = [lodge("hold", idle=0.2), lodge("hold", idle=0.2)]
    for user in users:
        user.says()
    for user in users:
        user.kill()
    assert until(lambda: is_stopped(cache))


def test_the_server_stops_idle_and_starts_again_with_its_databases(cache: Path) -> None:
    settings = SandboxSettings(cache_dir=cache, idle_seconds=0.1)
    with Cluster.open(settings) as cluster:
        cluster.create("sergei_kept")
    assert until(lambda: is_stopped(cache))
    with Cluster.open(settings) as cluster:
        assert cluster.exists("sergei_kept")


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="connections are seen through /proc")
def test_a_connected_client_keeps_the_server_without_a_lease(cache: Path) -> None:
    with Cluster.open(SandboxSettings(cache_dir=cache, idle_seconds=60.0)) as cluster:
        data = home_of(cache) / "data"
        with psycopg.connect(cluster.dsn()):
            assert has_clients(data)
    assert until(lambda: not has_clients(data))


@pytest.mark.usefixtures("cluster")
def test_server_and_reaper_live_in_another_session_than_the_terminal(common_cache: Path) -> None:
    server = recorded_pid(home_of(common_cache) / "data")
    watcher = int((home_of(common_cache) / "reaper").read_text())
    assert server is not None
    assert os.getsid(0) not in {os.getsid(server), os.getsid(watcher)}


def test_a_killed_reaper_is_replaced_by_the_next_user(cache: Path) -> None:
    settings = SandboxSettings(cache_dir=cache, idle_seconds=0.1)
    with Cluster.open(settings):
        os.kill(int((home_of(cache) / "reaper").read_text()), signal.SIGKILL)
        assert until(lambda: not is_held(home_of(cache) / "reaper"))
        with Cluster.open(settings):
            assert is_held(home_of(cache) / "reaper")
    assert until(lambda: is_stopped(cache))


def test_a_pid_file_that_names_a_foreign_process_does_not_stop_the_start(cache: Path) -> None:
    settings = SandboxSettings(cache_dir=cache, idle_seconds=60.0)
    data = home_of(cache) / "data"
    account = server_account()
    with Cluster.open(settings):
        server = server_pid(data)
        assert server is not None
        lines = (data / "postmaster.pid").read_text().splitlines()
        os.kill(server, signal.SIGKILL)
        assert until(lambda: server_pid(data) is None)
    foreigner = subprocess.Popen(["sleep", "60"], user=None if account.ours else account.uid)
    try:
        (data / "postmaster.pid").write_text("\n".join([str(foreigner.pid), *lines[1:]]) + "\n")
        with Cluster.open(settings) as cluster:
            assert cluster.exists("postgres")
        assert foreigner.poll() is None
    finally:
        foreigner.kill()
        foreigner.wait()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are seen through /proc")
def test_a_folder_removed_under_its_server_is_built_anew(cache: Path) -> None:
    settings = SandboxSettings(cache_dir=cache, idle_seconds=60.0)
    with Cluster.open(settings) as cluster:
        cluster.create("sergei_lost")
        orphan = server_pid(home_of(cache) / "data")
        shutil.rmtree(home_of(cache))
    with Cluster.open(settings) as cluster:
        assert not cluster.exists("sergei_lost")
        assert server_pid(home_of(cache) / "data") != orphan
        assert until(lambda: command_line(orphan or 0) == "")


def test_a_killed_initdb_is_done_again(cache: Path, lodge: Lodge) -> None:
    victim = lodge("hold")
    assert until(lambda: any(home_of(cache).glob("data.new-*/base")))
    victim.kill()
    with Cluster.open(SandboxSettings(cache_dir=cache, idle_seconds=60.0)) as cluster:
        assert cluster.exists("postgres")
    assert not list(home_of(cache).glob("data.new-*"))


def test_data_of_another_version_is_refused_with_the_folder_to_remove(cache: Path) -> None:
    data = home_of(cache) / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match=r"holds data of PostgreSQL 14, but .* 17") as caught:
        Cluster.open(SandboxSettings(cache_dir=cache))
    assert str(home_of(cache)) in str(caught.value)


def test_a_folder_that_is_no_cluster_is_left_alone(cache: Path) -> None:
    data = home_of(cache) / "data"
    data.mkdir(parents=True)
    (data / "letter.txt").write_text("dear")
    with pytest.raises(ConfigurationError, match="is not a PostgreSQL data folder"):
        Cluster.open(SandboxSettings(cache_dir=cache))
    assert (data / "letter.txt").read_text() == "dear"


def test_a_cache_folder_that_cannot_be_made_gives_one_sentence(cache: Path) -> None:
    (cache / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot use its folder .*: Not a directory"):
        Cluster.open(SandboxSettings(cache_dir=cache / "file" / "sandbox"))


def test_a_server_that_does_not_start_says_why_and_where_its_log_is(cache: Path) -> None:
    settings = SandboxSettings(cache_dir=cache, idle_seconds=0.0)
    with Cluster.open(settings):
        pass
    assert until(lambda: is_stopped(cache))
    (home_of(cache) / "data" / "global" / "pg_control").unlink()
    with pytest.raises(Unavailable, match=r"pg_control.*server\.log") as caught:
        Cluster.open(settings)
    assert "\n" not in str(caught.value)


def test_an_installed_postgresql_is_used_when_asked(cache: Path) -> None:
    if find_system_binaries() is None:
        pytest.skip("no PostgreSQL server is installed on this machine")
    with Cluster.open(SandboxSettings(cache_dir=cache, server="system", idle_seconds=60.0)) as cluster:
        assert cluster.kind == "system"
        with cluster.scratch("installed") as dsn, psycopg.connect(dsn) as session:
            assert session.execute("SELECT 1").fetchone() == (1,)


def test_an_extension_decides_which_server_is_used() -> None:
    assert choose_binaries("embedded", ("pgcrypto", "pg_trgm")).kind == "embedded"
    with pytest.raises(ConfigurationError, match="offers the extension nonsense"):
        choose_binaries("embedded", ("nonsense",))


def test_the_installed_server_is_used_for_what_the_embedded_one_lacks(tmp_path: Path) -> None:
    """A folder that looks like an installation stands for one: what it has is read from its files."""
    installed = Binaries("system", tmp_path / "bin", "16.1")
    (tmp_path / "share" / "extension").mkdir(parents=True)
    (tmp_path / "share" / "extension" / "vector.control").touch()
    assert installed.has_extension("vector") and not embedded_binaries().has_extension("vector")
