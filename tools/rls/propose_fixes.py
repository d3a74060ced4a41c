"""propose_fixes: changes that close leaks and findings, tried in a scratch copy before they are offered."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from tools.redaction import Redactor
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources
from tools.rls.design.making import caller_role
from tools.rls.fixing.bench import Bench, bench
from tools.rls.fixing.mend import Fix, Mended, mend
from tools.rls.proof.prove import BUDGET, SEED, Request
from tools.sandbox.scratch.stopping import in_thread

SHOWN: Final = 6
"""Fixes that an answer shows with their SQL."""
TOLD: Final = 3
"""Candidates named for a problem without a fix."""


class ProposeFixes(Params):
    """Arguments of propose_fixes."""

    only: str = Field(default="", description="Only problems whose object contains this.")
    tables: list[str] = Field(default=[], description="Only attack these tables: quicker on a large schema.")
    show: Literal["summary", "script"] = Field(default="summary", description="What to show.")
    budget: float = Field(
        default=BUDGET, ge=5, le=600, description="Seconds for each round of attacks, about."
    )
    seed: int = Field(default=SEED, ge=0, description="Another seed makes another world.")


class Offer(BaseModel):
    """A fix that passed: the problem is closed, no reading and nothing of an owner was lost."""

    model_config = ConfigDict(frozen=True)

    object: str
    problem: str
    rules: list[str]
    how: str
    sql: str
    closed: int = Field(description="Wrongful reads and writes of the world that stopped.")
    left: int = Field(default=0, description="Wrongful ones on the same tables that it leaves.")
    gained: int = Field(description="Rightful ones that became possible.")
    lost: list[str] = Field(
        description="Writes of delegates that were possible without row level security and are not any more."
    )
    undecided: list[str] = Field(description="Other differences, about which the model says nothing.")


class Unmended(BaseModel):
    """A problem for which nothing passed, and what was tried."""

    model_config = ConfigDict(frozen=True)

    object: str
    problem: str
    why: str
    tried: list[str] = Field(description="Each candidate and why it is not offered.")


class Fixes(Result):
    """Proven fixes as one migration script, with what happened before and after."""

    target: str
    offers: list[Offer]
    also_closed: list[str] = Field(description="Problems that an offered fix closes as well.")
    unmended: list[Unmended]
    script: str
    lost: list[str] = Field(description="What the model allows and all fixes together take away.")
    leaks_before: list[str]
    leaks_after: list[str]
    errors_after: list[str]
    not_examined: list[str]
    probes: int
    show: str = "summary"

    def redacted(self, redactor: Redactor) -> Self:
        """As it is: names from the catalog and generated values, never a row of the target."""
        return self

    def markdown(self) -> str:
        """Each offer with its evidence, what could not be mended and why; the whole script on request."""
        if self.show == "script":
            return f"```sql\n{self.script.strip()}\n```"
        proven = f"{_count(self.offers, 'fix', 'fixes')} proven together in a scratch copy"
        counts = f"Leaks before {len(self.leaks_before)}, after {len(self.leaks_after)}"
        lost = f"{len(self.lost)} (below)" if self.lost else "none"
        lines = [f"{self.target}: {proven}. {counts}; rightful access lost: {lost}."]
        if not (self.offers or self.unmended):
            lines = [f"{self.target}: nothing to mend: no leak was executed and no rule reports an ERROR."]
        for offer in self.offers[:SHOWN]:
            lines.append(f"\n**{offer.object}** {offer.problem}\n\nFix: {offer.how}.")
            left = f", {offer.left} on its tables left to others" if offer.left else ""
            counts = f"{offer.closed} wrongful accesses closed{left}, {offer.gained} rightful opened"
            lines.append(f"Before and after: {counts}.")
            lines += [f"No longer possible: {text}" for text in offer.lost[:3]]
            lines += [f"Also different: {text}" for text in offer.undecided[:3]]
            lines.append(f"\n```sql\n{offer.sql}\n```")
        lines += [f"- {offer.object}: {offer.how}" for offer in self.offers[SHOWN:]]
        lines += [f"- closed as well: {text}" for text in self.also_closed]
        for one in self.unmended:
            lines.append(f"\n**{one.object}** {one.problem}\n\nNo fix: {one.why}")
            lines += [f"- {text}" for text in one.tried[:TOLD]]
            lines += [f"- and {len(one.tried) - TOLD} more"] if len(one.tried) > TOLD else []
        lines += [f"Lost with all of them: {text}" for text in self.lost[:SHOWN]]
        lines += [f"Still leaking with all of them: {text}" for text in self.leaks_after]
        lines += [f"Not examined: {text}" for text in self.not_examined[:6]]
        if len(self.offers) > SHOWN:
            lines.append("`show` script gives all of it as one migration.")
        return "\n".join(lines)


@tool(Effect.READ)
async def propose_fixes(params: ProposeFixes, resources: Resources) -> Fixes:
    """Find fixes for leaks and ERROR findings of row level security, and prove them in a scratch copy.

    Every candidate is applied to a copy of the schema: only what closes the problem, takes no rightful access
    away and opens nothing else is offered, as one migration. Nothing is applied to the target: change_sql
    does that after a yes. Takes a minute or more; for the findings alone use review_rls.
    """
    database = resources.database
    request = Request(
        resources.exposed_schemas, resources.rls_model, params.seed, params.budget, coverage=False
    )

    def run() -> Fixes:
        tables = frozenset(word if "." in word else f"public.{word}" for word in params.tables)
        progress = resources.progress
        with (
            resources.sandbox() as cluster,
            bench(cluster, database.conninfo, request, tables, progress) as made,
        ):
            mended = mend(made, caller_role(made.snapshot), only=params.only, progress=progress)
            return told(made, mended, database.target.label, params.show)

    return await in_thread(run)


def told(made: Bench, mended: Mended, target: str, show: str = "summary") -> Fixes:
    """The search's result as the tool's answer."""
    offers = [_offer(fix) for fix in mended.fixes if fix.trial is not None]
    return Fixes(
        target=target,
        offers=offers,
        also_closed=[f"{fix.problem.object} (by the fix of {fix.by})" for fix in mended.fixes if fix.by],
        unmended=[unmended(fix) for fix in mended.fixes if fix.trial is None and not fix.by],
        script=script(offers),
        lost=list(mended.change.lost),
        leaks_before=[f"{leak.object}: {leak.sentence}" for leak in mended.before],
        leaks_after=[f"{leak.object}: {leak.sentence}" for leak in mended.after],
        errors_after=[f"{finding.rule} {finding.object}" for finding in mended.errors_after],
        not_examined=[f"{what} ({why})" for what, why in (*made.gaps, *made.campaign.gaps)],
        probes=made.campaign.probing.count + mended.probes,
        show=show,
    )


def script(offers: list[Offer]) -> str:
    """One migration: each fix under the problem that it closes."""
    parts = ["begin;"]
    for offer in offers:
        parts.append(f"\n-- {' '.join(offer.problem.split())}")
        parts.append(
            f"-- {offer.how}: {offer.closed} wrongful accesses closed, {len(offer.lost)} rightful lost"
        )
        parts.append(offer.sql.rstrip())
    return "\n".join([*parts, "\ncommit;"]) + "\n" if offers else ""


def _offer(fix: Fix) -> Offer:
    trial = fix.trial
    if trial is None:
        raise ValueError("nothing is offered for this problem")
    return Offer(
        object=fix.problem.object,
        problem=fix.problem.sentence,
        rules=list(fix.problem.rules),
        how=trial.candidate.how,
        sql=trial.candidate.sql,
        closed=len(trial.change.closed),
        left=trial.change.left,
        gained=len(trial.change.gained),
        lost=list(trial.change.lost),
        undecided=list(trial.change.other),
    )


def unmended(fix: Fix) -> Unmended:
    return Unmended(
        object=fix.problem.object,
        problem=fix.problem.sentence,
        why=_why_none(fix),
        tried=[f"{trial.candidate.how}: {trial.objection}" for trial in fix.rejected],
    )


def _why_none(fix: Fix) -> str:
    if fix.late:
        return "there was no time left to try any; name the object, or raise the budget."
    if not fix.rejected:
        return "no change was known to try."
    return "none of the changes tried passed:"


def _count(several: list[Offer], one: str, many: str) -> str:
    return f"{len(several)} {one if len(several) == 1 else many}"
