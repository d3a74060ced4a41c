"""prove_isolation: can anyone reach, or write into, a record that was not opened to them?"""

from __future__ import annotations

from typing import Self

from pydantic import Field

from tools.redaction import Redactor
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources
from tools.rls.proof.prove import BUDGET, SEED, prove
from tools.rls.proof.verdict import Answer, Leak, Proof
from tools.sandbox.scratch.stopping import in_thread

SHOWN = 5
"""Leaks that an answer shows with their script; the rest by one line each."""


class ProveIsolation(Params):
    """Arguments of prove_isolation."""

    budget: float = Field(default=BUDGET, ge=5, le=600, description="Seconds it may take, about.")
    seed: int = Field(default=SEED, ge=0, description="Another seed makes another world.")
    show: str = Field(
        default="", description="Only the leak whose object contains this, with its whole script."
    )


class Proven(Result):
    """`{"proof": ...}`: the whole proof; what a conversation reads is shorter."""

    proof: Proof
    show: str = ""

    def redacted(self, redactor: Redactor) -> Self:
        """As it is: a proof holds names from the catalog and generated values, never a row of the target."""
        return self

    def markdown(self) -> str:
        """The answer, the model in its lines, the gravest leaks with the statements that show them."""
        proof = self.proof
        lines = [f"**{proof.answer}** - {headline(proof)}"]
        leaks = [leak for leak in (*proof.leaks, *proof.denied) if self.show in leak.object]
        for leak in leaks[:SHOWN]:
            title = f"{leak.object} ({leak.kind}, {leak.command} as {leak.actor})"
            lines.append(f"\n**{leak.level}** {title}\n\n{leak.sentence}")
            script = leak.replay if self.show else "\n".join([*leak.acting, *leak.attack])
            if script:
                lines.append(f"\n```sql\n{script}\n```")
        lines += [f"- {leak.level} {leak.object}: {leak.sentence}" for leak in leaks[SHOWN:]]
        lines.append("\nJudged by this model (correct it in `[rls]` of sergei.toml):")
        lines += [f"- {line}" for line in proof.model]
        lines += [f"- Question: {doubt}" for doubt in proof.doubts]
        lines += [f"Not examined: {gap.what} ({gap.why})" for gap in proof.gaps[:12]]
        if len(proof.gaps) > 12:
            lines.append(f"Not examined: {len(proof.gaps) - 12} more.")
        lines.append("Examined: " + "; ".join(proof.examined) + f"; {proof.seconds} s, seed {proof.seed}.")
        return "\n".join(lines)


@tool(Effect.READ)
async def prove_isolation(params: ProveIsolation, resources: Resources) -> Proven:
    """Prove that nobody reaches or writes into a record that was not opened to them, or show who does.

    Copies the schema (no data) into the sandbox, works out who may see what, builds families with every state
    of grants and memberships, and attacks as anon, strangers, former holders and staff: reads, writes, calls,
    two steps. Takes up to a minute; review_rls is quicker and looks at the catalog only.
    """
    database = resources.database

    def run() -> Proof:
        with resources.sandbox() as cluster:
            return prove(
                cluster,
                database.conninfo,
                exposed=resources.exposed_schemas,
                declared=resources.rls_model,
                seed=params.seed,
                budget=params.budget,
                progress=resources.progress,
                target=database.target.label,
            )

    return Proven(proof=await in_thread(run), show=params.show)


def headline(proof: Proof) -> str:
    """The verdict in one sentence."""
    match proof.answer:
        case Answer.YES:
            return f"{count(proof.leaks)}: somebody reaches or writes into records not opened to them."
        case Answer.NO:
            return "within this world nobody reached a record not opened to them, and nothing was left out."
        case _:
            return f"no leak was found, but {len(proof.gaps)} things could not be examined."


def count(leaks: tuple[Leak, ...]) -> str:
    """`1 leak`, `3 leaks`."""
    return f"{len(leaks)} leak{'' if len(leaks) == 1 else 's'}"
