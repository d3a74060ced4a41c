"""The search for fixes: candidates tried one by one, the chosen ones together, then all attacks again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final

from tools.findings import Finding
from tools.rls.fixing.affected import affected
from tools.rls.fixing.bench import Bench
from tools.rls.fixing.candidates import Candidate, Ground, candidates
from tools.rls.fixing.problems import (
    Problem,
    function_named,
    gathered,
    leak_key,
)
from tools.rls.fixing.reached import Change
from tools.rls.proof.verdict import Leak
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.session import SqlFailure

FURTHER: Final = 3
"""Candidates tried after one that may be offered, for one that leaves less open."""
ROUNDS: Final = 5
"""How many times the budget of a round of attacks the search may take."""


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
    late: bool = False
    """Whether there was no time left to try anything."""


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
    """A fix for every leak and every ERROR finding whose object contains `only`.

    They are looked for one upon the other, causes first. Then all of them are applied to the schema as it
    was, every attack is made again, and what came to light only then is mended in the same way.
    """
    search = Search(bench, role, progress, monotonic() + ROUNDS * bench.request.budget)
    wanted = _wanted(bench, only, (*bench.found.leaks, *bench.found.denied), bench.errors(bench.snapshot))
    looked = [affected(bench, problem) for problem in wanted]
    progress("seeing who reaches what ...")
    bench.before_reading(frozenset(title for one in looked for title in one.tables))
    bench.before(frozenset(title for one in looked for title in one.some))
    with bench.trying():
        search.go(wanted)
    mended = _together(search, only)
    known = {problem.object for problem in wanted}
    late = [
        problem
        for problem in _wanted(bench, only, mended.after, list(mended.errors_after))
        if problem.object not in known
    ]
    if not late or not search.in_time:
        return mended
    with bench.trying(search.scripts):
        search.go(late)
    return _together(search, only)


def _wanted(bench: Bench, only: str, leaks: Iterable[Leak], errors: list[Finding]) -> list[Problem]:
    found = gathered(errors, leaks)
    return [problem for problem in found if only in problem.object and _concerned(bench, problem)]


@dataclass(slots=True, eq=False)
class Search:
    """Problems on the way to their fixes."""

    bench: Bench
    role: str
    progress: Callable[[str], None]
    deadline: float
    fixes: dict[str, Fix] = field(default_factory=dict[str, Fix])

    @property
    def in_time(self) -> bool:
        """Whether anything more may be tried."""
        return monotonic() < self.deadline

    @property
    def chosen(self) -> list[Fix]:
        """What is offered, in the order in which it was found and is applied."""
        return [fix for fix in self.fixes.values() if fix.trial is not None]

    @property
    def scripts(self) -> list[str]:
        """The SQL of that."""
        return [fix.trial.candidate.sql for fix in self.chosen if fix.trial is not None]

    def go(self, problems: list[Problem]) -> None:
        """Inside `trying`: a fix for each, kept. What failed is tried again if others were mended since."""
        ground = Ground(self.bench.snapshot, self.bench.stage.model, self.role)
        waiting = sorted(problems, key=lambda problem: _rank(ground, problem))
        chosen: dict[str, int] = {}
        for words in ("mending", "once more"):
            for at, problem in enumerate(waiting, 1):
                done = self.fixes.get(problem.object)
                if done is not None and (
                    done.by or done.trial or chosen.get(problem.object) == len(self.chosen)
                ):
                    continue
                if not self.in_time:
                    self.fixes.setdefault(problem.object, Fix(problem, None, (), late=True))
                    continue
                self.progress(f"{words} {problem.object} ({at} of {len(waiting)}) ...")
                self._mend(problem, waiting)
                chosen[problem.object] = len(self.chosen)

    def _mend(self, problem: Problem, waiting: list[Problem]) -> None:
        fix = _mended(self.bench, Ground(self.bench.snapshot, self.bench.stage.model, self.role), problem)
        self.fixes.pop(problem.object, None)  # at its place in the order
        self.fixes[problem.object] = fix
        if fix.trial is None:
            return
        tables = affected(self.bench, problem).tables
        self.bench.keep(fix.trial.candidate.sql, tables)
        left = {finding.cache_key for finding in self.bench.errors(self.bench.snapshot)}
        for other in waiting:
            known = self.fixes.get(other.object)
            if other is problem or (known is not None and (known.by or known.trial is not None)):
                continue
            if tables & affected(self.bench, other).tables and _closed(self.bench, other, left):
                self.fixes[other.object] = Fix(other, None, (), by=problem.object)

    def settle(self, leaks: set[tuple[str, str, str]], errors: set[str]) -> None:
        """What no fix was found for, and is not there any more with all the others, is closed by those."""
        for fix in list(self.fixes.values()):
            found = any(finding.cache_key in errors for finding in fix.problem.findings)
            there = found or any(leak_key(leak) in leaks for leak in fix.problem.leaks)
            if fix.trial is None and not fix.by and not there:
                self.fixes[fix.problem.object] = replace(fix, by="the others", late=False)

    def withdraw(self, bad: Callable[[Fix], bool], why: str) -> bool:
        """Take fixes back, and what rested on them; whether there were such."""
        found = [fix for fix in self.chosen if bad(fix)]
        for fix in found:
            self.fixes[fix.problem.object] = _withdrawn(fix, why)
            for other in [one for one in self.fixes.values() if one.by == fix.problem.object]:
                self.fixes[other.problem.object] = Fix(other.problem, None, ())
        return bool(found)


def _closed(bench: Bench, problem: Problem, errors: set[str]) -> bool:
    """Whether nothing of a problem is left, by the rules and by its attacks."""
    found = any(finding.cache_key in errors for finding in problem.findings)
    return not found and not any(bench.shows(leak) for leak in problem.leaks)


def _concerned(bench: Bench, problem: Problem) -> bool:
    """Whether the problem is about the tables that are attacked; all of them where none were named."""
    tables = affected(bench, problem).tables
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


def _mended(bench: Bench, ground: Ground, problem: Problem) -> Fix:
    """The first candidate that closes the problem and harms nobody; of those that leave some, the best."""
    rejected: list[Trial] = []
    best: Trial | None = None
    further = FURTHER
    for candidate in candidates(ground, problem):
        if best is not None and not further:
            break
        further -= best is not None
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
    about = affected(bench, problem)
    bench.before_reading(about.tables)  # looked at before anything is changed
    bench.before(about.some)
    opened = _open(bench, about.tables)
    shown = [leak for leak in problem.leaks if bench.shows(leak)]
    change = Change()
    try:
        with bench.changed([candidate.sql]) as snapshot:
            objection = _open_still(bench, replace(problem, leaks=tuple(shown)), snapshot)
            for look in (lambda: bench.change_of_reading(about.tables), lambda: bench.change(about.some)):
                if not objection:
                    change = change.plus(look())
                    objection = _harm(_rightful(change, *opened))
    except SqlFailure as failure:
        objection = f"it does not run: {failure.message}"
    if not objection and problem.leaks and not shown and not (change.closed or change.gained):
        objection = "nothing was seen to change by it"
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


def _open(bench: Bench, tables: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Tables without row level security, where anybody can do anything; and those that have policies."""
    relations = bench.snapshot.relations
    opened = frozenset(title for title in tables if not relations[title].rls)
    return opened, frozenset(title for title in opened if relations[title].policies)


