"""The tool explain_query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from tools.database.oracles import PhiRules
from tools.database.plan import Reader, lines, remarks
from tools.database.reach import inspect
from tools.database.reading import judge_reading, nearer
from tools.database.sqltext import parse_one
from tools.errors import InvalidInput, NotFound, Refused
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

if TYPE_CHECKING:
    from tools.database.reach import Reach

_PLANNED: Final = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


class ExplainQuery(Params):
    """Arguments of explain_query."""

    sql: str = Field(description="One SELECT, INSERT, UPDATE, DELETE or MERGE, without EXPLAIN before it.")
    analyze: bool = Field(default=False, description="Run it and measure; only for reading statements.")
    as_role: str | None = Field(
        default=None,
        max_length=63,
        description="Plan as this role, e.g. authenticated: RLS policies join the plan.",
    )
    claims: dict[str, Any] | None = Field(default=None, description='JWT claims, e.g. {"sub": "<uuid>"}.')


class Plan(Result):
    """A plan as lines. Milliseconds are there only when it was run."""

    target: str
    plan: str
    remarks: tuple[str, ...]
    total_cost: float
    planning_ms: float | None = None
    execution_ms: float | None = None

    def markdown(self) -> str:
        """The plan in a code block, then what stands out."""
        times = [
            f"{word} {value:,.1f} ms"
            for word, value in (("planning", self.planning_ms), ("execution", self.execution_ms))
            if value is not None
        ]
        said = [f"- {remark}" for remark in self.remarks]
        return "\n".join(["```", self.plan, "```", ", ".join([*times, self.target]), *said])


@tool(Effect.READ)
async def explain_query(params: ExplainQuery, resources: Resources) -> Plan:
    """Show how PostgreSQL would run a statement; with analyze, run a reading one and measure it.

    Give as_role and claims to see what row level security adds. Literals that are not in your own statement
    are left out, and rows of persons are counted roughly. It shows no rows: that is execute_sql.
    """
    database = resources.database
    piece = parse_one(params.sql)
    reach = inspect(piece.node)
    _require_plannable(reach, params.analyze)
    options = "FORMAT JSON, VERBOSE" + (", ANALYZE, BUFFERS, TIMING" if params.analyze else "")
    prefix = f"EXPLAIN ({options}) "
    try:
        async with database.session() as session:
            judged = await judge_reading(
                session,
                piece,
                reach,
                params.as_role,
                params.claims,
                planned=not params.analyze,
                rules=PhiRules(resources.phi_columns, resources.probes),
                allowed=resources.allowed_functions,
            )
            cursor = await session.plain(prefix + piece.text, offset=len(prefix))
            row = await cursor.fetchone()
    except NotFound as error:
        raise await nearer(database, reach, error) from None
    told: dict[str, Any] = row["QUERY PLAN"][0] if row else {"Plan": {"Total Cost": 0}}
    reader = Reader(piece.text, linked=judged.linked is not None)
    return Plan(
        target=database.target.label,
        plan="\n".join(lines(told["Plan"], reader)),
        remarks=tuple(remarks(told["Plan"])),
        total_cost=told["Plan"]["Total Cost"],
        planning_ms=told.get("Planning Time"),
        execution_ms=told.get("Execution Time"),
    )


def _require_plannable(reach: Reach, analyze: bool) -> None:
    if reach.kind == "ExplainStmt":
        raise InvalidInput("Leave EXPLAIN away: explain_query adds it.", hint="Set analyze to run it.")
    if reach.kind not in _PLANNED:
        raise InvalidInput("Only SELECT, INSERT, UPDATE, DELETE and MERGE have a plan.")
    if analyze and reach.kind != "SelectStmt":
        raise Refused(
            "EXPLAIN ANALYZE of a write would write.",
            hint="Leave analyze away to see its plan without running it.",
        )
