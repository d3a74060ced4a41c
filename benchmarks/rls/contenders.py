"""Who looks at a mutant: Sergei's rules, his proof, pgrls and splinter. Each says which objects it names.

pgrls and splinter are other people's programs: they run where they are installed, and are not part of this
project.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tools.database.connection import Database
from tools.errors import SergeiError
from tools.rls.reading import read_snapshot
from tools.rls.review import findings_of
from tools.sandbox.cluster import Cluster

SCHEMAS: Final = "public,storage,realtime"
TOOLS: Final = Path(__file__).parents[2] / "tools"
NOT_ABOUT_ACCESS: Final = frozenset(
    {
        "auth_rls_initplan",
        "multiple_permissive_policies",
        "policy_column_unindexed",
        "policy_function_per_row",
        "unindexed_foreign_keys",
        "unused_index",
        "duplicate_index",
        "no_primary_key",
    }
)
"""Findings about speed: naming the right table for the wrong reason is no kill, and right on a rewrite."""


@dataclass(frozen=True, slots=True)
class Named:
    """One finding, as far as the comparison needs it: `objects` are all its names for what is wrong."""

    rule: str
    level: str
    objects: tuple[str, ...]

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What makes it the same finding on another copy."""
        return self.rule, self.objects


@dataclass(frozen=True, slots=True)
class Answer:
    """What one contender said, in how many seconds; `trouble` when it could not."""

    named: tuple[Named, ...]
    seconds: float
    trouble: str = ""


def rules(dsn: str) -> Answer:
    """Sergei's rules over a snapshot."""
    start = time.perf_counter()

    async def look() -> list[Named]:
        database = Database(dsn)
        try:
            snapshot = await read_snapshot(database)
        finally:
            await database.close()
        return [
            Named(f.rule, f.level.value.lower(), _objects(f.object, f.schema_, f.table, f.policy, f.function))
            for f in findings_of(snapshot)
            if f.rule not in NOT_ABOUT_ACCESS
        ]

    return Answer(tuple(asyncio.run(look())), time.perf_counter() - start)


def proof(cluster: Cluster, dsn: str, declared: Mapping[str, Any]) -> Answer:
    """Sergei's prover; `declared` is the [rls] section of sergei.toml, empty for the inferred model."""
    start = time.perf_counter()
    try:
        from tools.rls.proof.prove import prove
    except ImportError as missing:
        return Answer((), 0.0, f"not there yet: {missing}")
    try:
        verdict = prove(cluster, dsn, declared=declared, budget=600, coverage=False, replays=False)
    except SergeiError as error:
        return Answer((), time.perf_counter() - start, str(error))
    named = tuple(
        Named(
            f"{leak.kind} {leak.command}",
            leak.level.value.lower(),
            tuple(name for name in (leak.object, leak.function) if name),
        )
        for leak in (*verdict.leaks, *verdict.denied)
    )
    return Answer(named, time.perf_counter() - start, "" if verdict.world == "complete" else verdict.world)


def confirmed_model(cluster: Cluster, dsn: str) -> Mapping[str, Any] | None:
    """The [rls] section that a person would confirm for the clean schema; None without a prover."""
    try:
        from tools.rls.proof.prove import confirm
    except ImportError:
        return None
    return confirm(cluster, dsn)


def pgrls(dsn: str, program: str) -> Answer:
    """pgrls lint and its three proofs, on the schemas that an API reaches."""
    start = time.perf_counter()
    named: list[Named] = []
    named += [
        Named(violation["rule_id"], violation["severity"], _location(violation["location"]))
        for violation in _pgrls(program, dsn, "lint").get("violations", ())
        if not violation["rule_id"].startswith("PERF")
    ]
    for mode in ("anon", "cross-tenant", "write"):
        for table in _pgrls(program, dsn, "verify", "--mode", mode).get("tables", ()):
            if table["verdict"] == "leak":
                named.append(Named(f"verify {mode}", "error", (table["table"],)))
            named += [
                Named(
                    f"verify {mode}", "error", (f"policy {p['policy']} on {table['table']}", table["table"])
                )
                for p in table["policies"]
                if p["verdict"] == "leak"
            ]
    return Answer(tuple(named), time.perf_counter() - start)


