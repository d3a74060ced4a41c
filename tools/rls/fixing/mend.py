"""The search for fixes: candidates tried one by one, the chosen ones together, then all attacks again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from tools.findings import Finding
from tools.rls.fixing.bench import Bench
from tools.rls.fixing.candidates import Candidate, Ground, candidates
from tools.rls.fixing.problems import (
    Problem,
    function_named,
    gathered,
    leak_key,
    policy_named,
)
from tools.rls.fixing.reached import Change
from tools.rls.objects import Policy
from tools.rls.proof.verdict import Leak
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.session import SqlFailure

PER_COMMAND: Final = 2
"""Tables looked at per command where a helper decides about many in the same way."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one candidate. `objection` is why it is not offered, empty where it may be."""

    candidate: Candidate
    objection: str
    change: Change


@dataclass(frozen=True, slots=True)
class Fix:
    """What is offered for one problem; `trial` is None where nothing passed. `rejected` say why not."""

    problem: Problem
    trial: Trial | None
    rejected: tuple[Trial, ...]
    by: str = ""
    """The object whose fix closes this one too."""


@dataclass(frozen=True, slots=True)
class Mended:
    """Fixes for a schema, and what is left when all of them are applied together."""

    fixes: tuple[Fix, ...]
    before: tuple[Leak, ...]
    after: tuple[Leak, ...]
    errors_after: tuple[Finding, ...]
    change: Change
    probes: int


def mend(
    bench: Bench, role: str, *, only: str = "", progress: Callable[[str], None] = lambda _: None
) -> Mended:
    """A fix for every leak and every ERROR finding whose object contains `only`."""
    ground = Ground(bench.snapshot, bench.stage.model, role)
    problems = [
        problem
        for problem in gathered(bench.errors(bench.snapshot), (*bench.found.leaks, *bench.found.denied))
        if only in problem.object and _concerned(bench, problem)
    ]
    fixes: list[Fix] = []
    for number, problem in enumerate(sorted(problems, key=lambda p: _rank(ground, p)), 1):
        progress(f"mending {problem.object} ({number} of {len(problems)}) ...")
        by = _closed_already(bench, problem, fixes)
        fixes.append(Fix(problem, None, (), by) if by else _mended(bench, ground, problem))
    fixes = [
        fix if fix.trial or fix.by else replace(fix, by=_closed_already(bench, fix.problem, fixes))
        for fix in fixes
    ]
    return _together(bench, fixes, progress)


def _concerned(bench: Bench, problem: Problem) -> bool:
    """Whether the problem is about the tables that are attacked; all of them where none were named."""
    tables = affected(bench, problem)
    return not bench.campaign.tables or not tables or bool(tables & bench.campaign.tables)


def _rank(ground: Ground, problem: Problem) -> int:
    """Causes first: what policies ask, policies, tables; then what merely shows their leaks."""
    function = function_named(ground.snapshot, problem.object)
    if function is not None:
        return 0 if function.oid in ground.reached.policy_functions else 4
    relation = ground.snapshot.relations.get(problem.object)
    if relation is None:
        return 1
    return 2 if relation.is_table else 3 if ground.snapshot.reachable(relation.schema) else 0


def _closed_already(bench: Bench, problem: Problem, fixes: list[Fix]) -> str:
    """The object whose fix closed this problem as well, or an empty string."""
    scripts: list[str] = []
    for fix in fixes:
        if fix.trial is None:
            continue
        scripts.append(fix.trial.candidate.sql)
    if not scripts or not problem.leaks:
        return ""
    try:
        with bench.changed(scripts) as snapshot:
            left = (
                {finding.cache_key for finding in bench.errors(snapshot)} if problem.findings else set[str]()
            )
            open_still = any(finding.cache_key in left for finding in problem.findings)
            if open_still or any(bench.shows(leak) for leak in problem.leaks):
                return ""
    except SqlFailure:
        return ""
    return next(fix.problem.object for fix in reversed(fixes) if fix.trial is not None)


def _mended(bench: Bench, ground: Ground, problem: Problem) -> Fix:
    """The first candidate that closes the problem and harms nobody; of those that leave some, the best."""
    rejected: list[Trial] = []
    best: Trial | None = None
    for candidate in candidates(ground, problem):
        trial = tried(bench, problem, candidate)
        if trial.objection:
            rejected.append(trial)
        elif _wanting(trial) == (0, 0):
            return Fix(problem, trial, tuple(rejected))
        elif best is None or _wanting(trial) < _wanting(best):
            best = trial
    return Fix(problem, best, tuple(rejected))


def _wanting(trial: Trial) -> tuple[int, int]:
    """What a candidate leaves: wrongful access still open, rightful reading still refused."""
    return trial.change.left, trial.change.missing


def tried(bench: Bench, problem: Problem, candidate: Candidate) -> Trial:
    """One candidate, applied on the bench and undone. The quickest objections are looked for first."""
    tables = affected(bench, problem)
    bench.before(tables)  # looked at before anything is changed
    change = Change()
    try:
        with bench.changed([candidate.sql]) as snapshot:
            objection = _open_still(bench, problem, snapshot)
            if not objection:
                change = bench.change(tables)
                objection = _harm(change if _guarded(bench, tables) else _of_owners(change))
    except SqlFailure as failure:
        objection = f"it does not run: {failure.message}"
    return Trial(candidate, objection, change)


