from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from memory.errors import BankConflict
from memory.locks import take


def no_flock(descriptor: int, operation: int) -> None:
    """A filesystem without locks."""
    raise OSError(errno.ENOLCK, "No locks available")


def owner_file(tmp_path: Path) -> Path:
    return tmp_path / ".lock.owner"


def owned(tmp_path: Path, host: str, pid: int) -> Path:
    owner_file(tmp_path).write_text(json.dumps({"host": host, "pid": pid, "token": "t"}))
    return owner_file(tmp_path)


def test_a_filesystem_without_locks_gets_a_lock_file_that_names_its_owner(tmp_path: Path) -> None:
    held = take(tmp_path / ".lock", 1.0, flock=no_flock)
    assert json.loads(owner_file(tmp_path).read_text())["pid"] == os.getpid()
    with pytest.raises(BankConflict, match=rf"Process {os.getpid()} on .* has held the memory bank"):
        take(tmp_path / ".lock", 0.02, flock=no_flock)
    held.release()
    assert not owner_file(tmp_path).exists()
    take(tmp_path / ".lock", 0.0, flock=no_flock).release()


def test_another_error_of_the_disk_is_not_taken_for_a_missing_lock(tmp_path: Path) -> None:
    def full(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        take(tmp_path / ".lock", 0.0, flock=full)


def test_the_lock_of_a_dead_process_is_taken_over_at_once(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owned(tmp_path, socket.gethostname(), dead.pid)
    take(tmp_path / ".lock", 0.5, flock=no_flock).release()
    assert list(tmp_path.iterdir()) == [tmp_path / ".lock"]


def test_the_lock_of_another_machine_is_taken_over_when_it_is_not_renewed(tmp_path: Path) -> None:
    path = owned(tmp_path, "another", 1)
    with pytest.raises(BankConflict, match="Process 1 on another has held"):
        take(tmp_path / ".lock", 0.02, flock=no_flock)
    os.utime(path, (1, 1))
    take(tmp_path / ".lock", 0.5, flock=no_flock).release()


def test_a_half_written_lock_file_is_waited_for_and_then_taken_over(tmp_path: Path) -> None:
    owner_file(tmp_path).write_text("")
    with pytest.raises(BankConflict):
        take(tmp_path / ".lock", 0.02, flock=no_flock)
    os.utime(owner_file(tmp_path), (1, 1))
    take(tmp_path / ".lock", 0.5, flock=no_flock).release()


def test_a_held_lock_file_is_renewed(tmp_path: Path) -> None:
    held = take(tmp_path / ".lock", 1.0, flock=no_flock, expires=0.08)
    os.utime(owner_file(tmp_path), (1, 1))
    deadline = time.monotonic() + 10
    while owner_file(tmp_path).stat().st_mtime < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert owner_file(tmp_path).stat().st_mtime > 2
    held.release()


def test_only_one_thread_is_inside(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(15):
            held = take(tmp_path / ".lock", 30.0, flock=no_flock)
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)
            held.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 60
