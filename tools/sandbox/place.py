"""Where a private server lives and whom it runs as.

    HOME/            CACHE/<kind>-<major>[-<superuser>], 0700 (root: 0711, the server runs as another account)
      lock users reaper   the locks of lease.py and reaper.py
      data/          the cluster, owned by the server's account
      server.log postgresql.conf
      socket/        0700, or the short folder in /tmp that the file `socket_folder` names

PostgreSQL refuses to run as root, so root's server runs as an account of `UNPRIVILEGED`. That
account cannot reach a folder such as /root (0700); root's clusters then live under `shared_dir`.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ConfigurationError
from tools.sandbox.binaries import Binaries

UNPRIVILEGED = ("postgres", "nobody", "daemon")  # initdb wants an account with a name
SOCKET_NAME = ".s.PGSQL.5432"
DEFAULT_SUPERUSER = "postgres"
SOCKET_PATH_BYTES = 100  # sun_path holds 107 bytes on Linux and 103 on macOS


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as; `ours` is False when root starts it for another account."""

    uid: int
    gid: int
    ours: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one private server."""

    home: Path
    account: Account
    superuser: str = DEFAULT_SUPERUSER

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def give(self, path: Path, mode: int) -> Path:
        """Hand a file or folder to the server's account with exactly this mode."""
        path.chmod(mode)
        if not self.account.ours:
            os.chown(path, self.account.uid, self.account.gid)
        return path


def server_account() -> Account:
    """The current account; an unprivileged one when the current one is root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), ours=True)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, ours=False)
    message = (
        f"PostgreSQL refuses to run as root, and there is none of the accounts {', '.join(UNPRIVILEGED)}."
    )
    raise ConfigurationError(message, hint="Run Sergei as an ordinary user or create one of them.")


def can_enter(path: Path, account: Account) -> bool:
    """Whether the account may pass through `path` and every folder above it (missing ones pass)."""
    for folder in (path, *path.parents):
        try:
            status = folder.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue  # creating it will say what is wrong
        except OSError:
            return False
        if not stat.S_ISDIR(status.st_mode):
            continue
        if status.st_uid == account.uid:
            bit = stat.S_IXUSR
        elif status.st_gid == account.gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not status.st_mode & bit:
            return False
    return True


def _belongs_to_root(path: Path) -> bool:
    """Whether everything that exists of `path` is root's: root must not build inside a user's folder."""
    return all(not folder.exists() or folder.stat().st_uid == 0 for folder in (path, *path.parents))


def cache_folder(cache_dir: Path, shared_dir: Path, account: Account) -> Path:
    """`cache_dir`, or a stand-in under `shared_dir` when root's server account could not reach it."""
    cache_dir = cache_dir.expanduser().resolve()
    if account.ours or (can_enter(cache_dir, account) and _belongs_to_root(cache_dir)):
        return cache_dir
    return shared_dir / hashlib.sha256(os.fsencode(cache_dir)).hexdigest()[:8]


def _make_folder(folder: Path, mode: int) -> None:
    """Create a folder and its missing parents, all with this mode whatever the umask is."""
    for path in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        path.mkdir(exist_ok=True)
        path.chmod(mode)


def settle(
    cache_dir: Path, shared_dir: Path, binaries: Binaries, superuser: str = DEFAULT_SUPERUSER
) -> Place:
    """Choose and create the folder of this user's server for these binaries. Raises OSError."""
    account = server_account()
    cache = cache_folder(cache_dir, shared_dir, account)
    apart = "" if superuser == DEFAULT_SUPERUSER else f"-{superuser}"
    home = cache / f"{binaries.kind}-{binaries.major}{apart}"
    if home.exists() and home.stat().st_uid != os.geteuid():
        home = home.with_name(f"{home.name}-u{os.geteuid()}")
    _make_folder(home.parent, 0o700 if account.ours else 0o755)
    _make_folder(home, 0o700 if account.ours else 0o711)
    for name in ("lock", "users", "reaper"):
        if not (home / name).exists():
            (home / name).touch(mode=0o600)
    return Place(home.resolve(), account, superuser)


def reachable_binaries(binaries: Binaries, place: Place) -> Binaries:
    """The binaries, copied once into the cache when the server's account cannot reach where they are."""
    if place.account.ours or can_enter(binaries.bin_dir, place.account):
        return binaries
    if binaries.kind == "system":
        message = f"The account that root's sandbox server runs as cannot reach {binaries.bin_dir}."
        raise ConfigurationError(message, hint="Use the embedded server.")
    target = place.home.parent / f"binaries-{binaries.kind}-{binaries.version}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(prefix=".binaries-", dir=target.parent))
        try:
            for part in ("bin", "lib", "share"):
                if (source := binaries.bin_dir.parent / part).is_dir():
                    shutil.copytree(source, fresh / part, symlinks=True)
            fresh.chmod(0o755)
            fresh.rename(target)
        except OSError:
            if not target.exists():  # else another process was quicker, and its copy is as good
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return binaries.moved_to(target / "bin")


def socket_folder(place: Place) -> Path:
    """The private folder of the server's socket, made when missing.

    A path in the cache is used when it is short enough for a socket; else a folder under /tmp with a random
    name, remembered in HOME/socket_folder and used again only while it is still nobody else's.
    """
    inside = place.home / "socket"
    if len(os.fsencode(inside / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        inside.mkdir(exist_ok=True)
        return place.give(inside, 0o700)
    record = place.home / "socket_folder"
    if record.exists():
        folder = Path(record.read_text().strip())
        if _is_private(folder, place.account):
            return folder
    folder = place.give(Path(tempfile.mkdtemp(prefix="sergei-", dir="/tmp")), 0o700)
    record.write_text(f"{folder}\n")
    return folder


def _is_private(folder: Path, account: Account) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and not status.st_mode & 0o077
