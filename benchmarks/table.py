"""One small table of measured seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, its seconds, and its ratio to the yardstick (None: not computed yet)."""

    what: str
    seconds: float
    ratio: float | None = None

    def beside(self, yardstick: float) -> Row:
        """The row with its ratio to a yardstick in seconds."""
        return replace(self, ratio=self.seconds / yardstick)


def show(title: str, rows: list[Row], against: str) -> None:
    """Print the table."""
    width = max(len(row.what) for row in rows)
    print(f"\n{title}")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:8.2f} {against}"
        print(f"  {row.what:<{width}}  {row.seconds:10.5f}{ratio}")
