"""`sergei doctor`: what is set up, what is missing, and what the database login could do."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent import settings as settings_module
from agent.audit import AuditLog
from agent.commands.doctor_keys import vendor_lines
from agent.commands.progress import progress_line
from agent.compose import Choice, House, open_bank, open_cluster, open_house, sandbox_settings
from agent.settings import Settings
from tools import catalogue
from tools.errors import SergeiError


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. `state` is ok, warn or fail."""

    state: str
    what: str
    detail: str


def run(args: argparse.Namespace) -> int:
    """Exit 0, or 3 when something that was asked for does not work."""
    checks = asyncio.run(_gather(Choice(args.database_url, args.demo)))
    marks = {"ok": "ok  ", "warn": "!   ", "fail": "FAIL"}
    for check in checks:
        print(f"{marks[check.state]}  {check.what:<10} {check.detail}")
    return 3 if any(check.state == "fail" for check in checks) else 0


async def _gather(choice: Choice) -> list[Check]:
    settings = settings_module.load()
    return [*_local(settings), *[check async for check in _target(settings, choice)]]


def _local(settings: Settings) -> Iterator[Check]:
    yield Check("ok", "python", f"{platform.python_version()} on {sys.platform}")
    yield Check("ok", "tools", f"{len(catalogue())} tools, mode {settings.mode}")
    if settings.api_key:
        endpoint = f" at {settings.base_url}" if settings.base_url else ""
        yield Check("ok", "model", f"{settings.model}{endpoint}, ANTHROPIC_API_KEY is set")
    else:
        yield Check("warn", "model", "ANTHROPIC_API_KEY is not set: chat does not work, all else does")
    phi = "strict" if settings.phi_strict else "off"
    yield Check("ok" if settings.phi_strict else "warn", "phi", f"{phi}, environment {settings.environment}")
    yield _audit(settings)
    yield _memory(settings)
    yield _sandbox(settings)


def _audit(settings: Settings) -> Check:
    verdict = AuditLog.open(settings.audit_file, face="cli").verify()
    if not verdict.whole:
        return Check("fail", "audit", f"{settings.audit_file}: {verdict.problem or verdict.gaps[0]}")
    if not _can_be_written(settings.audit_file):
        refused = f"{settings.audit_file} cannot be written, so no tool runs; set SERGEI_STATE_DIR"
        return Check("fail", "audit", refused)
    return Check("ok", "audit", f"{verdict.records} records in {settings.audit_file}")


def _memory(settings: Settings) -> Check:
    bank = open_bank(settings)
    if bank is None:
        return Check("warn", "memory", "switched off")
    problems = bank.problems()
    detail = f"{len(bank.entries())} entries; this workspace's are in {settings.bank_folder}"
    if problems:
        detail += f"; {len(problems)} files have a problem (sergei memory lint)"
    return Check("warn" if problems else "ok", "memory", detail)


def _sandbox(settings: Settings) -> Check:
    from tools.sandbox.binaries import choose_binaries
    from tools.sandbox.place import cache_folder, server_account

    if settings.sandbox_url:
        return Check("ok", "sandbox", "the server of SERGEI_SANDBOX_URL")
    try:
        wanted = sandbox_settings(settings)
        chosen = choose_binaries(wanted.server, wanted.extensions)
        folder = cache_folder(wanted.cache_dir, wanted.shared_dir, server_account())
    except SergeiError as error:
        return Check("fail", "sandbox", str(error))
    detail = f"{chosen.kind} PostgreSQL {chosen.version}, in {folder}"
    if _can_be_written(folder):
        return Check("ok", "sandbox", detail)
    return Check("warn", "sandbox", f"{detail}, which cannot be written; set SERGEI_CACHE_DIR")


def _can_be_written(path: Path) -> bool:
    """Whether a file or folder, or the nearest folder above it that exists, may be written."""
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    return os.access(nearest, os.W_OK)


async def _target(settings: Settings, choice: Choice) -> AsyncIterator[Check]:
    try:
        with progress_line() as progress:
            async with open_house(settings, choice, face="cli", progress=progress) as house:
                checks = await _of_house(house, choice)
    except SergeiError as error:
        checks = [Check("fail", "database", str(error))]
    for check in checks:
        yield check


async def _of_house(house: House, choice: Choice) -> list[Check]:
    """What is said of the database, and of each vendor's key whatever becomes of the database."""
    try:
        checks = await _database(house, choice)
    except SergeiError as error:
        checks = [Check("fail", "database", str(error))]
    return checks + [Check(*line) for line in await vendor_lines(house.executor.resources)]


async def _database(house: House, choice: Choice) -> list[Check]:
    from tools.database.identity import read_identity

    database = house.executor.resources.database_or_none
    if database is None:
        return [Check("warn", "database", "none is set; pass --database-url or --demo")]
    identity = await read_identity(database)
    kind = "with Supabase's roles and schemas" if identity.supabase else "plain PostgreSQL, no Supabase"
    checks = [
        Check("ok", "database", f"{database.target.label}: {identity.version}, {kind}, as {identity.login}")
    ]
    checks += [Check("warn", "login", warning) for warning in identity.warnings]
    if identity.mighty:
        checks.append(Check("warn", "reader", _reader_sql(database.target.database, identity.number)))
    if choice.demo:
        checks += await asyncio.to_thread(_stand_in, house.settings)
    return checks


def _reader_sql(database: str, version: int) -> str:
    """The SQL of a login that only reads."""
    from tools.database.reader_sql import NAME, ReaderPlan, statements

    plan = ReaderPlan(name=NAME, database=database, schemas=("public",), version=version)
    lines = "".join(f"\n                  {statement};" for statement in statements(plan))
    return f"a login that only reads, as sergei init-role would make it:{lines}"


def _stand_in(settings: Settings) -> list[Check]:
    """What of Supabase the demo imitates, and what it cannot offer."""
    from tools.sandbox import demo
    from tools.sandbox.shim import read_report

    with open_cluster(settings) as cluster:
        report = read_report(demo.ensure(cluster))
    return [
        Check("ok", "stand-ins", ", ".join(report.standins)),
        Check("warn", "absent", ", ".join(report.unavailable)),
        *(Check("warn", "different", difference) for difference in report.differences),
    ]
