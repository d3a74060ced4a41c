"""Findings gathered for reading: repeats of one rule become one, errors and few ones stay apart."""

from __future__ import annotations

from tools.findings import Finding, Level, gathered


def finding(rule: str, level: Level, name: str) -> Finding:
    return Finding(
        rule=rule, level=level, domain="rls", object=name, message=f"Wrong on {name}.", fix=f"mend {name};"
    )


def test_repeats_of_a_warning_become_one_with_every_object_and_one_script() -> None:
    several = [finding("slow", Level.WARN, f"t{n}") for n in range(5)]
    (one,) = gathered(several)
    assert one.object == "5 objects"
    assert one.message == "Wrong on t0. The same on t1, t2, t3, t4."
    assert one.fix.splitlines() == [f"mend t{n};" for n in range(5)]


def test_errors_and_few_findings_stay_apart_and_in_order() -> None:
    errors = [finding("leak", Level.ERROR, f"e{n}") for n in range(6)]
    few = [finding("odd", Level.WARN, f"w{n}") for n in range(3)]
    many = [finding("slow", Level.INFO, f"i{n}") for n in range(4)]
    found = gathered([*errors, *few, *many])
    assert found[:9] == [*errors, *few]
    assert [f.object for f in found[9:]] == ["4 objects"]


def test_a_fix_that_is_the_same_for_all_is_said_once() -> None:
    several = [finding("slow", Level.WARN, f"t{n}").model_copy(update={"fix": "one;"}) for n in range(4)]
    assert gathered(several)[0].fix == "one;"
