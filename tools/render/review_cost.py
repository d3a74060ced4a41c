"""The tool review_cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from tools.errors import NotFound
from tools.partial import Partial
from tools.registry import Effect, Params, Result, tool
from tools.render.costing.gathering import MOST, add_supabase, read_estate, review
from tools.render.costing.prices import prices
from tools.render.costing.proposal import Proposal
from tools.render.costing.readings import DAYS
from tools.render.costing.spend import Line
from tools.resources import Resources
from tools.wording import counted, stamp, table

ROWS: Final = 14
TOLD: Final = 5
"""Proposals that are told in full; the rest in one line each."""
_UNSEEN: Final = (
    "build minutes, private links and dedicated addresses (no endpoint)",
    "discounts, credits, taxes, surcharges (a HIPAA workspace may have one): the invoice is the truth",
)


class ReviewCost(Params):
    """Arguments of review_cost."""

    like: str = Field(default="", max_length=100, description="Only what has this in its name; empty: all.")
    workspace: Literal["unknown", "hobby", "pro", "scale"] = Field(
        default="unknown", description="The workspace's plan, where a person said it: no API does."
    )


class CostReview(Result):
    """Spend a month, what could be saved, and what is not known. Money is US dollars a month."""

    lines: tuple[Line, ...]
    month: float
    proposals: tuple[Proposal, ...]
    saves: float
    notes: tuple[str, ...]
    unknown: tuple[str, ...]
    unexamined: tuple[str, ...]
    priced: str
    read_at: str

    def markdown(self) -> str:
        """Totals, one table, the proposals with call and undo, and what is missing."""
        parts = [self._totals(), self._table() if self.lines else "Nothing runs."]
        if self.proposals:
            parts += ["\n".join(_told(number, each) for number, each in enumerate(self.proposals[:TOLD], 1))]
            rest = [
                f"{number}. {each.resource}: {each.change}, saves {money(each.saves)} ({each.confidence}):"
                f" {_code(each.do)}"
                for number, each in enumerate(self.proposals[TOLD:], TOLD + 1)
            ]
            parts += ["\n".join(rest)] if rest else []
        else:
            parts.append("No change is proposed: nothing that was examined is clearly too large or unused.")
        for title, texts in (
            ("Notes", self.notes),
            ("Not in the total, or uncertain in it", self.unknown),
            ("Not examined", self.unexamined),
        ):
            if texts:
                parts.append(f"{title}:\n" + "\n".join(f"- {text}" for text in texts))
        return "\n\n".join(parts)

    def _totals(self) -> str:
        levels = [
            f"{level} ${sum(each.saves for each in self.proposals if each.confidence == level):,.0f}"
            for level in ("high", "medium", "low")
            if any(each.confidence == level for each in self.proposals)
        ]
        spend = f"Known spend: ${self.month:,.0f} a month, at {self.priced}, read at {self.read_at} UTC."
        if not levels:
            return spend
        return f"{spend}\nPossible savings: ${self.saves:,.0f} a month by confidence: {', '.join(levels)}."

    def _table(self) -> str:
        shown = sorted(
            self.lines, key=lambda line: line.month if line.month is not None else 1e9, reverse=True
        )
        rows = [self._row(line) for line in shown[:ROWS]]
        if rest := shown[ROWS:]:
            more = sum(line.month or 0.0 for line in rest)
            rows.append([counted(len(rest), "more resource"), "", "", "", money(more), "", "", ""])
        headings = [
            "resource",
            "kind",
            "plan",
            "instances",
            "$/month",
            "use, p95 of limit",
            "proposal",
            "saves",
        ]
        return table(headings, rows)

    def _row(self, line: Line) -> list[str]:
        own = [
            (number, each)
            for number, each in enumerate(self.proposals, 1)
            if each.resource == line.name and (not each.id or each.id == line.id)
        ]
        said = "; ".join(f"{number}: {each.change}" for number, each in own)
        saves = money(sum(each.saves for _, each in own)) if own else ""
        return [
            line.name, line.kind, line.plan, line.instances,
            "unknown" if line.month is None else money(line.month), line.use, said, saves,
        ]  # fmt: skip


@tool(Effect.READ, open_world=True)
async def review_cost(params: ReviewCost, resources: Resources) -> CostReview:
    """Review what Render and Supabase cost a month, and what could cost less without going below any peak.

    Prices are a dated list; sizes are judged by two weeks of metrics. Each proposal names the change_service
    call (or a person's step) that does it, its undo, its risk and how sure it is. It changes nothing. Tell
    what is unknown and not examined with the figures. Speed and faults: read_metrics and diagnose_service.
    """
    render, part, now, listed = resources.render, Partial(), resources.now(), prices()
    estate = await read_estate(render, part, params.like)
    if params.like and not (estate.services or estate.postgres or estate.key_values):
        raise NotFound(f"Nothing has {params.like!r} in its name.", hint="list_services names all.")
    resources.progress(
        f"reading {DAYS} days of metrics of {counted(min(MOST, len(estate.services)), 'service')}"
    )
    found = await review(render, part, estate, listed, now)
    if params.like:
        found.unexamined.append(f"everything without {params.like!r} in its name, bandwidth, Supabase")
    else:
        found.notes.append(found.bandwidth(params.workspace))
        await add_supabase(found, resources.supabase_or_none, part, now)
    spend, ranked = found.spend, ranking(found.proposals)
    return CostReview(
        lines=tuple(spend.lines),
        month=round(spend.month, 2),
        proposals=tuple(ranked),
        saves=round(sum(each.saves for each in ranked), 2),
        notes=tuple(found.notes),
        unknown=tuple(dict.fromkeys(spend.unknown)),
        unexamined=(*found.unexamined, *dict.fromkeys(part.unread), *_UNSEEN),
        priced=listed.age(now.date()),
        read_at=stamp(now),
    )


def ranking(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Most money first, weighed by how sure it is."""
    weight = {"high": 1.0, "medium": 0.7, "low": 0.3}
    return sorted(proposals, key=lambda each: each.saves * weight[each.confidence], reverse=True)


def money(amount: float) -> str:
    """`$1,234`, and cents below ten dollars."""
    return f"${amount:,.2f}" if 0 < amount < 10 else f"${amount:,.0f}"


def _told(number: int, each: Proposal) -> str:
    return (
        f"{number}. **{each.resource}: {each.change}**: saves {money(each.saves)} a month, confidence"
        f" {each.confidence} ({each.because})\n"
        f"   seen: {each.evidence}. Risk {each.risk}\n"
        f"   do: {_code(each.do)}; undo: {_code(each.undo)}"
    )


def _code(step: str) -> str:
    return re.sub(r"change_service\([^)]*\)", r"`\g<0>`", step)
