"""`make bench`: every benchmark, one after another."""

from __future__ import annotations

from benchmarks import gate, review_catalog, startup

if __name__ == "__main__":
    startup.main()
    gate.main()
    review_catalog.main()