def splinter(dsn: str, folder: Path) -> Answer:
    """Supabase's lints: splinter.sql, or its folder of one file per lint."""
    start = time.perf_counter()
    named: list[Named] = []
    files = sorted(folder.glob("*.sql")) if folder.is_dir() else [folder]
    with psycopg.connect(dsn) as connection:
        for path in files:
            for row in _lints(connection, path):
                found = dict(row["metadata"] or {})
                if row["name"] in NOT_ABOUT_ACCESS:
                    continue
                schema, title = str(found.get("schema", "")), str(found.get("name", ""))
                named.append(Named(row["name"], row["level"].lower(), tuple(_splinter(schema, title, found))))
    return Answer(tuple(named), time.perf_counter() - start)


def versions(program: str | None, folder: Path | None) -> dict[str, str]:
    """What the answers depend on, by contender: they are kept until it changes."""
    sources = sorted(
        [
            *(TOOLS / "rls").rglob("*.py"),
            *(TOOLS / "rls").rglob("*.sql"),
            *(TOOLS / "sandbox" / "scratch").rglob("*.py"),
        ]
    )
    ours = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    found: dict[str, str] = dict.fromkeys(("rules", "proof", "proof confirmed"), ours)
    if program:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        found["pgrls"] = done.stdout.strip()
    if folder:
        files = sorted(folder.glob("*.sql")) if folder.is_dir() else [folder]
        found["splinter"] = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    return found


def find_pgrls(said: str | None) -> str | None:
    """The program that was named, or the one on the PATH."""
    return shutil.which(said or "pgrls")


def _objects(
    title: str, schema: str | None, table: str | None, policy: str | None, function: str | None
) -> tuple[str, ...]:
    names = [title]
    if policy and table:
        names.append(f"policy {policy} on {schema}.{table}")
    if function:
        names.append(function if "." in function else f"{schema}.{function}")
    return tuple(dict.fromkeys(names))


def _pgrls(program: str, dsn: str, *command: str) -> dict[str, Any]:
    parts = conninfo_to_dict(dsn)
    host = quote(str(parts["host"]), safe="")
    url = f"postgresql://{parts['user']}@/{parts['dbname']}?host={host}&port={parts['port']}"
    done = subprocess.run(
        [program, *command, "--format", "json", "--schemas", SCHEMAS, "--database-url", url],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {}


def _location(location: str) -> tuple[str, ...]:
    """`public.t.p` is a policy or a trigger of a table: both spellings count, and so does the table."""
    parts = location.split(".", 2)
    if len(parts) < 3:
        return (location, location.split("(")[0].strip())
    table = f"{parts[0]}.{parts[1]}"
    return (f"policy {parts[2]} on {table}", f"trigger {parts[2]} on {table}", location)


def _lints(connection: psycopg.Connection[Any], path: Path) -> list[dict[str, Any]]:
    """The rows of one script: the last statement that gives any, or the views that it creates."""
    found: list[dict[str, Any]] = []
    with connection.transaction(force_rollback=True):
        connection.execute("create schema if not exists lint")
        connection.execute("set local pgrst.db_schemas = 'public'")
        cursor = connection.execute(path.read_bytes())
        while True:
            if cursor.description and any(column.name == "cache_key" for column in cursor.description):
                names = [column.name for column in cursor.description]
                found += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            if not cursor.nextset():
                break
        views = connection.execute(
            "select oid::regclass::text from pg_class "
            "where relkind = 'v' and relnamespace = 'lint'::regnamespace"
        )
        for (view,) in views.fetchall():
            rows = connection.execute(f"select name, level, metadata from {view}".encode()).fetchall()
            found += [{"name": name, "level": level, "metadata": metadata} for name, level, metadata in rows]
    return found


def _splinter(schema: str, title: str, found: Mapping[str, Any]) -> list[str]:
    names = [f"{schema}.{title}" if schema and "." not in title else title]
    fields = [field for field in ("policy_name", "policy") if found.get(field)]
    names += [f"policy {found[field]} on {schema}.{title}" for field in fields]
    if "arguments" in found or "identity_arguments" in found or found.get("type") == "function":
        names.append(f"{schema}.{title}({found.get('arguments', found.get('identity_arguments', ''))})")
    return names
