"""How well and how fast the memory bank recalls: see `python -m benchmarks.memory`."""