def _rightful(change: Change, opened: frozenset[str], ruled: frozenset[str]) -> Change:
    """Of tables that were open only what owners lost, or anybody lost in reading.

    Where such a table has policies of its own (`ruled`), they say who else is to read it, not the model.
    """
    writes, all_of = tuple(f" on {title}" for title in opened), tuple(f" {title}" for title in ruled)
    lost = [
        text
        for text in change.lost
        if text.startswith("owner") or not (text.endswith(all_of) or text.endswith(writes))
    ]
    return replace(change, lost=tuple(lost))


def _harm(change: Change) -> str:
    if change.lost:
        return f"it takes rightful access away: {_some(change.lost)}"
    if change.opened:
        return f"it opens something else: {_some(change.opened)}"
    return f"it breaks something: {_some(change.broken)}" if change.broken else ""


def _together(search: Search, only: str) -> Mended:
    """All chosen fixes at once, and every attack again; what does not hold in company is taken back."""
    bench = search.bench
    known = {leak_key(leak) for leak in (*bench.found.leaks, *bench.found.denied)}
    before = {finding.cache_key for finding in bench.findings}
    while True:
        search.progress(f"all {len(search.chosen)} fixes together ...")
        looked = [affected(bench, fix.problem) for fix in search.chosen]
        tables = frozenset(title for one in looked for title in one.tables)
        some = frozenset(title for one in looked for title in one.some)
        bench.before_reading(tables)
        bench.before(some)
        opened = _open(bench, tables)
        try:
            with bench.changed(search.scripts) as snapshot, bench.standing(snapshot):
                campaign, found = bench.attacked(search.progress)
                change = bench.change_of_reading(tables).plus(bench.change(some))
                errors = bench.errors(snapshot)
        except SqlFailure as failure:
            _without_first_failing(search, failure)
            continue
        leaks = (*found.leaks, *found.denied)
        left = {leak_key(leak) for leak in leaks}
        worse = {leak.object for leak in leaks if leak_key(leak) not in known}
        if search.withdraw(
            lambda fix, left=left: any(leak_key(leak) in left for leak in fix.problem.leaks),
            "with all fixes applied an attack still succeeds",
        ):
            continue
        lost = _rightful(change, *opened)
        if (lost.lost or lost.broken) and _without_first_harming(search, lost):
            continue
        if not campaign.late:
            search.settle(left, {finding.cache_key for finding in errors})
        return Mended(
            tuple(search.fixes.values()),
            tuple(leak for leak in (*bench.found.leaks, *bench.found.denied) if only in leak.object),
            tuple(leak for leak in leaks if only in leak.object or leak.object in worse),
            tuple(one for one in errors if only in one.object or one.cache_key not in before),
            lost,
            campaign.probes,
        )


