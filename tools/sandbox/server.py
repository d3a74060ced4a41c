"""Brings a private server up: cluster, configuration, left-overs of a crash, start.

Every function here expects the caller to hold HOME/lock.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.errors import ConfigurationError, Unavailable
from tools.sandbox import reaper
from tools.sandbox.binaries import Binaries
from tools.sandbox.lease import is_held
from tools.sandbox.place import SOCKET_NAME, Place, reachable_binaries, socket_folder

START_ATTEMPTS = 5
COMPLAINTS = ("FATAL:", "PANIC:", "error:", "Error:")
# Nothing here is worth surviving a power cut: the sandbox can always be built again.
CONFIGURATION = """\
# Written by Sergei at each start.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = logical
max_wal_size = 1GB
checkpoint_timeout = 30min
autovacuum = on
log_checkpoints = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
shared_preload_libraries = '{libraries}'
"""


def ensure_running(place: Place, binaries: Binaries) -> Path:
    """Start the server unless it runs; gives the folder of its socket.

    Raises ConfigurationError (wrong folder, no room, no permission) or Unavailable (it does not come up).
    """
    _check_version(place, binaries)
    folder = socket_folder(place)
    if not _becomes_ready(place, folder):
        reaper.stop_server(place.data)
        _start(place, binaries, folder)
    elif not is_held(place.home / "reaper"):  # it was killed
        _run_reaper(place, binaries, start=False)
    return folder


def _check_version(place: Place, binaries: Binaries) -> None:
    """Refuse a data folder that these binaries cannot open."""
    if not place.data.exists():
        return
    try:
        found = (place.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if not any(place.data.iterdir()):
            place.data.rmdir()
            return
        message = f"The folder {place.data} is not a PostgreSQL data folder."
        raise ConfigurationError(message, hint=f"Remove {place.home} and try again.") from None
    if found != str(binaries.major):
        message = (
            f"The sandbox folder {place.home} holds data of PostgreSQL {found}, "
            f"but the server is PostgreSQL {binaries.version}."
        )
        raise ConfigurationError(message, hint="Remove that folder and try again; it holds nothing of yours.")


def _accepts(folder: Path) -> bool:
    """Whether something listens on the socket; a socket left by a crash refuses."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5.0)
        try:
            probe.connect(str(folder / SOCKET_NAME))
        except OSError:
            return False
        return True


def _becomes_ready(place: Place, folder: Path) -> bool:
    """Whether a server runs here, after waiting for one that somebody has begun to start or to stop."""
    deadline = time.monotonic() + reaper.START_SECONDS
    while time.monotonic() < deadline:
        if reaper.is_ready(place.data):
            return _accepts(folder)
        if reaper.server_pid(place.data) is None and not _accepts(folder):
            return False
        time.sleep(0.01)
    return False


def _start(place: Place, binaries: Binaries, folder: Path) -> None:
    binaries = reachable_binaries(binaries, place)
    if not place.data.exists():
        _initialize(place, binaries)
    _write_configuration(place, binaries, folder)
    for _ in range(START_ATTEMPTS):
        _remove_stale_files(place, folder)
        if _run_reaper(place, binaries, start=True):
            return
        if "still in use" not in _last_words(place):
            break
        time.sleep(0.5)  # children of a killed server hold its shared memory until they notice
    message = f"The sandbox server does not start: {_last_words(place)}."
    raise Unavailable(message, hint=f"Its log is {place.log}; removing {place.home} builds it anew.")


