"""`make bench-rls`: who names the fault? Mutants that leak, harmless rewrites, and the clean schemas.

    .venv/bin/python -m benchmarks.rls [--only OPERATOR] [--sample N | --draw N] [--rest] [--seed WORD]
        [--case NAME] [--without proof] [--pgrls PROGRAM] [--splinter FOLDER] [--json FILE] [--fresh]
        [--jobs 2]

A kill is a new finding, against the clean schema, on the object that was changed. Answers are kept between
runs until the contender changes, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from benchmarks.rls import contenders
from benchmarks.rls.bench import Bench, ask, mutants
from benchmarks.rls.cases import CASES
from benchmarks.rls.confirm import CACHE, FRESH
from benchmarks.rls.judging import Score
from benchmarks.rls.mutant import Mutant
from benchmarks.rls.tables import Outcome, print_clean, print_kills
from tools.sandbox.cluster import Cluster

KEPT: Final = CACHE.parent / "rls-answers.jsonl"
CONTENDERS: Final = ("rules", "proof", "proof confirmed", "pgrls", "splinter")


def key_of(case: str, mutant: Mutant, contender: str, versions: Mapping[str, str]) -> str:
    """What a score depends on."""
    digest = sha256(mutant.sql.encode()).hexdigest()[:8]
    return f"{case}/{mutant.name} {digest} {contender} {versions[contender]}"


def kept(fresh: bool) -> dict[str, dict[str, Any]]:
    """Scores of earlier runs by key."""
    if fresh or not KEPT.exists():
        return {}
    return {row["key"]: row["score"] for row in map(json.loads, KEPT.read_text().splitlines())}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rls", description="Who names the fault?")
    parser.add_argument("--only", action="append", default=[], metavar="OPERATOR")
    parser.add_argument("--case", action="append", default=[], choices=list(CASES))
    parser.add_argument(
        "--sample", type=int, default=0, help="that many mutants of each operator, in all cases"
    )
    parser.add_argument("--draw", type=int, default=0, help="that many of all, by chance")
    parser.add_argument(
        "--rest", action="store_true", help="only mutants that the rules, asked first, do not name"
    )
    parser.add_argument("--seed", default="", help="another chance, for --sample and --draw")
    parser.add_argument("--without", action="append", default=[], choices=CONTENDERS)
    parser.add_argument(
        "--pgrls", default=os.environ.get("PGRLS"), help="the program; found on the PATH otherwise"
    )
    parser.add_argument(
        "--splinter", default=os.environ.get("SPLINTER"), help="splinter.sql or its folder lints/"
    )
    parser.add_argument("--json", metavar="FILE", help="write every score")
    parser.add_argument("--fresh", action="store_true", help="ask again what is known")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def chosen(args: argparse.Namespace, cluster: Cluster) -> list[tuple[str, Mutant]]:
    """The mutants of this run, by case."""
    found: list[tuple[str, Mutant]] = []
    count: dict[str, int] = {}
    for case in args.case or list(CASES):
        for mutant in sorted(mutants(case, cluster), key=lambda m: chance(args.seed, m)):
            if args.only and mutant.operator not in args.only:
                continue
            count[mutant.operator] = count.get(mutant.operator, 0) + 1
            if not args.sample or count[mutant.operator] <= args.sample:
                found.append((case, mutant))
    return sorted(found, key=lambda one: chance(args.seed, one[1]))


def chance(seed: str, mutant: Mutant) -> str:
    """What orders mutants as if by chance, always alike for one seed."""
    return sha256(f"{seed}{mutant.name}".encode()).hexdigest()


def answered(
    args: argparse.Namespace,
    program: str | None,
    versions: Mapping[str, str],
    todo: Sequence[tuple[str, Mutant]],
    asked: Sequence[str],
    known: dict[str, Any],
) -> list[dict[str, Score]]:
    """The scores of each mutant: those that are known, and new ones, which are kept."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(args.jobs, mp_context=FRESH) as pool, KEPT.open("a") as file:
        jobs: list[tuple[str, Mutant, Future[dict[str, dict[str, Any]]]]] = []
        for case, mutant in todo:
            missing = [name for name in asked if key_of(case, mutant, name, versions) not in known]
            if missing:
                job = pool.submit(ask, program, args.splinter, case, missing, mutant.name)
                jobs.append((case, mutant, job))
        for number, (case, mutant, job) in enumerate(jobs, 1):
            for name, found in job.result().items():
                key = key_of(case, mutant, name, versions)
                known[key] = found
                file.write(json.dumps({"key": key, "score": found}) + "\n")
            file.flush()
            if number % 25 == 0:
                print(f"{number} of {len(jobs)} asked", flush=True)
    return [
        {name: Score(**known[key_of(case, mutant, name, versions)]) for name in asked}
        for case, mutant in todo
    ]


def main() -> None:
    """Ask, keep, print."""
    args = arguments()
    program = contenders.find_pgrls(args.pgrls)
    versions = contenders.versions(program, Path(args.splinter) if args.splinter else None)
    asked = [name for name in CONTENDERS if name not in args.without and name in versions]
    for name in CONTENDERS:
        if name not in versions:
            print(f"{name}: not installed (--{name})")
    bench = Bench(program, args.splinter)
    todo, known = chosen(args, bench.cluster), kept(args.fresh)
    if args.rest:
        leaking = [(case, mutant) for case, mutant in todo if not mutant.operator.startswith("harmless")]
        scores = answered(args, program, versions, leaking, ["rules"], known)
        todo = [one for one, score in zip(leaking, scores, strict=True) if not score["rules"].right]
        print(f"the rules name {len(leaking) - len(todo)} of {len(leaking)} leaking mutants")
    todo = todo[: args.draw or None]
    outcomes = [
        Outcome(case, mutant.name, mutant.operator, scores)
        for (case, mutant), scores in zip(
            todo, answered(args, program, versions, todo, asked, known), strict=True
        )
    ]
    print_kills(outcomes, asked)
    quick = [name for name in asked if name != "proof confirmed"]
    clean = {
        (case, name): answer
        for case in args.case or list(CASES)
        for name, answer in bench.answers(case, quick, "").items()
    }
    print_clean(clean)
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")
    bench.cluster.close()


if __name__ == "__main__":
    main()
