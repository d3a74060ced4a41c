"""The sandbox's PostgreSQL server: one private server per user, shared by processes, started on demand.

    with Cluster.open(SandboxSettings(cache_dir=cache)) as cluster:
        guardian = cluster.template("guardian", build, key=digest_of_the_sources)
        with cluster.scratch("proof", template=guardian) as dsn:
            ...

An open Cluster is a lease: while one is open anywhere, the server stays; `idle_seconds` after the last one
has gone (also by kill -9) the server stops. See lease.py for the locks, place.py for the folders, reaper.py
for the stopping and databases.py for the names. It is never the user's database.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, LiteralString, Self

from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo

from tools.errors import ConfigurationError, InvalidInput
from tools.sandbox import databases, server
from tools.sandbox.binaries import OLDEST_MAJOR, choose_binaries
from tools.sandbox.lease import Lease, exclusive
from tools.sandbox.place import DEFAULT_SUPERUSER, settle

APART = "sergei"  # superuser of the server that runs other people's SQL


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Which server to use, and where a private one lives.

    `url` names a server of the user's own, with rights to create databases and roles; then nothing is
    started. Where the embedded server lacks one of `extensions`, the system's is used. `shared_dir` takes the
    place of `cache_dir` for root when the latter lies in a folder that only root may enter. `superuser` names
    who administers a private server; each name has a server of its own.
    """

    cache_dir: Path
    url: str | None = None
    server: Literal["embedded", "system"] = "embedded"
    extensions: tuple[str, ...] = ()
    idle_seconds: float = 300.0
    shared_dir: Path = Path("/var/cache/sergei")
    superuser: str = DEFAULT_SUPERUSER


