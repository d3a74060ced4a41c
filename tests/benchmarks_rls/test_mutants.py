"""The suite is what it says: enough mutants, each still made by its operator, a sample confirmed again."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.rls.cases import CASES
from benchmarks.rls.confirm import UNCHANGED, recorded
from benchmarks.rls.harmless import harmless
from benchmarks.rls.mutant import Mutant
from benchmarks.rls.operators import OPERATORS
from benchmarks.rls.oracle.observe import differences, gains
from tests.benchmarks_rls.conftest import JudgeOf


def made(case: str, judge_of: JudgeOf, only: str = "") -> dict[str, Mutant]:
    """The mutants that the operators make of a case, by name; `only` those of one operator."""
    catalog = judge_of(case).catalog()
    chosen = [operator for operator in OPERATORS if only in ("", operator.name)]
    return {mutant.name: mutant for operator in chosen for mutant in operator.make(catalog)}


def test_there_are_enough_and_of_every_kind():
    by_operator = Counter(one["operator"] for one in recorded().values())
    assert sum(by_operator.values()) >= 250
    assert len(by_operator) >= 40
    assert max(by_operator.values()) <= 20, "no operator carries the figures alone"
    assert len(recorded(UNCHANGED)) >= 40
    for case in CASES:
        assert sum(name.startswith(f"{case}/") for name in recorded()) >= 100


@pytest.mark.parametrize("case", list(CASES))
def test_what_is_recorded_is_what_the_operators_make(case: str, judge_of: JudgeOf):
    every = made(case, judge_of)
    missing = [
        name for name in recorded() if name.startswith(f"{case}/") and name.partition("/")[2] not in every
    ]
    assert missing == []
    assert all(mutant.objects for mutant in every.values())
    same = {f"{case}/{m.name}" for m in harmless(judge_of(case).catalog())}
    assert [name for name in recorded(UNCHANGED) if name.startswith(f"{case}/") and name not in same] == []


SAMPLE = (
    ("using_true", "guardian"),
    ("helper_metadata", "guardian"),
    ("rpc_unchecked", "guardian"),
    ("helper_condition_dropped", "second"),
    ("self_verify", "second"),
)


@pytest.mark.parametrize(("operator", "case"), SAMPLE)
def test_a_recorded_mutant_leaks_again(operator: str, case: str, judge_of: JudgeOf):
    every = made(case, judge_of, operator)
    kept = [every[name.partition("/")[2]] for name in recorded() if name.partition("/")[2] in every]
    quickest = min(kept, key=lambda mutant: (len(mutant.look), len(mutant.chains), mutant.name))
    assert judge_of(case).gains(quickest)


@pytest.mark.parametrize("case", list(CASES))
def test_the_clean_schema_against_itself_gains_nothing(case: str, judge_of: JudgeOf):
    """A relation and a function are asked on two copies, so that chance would show.

    `python -m benchmarks.rls.confirm --harmless` asks all of them, of every rewrite.
    """
    judge = judge_of(case)
    title, functions = {
        "guardian": ("public.consents", ("public.leave_profile",)),
        "second": ("public.referrals", ("public.leave_proxy",)),
    }[case]
    with judge.copy() as one, judge.copy() as other:
        first, second = one.ask(title), other.ask(title)
        calls, again = one.ask_functions(functions), other.ask_functions(functions)
    assert gains(first, second) == [] and len(first) > 100
    assert differences(calls, again) == [] and len(calls) >= 10
    assert any(answer not in ("", "0") and not answer.startswith("!") for answer in first.values())
    assert len(set(calls.values())) > 1


def test_a_change_that_does_nothing_is_no_leak(judge_of: JudgeOf):
    harmless_one = Mutant(
        "comment", "none", "comment on table public.proxies is 'x'", ("public.proxies",), ("public.proxies",)
    )
    assert judge_of("second").gains(harmless_one) == []
