"""design_rls: policies, helpers, guards, grants, indexes and tests for tables, run before they are shown."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field

from tools.redaction import Redactor
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources
from tools.rls.design.evidence import Reaches, text
from tools.rls.design.making import Brief, Design, make
from tools.rls.proof.prove import BUDGET, SEED
from tools.rls.proof.verdict import Leak
from tools.sandbox.scratch.stopping import in_thread

SHORT = 70
"""A script of at most so many lines is shown with the summary."""


class DesignRls(Params):
    """Arguments of design_rls."""

    tables: list[str] = Field(
        default=[],
        description="Tables to design for; with neither this nor `planned`: those without policies.",
    )
    planned: str = Field(
        default="",
        description="CREATE TABLE statements of tables that do not exist yet (and their indexes, types).",
    )
    rls: dict[str, Any] = Field(
        default={},
        description="Corrections to the model, written as the [rls] section of sergei.toml.",
    )
    role: str = Field(default="", description="The role that policies are for (default: authenticated).")
    show: Literal["summary", "script", "undo", "tests"] = Field(
        default="summary", description="What to show."
    )
    budget: float = Field(default=BUDGET, ge=5, le=600, description="Seconds the attacks may take, about.")
    seed: int = Field(default=SEED, ge=0, description="Another seed makes another world.")


class Designed(Result):
    """A migration that was run in a scratch copy, with the model it assumes and what happened there."""

    target: str
    sound: bool = Field(description="Nobody got where he should not, nobody was shut out, no ERROR finding.")
    tables: list[str]
    model: list[str] = Field(description="What was taken for granted about who may see what.")
    questions: list[str] = Field(description="What a person should answer before it is applied.")
    reused: list[str] = Field(description="Functions of the schema that the policies call.")
    script: str
    undo: str
    tests: str = Field(description="Plain SQL that raises when somebody gets elsewhere; it rolls back.")
    reaches: list[Reaches]
    objections: list[str] = Field(description="Leaks, denials and ERROR findings of the design itself.")
    not_examined: list[str]
    probes: int
    actors: int
    show: str = "summary"

    def redacted(self, redactor: Redactor) -> Self:
        """As it is: names from the catalog and generated values, never a row of the target."""
        return self

    def markdown(self) -> str:
        """The verdict, the model, who got where, the questions; the script where it is short or asked for."""
        if self.show != "summary":
            return f"```sql\n{getattr(self, self.show).strip()}\n```"
        size = f"{self.probes:,} attempts by {self.actors} actors in a scratch copy"
        said = [f"{'**Sound**' if self.sound else '**Not sound, do not apply**'}: {size}."]
        said += [f"- {objection}" for objection in self.objections[:10]]
        said += ["", "It assumes:", *(f"- {line}" for line in self.model)]
        said += ["", "What happened when it ran:", "```text", text(self.reaches), "```"]
        if self.questions:
            said += ["Ask before it is applied:", *(f"- {question}" for question in self.questions)]
        if self.reused:
            said.append(f"It uses what is there: {', '.join(self.reused)}.")
        said += [f"Not examined: {gap}" for gap in self.not_examined[:6]]
        length = self.script.count("\n")
        if length <= SHORT:
            said += ["", f"```sql\n{self.script.strip()}\n```"]
        else:
            said.append(f"The script has {length} lines: `show` script, undo or tests gives them whole.")
        return "\n".join(said)


@tool(Effect.READ)
async def design_rls(params: DesignRls, resources: Resources) -> Designed:
    """Design row level security for tables, planned ones too, proven in a scratch copy before it is shown.

    Writes one migration: helpers with the living conditions in one place, a policy per command, guards for
    columns that decide about access, least grants, indexes, undo and tests. Who owns and who opens what is
    inferred from keys, names and existing policies; correct it with `rls`. Nothing is applied: change_sql
    does that after a yes. To mend policies that leak use propose_fixes.
    """
    database = resources.database
    brief = Brief(
        tables=tuple(params.tables),
        planned=params.planned,
        declared=params.rls or resources.rls_model,
        role=params.role,
        exposed=resources.exposed_schemas,
        seed=params.seed,
        budget=params.budget,
    )

    def run() -> Design:
        with resources.sandbox() as cluster:
            return make(cluster, database.conninfo, brief, resources.progress)

    return told(await in_thread(run), database.target.label, params.show)


def told(design: Design, target: str, show: str = "summary") -> Designed:
    """A design as the tool's answer."""
    check = design.check
    objections = [_leak(leak) for leak in (*check.leaks, *check.denied)]
    objections += [f"{finding.rule}: {finding.message}" for finding in check.errors]
    return Designed(
        target=target,
        sound=check.sound,
        tables=list(design.tables),
        model=about(design),
        questions=list(design.migration.questions),
        reused=list(design.reused),
        script=design.migration.script,
        undo=design.migration.undo,
        tests=check.tests,
        reaches=list(check.reaches),
        objections=objections,
        not_examined=[f"{what} ({why})" for what, why in check.gaps],
        probes=check.probes,
        actors=check.actors,
        show=show,
    )


def about(design: Design) -> list[str]:
    """What the model says of the designed tables, of the records they belong to, and of what opens those."""
    model = design.model
    anchors = [a for title in design.tables for a in model.tables[title].anchors]
    said: list[str] = []
    for title in dict.fromkeys(anchors):
        anchor = model.anchors.get(title)
        if anchor is None:
            continue
        owners = [way.text() for way in anchor.owners] + [claim.name for claim in anchor.claims]
        living = [condition.text() for condition in anchor.conditions]
        owned = f"owned by {' or '.join(owners)}" if owners else "owned by nobody alone"
        said.append(f"{title}: {owned}{f', while {_and(living)}' if living else ''}")
        for opening in (one for one in model.openings if one.anchor == title):
            ranks = [f"{rank.value}: {', '.join(sorted(rank.rights))}" for rank in opening.ranks]
            live = [condition.text() for condition in opening.conditions]
            opens = f"{opening.table} opens it to {opening.account.text()}"
            living = f", while {_and(live)}" if live else ""
            said.append(f"{opens}{living}{f' ({_and(ranks)})' if ranks else ''}")
    for title in design.tables:
        one = model.tables[title]
        ways = [_and([", ".join(hop.columns) for hop in path]) for path in one.paths if path]
        by = f" by {', '.join(ways)}" if ways else ""
        whose = f"belongs to {', '.join(dict.fromkeys(one.anchors))}{by}" if one.anchors else one.kind.value
        if title not in anchors:
            said.append(f"{title}: {whose}")
    return said


def _and(parts: list[str]) -> str:
    return " and ".join(parts)


def _leak(leak: Leak) -> str:
    return f"{leak.object}: {leak.sentence}"
