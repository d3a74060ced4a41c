"""Starts the sandbox's server and stops it when nobody has used it for a while.

Run as a program of its own, by absolute path and with `python -I -S`, so that nothing in the caller's
folder or site-packages can shadow it: standard library only, no import of this project.

    reaper.py HOME UID GID [POSTGRES]

It leaves the caller's session (a Ctrl-C or a closed terminal reaches neither it nor the server), starts
the program POSTGRES on HOME/data as UID:GID when it is given, prints `ready` or `failed`, and then watches
HOME/users. Every user of the server holds a shared flock on that file. The kernel drops a dead process's
lock, whatever killed it, so "the exclusive lock can be had" means "nobody is left". The file's text is the
idle time in seconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

START_SECONDS = 60.0
STOP_SECONDS = 20.0
LOOK_SECONDS = 5.0  # a newcomer may have asked for a shorter idle time


def recorded_pid(data: Path) -> int | None:
    """The process id in DATA/postmaster.pid, alive or not; None without a readable file."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def is_ready(data: Path) -> bool:
    """Whether the server wrote `ready` into line 8 of its pid file (PostgreSQL 10 and later)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def command_line(pid: int) -> str:
    """The words of a running process, or an empty string for one that is gone, foreign or a zombie."""
    proc = Path("/proc/self/cmdline")
    if proc.exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listing = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return listing.stdout.decode(errors="replace")


def server_pid(data: Path) -> int | None:
    """The live server of this data folder. A pid file left by a crash names a dead or a foreign process."""
    pid = recorded_pid(data)
    if pid is None or pid <= 1:
        return None
    return pid if _serves(pid, data) else None


def _serves(pid: int, data: Path) -> bool:
    program, _, options = command_line(pid).partition(" -D ")
    return program.endswith("/postgres") and f"{options} ".startswith(f"{data} ")


def kill_orphans(data: Path) -> None:
    """Kill servers whose data folder was removed under them (seen on Linux only).

    Such a server notices within a minute, and on its way out it removes socket and pid file *by path*: those
    of its successor. A kill leaves it no time for that.
    """
    processes = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    for pid in processes:
        if _serves(pid, data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def stop_server(data: Path) -> None:
    """Stop politely (fast shutdown), then less so. Returns when the server is gone."""
    for sig, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        pid = server_pid(data)
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)
        deadline = time.monotonic() + patience
        while server_pid(data) == pid and time.monotonic() < deadline:
            time.sleep(0.01)


def start_server(home: Path, program: str, uid: int, gid: int) -> bool:
    """Start the server as uid:gid; True when it accepts connections, False when it ended instead."""
    command = [program, "-D", str(home / "data"), "-c", f"config_file={home / 'postgresql.conf'}"]
    root = os.geteuid() == 0
    with (home / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            user=uid if root else None,
            group=gid if root else None,
            extra_groups=[gid] if root else None,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            return False
        if recorded_pid(home / "data") == server.pid and is_ready(home / "data"):
            # The kernel may reap the server from here on: a zombie would look alive to kill(pid, 0).
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            return True
        time.sleep(0.005)
    server.kill()
    return False


def try_lock(file: IO[str], patience: float = 0.0) -> bool:
    """Take the exclusive lock, trying for `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def seconds_left(users: IO[str]) -> float:
    """Seconds until the idle time is over, counted from the last release (the file's modification time)."""
    users.seek(0)
    try:
        idle = float(users.read() or 0.0)
    except ValueError:
        idle = 0.0
    return min(idle, os.fstat(users.fileno()).st_mtime + idle - time.time())


def wait_until_unused(users: IO[str]) -> None:
    """Block until nobody holds a lease; a lease that we had to wait for was released just now."""
    if not try_lock(users):
        fcntl.flock(users, fcntl.LOCK_EX)
        os.utime(users.fileno())
    fcntl.flock(users, fcntl.LOCK_UN)


def has_clients(data: Path) -> bool:
    """Whether anyone is connected to the server's socket, say with psql (seen on Linux only)."""
    try:
        folder, port = (data / "postmaster.pid").read_text().splitlines()[4:2:-1]
        sockets = Path("/proc/net/unix").read_text().splitlines()
    except (OSError, ValueError):
        return False
    fields = [line.split(maxsplit=7) for line in sockets]
    address = f"{folder}/.s.PGSQL.{port}"
    return any(len(field) == 8 and field[5] == "03" and field[7] == address for field in fields)


def watch(home: Path) -> None:
    """Stop the server once its idle time has passed without a user, then return."""
    with (home / "users").open("r+") as users, (home / "lock").open("r+") as lock:
        # A folder that was removed and made again has a server and a reaper of its own.
        while os.path.samestat(os.fstat(lock.fileno()), (home / "lock").stat()):
            wait_until_unused(users)
            if has_clients(home / "data"):
                os.utime(users.fileno())
            if (left := seconds_left(users)) > 0:
                time.sleep(min(left, LOOK_SECONDS))
            elif stop_unused(home, users, lock):
                return


def stop_unused(home: Path, users: IO[str], lock: IO[str]) -> bool:
    """Look again while nobody can start or join, and stop; False when somebody came back."""
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.path.samestat(os.fstat(lock.fileno()), (home / "lock").stat()):
        if try_lock(users) and seconds_left(users) <= 0:
            stop_server(home / "data")
            remove_socket_folder(home)
            return True
        fcntl.flock(users, fcntl.LOCK_UN)
    fcntl.flock(lock, fcntl.LOCK_UN)
    return False


def remove_socket_folder(home: Path) -> None:
    """Remove the folder in /tmp that stood in for a path too long for a socket."""
    with contextlib.suppress(OSError):
        Path((home / "socket_folder").read_text().strip()).rmdir()


def main(argv: list[str]) -> int:
    """Become a background process, start the server when asked, and stay unless a reaper is there already."""
    home, uid, gid, program = Path(argv[1]), int(argv[2]), int(argv[3]), "".join(argv[4:])
    if os.fork():
        return 0  # the caller waits for this one; the child belongs to init
    ready = not program or start_server(home, program, uid, gid)
    with (home / "reaper").open("r+") as mine:
        first = ready and try_lock(mine, patience=1.0)
        if first:
            mine.truncate(0)
            print(os.getpid(), file=mine, flush=True)
        print("ready" if ready else "failed", flush=True)
        if not first:
            return 0
        with (home / "server.log").open("ab") as log:
            for stream in (1, 2):  # closes the caller's pipe
                os.dup2(log.fileno(), stream)
        with contextlib.suppress(FileNotFoundError):  # somebody removed the whole folder
            watch(home)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
