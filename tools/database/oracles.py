"""Questions whose answer would give a hidden value away, though the value itself is never shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tools.database.narrowing import Narrowing
from tools.database.phi import SMALL, Verdict
from tools.database.rows import Raw
from tools.errors import Refused
from tools.probing import Probes

_PICKED_OUT: Final = 2
"""So many rows or fewer single somebody out."""


@dataclass(frozen=True, slots=True)
class PhiRules:
    """What the gate knows of persons' data beyond the catalog: a person's corrections, and what was asked."""

    corrections: Mapping[str, bool] = field(default_factory=dict[str, bool])
    probes: Probes = field(default_factory=Probes)


def require_wide(narrowing: Narrowing, probes: Probes) -> None:
    """Raise Refused for a question that would spell a value out, and for one too many about a table."""
    if narrowing.multiplied and probes.limit is not None:
        raise Refused(
            "The statement is not run: a person's hidden value would decide how many rows come.",
            hint="Count or list rows by constants instead.",
        )
    if not narrowing.question:
        return
    admitted = (
        probes.admit(narrowing.table, narrowing.question)
        if narrowing.firm
        else not probes.exhausted(narrowing.table)
    )
    if not admitted:
        raise Refused(
            f"The statement is not run: {probes.limit} different questions about hidden values of "
            f"{narrowing.table} were answered in this session, and more would spell out a person's value.",
            hint='Ask by columns that are shown; [phi] columns in sergei.toml opens one that is "safe".',
        )


def settle_counts(
    narrowing: Narrowing, probes: Probes, verdicts: list[Verdict], rows: Sequence[tuple[Raw | None, ...]]
) -> list[Verdict]:
    """Remember what this answer tells, and hide a count that tells of a few persons by difference."""
    counts = [number for number, verdict in enumerate(verdicts) if verdict.small_cells]
    if narrowing.question and not narrowing.firm and _singles_out(rows, counts):
        probes.admit(narrowing.table, narrowing.question)
    if not narrowing.table or len(rows) != 1:
        return verdicts
    settled = list(verdicts)
    for number in counts:
        told = _integer(rows[0][number])
        if told is None or told < SMALL:
            continue
        if narrowing.selective and probes.reveals(narrowing.table, told):
            why = f"it differs by fewer than {SMALL} from an earlier count"
            settled[number] = replace(verdicts[number], shown=False, small_cells=False, why=why, blur=True)
        else:
            probes.tell(narrowing.table, told)
    return settled


def _singles_out(rows: Sequence[tuple[Raw | None, ...]], counts: list[int]) -> bool:
    if not counts:
        return len(rows) <= _PICKED_OUT
    told = [_integer(rows[0][number]) for number in counts] if len(rows) == 1 else []
    return any(count is not None and count < SMALL for count in told)


def _integer(raw: Raw | None) -> int | None:
    return int(raw.octets) if raw is not None and raw.octets.isdigit() else None
