"""Which mutants leak, and which rewrites change nothing: found by execution, recorded beside this module.

    .venv/bin/python -m benchmarks.rls.confirm [--only OPERATOR] [--case NAME] [--quota 7] [--harmless]

Each is planted in a copy, and everybody tries again what the clean schema refused. What is found is written
to confirmed.json (the mutant, who gains what by it) and harmless.json.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks.rls.cases import CASES
from benchmarks.rls.catalog import Catalog
from benchmarks.rls.harmless import harmless
from benchmarks.rls.judge import Judge
from benchmarks.rls.mutant import Mutant, spread
from benchmarks.rls.operators import OPERATORS, Operator
from tools.sandbox.cluster import Cluster, SandboxSettings

HERE: Final = Path(__file__).parent
CONFIRMED: Final = HERE / "confirmed.json"
UNCHANGED: Final = HERE / "harmless.json"
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sergei-bench" / "sandbox"
QUOTA: Final = 7
"""How many mutants of one operator are kept in one case."""
PATIENCE: Final = 240.0
"""Seconds for one operator in one case."""
FRESH: Final = get_context("spawn")
"""Processes that share nothing: a forked one would talk over its parent's sessions."""
Found = dict[str, dict[str, Any]]
_JUDGES: dict[str, Judge] = {}


def judge_of(case: str) -> Judge:
    """This process's judge of a case."""
    if case not in _JUDGES:
        _JUDGES[case] = Judge(CASES[case], Cluster.open(SandboxSettings(cache_dir=CACHE)))
    return _JUDGES[case]


def confirm(case: str, name: str, quota: int) -> Found:
    """The first mutants of an operator that leak, up to the quota."""
    operator = next(one for one in OPERATORS if one.name == name)
    found: Found = {}
    judge = judge_of(case)
    tried = 0
    start = time.monotonic()
    for mutant in in_order(operator, judge.catalog()):
        if len(found) >= quota or tried >= quota * 5 or time.monotonic() - start > PATIENCE:
            break
        tried += 1
        try:
            gained = judge.gains(mutant)
        except psycopg.Error:
            continue
        if gained:
            first = gained[0]
            found[f"{case}/{mutant.name}"] = {
                "operator": name,
                "actor": first.actor,
                "gain": first.probe,
                "answer": first.answer,
                "gains": len(gained),
            }
    seconds = time.monotonic() - start
    print(f"{case:9} {name:26} {len(found):3} of {tried:3} leak  {seconds:6.1f} s", flush=True)
    return found


def in_order(operator: Operator, catalog: Catalog) -> list[Mutant]:
    """The candidates, always in the same order, mixed over the objects."""
    every = spread(operator.make(catalog), 10**6)
    return sorted(every, key=lambda m: sha256(m.name.encode()).hexdigest())


def unchanged(case: str, name: str) -> list[list[str]]:
    """What a rewrite changes, which should be nothing; a few of the differences."""
    judge = judge_of(case)
    rewrite = next(m for m in harmless(judge.catalog()) if m.name == name)
    try:
        changed = [list(one) for one in judge.changes(rewrite)[:5]]
    except psycopg.Error as error:
        changed = [[str(error)]]
    print(f"{case:9} {'CHANGES ' + str(changed) if changed else 'same'}: {name}", flush=True)
    return changed


def rewrites(case: str) -> list[str]:
    """The names of a case's harmless rewrites."""
    return [rewrite.name for rewrite in harmless(judge_of(case).catalog())]


def recorded(path: Path = CONFIRMED) -> Mapping[str, Any]:
    """What was confirmed."""
    return json.loads(path.read_text()) if path.exists() else {}


def record(path: Path, found: Mapping[str, Any]) -> None:
    """Sorted, so that a change shows as few lines."""
    path.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")


def main() -> None:
    """Confirm and record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rls.confirm")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--case", action="append", default=[], choices=list(CASES))
    parser.add_argument("--quota", type=int, default=QUOTA)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--harmless", action="store_true", help="the rewrites in place of the mutants")
    args = parser.parse_args()
    cases = args.case or list(CASES)
    with ProcessPoolExecutor(args.jobs, mp_context=FRESH) as pool:
        if args.harmless:
            names = [(case, name) for case in cases for name in pool.submit(rewrites, case).result()]
            jobs = {f"{case}/{name}": pool.submit(unchanged, case, name) for case, name in names}
            same = {key: "same" for key, job in jobs.items() if not job.result()}
            kept = {k: v for k, v in recorded(UNCHANGED).items() if k.partition("/")[0] not in cases}
            record(UNCHANGED, kept | same)
            print(f"{len(kept | same)} harmless rewrites are recorded in {UNCHANGED.name}")
            return
        wanted = [
            (case, one.name) for case in cases for one in OPERATORS if not args.only or one.name in args.only
        ]
        jobs = [pool.submit(confirm, case, name, args.quota) for case, name in wanted]
        for (case, name), job in zip(wanted, jobs, strict=True):
            found = job.result()  # written as it comes: a run that is stopped keeps what it had
            kept = {
                k: v for k, v in recorded().items() if (k.partition("/")[0], v["operator"]) != (case, name)
            }
            record(CONFIRMED, kept | found)
    print(f"{len(recorded())} leaking mutants are recorded in {CONFIRMED.name}")


if __name__ == "__main__":
    main()
