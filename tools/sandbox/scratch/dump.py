"""pg_dump --schema-only of a source, cut into its entries. Never rows, and no password on a command line."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tools.errors import ConfigurationError, RemoteError, Unavailable
from tools.sandbox.binaries import embedded_binaries, find_system_binaries, program_version
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.source import PLATFORM, Source

TIMEOUT_SECONDS: Final = 180
_HEADER: Final = re.compile(
    r"^--\n-- (?:Data for )?Name: (?P<name>.*); Type: (?P<kind>[A-Z ]+); Schema: (?P<schema>.*);"
    r" Owner: ?.*\n--\n",
    re.M,
)
_RESTRICT: Final = re.compile(r"^\\(?:un)?restrict\b.*$", re.M)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a dump: its statements and what they make. `schema` is empty or - where it has none."""

    kind: str
    schema: str
    name: str
    text: str

    @property
    def label(self) -> str:
        """`policy x on public.t`, or how a statement begins: for lists of what is missing."""
        if not self.schema:
            return self.name
        name = self.name if self.schema in ("", "-") else f"{self.schema}.{self.name}"
        if self.kind in (
            "POLICY",
            "TRIGGER",
            "CONSTRAINT",
            "FK CONSTRAINT",
            "CHECK CONSTRAINT",
            "DEFAULT",
            "RULE",
        ):
            table, _, part = self.name.partition(" ")
            return f"{self.kind.lower()} {part} on {self.schema}.{table}"
        return f"{self.kind.lower()} {name}"


def dump_schema(cluster: Cluster, conninfo: str, source: Source) -> list[Entry]:
    """The entries of the source's schema, in the order of their dependencies.

    Raises ConfigurationError (no pg_dump new enough), Unavailable (too slow) or RemoteError (it failed).
    """
    program = _program(cluster, source.version // 10000)
    parts = conninfo_to_dict(conninfo)
    password = parts.pop("password", None)
    words = [program, "--schema-only", "--no-password", "--no-tablespaces", "--no-subscriptions"]
    words += ["--lock-wait-timeout=15000", *_exclusions(source)]
    with tempfile.TemporaryDirectory(prefix="sergei-") as folder:
        if password:
            file = Path(folder, "pass")
            file.touch(mode=0o600)
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            file.write_text(f"*:*:*:*:{escaped}\n")
            parts["passfile"] = str(file)
        words += ["--dbname", make_conninfo("", **parts)]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS, cwd="/"
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"pg_dump did not finish within {TIMEOUT_SECONDS} seconds.") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["it gave no reason"]
        reason = lines[0].removeprefix("pg_dump: ").removeprefix("error: ").rstrip(".")
        raise RemoteError(
            f"The schema cannot be dumped: {reason}.", hint="Use a login that may read every table."
        )
    return entries(done.stdout)


def _exclusions(source: Source) -> list[str]:
    """pg_dump locks every table and may not lock these. Of a platform schema the stand-in stays."""
    schemas = {name.partition(".")[0] for name in source.unreadable} & set(PLATFORM)
    tables = [name for name in source.unreadable if name.partition(".")[0] not in schemas]
    return [f"--exclude-schema={_pattern(name)}" for name in sorted(schemas)] + [
        f"--exclude-table={'.'.join(map(_pattern, name.split('.', 1)))}" for name in tables
    ]


def _pattern(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _program(cluster: Cluster, major: int) -> str:
    folders: Sequence[Path | None] = (cluster.bin_dir, embedded_binaries().bin_dir, find_system_binaries())
    newest = 0
    for folder in folders:
        if folder is None or not (folder / "pg_dump").is_file():
            continue
        version = int((program_version(folder) or "0").partition(".")[0])
        if version >= major:
            return str(folder / "pg_dump")
        newest = max(newest, version)
    raise ConfigurationError(
        f"The database runs PostgreSQL {major}, and the newest pg_dump here is {newest or 'missing'}.",
        hint=f"Install the client programs of PostgreSQL {major}, or review the migrations folder instead.",
    )


def is_dump(text: str) -> bool:
    """Whether a file was written by pg_dump as plain SQL."""
    return "-- PostgreSQL database dump" in text[:2000] and _HEADER.search(text) is not None


def entries(text: str) -> list[Entry]:
    """A plain dump cut at its headings. The settings before the first are left out: newer servers' fail."""
    found: list[Entry] = []
    text = _RESTRICT.sub("", text)
    heads = list(_HEADER.finditer(text))
    for place, head in enumerate(heads):
        end = heads[place + 1].start() if place + 1 < len(heads) else len(text)
        body, kind = text[head.end() : end].strip(), head["kind"].strip()
        if kind == "SCHEMA" and "IF NOT EXISTS" not in body:  # a stand-in or an extension may have made it
            body = body.replace("CREATE SCHEMA ", "CREATE SCHEMA IF NOT EXISTS ", 1)
        found.append(Entry(kind, head["schema"], head["name"], body))
    return [entry for entry in found if entry.kind not in ("TABLE DATA", "SEQUENCE SET", "BLOB", "BLOBS")]
