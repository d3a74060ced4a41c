"""`make bench-memory`: how well and how fast the memory bank recalls.

    .venv/bin/python -m benchmarks.memory [domain|published|speed] [ENTRIES ...]

Without words everything: the domain set, a published set, and the speed at 1,000, 10,000 and 100,000 entries.
"""

from __future__ import annotations

import sys

from benchmarks.memory import published, quality, speed

SIZES = (1_000, 10_000, 100_000)


def main(words: list[str]) -> None:
    """Run the parts that `words` name."""
    parts = [word for word in words if not word.isdigit()] or ["domain", "published", "speed"]
    if unknown := set(parts) - {"domain", "published", "speed"}:
        raise SystemExit(f"There is no part {', '.join(sorted(unknown))}: name domain, published or speed.")
    if "domain" in parts:
        quality.show()
    if "published" in parts:
        published.show()
    if "speed" in parts:
        speed.show([int(word) for word in words if word.isdigit()] or SIZES)


if __name__ == "__main__":
    main(sys.argv[1:])
