"""A description in sections: facts, and tables of what there is several of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from tools.logs.veil import veil
from tools.redaction import Redactor
from tools.registry import Result
from tools.wording import table


class Section(BaseModel):
    """One part. `strange`: its cells hold what programs or persons wrote, and are veiled as log lines."""

    model_config = ConfigDict(frozen=True)

    title: str
    facts: dict[str, str] = Field(default_factory=dict[str, str])
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: int = Field(default=0, description="Rows that are not shown.")
    strange: bool = Field(default=False, exclude=True)

    def shown(self) -> str:
        """Markdown."""
        lines = [f"- {name}: {value}" for name, value in self.facts.items() if value]
        if self.rows:
            lines += ["", table(self.headings, self.rows)] if lines else [table(self.headings, self.rows)]
        if self.more:
            lines.append(f"and {self.more:,} more")
        heading = f"**{self.title}**\n" if self.title else ""
        return heading + ("\n".join(lines) or "none")

    def veiled(self, redactor: Redactor) -> Self:
        """A copy that may leave."""

        def clean(text: str) -> str:
            if not self.strange or not redactor.strict:
                return redactor.text(text)
            return veil(text, lambda kind, value: redactor.pseudonym(kind, value, scope="text"), redactor)

        return self.model_copy(
            update={
                "facts": {name: clean(value) for name, value in self.facts.items()},
                "rows": tuple(tuple(clean(cell) for cell in row) for row in self.rows),
            }
        )


class Description(Result):
    """A thing, and what is known of it."""

    of: str
    sections: tuple[Section, ...]
    note: str = ""

    def redacted(self, redactor: Redactor) -> Self:
        """Every cell cleaned; what programs or persons wrote is veiled as a log line is."""
        return self.model_copy(
            update={
                "sections": tuple(section.veiled(redactor) for section in self.sections),
                "note": redactor.text(self.note),
            }
        )

    def markdown(self) -> str:
        """The sections, one after the other."""
        parts = [self.of, *(section.shown() for section in self.sections)]
        return "\n\n".join([*parts, *([self.note] if self.note else [])])


def facts(title: str, values: Mapping[str, object]) -> Section:
    """A section of facts; what is empty is left out."""
    return Section(
        title=title, facts={name: str(value) for name, value in values.items() if value not in (None, "")}
    )


def rows(
    title: str,
    headings: Sequence[str],
    cells: Iterable[Sequence[object]],
    *,
    most: int = 30,
    strange: bool = False,
) -> Section:
    """A section with a table, cut after `most` rows."""
    all_rows = [tuple("" if cell is None else str(cell) for cell in row) for row in cells]
    return Section(
        title=title,
        headings=tuple(headings),
        rows=tuple(all_rows[:most]),
        more=max(0, len(all_rows) - most),
        strange=strange,
    )