class Cluster:
    """A running server and a lease on it. Calls are synchronous and may come from any thread."""

    def __init__(
        self,
        *,
        kind: Literal["embedded", "system", "url"],
        conninfo: str,
        bin_dir: Path | None,
        lease: Lease | None,
        settings: SandboxSettings | None = None,
    ) -> None:
        self._conninfo = conninfo
        self._lease = lease
        self._settings = settings
        self._apart: Cluster | None = None
        self._session = databases.connect(conninfo)
        self._guard = threading.RLock()
        self._token = secrets.randbits(28)
        self._claimed = False
        self._closed = False
        self._made = 0
        self.kind = kind
        self.bin_dir = bin_dir
        self.version = (self._session.info.parameter_status("server_version") or "").split(" ")[0]

    @classmethod
    def open(cls, settings: SandboxSettings) -> Cluster:
        """Join the server, starting it first when needed.

        Raises ConfigurationError (folder, version, binaries, rights) or Unavailable (it cannot be reached).
        """
        cluster = cls._at_url(settings.url) if settings.url else cls._private(settings)
        with ExitStack() as undo:
            undo.callback(cluster.close)
            databases.sweep(cluster._session)
            undo.pop_all()
        return cluster

    @classmethod
    def _private(cls, settings: SandboxSettings) -> Cluster:
        binaries = choose_binaries(settings.server, settings.extensions)
        try:
            place = settle(settings.cache_dir, settings.shared_dir, binaries, settings.superuser)
            with exclusive(place.home / "lock"):
                lease = Lease(place.home / "users", settings.idle_seconds)
                with ExitStack() as undo:
                    undo.callback(lease.release)
                    folder = server.ensure_running(place, binaries)
                    conninfo = make_conninfo(
                        host=str(folder), port=5432, dbname="postgres", user=settings.superuser
                    )
                    cluster = cls(
                        kind=binaries.kind,
                        conninfo=conninfo,
                        bin_dir=binaries.bin_dir,
                        lease=lease,
                        settings=settings,
                    )
                    undo.pop_all()
                    return cluster
        except OSError as error:
            message = f"The sandbox cannot use its folder {error.filename or settings.cache_dir}"
            hint = "Make room or choose another cache folder."
            raise ConfigurationError(f"{message}: {error.strerror or error}.", hint=hint) from error

    @classmethod
    def _at_url(cls, url: str) -> Cluster:
        try:
            conninfo = make_conninfo(url)
        except ProgrammingError:  # its text repeats the url, and with it a password
            raise ConfigurationError("SERGEI_SANDBOX_URL is not a PostgreSQL connection string.") from None
        cluster = cls(kind="url", conninfo=conninfo, bin_dir=None, lease=None)
        rights = (
            "SELECT rolsuper OR (rolcreatedb AND rolcreaterole) FROM pg_roles WHERE rolname = current_user"
        )
        allowed = cluster._session.execute(rights).fetchone() == (True,)
        old = cluster._session.info.server_version < OLDEST_MAJOR * 10000
        if allowed and not old:
            return cluster
        cluster.close()
        lack = (
            f"it is older than PostgreSQL {OLDEST_MAJOR}"
            if old
            else "its user may not create databases and roles"
        )
        raise ConfigurationError(f"The server of SERGEI_SANDBOX_URL cannot be the sandbox: {lack}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lease back. Scratch databases still open are swept by the next one who opens."""
        self._closed = True
        if self._apart is not None:
            self._apart.close()
        self._session.close()
        if self._lease is not None:
            self._lease.release()

    def apart(self) -> Cluster:
        """The server for other people's SQL: a second private one, started on first use and closed with this.

        Its superuser has a name that no schema mentions, so that `postgres` can be there what it is on hosted
        Supabase: the owner of everything, and no superuser. Of a url: the same server, as there is no other.
        """
        if self._settings is None or self._settings.superuser == APART:
            return self
        with self._guard:
            if self._apart is None:
                self._apart = Cluster.open(replace(self._settings, superuser=APART))
            return self._apart

    def dsn(self, database: str = "postgres", user: str | None = None) -> str:
        """A libpq conninfo string. Without a user: the superuser (of a url: the url's own user)."""
        if user is None:
            return make_conninfo(self._conninfo, dbname=database)
        return make_conninfo(self._conninfo, dbname=database, user=user)

    def exists(self, name: str) -> bool:
        """Whether a database of this name exists."""
        with self._guard:
            return databases.exists(self._admin(), name)

    def create(self, name: str, *, template: str | None = None) -> str:
        """Create `sergei_...`, empty or as a copy, and give its conninfo.

        Raises InvalidInput (name), NotFound (template), Conflict (it exists, or the template is in use).
        """
        with self._guard:
            databases.create(self._admin(), databases.checked(name), template, self._copying)
        return self.dsn(name)

    def drop(self, name: str) -> None:
        """Drop `sergei_...` and end its sessions; a missing one is no error."""
        with self._guard:
            databases.drop(self._admin(), name)

    def template(self, name: str, build: Callable[[str], object], *, key: str) -> str:
        """The name of a template database that `build(conninfo)` has filled, once for this name and key.

        Other processes wait while one builds. A build that is killed leaves nothing that counts. Templates
        of the same name with another key are dropped, so variants that live side by side need names of
        their own. At most 30 letters of a-z, 0-9 and _. What `build` raises goes through.
        """
        if not re.fullmatch(r"[a-z0-9_]{1,30}", name):
            raise InvalidInput(f"The template name {name!r} does not fit [a-z0-9_]*, at most 30 letters.")
        stem = f"{databases.OURS}template_{name}"
        target = f"{stem}_{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        if self.exists(target):
            return target
        # A session of its own: the lock on the template outlives no crash, and threads share self._session.
        with databases.connect(self._conninfo) as session, _locked(session, stem):
            if not databases.exists(session, target):
                self._build(session, target, build)
                databases.drop_other_keys(session, stem, keep=target)
        return target

    def _build(self, session: databases.Session, target: str, build: Callable[[str], object]) -> None:
        name = self._fresh_name("build")
        databases.create(session, name, None, "")
        with ExitStack() as undo:
            undo.callback(databases.drop, session, name)
            build(self.dsn(name))
            with databases.connect(self.dsn(name)) as filled:  # copies inherit statistics and frozen rows
                filled.execute("VACUUM (FREEZE, ANALYZE)")
            databases.publish(session, name, target)
            undo.pop_all()

    @contextmanager
    def scratch(self, prefix: str, template: str | None = None) -> Generator[str]:
        """The conninfo of a fresh database with a unique name, dropped at the end."""
        name = self._fresh_name(f"scratch_{prefix}")
        dsn = self.create(name, template=template)
        try:
            yield dsn
        finally:
            self.drop(name)

    def _fresh_name(self, stem: str) -> str:
        with self._guard:
            if not self._claimed:
                databases.claim(self._admin(), self._token)
                self._claimed = True
            self._made += 1
            return databases.checked(f"{databases.OURS}{stem}_{os.getpid()}_{self._token:07x}_{self._made}")

    def _admin(self) -> databases.Session:
        """Our own session, made anew when the server has ended it (it restarts all when one is killed)."""
        if self._session.closed and not self._closed:
            self._session = databases.connect(self._conninfo)
            if self._claimed:
                databases.claim(self._session, self._token)
        return self._session

    @property
    def _copying(self) -> LiteralString:
        """Without fsync copying files is quicker (267 MB: 0.1 s; through the log: 0.35 s)."""
        modern = self._session.info.server_version >= 150000
        return " STRATEGY FILE_COPY" if modern and self.kind != "url" else ""


@contextmanager
def _locked(session: databases.Session, stem: str) -> Generator[None]:
    """One builder of a template at a time, over all processes of this server."""
    key = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4], "big", signed=True)
    session.execute("SELECT pg_advisory_lock(%s, %s)", [databases.TEMPLATE_CLASS, key])
    try:
        yield
    finally:
        if not session.closed:
            session.execute("SELECT pg_advisory_unlock(%s, %s)", [databases.TEMPLATE_CLASS, key])


__all__ = ["Cluster", "SandboxSettings"]
