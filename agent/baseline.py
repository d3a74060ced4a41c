"""Known findings in a file that a team keeps beside its code: they do not fail a review, new ones do.

The file is JSON, one finding a line in a fixed order, so that its own changes read well in a review of code.
It holds rule names and object names only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.errors import InvalidInput, NotFound, Unavailable
from tools.findings import Finding, Level
from tools.review import Review

VERSION: Final = 1


class Known(BaseModel):
    """One finding that was there when the file was written."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    cache_key: str
    rule: str
    level: Level
    object: str
    schema_: str | None = Field(default=None, alias="schema")


class Baseline(BaseModel):
    """The file as a whole. `written` is the day (UTC)."""

    model_config = ConfigDict(frozen=True)

    sergei_baseline: int
    target: str
    written: date
    findings: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A review against a baseline. `worse` are known findings that are graver than they were: they count as
    new. `fixed` are known ones that are gone; `out_of_scope` are those that this run did not look for."""

    file: str
    new: tuple[Finding, ...]
    worse: tuple[Finding, ...]
    known: tuple[Finding, ...]
    fixed: tuple[Known, ...]
    out_of_scope: int

    @property
    def failing(self) -> tuple[Finding, ...]:
        """What can fail the review."""
        return (*self.new, *self.worse)

    def sentence(self) -> str:
        """`Against baseline.json: 1 new, 1 graver than before, 3 known, 2 fixed.`"""
        parts = [
            f"{len(self.new)} new",
            *([f"{len(self.worse)} graver than before"] if self.worse else []),
            f"{len(self.known)} known",
            f"{len(self.fixed)} fixed",
            *([f"{self.out_of_scope} not looked for in this run"] if self.out_of_scope else []),
        ]
        return f"Against {self.file}: {', '.join(parts)}."


def compare(review: Review, baseline: Baseline, file: str, looked_for: Callable[[Known], bool]) -> Standing:
    """Where each finding stands. `looked_for` says whether this run could have found a known one again."""
    before = {one.cache_key: one for one in baseline.findings}
    now = {finding.cache_key for finding in review.findings}
    gone = [one for one in baseline.findings if one.cache_key not in now]
    same = [f for f in review.findings if f.cache_key in before]
    worse = tuple(f for f in same if f.level.rank < before[f.cache_key].level.rank)
    return Standing(
        file=file,
        new=tuple(f for f in review.findings if f.cache_key not in before),
        worse=worse,
        known=tuple(f for f in same if f not in worse),
        fixed=tuple(one for one in gone if looked_for(one)),
        out_of_scope=sum(not looked_for(one) for one in gone),
    )


def read(file: Path) -> Baseline:
    """The file. Raises NotFound, or InvalidInput when it is not one of ours."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"There is no baseline {file}.", hint=f"Write it once with --write-baseline {file}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InvalidInput(f"The baseline {file} cannot be read ({said}).") from None
    try:
        baseline = Baseline.model_validate_json(text)
    except ValidationError:
        raise InvalidInput(
            f"{file} is not a baseline.", hint="Write one with `sergei review --write-baseline FILE`."
        ) from None
    if baseline.sergei_baseline > VERSION:
        raise InvalidInput(f"{file} was written by a newer Sergei.", hint="Upgrade this one.")
    return baseline


def write(file: Path, review: Review, today: date) -> None:
    """Accept every finding of a review. Raises Unavailable when the file cannot be written."""
    known = sorted(review.findings, key=lambda f: (f.rule, f.object))
    lines = [
        Known(
            cache_key=f.cache_key, rule=f.rule, level=f.level, object=f.object, schema=f.schema_
        ).model_dump_json(by_alias=True)
        for f in known
    ]
    head = (
        f'{{\n"sergei_baseline": {VERSION},\n"target": {json.dumps(review.target, ensure_ascii=False)},\n'
        f'"written": "{today.isoformat()}",\n"findings": ['
    )
    body = "\n" + ",\n".join(lines) + "\n" if lines else ""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(f"{head}{body}]\n}}\n", encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise Unavailable(f"The baseline cannot be written to {file} ({error.strerror}).") from None
