"""Where a connection goes, in words that people can check before they say yes. Never a password."""

from __future__ import annotations

import re
from typing import Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import BaseModel, ConfigDict

from tools.errors import ConfigurationError

_CLIENT_OPTIONS: Final = frozenset(
    {"pgbouncer", "connection_limit", "pool_timeout", "statement_cache_size", "schema", "sslaccept", "supa"}
)
_DIRECT: Final = re.compile(r"^db\.([a-z0-9]{8,40})\.supabase\.(?:co|net|in)$")
_POOLER: Final = re.compile(r"\.pooler\.supabase\.(?:com|co)$")
_SUPABASE: Final = re.compile(r"\.supabase\.(?:co|com|net|in)$")


class Target(BaseModel):
    """One database. `project_ref` is the Supabase project, `environment` what the settings call it."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int
    database: str
    user: str
    project_ref: str | None = None
    environment: str = "unknown"

    @property
    def local(self) -> bool:
        """Whether the server is on this machine."""
        return self.host.startswith(("/", "@")) or self.host in {"", "localhost", "127.0.0.1", "::1"}

    @property
    def address(self) -> str:
        """Host and port, or the socket."""
        if self.host.startswith(("/", "@")) or not self.host:
            return "unix socket"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def label(self) -> str:
        """One line for people: `guardian@production (project abcd…, aws-0-eu.pooler.supabase.com:6543)`."""
        project = f"project {self.project_ref}, " if self.project_ref else ""
        environment = "" if self.environment == "unknown" else f"@{self.environment}"
        return f"{self.database}{environment} ({project}{self.address})"


def parse_dsn(dsn: str, environment: str) -> tuple[Target, str]:
    """The target that a connection string names, and the string to connect with (with our defaults).

    Takes a URL or key=value pairs. Raises ConfigurationError, which never repeats the string.
    """
    dsn = _without_client_options(dsn)
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    except ProgrammingError:
        raise ConfigurationError(
            "The database URL is malformed.",
            hint="It looks like postgresql://USER:PASSWORD@HOST:5432/DATABASE; special characters in the "
            "password must be percent-encoded.",
        ) from None
    if "\0" in dsn or "," in parts.get("host", "") or "," in parts.get("port", ""):
        raise ConfigurationError(
            "The database URL must name exactly one host.",
            hint="A check against one server must not land on another.",
        )
    host, user = parts.get("host") or parts.get("hostaddr") or "", parts.get("user", "")
    target = Target(
        host=host,
        port=_port(parts.get("port", "5432")),
        database=parts.get("dbname") or user or "postgres",
        user=user or "(operating system user)",
        project_ref=_project(host, user),
        environment=environment,
    )
    defaults = {"keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3"}
    if _SUPABASE.search(host):
        defaults["sslmode"] = "require"  # libpq's own default would fall back to clear text
    fresh = {key: value for key, value in defaults.items() if key not in parts}
    return target, make_conninfo(dsn, **fresh)


def _without_client_options(dsn: str) -> str:
    """The URL without what other clients write into it and libpq refuses (Prisma, Vercel's Supabase URLs)."""
    base, mark, query = dsn.partition("?")
    if not mark or "://" not in base:
        return dsn
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] not in _CLIENT_OPTIONS]
    return f"{base}?{'&'.join(kept)}" if kept else base


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ConfigurationError("The port in the database URL is not a number between 1 and 65535.")
    return int(text)


def _project(host: str, user: str) -> str | None:
    direct = _DIRECT.match(host)
    if direct:
        return direct[1]
    if _POOLER.search(host) and "." in user:
        return user.rsplit(".", 1)[1]
    return None
