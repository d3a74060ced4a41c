"""`sergei rls trend`: whether saved reports get better, step by step."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agent.commands.writing import deliver, writable
from agent.reports import trend
from tools.errors import InvalidInput, NotFound


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "reports", nargs="+", metavar="FILE|FOLDER", help="reports of `sergei review --format json`"
    )
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    parser.add_argument("--output", metavar="FILE", help="write to a file (- is the terminal)")


def run(args: argparse.Namespace) -> int:
    """Print or write the trend. A file of a folder that is no report is passed over, and said."""
    output = writable(args.output)
    points = [point for name in args.reports for point in _points(Path(name))]
    found = trend.steps(points)
    writers = {"text": trend.text, "json": trend.document, "markdown": trend.markdown}
    deliver(writers[args.format](found), output, f"{len(found)} reports.")
    return 0


def _points(path: Path) -> list[trend.Point]:
    if not path.exists():
        raise NotFound(f"There is no file or folder {path}.")
    if not path.is_dir():
        return [trend.read(path)]
    points: list[trend.Point] = []
    for file in sorted(path.glob("*.json")):
        try:
            points.append(trend.read(file))
        except InvalidInput as error:
            print(f"sergei: {error.message}", file=sys.stderr)
    if not points:
        raise InvalidInput(
            f"There is no saved report in {path}.",
            hint="Save one with `sergei review --format json --output FILE`.",
        )
    return points
