"""Fixes: tried one by one and together; what locks people out or leaves a hole is never offered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tools.rls.fixing.bench import Bench, bench
from tools.rls.fixing.candidates import Candidate
from tools.rls.fixing.mend import Fix, Mended, Search, Trial, mend, tried
from tools.rls.fixing.problems import Problem
from tools.rls.fixing.reached import PER_KIND, Change
from tools.rls.proof.prove import Request
from tools.rls.propose_fixes import Fixes, told, unmended
from tools.sandbox import demo, faults
from tools.sandbox.cluster import Cluster

pytestmark = pytest.mark.timeout(400)
"""One bench serves all tests here: its world is built, and every fix tried, in the first one's set-up."""
PLANTED = (
    "policy_always_true",
    "grantee_extends_own_grant",
    "view_reads_as_owner",
    "profile_id_is_not_account_id",
)
TABLES = frozenset({"public.medications", "public.profile_grants", "public.vitals"})


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


def test_a_refusal_of_rightful_access_is_closed_by_what_lifts_it_and_by_nothing_else(made: Bench) -> None:
    refusal = next(one for one in made.found.denied if one.relations == ("public.vitals",))
    assert made.shows(refusal)
    with made.changed(["alter policy medications_delete on public.medications using (false)"]):
        assert made.shows(refusal)
    with made.changed([faults.fault("profile_id_is_not_account_id").repair]):
        assert not made.shows(refusal)


def test_what_all_the_others_closed_is_not_called_unmended(made: Bench) -> None:
    leak = next(one for one in made.found.leaks if "medications_select" in one.object)
    search = Search(made, "authenticated", lambda _: None, 0.0)
    for name in ("gone", "there"):
        search.fixes[name] = Fix(Problem(name, (), (leak.model_copy(update={"object": name}),)), None, ())
    search.settle({(leak.kind, "there", leak.command)}, set())
    assert [fix.by for fix in search.fixes.values()] == ["the others", ""]


def test_changes_are_kept_one_upon_the_other_and_undone_at_the_end(made: Bench) -> None:
    before = made.snapshot
    with made.trying():
        made.keep("alter policy medications_select on public.medications using (false)", frozenset())
        made.keep("drop policy medications_select on public.medications", frozenset())
        assert not any(policy.name == "medications_select" for policy in made.snapshot.policies)
    assert made.snapshot is before and made.kept == []


def test_of_many_statements_of_one_command_some_from_all_over_them_are_tried(made: Bench) -> None:
    made.before(frozenset({"public.medications"}))
    writes = made._tried["public.medications"].writes  # pyright: ignore[reportPrivateUsage]
    counts = Counter((who, one.command) for who, several in writes.items() for one in several)
    assert {command for _, command in counts} == {"INSERT", "UPDATE", "DELETE"}
    assert max(counts.values()) <= PER_KIND


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
    assert f"Leaks before {len(mended.before)}, after 0; rightful access lost: none." in answer.markdown()
    assert answer.lost == list(mended.change.lost)


def test_what_is_lost_or_not_mended_is_said_with_the_reason(mended: Mended) -> None:
    problem = Problem("public.t", (), (mended.before[0],))
    trial = Trial(Candidate("public.t", "closed to the API", "revoke"), "it breaks something", Change())
    fixes = (Fix(problem, None, (trial,)), Fix(problem, None, ()), Fix(problem, None, (), late=True))
    poor = replace(mended, fixes=fixes, change=Change(lost=("owner of b reads public.t",)))
    said = Fixes(
        target="here",
        offers=[],
        also_closed=[],
        unmended=[unmended(fix) for fix in poor.fixes],
        script="",
        lost=list(poor.change.lost),
        leaks_before=["x"],
        leaks_after=["x"],
        errors_after=[],
        not_examined=[],
        probes=0,
    ).markdown()
    assert "rightful access lost: 1 (below)." in said and "Lost with all of them: owner of b reads" in said
    assert "- closed to the API: it breaks something" in said
    assert "no change was known to try" in said and "there was no time left" in said
