"""rewrite_policies: policies in their set-based form, proven to decide the same, timed before and after."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from tools.redaction import Redactor
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources
from tools.rls.fixing.measuring import Cost
from tools.rls.fixing.quicken import Quickened, Quicker, quicken
from tools.rls.proof.prove import SEED, Request
from tools.sandbox.scratch.stopping import in_thread

SHOWN = 5
"""Tables that an answer shows with their SQL."""


class RewritePolicies(Params):
    """Arguments of rewrite_policies."""

    tables: list[str] = Field(default=[], description="Only these tables; all when empty.")
    rows: int = Field(
        default=100_000, ge=0, le=1_000_000, description="Rows to measure on; 0 leaves the measurement out."
    )
    seed: int = Field(default=SEED, ge=0, description="Another seed makes another world.")


class Timed(BaseModel):
    """One caller's reading of the filled table."""

    model_config = ConfigDict(frozen=True)

    milliseconds: float
    rows: int = Field(description="Rows that the caller was given.")
    plan: str = Field(description="How the table was read.")
    stopped: bool = Field(default=False, description="It was stopped at this time.")


class Rewritten(BaseModel):
    """One table's policies in their quicker form."""

    model_config = ConfigDict(frozen=True)

    table: str
    policies: list[str]
    how: list[str]
    sql: str
    undo: str
    compared: int = Field(description="Reads and writes of all actors that were compared, row by row.")
    before: Timed | None = None
    after: Timed | None = None
    unmeasured: str = ""


class Rewrites(Result):
    """The rewrites that decide exactly as before, and what was left alone."""

    target: str
    rewritten: list[Rewritten]
    rejected: list[str] = Field(description="Tables whose rewrite did not hold, and why.")
    kept: list[str] = Field(description="Helpers that run per row and were not turned, and why.")
    actors: int
    rows: int

    def redacted(self, redactor: Redactor) -> Self:
        """As it is: names from the catalog and figures of generated rows."""
        return self

    def markdown(self) -> str:
        """Per table the time before and after, the proof, and the SQL."""
        if not (self.rewritten or self.rejected or self.kept):
            return (
                f"{self.target}: no policy has a quicker form: nothing runs once per row that could run once."
            )
        found = f"{len(self.rewritten)} tables have policies with a quicker form"
        lines = [f"{self.target}: {found} that decides the same for {self.actors} actors."]
        for one in self.rewritten[:SHOWN]:
            lines.append(f"\n**{one.table}** {', '.join(one.policies)}: {'; '.join(one.how)}.")
            lines.append(
                f"Same decision in {one.compared:,} reads and writes, row by row.{_times(one, self.rows)}"
            )
            lines.append(f"\n```sql\n{one.sql}\n```")
        lines += [
            f"- {one.table}: {'; '.join(one.how)}.{_times(one, self.rows)}" for one in self.rewritten[SHOWN:]
        ]
        lines += [f"Not offered: {text}" for text in self.rejected]
        lines += [f"Runs per row still: {text}" for text in self.kept]
        return "\n".join(lines)


def _times(one: Rewritten, rows: int) -> str:
    if one.before is None or one.after is None:
        return f" Not measured: {one.unmeasured}." if one.unmeasured else ""
    more = "more than " if one.before.stopped else ""
    before = f"{more}{one.before.milliseconds:,.0f} ms ({one.before.plan or 'no plan'})"
    after = f"{one.after.milliseconds:,.1f} ms ({one.after.plan or 'no plan'})"
    return f" Reading {rows:,} rows: {before} before, {after} after."


@tool(Effect.READ)
async def rewrite_policies(params: RewritePolicies, resources: Resources) -> Rewrites:
    """Rewrite slow policies into set-based form, prove that they decide the same, and measure both.

    Finds helpers, auth.uid(), IN and EXISTS that run once per row. In a scratch copy every actor must read
    and write exactly the same rows before and after; then a table of many rows is read and timed. Nothing is
    applied: change_sql does that after a yes. For a slow query that is not about policies use explain_query.
    """
    database = resources.database
    tables = frozenset(word if "." in word else f"public.{word}" for word in params.tables)
    request = Request(resources.exposed_schemas, resources.rls_model, params.seed, coverage=False)

    def run() -> Quickened:
        with resources.sandbox() as cluster:
            return quicken(
                cluster,
                database.conninfo,
                request,
                tables=tables,
                rows=params.rows,
                progress=resources.progress,
            )

    return told(await in_thread(run), database.target.label)


def told(found: Quickened, target: str) -> Rewrites:
    """The result as the tool's answer."""
    return Rewrites(
        target=target,
        rewritten=[_rewritten(one) for one in found.tables if not one.objection],
        rejected=[f"{one.relation}: {one.objection}" for one in found.tables if one.objection],
        kept=[f"{function}: {why}" for function, why in found.kept.items()],
        actors=found.actors,
        rows=found.rows,
    )


def _rewritten(one: Quicker) -> Rewritten:
    drops = dict.fromkeys(drop for rewrite in one.rewrites for drop in rewrite.drops)
    return Rewritten(
        table=one.relation,
        policies=[rewrite.policy.name for rewrite in one.rewrites],
        how=list(dict.fromkeys(how for rewrite in one.rewrites for how in rewrite.how)),
        sql="\n".join(one.sql),
        undo="\n".join([*(rewrite.old for rewrite in one.rewrites), *drops]),
        compared=one.cells,
        before=_timed(one.before),
        after=_timed(one.after),
        unmeasured=one.unmeasured,
    )


def _timed(cost: Cost | None) -> Timed | None:
    if cost is None:
        return None
    return Timed(
        milliseconds=round(cost.milliseconds, 2), rows=cost.rows, plan=cost.plan, stopped=cost.stopped
    )