def _without_first_harming(search: Search, found: Change) -> bool:
    """Applied in order, the first fix after which something that all take away is gone is taken out."""
    bench = search.bench
    gone = {*found.lost, *found.broken}
    for count, fix in enumerate(search.chosen, 1):
        about = affected(bench, fix.problem)
        with bench.changed(search.scripts[:count]):
            change = bench.change_of_reading(about.tables).plus(bench.change(about.some))
        harm = gone & {*change.lost, *change.broken}
        if harm:
            return search.withdraw(
                lambda one, bad=fix: one is bad, f"it takes rightful access away: {_some(tuple(harm))}"
            )
    return False


def _without_first_failing(search: Search, failure: SqlFailure) -> None:
    """Applied in order, the first fix that does not run after those before it is taken out."""
    for count, fix in enumerate(search.chosen, 1):
        try:
            with search.bench.changed(search.scripts[:count]):
                pass
        except SqlFailure as first:
            why = f"it does not run after the others: {first.message}"
            search.withdraw(lambda one, bad=fix: one is bad, why)
            return
    raise failure


def _withdrawn(fix: Fix, why: str) -> Fix:
    if fix.trial is None:
        return fix
    taken_back = Trial(fix.trial.candidate, why, fix.trial.change)
    return Fix(fix.problem, None, (*fix.rejected, taken_back))


def _some(texts: tuple[str, ...]) -> str:
    return texts[0] if len(texts) == 1 else f"{texts[0]} and {len(texts) - 1} more"
