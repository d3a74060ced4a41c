"""The locks by which processes share one server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.errors import Unavailable
from tools.sandbox.lease import Lease, exclusive, is_held
from tools.sandbox.reaper import is_ready, recorded_pid, seconds_left, server_pid, try_lock


def test_the_exclusive_lock_names_its_holder_when_it_takes_too_long(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        exclusive(lock),
        pytest.raises(Unavailable, match=f"process {os.getpid()}"),
        exclusive(lock, patience=0.0),
    ):
        pass


def test_the_exclusive_lock_is_free_after_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock"):
        raise ZeroDivisionError
    assert not is_held(tmp_path / "lock")


def test_two_leases_live_together_and_the_last_one_frees_the_file(tmp_path: Path) -> None:
    users = tmp_path / "users"
    first, second = Lease(users, 1.0), Lease(users, 2.0)
    with users.open("r+") as watched:
        first.release()
        assert not try_lock(watched)
        second.release()
        second.release()
        assert try_lock(watched)


def test_the_newest_lease_sets_the_idle_time_and_a_release_restarts_it(tmp_path: Path) -> None:
    users = tmp_path / "users"
    Lease(users, 10.0)
    lease = Lease(users, 100.0)
    os.utime(users, (0, 0))
    with users.open() as watched:
        assert seconds_left(watched) < 0
        lease.release()
        assert 10 < seconds_left(watched) <= 100


def test_a_foreign_process_is_not_taken_for_the_server(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")
    assert recorded_pid(tmp_path) == os.getpid()
    assert server_pid(tmp_path) is None


@pytest.mark.parametrize("text", ["", "no number\n", "-1\n", "1\n"])
def test_a_damaged_pid_file_names_no_server(tmp_path: Path, text: str) -> None:
    (tmp_path / "postmaster.pid").write_text(text)
    assert server_pid(tmp_path) is None
    assert not is_ready(tmp_path)