def _open_still(bench: Bench, problem: Problem, snapshot: Snapshot) -> str:
    """Whether the attack succeeds or a rule speaks, now that the change is there."""
    if any(bench.shows(leak) for leak in problem.leaks):
        return "the attack still succeeds"
    known = {finding.cache_key for finding in bench.findings}
    errors = bench.errors(snapshot)
    left = {finding.cache_key for finding in errors}
    same = [finding for finding in problem.findings if finding.cache_key in left]
    new = [finding for finding in errors if finding.cache_key not in known]
    if same:
        return f"{same[0].rule} still finds it"
    return f"{new[0].rule} then finds {new[0].object}" if new else ""


def _guarded(bench: Bench, tables: frozenset[str]) -> bool:
    """Whether row level security was on: without it everybody could do anything, which tells of no right."""
    return all(bench.snapshot.relations[title].rls for title in tables)


def _of_owners(change: Change) -> Change:
    """Only what owners lost, or anybody lost in reading."""
    return replace(change, lost=tuple(t for t in change.lost if t.startswith("owner") or " reads " in t))


def _harm(change: Change) -> str:
    if change.lost:
        return f"it takes rightful access away: {_some(change.lost)}"
    if change.opened:
        return f"it opens something else: {_some(change.opened)}"
    return f"it breaks something: {_some(change.broken)}" if change.broken else ""


def affected(bench: Bench, problem: Problem) -> frozenset[str]:
    """Tables whose rows the problem's object decides about."""
    tables = {title for leak in problem.leaks for title in leak.relations}
    found = policy_named(bench.snapshot, problem.object)
    if found is not None:
        tables.add(found[0].title)
    function = function_named(bench.snapshot, problem.object)
    reached = bench.campaign_reach
    if function is not None:
        tables |= _some_of(reached.policy_functions.get(function.oid, (function, ()))[1])
    relation = bench.snapshot.relations.get(problem.object)
    if relation is not None:
        tables |= {base.title for base in reached.base_tables(relation)}
        tables |= _some_of(bench.reading_policies(relation))
    return frozenset(title for title in tables if title in bench.stage.world.rows)


def _some_of(policies: Iterable[Policy]) -> set[str]:
    """A few of the tables whose policies ask the same: two for each command."""
    chosen: dict[str, list[str]] = {}
    for policy in policies:
        several = chosen.setdefault(policy.command, [])
        if len(several) < PER_COMMAND and policy.relation not in several:
            several.append(policy.relation)
    return {title for several in chosen.values() for title in several}


def _together(bench: Bench, fixes: list[Fix], progress: Callable[[str], None]) -> Mended:
    """All chosen fixes at once, and every attack again; what does not hold in company is taken back."""
    progress("all fixes together ...")
    for _ in range(3):
        chosen = [fix for fix in fixes if fix.trial is not None]
        scripts = [fix.trial.candidate.sql for fix in chosen if fix.trial is not None]
        tables = frozenset(title for fix in chosen for title in affected(bench, fix.problem))
        bench.before(tables)
        try:
            with bench.changed(scripts) as snapshot:
                campaign, found = bench.attacked(snapshot, progress)
                change = bench.change(tables)
                errors = bench.errors(snapshot)
        except SqlFailure as failure:
            fixes = _without_first_failing(bench, fixes, failure)
            continue
        still = {leak_key(leak) for leak in found.leaks}
        known = {leak_key(leak) for leak in bench.found.leaks}
        bad = {leak.object for leak in found.leaks if leak_key(leak) not in known}
        kept = [
            fix
            if fix.trial is None
            or not (bad & {fix.problem.object} or any(leak_key(leak) in still for leak in fix.problem.leaks))
            else _withdrawn(fix, "with all fixes applied an attack still succeeds")
            for fix in fixes
        ]
        if kept == fixes:
            before = (*bench.found.leaks, *bench.found.denied)
            after = (*found.leaks, *found.denied)
            return Mended(tuple(fixes), before, after, tuple(errors), change, campaign.probing.count)
        fixes = kept
    nothing = [_withdrawn(fix, "it does not hold together with the others") for fix in fixes]
    return Mended(tuple(nothing), bench.found.leaks, bench.found.leaks, (), Change(), 0)


def _without_first_failing(bench: Bench, fixes: list[Fix], failure: SqlFailure) -> list[Fix]:
    """Applied in order, the first fix that does not run after those before it is taken out."""
    kept: list[Fix] = []
    scripts: list[str] = []
    for fix in fixes:
        if fix.trial is None:
            kept.append(fix)
            continue
        try:
            with bench.changed([*scripts, fix.trial.candidate.sql]):
                scripts.append(fix.trial.candidate.sql)
                kept.append(fix)
        except SqlFailure:
            kept.append(_withdrawn(fix, f"it does not run after the others: {failure.message}"))
    return kept


def _withdrawn(fix: Fix, why: str) -> Fix:
    if fix.trial is None:
        return fix
    taken_back = Trial(fix.trial.candidate, why, fix.trial.change)
    return Fix(fix.problem, None, (*fix.rejected, taken_back))


def _some(texts: tuple[str, ...]) -> str:
    return texts[0] if len(texts) == 1 else f"{texts[0]} and {len(texts) - 1} more"
