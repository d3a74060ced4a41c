"""One process's part of the bench: a mutant in a copy, every contender asked about it, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.rls import contenders
from benchmarks.rls.cases import CASES
from benchmarks.rls.confirm import CACHE, UNCHANGED, recorded
from benchmarks.rls.contenders import Answer
from benchmarks.rls.harmless import harmless
from benchmarks.rls.judge import Judge
from benchmarks.rls.judging import Score, score
from benchmarks.rls.mutant import Mutant
from benchmarks.rls.operators import OPERATORS
from tools.sandbox.cluster import Cluster, SandboxSettings


def mutants(case_name: str, cluster: Cluster) -> list[Mutant]:
    """The confirmed ones of a case, and its harmless rewrites."""
    catalog = Judge(CASES[case_name], cluster).catalog()
    wanted = {name.partition("/")[2] for name in recorded() if name.startswith(f"{case_name}/")}
    found = {m.name: m for operator in OPERATORS for m in operator.make(catalog) if m.name in wanted}
    same = recorded(UNCHANGED)
    return [*found.values(), *(m for m in harmless(catalog) if f"{case_name}/{m.name}" in same)]


class Bench:
    """One process's part: a server, clean answers by case, and the mutants it is asked about."""

    def __init__(self, program: str | None, splinter: str | None) -> None:
        self.cluster = Cluster.open(SandboxSettings(cache_dir=CACHE))
        self.program = program
        self.splinter = Path(splinter) if splinter else None
        self.clean: dict[tuple[str, str], Answer] = {}
        self.models: dict[str, Any] = {}
        self.found: dict[str, dict[str, Mutant]] = {}

    def mutant(self, case: str, name: str) -> Mutant:
        """By name."""
        if case not in self.found:
            self.found[case] = {m.name: m for m in mutants(case, self.cluster)}
        return self.found[case][name]

    def answers(self, case: str, asked: Sequence[str], sql: str) -> dict[str, Answer]:
        """What contenders say about a case with a change planted."""
        template = self.cluster.template(f"bench_{case}", CASES[case].build, key=CASES[case].key)
        with self.cluster.scratch("bench", template=template) as dsn:
            if sql:
                with psycopg.connect(dsn) as connection:
                    connection.execute(sql.encode())
            return {contender: self._answer(case, contender, dsn, template) for contender in asked}

    def _answer(self, case_name: str, contender: str, dsn: str, template: str) -> Answer:
        match contender:
            case "rules":
                return contenders.rules(dsn)
            case "proof":
                return contenders.proof(self.cluster, dsn, {})
            case "proof confirmed":
                declared = self._model(case_name, template)
                if declared is not None:
                    return contenders.proof(self.cluster, dsn, declared)
            case "pgrls" if self.program:
                return contenders.pgrls(dsn, self.program)
            case "splinter" if self.splinter:
                return contenders.splinter(dsn, self.splinter)
            case _:
                pass
        return Answer((), 0.0, "not there")

    def scores(self, case: str, asked: Sequence[str], name: str) -> dict[str, Score]:
        """Whether contenders name the fault of a mutant."""
        missing = [contender for contender in asked if (case, contender) not in self.clean]
        if missing:
            found = self.answers(case, missing, "")
            self.clean |= {(case, contender): answer for contender, answer in found.items()}
        mutant = self.mutant(case, name)
        said = self.answers(case, asked, mutant.sql)
        return {one: score(mutant, self.clean[case, one], answer) for one, answer in said.items()}

    def _model(self, case: str, template: str) -> Any:
        if case not in self.models:
            with self.cluster.scratch("bench", template=template) as clean:
                self.models[case] = contenders.confirmed_model(self.cluster, clean)
        return self.models[case]


_BENCH: dict[tuple[str | None, str | None], Bench] = {}


def ask(
    program: str | None, splinter: str | None, case: str, asked: Sequence[str], name: str
) -> dict[str, dict[str, Any]]:
    """Scores by contender, in a process of the pool."""
    if (program, splinter) not in _BENCH:
        _BENCH[program, splinter] = Bench(program, splinter)
    scores = _BENCH[program, splinter].scores(case, asked, name)
    return {contender: asdict(one) for contender, one in scores.items()}
