"""`sergei demo`: a realistic health platform in an embedded PostgreSQL, reviewed before your eyes."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from shutil import which
from typing import TYPE_CHECKING, Final

from agent import settings as settings_module
from agent.commands.review import review, width
from agent.compose import Choice, open_cluster, open_house
from agent.reports.text import Paper, text
from agent.settings import Settings
from tools.review import Review

if TYPE_CHECKING:
    from tools.sandbox.cluster import Cluster
    from tools.sandbox.demo import Scale
    from tools.sandbox.faults import Fault

SHOWN: Final = ("grantee_extends_own_grant", "user_metadata_in_helper", "view_reads_as_owner")
"""The faults that a plain `sergei demo` plants: three that people really ship."""
KINDS: Final = {
    "embedded": "embedded",
    "system": "of this machine",
    "url": "the server of SERGEI_SANDBOX_URL",
}


def run(args: argparse.Namespace) -> int:
    """Build, review clean, plant, review again, say what to do next. Exit 0 whatever was found."""
    from tools.sandbox import demo, faults

    if args.list:
        print(_catalogue(faults.faults()))
        return 0
    settings = settings_module.load()
    paper = Paper(width(), sys.stdout.isatty() and settings.color)
    chosen = _chosen(args.fault, clean=args.clean)
    with _step("starting the sandbox", paper):
        cluster = open_cluster(settings)
    with cluster:
        with demo.exclusive(cluster, _wait):  # a second one would plant while we say that it is clean
            _show(cluster, settings, chosen, args.scale or "small", paper)
        print("\n" + _next(settings, paper))
        if settings.api_key and sys.stdin.isatty() and sys.stdout.isatty() and not args.no_chat:
            return _talk(settings)
    return 0


def _wait() -> None:
    print("another `sergei demo` is at work here; waiting for it ...", flush=True)


def _show(cluster: Cluster, settings: Settings, chosen: list[Fault], scale: Scale, paper: Paper) -> None:
    """Build, review clean, plant, review again, prove."""
    from tools.sandbox import faults

    dsn = _fresh(cluster, scale, paper)
    print(f"\n{_facts(cluster, dsn)}\n")
    with _step("reviewing it as written", paper):
        clean = asyncio.run(_review(settings))
    print(f"  {clean.summary.sentence()}")
    if not chosen:
        return
    before = _seen(dsn)
    with _step(f"planting {_count(len(chosen), 'fault')}", paper):
        for fault in chosen:
            faults.apply(dsn, fault)
    longest = max(len(fault.name) for fault in chosen)
    print("\n".join(f"  {fault.name:<{longest}}  {paper.dim(fault.title)}" for fault in chosen))
    with _step("reviewing it again", paper):
        broken = asyncio.run(_review(settings))
    print("\n" + text(broken, paper))
    _confess(chosen, broken)
    print("\n" + _proof(before, _seen(dsn), paper))


def _chosen(names: list[str] | None, *, clean: bool) -> list[Fault]:
    from tools.sandbox import faults

    if clean:
        return []
    if names and "all" in names:
        return list(faults.faults())
    return [faults.fault(name) for name in dict.fromkeys(names or SHOWN)]


def _fresh(cluster: Cluster, scale: Scale, paper: Paper) -> str:
    from tools.sandbox import demo

    with _step(f"building Guardian, a family health platform ({scale})", paper):
        return demo.fresh(cluster, scale)


async def _review(settings: Settings) -> Review:
    async with open_house(settings, Choice(demo=True), face="cli") as house:
        return await review(house, ["rls"], only=[], skip=[], schemas=[])


def _facts(cluster: Cluster, dsn: str) -> str:
    from tools.sandbox import demo

    facts = demo.facts(dsn)
    return (
        f"PostgreSQL {cluster.version} ({KINDS[cluster.kind]}): {facts.tables} tables, "
        f"{facts.policies} policies, {facts.functions} functions,\n"
        f"{facts.profiles:,} profiles with {facts.events:,} clinical events, all of them synthetic."
    )


def _confess(chosen: list[Fault], found: Review) -> None:
    """Say which planted faults no rule names: a demo that hides its limits is no proof."""
    named = {(finding.rule, finding.object) for finding in found.findings}
    missed = [fault for fault in chosen if (fault.rule, fault.object) not in named]
    if missed:
        print("\nPlanted, and not named by any rule today:")
        print("\n".join(f"  {fault.name}: {fault.title}" for fault in missed))


def _seen(dsn: str) -> dict[str, dict[str, int]]:
    from tools.sandbox import stranger

    return {who: stranger.visible_rows(dsn, claims) for who, claims in stranger.strangers().items()}


def _proof(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]], paper: Paper) -> str:
    """What strangers read now and could not read before: executed as them, not concluded."""
    lines = [paper.bold("Proof, executed on the demo as people with no profile opened to them:")]
    known: set[str] = set()
    for who, counts in after.items():
        leaks = {name: n for name, n in counts.items() if n > before[who].get(name, 0) and name not in known}
        known |= leaks.keys()
        if leaks:
            listed = ", ".join(f"{name} {before[who].get(name, 0)} -> {n}" for name, n in leaks.items())
            lines += [f"  {who} reads", paper.wrap(listed, " " * 6)]
    if not known:
        lines.append("  nothing more is read at once; what was planted needs a write or another role first,")
        lines.append("  which `review rls --demo --prove` tries.")
    return "\n".join(lines)


def _next(settings: Settings, paper: Paper) -> str:
    steps = [
        ("run execute-sql --demo --sql 'select * from profiles limit 3'", "patients stay pseudonyms"),
        ("review rls --demo --prove", "attack a copy of the schema: who reaches what was not opened to them"),
        ("review --demo --format html --output review.html", "the same findings as a page"),
        ("run diagnose-service --demo --service guardian-web", "a simulated Render stands beside it"),
        ("run deploy-service --demo --service guardian-document-worker", "asked, watched, and proven or not"),
        ("demo --list", "more faults to plant"),
        ("review --database-url URL", "your own database, read-only"),
    ]
    sergei = _typed(sys.argv[0])
    talk = (f"{sergei} chat --demo", "talk to Sergei about it")
    lines = [(f"{sergei} {words}", why) for words, why in steps]
    if settings.api_key:
        lines.insert(0, talk)
    else:
        lines.append((f"ANTHROPIC_API_KEY=... {talk[0]}", talk[1]))
    blocks = [f"  {command}\n      {paper.dim(why)}" for command, why in lines]
    return "\n".join([paper.bold("Next, try:"), *blocks])


def _typed(started: str) -> str:
    """How to type this very command again: `sergei` where the PATH leads to it, else as it was started."""
    script, found = Path(started), which("sergei")
    if script.name != "sergei" or (found and Path(found).resolve() == script.resolve()):
        return "sergei"
    return quote(started)


def _talk(settings: Settings) -> int:
    from agent.commands.chat import talk

    return talk(settings, Choice(demo=True))


def _catalogue(faults: tuple[Fault, ...]) -> str:
    longest = max(len(fault.name) for fault in faults)
    lines = [f"{fault.name:<{longest}}  {fault.title}" for fault in faults]
    hint = f"{_typed(sys.argv[0])} demo --fault NAME plants one; --fault all plants them together."
    return "\n".join([*lines, "", hint])


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


@contextmanager
def _step(what: str, paper: Paper) -> Generator[None]:
    """Say what is happening, and how long it took."""
    print(f"{what} ...", end=" ", flush=True)
    started, took = time.monotonic(), ""
    try:
        yield
        took = paper.dim(f"{time.monotonic() - started:.1f} s")
    finally:  # after a failure too: the complaint begins a line of its own
        print(took, flush=True)
