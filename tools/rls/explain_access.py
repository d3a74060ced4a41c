"""explain_access: why can this caller see (change) this row, or why not?"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from tools.database.oracles import PhiRules
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources
from tools.rls.explaining.explain import Asked, explain
from tools.rls.explaining.verdicts import CommandAnswer
from tools.rls.reading import read_snapshot
from tools.rls.wording import shown


class ExplainAccess(Params):
    """Arguments of explain_access."""

    relation: str = Field(max_length=130, description="The table: schema.name or name.")
    key: dict[str, Any] = Field(
        default={}, description='Column values that identify one row, e.g. {"id": "<uuid>"}.'
    )
    where: str = Field(default="", max_length=2000, description="Or a reading SQL condition that finds it.")
    user_id: str = Field(default="", max_length=200, description="The caller's account: the claim sub.")
    role: str = Field(
        default="", max_length=63, description="The caller's role; authenticated (anon without user_id)."
    )
    claims: dict[str, Any] = Field(default={}, description="More JWT claims, e.g. app_metadata.")
    commands: list[str] = Field(default=["SELECT"], description="SELECT, INSERT, UPDATE, DELETE.")


class Explanation(Result):
    """The answer by command, with what each policy's parts were for this row and this caller."""

    model_config = ConfigDict(frozen=True)

    target: str
    relation: str
    caller: str
    row: str
    commands: tuple[CommandAnswer, ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Verdict first, then policies with their parts as an indented tree."""
        lines = [f"{shown(self.relation)} in {self.target}, {shown(self.caller)}: {self.row}."]
        for answer in self.commands:
            lines += ["", f"**{answer.command}: {answer.verdict}.** {shown(answer.why)}"]
            for policy in answer.policies:
                lines.append(f"- {shown(policy.title)}: {policy.value}")
                lines += [f"    {shown(line)}" if line else "" for line in policy.lines]
        lines += ["", *(f"Note: {shown(note)}" for note in self.notes)] if self.notes else []
        return "\n".join(lines)


@tool(Effect.READ)
async def explain_access(params: ExplainAccess, resources: Resources) -> Explanation:
    """Say why a caller can see or change one row, or why not: privileges, policies, helpers, lookup rows.

    For each policy that applies it tells which part of the condition was true, false or null for this row and
    this caller, and for helpers which grant or membership row decided and which condition that row fails. It
    reads only and names columns and conditions, never values. For all callers at once use access_matrix.
    """
    database = resources.database
    snapshot = await read_snapshot(database, resources.exposed_schemas)
    asked = Asked(
        relation=params.relation,
        key=params.key,
        where=params.where,
        user_id=params.user_id,
        role=params.role,
        claims=params.claims,
        commands=tuple(params.commands),
        allowed=resources.allowed_functions,
        rules=PhiRules(resources.phi_columns, resources.probes),
    )
    found = await explain(database, snapshot, asked)
    return Explanation(
        target=database.target.label,
        relation=found.relation,
        caller=found.caller,
        row=found.row,
        commands=found.commands,
        notes=found.notes,
    )
