"""Fixes: tried one by one and together; what locks people out or leaves a hole is never offered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.rls.fixing.bench import Bench, bench
from tools.rls.fixing.candidates import Candidate
from tools.rls.fixing.mend import Mended, mend, tried
from tools.rls.fixing.problems import Problem
from tools.rls.proof.prove import Request
from tools.rls.propose_fixes import told
from tools.sandbox import demo, faults
from tools.sandbox.cluster import Cluster

pytestmark = pytest.mark.timeout(400)
"""One bench serves all tests here: its world is built, and every fix tried, in the first one's set-up."""
PLANTED = (
    "policy_always_true",
    "grantee_extends_own_grant",
    "view_reads_as_owner",
)
TABLES = frozenset({"public.medications", "public.profile_grants"})


@pytest.fixture(scope="module")
def made(cluster: Cluster) -> Iterator[Bench]:
    """A bench for the demo with all of them planted."""
    with cluster.scratch("planted", template=demo.template(cluster)) as dsn:
        faults.apply(dsn, *map(faults.fault, PLANTED))
        with bench(cluster, dsn, Request(coverage=False), TABLES) as one:
            yield one


@pytest.fixture(scope="module")
def mended(made: Bench) -> Mended:
    """The fixes for all of them."""
    return mend(made, "authenticated")


def test_every_planted_fault_is_mended(mended: Mended) -> None:
    done = {fix.problem.object for fix in mended.fixes if fix.trial is not None or fix.by}
    planted = {faults.fault(name).object for name in PLANTED}
    assert len(planted & done) == len(PLANTED)
    assert planted - done == set()


def test_with_all_fixes_nothing_leaks_and_nobody_lost_anything(mended: Mended) -> None:
    assert len(mended.before) >= len(PLANTED)
    assert [leak.sentence for leak in mended.after] == []
    assert mended.change.opened == ()
    assert mended.change.lost == ()
    assert len(mended.change.closed) > 20


def test_a_fix_that_locks_owners_out_is_rejected(made: Bench) -> None:
    problem = next(
        Problem("policy medications_select on public.medications", (), (leak,))
        for leak in made.found.leaks
        if leak.object == "policy medications_select on public.medications"
    )
    closed = Candidate(
        problem.object, "closed", "alter policy medications_select on public.medications using (false)"
    )
    trial = tried(made, problem, closed)
    assert trial.objection.startswith("it takes rightful access away: ")
    assert "owner of b reads public.medications" in trial.change.lost


def test_a_fix_that_leaves_the_hole_is_rejected(made: Bench) -> None:
    leak = next(one for one in made.found.leaks if "medications_select" in one.object)
    same = Candidate(
        leak.object, "no change", "alter policy medications_select on public.medications using (true)"
    )
    assert tried(made, Problem(leak.object, (), (leak,)), same).objection == "the attack still succeeds"


def test_a_fix_that_opens_another_hole_is_rejected(made: Bench) -> None:
    leak = next(one for one in made.found.leaks if "medications_select" in one.object)
    right = faults.fault("policy_always_true").repair
    worse = f"{right}; alter policy medications_delete on public.medications using (true)"
    trial = tried(made, Problem(leak.object, (), (leak,)), Candidate(leak.object, "worse", worse))
    assert "rls_policy_always_true" in trial.objection or trial.change.opened


def test_a_fix_that_does_not_run_is_rejected_and_leaves_nothing_behind(made: Bench) -> None:
    leak = next(one for one in made.found.leaks if "medications_select" in one.object)
    broken = Candidate(
        leak.object, "broken", "drop policy medications_select on public.medications; select 1/0"
    )
    assert (
        tried(made, Problem(leak.object, (), (leak,)), broken).objection
        == "it does not run: division by zero"
    )
    assert made.shows(leak)


def test_the_answer_is_one_script_with_its_evidence(made: Bench, mended: Mended) -> None:
    answer = told(made, mended, "here")
    assert answer.script.startswith("begin;") and answer.script.rstrip().endswith("commit;")
    assert answer.script.count("wrongful accesses closed, ") == len(answer.offers)
    assert f"Leaks before {len(mended.before)}, after 0" in answer.markdown()
    assert answer.lost == list(mended.change.lost)