def _initialize(place: Place, binaries: Binaries) -> None:
    """Build the cluster beside its place and rename it, so that a killed initdb leaves no half cluster."""
    _remove_half_clusters(place)
    reaper.kill_orphans(place.data)
    fresh = place.give(Path(tempfile.mkdtemp(prefix="data.new-", dir=place.home)), 0o700)
    answer = _initdb(place, binaries, fresh, "C.UTF-8")
    if "invalid locale" in answer.stderr:  # not every platform has C.UTF-8
        answer = _initdb(place, binaries, fresh, "C")
    if answer.returncode != 0:
        shutil.rmtree(fresh)
        reason = _reason(answer.stderr)
        message = f"The sandbox cannot create its cluster in {place.home}: {reason}."
        nameless = "could not look up effective user" in reason
        hint = (
            "Give this user a name in /etc/passwd" if nameless else "Make room or choose another cache folder"
        )
        raise ConfigurationError(message, hint=f"{hint}.")
    fresh.rename(place.data)
    _remove_half_clusters(place)


def _remove_half_clusters(place: Place) -> None:
    """A killed process's initdb may still be writing: it fails soon, so what resists now goes later."""
    for leftover in place.home.glob("data.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _initdb(place: Place, binaries: Binaries, folder: Path, locale: str) -> subprocess.CompletedProcess[str]:
    command = [binaries.program("initdb"), "-D", str(folder), "-U", place.superuser, "-A", "trust"]
    command += ["-E", "UTF8", "--no-sync", "--no-instructions", f"--locale={locale}"]
    if binaries.major >= 15:
        command.append("--locale-provider=libc")
    account = place.account
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(binaries),
            user=None if account.ours else account.uid,
            group=None if account.ours else account.gid,
            extra_groups=None if account.ours else [account.gid],
        )
    except (PermissionError, subprocess.SubprocessError) as error:
        message = f"PostgreSQL cannot be run as the unprivileged user {account.uid}: {error}."
        raise ConfigurationError(message, hint="Run Sergei as an ordinary user.") from error


def _reason(text: str) -> str:
    """The sentence of initdb's complaint that names the cause."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    causes = [line for line in lines if any(word in line for word in COMPLAINTS)]
    return _plain((causes or lines or ["initdb ended without a word"])[0])


def _plain(line: str) -> str:
    """A log line without its timestamp, process id and full stop."""
    return re.sub(r"^[\d:. -]+ UTC \[\d+\] ", "", line).rstrip(".")


def _environment(binaries: Binaries) -> dict[str, str]:
    """A server's whole environment: the caller's PG* and locale variables must not reach it."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    if binaries.icu_data is not None:
        environment["ICU_DATA"] = str(binaries.icu_data)
    return environment


def _write_configuration(place: Place, binaries: Binaries, folder: Path) -> None:
    libraries = "pg_stat_statements" if binaries.has_library("pg_stat_statements") else ""
    quoted = str(folder).replace("'", "''")
    file = place.home / "postgresql.conf"
    file.write_text(CONFIGURATION.format(socket=quoted, libraries=libraries))
    file.chmod(0o644)


def _remove_stale_files(place: Place, folder: Path) -> None:
    """Clear what a crash leaves: PostgreSQL refuses a pid file that names a living foreign process."""
    for file in (place.data / "postmaster.pid", folder / SOCKET_NAME, folder / f"{SOCKET_NAME}.lock"):
        file.unlink(missing_ok=True)
    if place.log.exists():
        place.log.rename(place.log.with_suffix(".log.old"))
    place.log.touch(mode=0o600)


def _run_reaper(place: Place, binaries: Binaries, *, start: bool) -> bool:
    """Start the watching process, and through it the server when asked; True when all is up."""
    script = Path(reaper.__file__).resolve()
    account = place.account
    words = [sys.executable, "-I", "-S", str(script), str(place.home), str(account.uid), str(account.gid)]
    answer = subprocess.run(
        [*words, binaries.program("postgres")] if start else words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=_environment(binaries),
        start_new_session=True,
    )
    if answer.stderr:
        with place.log.open("a") as log:
            log.write(answer.stderr)
    return answer.stdout.strip() == "ready"


def _last_words(place: Place) -> str:
    """The last complaint in the server's log, without its timestamp."""
    lines = place.log.read_text(errors="replace").splitlines()
    causes = [line for line in lines if any(word in line for word in COMPLAINTS)]
    return _plain((causes or lines or ["it left an empty log"])[-1])
