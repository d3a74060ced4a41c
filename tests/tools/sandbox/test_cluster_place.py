"""Where a server lives and whom it runs as: long paths, root, ordinary users, folders out of reach."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.tools.sandbox.conftest import Lodge
from tools.sandbox.binaries import Binaries
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.place import Account, can_enter, reachable_binaries, server_account, settle, socket_folder
from tools.sandbox.reaper import server_pid

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to start servers as other accounts")
SOMEBODY = 65534 if os.geteuid() != 0 else pwd.getpwnam("nobody").pw_uid
NAMELESS = 54321
EMBEDDED = Binaries("embedded", Path("/nowhere/bin"), "17.10")


def ordinary_python() -> str:
    """An interpreter of this version that any account may run; some live below /root."""
    version = f"python3.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if candidate is None:
            continue
        try:
            subprocess.run([candidate, "-c", ""], check=True, user=SOMEBODY, group=SOMEBODY, extra_groups=[])
        except OSError:
            continue
        return candidate
    pytest.skip(f"no {version} here that an ordinary user may run")


def test_a_cache_path_too_long_for_a_socket_works(cache: Path) -> None:
    deep = cache / ("d" * 60) / ("e" * 60)
    with Cluster.open(SandboxSettings(cache_dir=deep, idle_seconds=60.0)) as cluster:
        folder = Path((deep / "embedded-17" / "socket_folder").read_text().strip())
        assert str(folder) in cluster.dsn()
        assert folder.stat().st_mode & 0o777 == 0o700
        with psycopg.connect(cluster.dsn()) as session:
            assert session.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_remembered_socket_folder_is_not_used_once_others_may_enter_it(cache: Path) -> None:
    place = settle(cache / ("d" * 60) / ("e" * 60), cache, EMBEDDED)
    first = socket_folder(place)
    assert socket_folder(place) == first
    first.chmod(0o755)
    second = socket_folder(place)
    assert second != first
    for folder in (first, second):
        folder.rmdir()


def test_the_folder_of_another_user_is_not_shared(cache: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to make a folder of another user")
    place = settle(cache, cache, EMBEDDED)
    os.chown(place.home, SOMEBODY, SOMEBODY)
    assert settle(cache, cache, EMBEDDED).home.name == "embedded-17-u0"


@needs_root
@pytest.mark.usefixtures("cluster")
def test_roots_server_runs_as_another_account(common_cache: Path) -> None:
    data = common_cache / "embedded-17" / "data"
    server = server_pid(data)
    assert server is not None
    assert Path(f"/proc/{server}").stat().st_uid == data.stat().st_uid == server_account().uid != 0


@needs_root
def test_roots_cache_out_of_the_accounts_reach_is_replaced(cache: Path) -> None:
    (cache / "private").mkdir(mode=0o700)
    (cache / "theirs").mkdir(mode=0o755)
    os.chown(cache / "theirs", SOMEBODY, SOMEBODY)
    shared = cache / "shared"
    homes = {settle(cache / name / "sandbox", shared, EMBEDDED).home for name in ("private", "theirs")}
    assert len(homes) == 2
    assert all(home.is_relative_to(shared) and can_enter(home, server_account()) for home in homes)


@needs_root
def test_binaries_out_of_the_accounts_reach_are_copied_once(cache: Path) -> None:
    programs = cache / "private" / "bin"
    programs.mkdir(parents=True)
    (cache / "private").chmod(0o700)
    (programs / "postgres").write_text("#!/bin/sh\necho here\n")
    (programs / "postgres").chmod(0o755)
    place = settle(cache / "sandbox", cache, EMBEDDED)
    moved = reachable_binaries(Binaries("embedded", programs, "17.10"), place)
    uid = place.account.uid
    assert subprocess.run([moved.program("postgres")], user=uid, capture_output=True).stdout == b"here\n"
    (programs / "postgres").unlink()
    assert reachable_binaries(Binaries("embedded", programs, "17.10"), place) == moved


@needs_root
def test_an_ordinary_user_has_a_server_of_their_own(cache: Path, lodge: Lodge) -> None:
    theirs = cache / "theirs"
    theirs.mkdir()
    os.chown(theirs, SOMEBODY, SOMEBODY)
    lodger = lodge("hold", cache=theirs / "sandbox", python=ordinary_python(), uid=SOMEBODY)
    assert lodger.says()["uid"] == SOMEBODY
    home = theirs / "sandbox" / "embedded-17"
    server = server_pid(home / "data")
    assert server is not None
    assert Path(f"/proc/{server}").stat().st_uid == SOMEBODY
    assert home.stat().st_mode & 0o777 == 0o700
    assert lodger.leave() == 0


@needs_root
def test_a_user_without_a_name_is_told_so(cache: Path, lodge: Lodge) -> None:
    theirs = cache / "theirs"
    theirs.mkdir()
    os.chown(theirs, NAMELESS, NAMELESS)
    lodger = lodge("hold", cache=theirs / "sandbox", python=ordinary_python(), uid=NAMELESS)
    assert "in /etc/passwd" in lodger.says()["message"]
    assert lodger.leave() == 2


@needs_root
def test_an_ordinary_user_without_a_writable_cache_gets_one_sentence(cache: Path, lodge: Lodge) -> None:
    lodger = lodge("hold", python=ordinary_python(), uid=SOMEBODY)
    answer = lodger.says()
    assert answer["error"] == "configuration"
    assert "Permission denied" in answer["message"]
    assert lodger.leave() == 2


def test_the_path_of_an_account_is_judged_folder_by_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    status = tmp_path.stat()
    assert not can_enter(tmp_path / "below", Account(NAMELESS, NAMELESS, ours=False))
    assert can_enter(Path("/"), Account(NAMELESS, NAMELESS, ours=False))
    assert can_enter(tmp_path, Account(status.st_uid, status.st_gid, ours=True))
