"""One judge per case, on the tests' own sandbox server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.rls.cases import CASES
from benchmarks.rls.judge import Judge
from tools.sandbox.cluster import Cluster

JudgeOf = Callable[[str], Judge]


@pytest.fixture(scope="package")
def judge_of(cluster: Cluster) -> JudgeOf:
    """The judge of a case by name; its clean answers are kept for the whole folder."""
    judges = {name: Judge(case, cluster) for name, case in CASES.items()}
    return judges.__getitem__
