"""`python -m benchmarks.diagnose [SEEDS]`: the platform's incidents, and those of the second company."""

from __future__ import annotations

import sys
import time

from benchmarks.diagnose.clinic import SERVICES, clinic
from benchmarks.diagnose.later import LATER
from benchmarks.diagnose.measure import measure, report
from benchmarks.diagnose.variant import Quiet
from benchmarks.diagnose.variants import VARIANTS
from tools.sandbox.platform import guardian, incidents


def main() -> None:
    """Print both scores; they are never added up."""
    seeds = range(1, int(sys.argv[1]) + 1) if len(sys.argv) > 1 else range(1, 4)
    start = time.perf_counter()
    print(report("Guardian's incidents", measure(incidents.ALL, guardian, seeds)))
    print(report("The second company's", measure(VARIANTS, clinic, seeds)))
    print(report("The second company's later ones", measure(LATER, clinic, seeds)))
    quiet = [Quiet(spec.name) for spec in SERVICES]
    print(report("Quiet services", measure(quiet, clinic, seeds)))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
