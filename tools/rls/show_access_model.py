"""show_access_model: who may see what, as inferred from the schema and declared in sergei.toml."""

from __future__ import annotations

from pydantic import Field

from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources
from tools.rls.proof.declared import apply, as_toml
from tools.rls.proof.infer import infer
from tools.rls.proof.model_text import lines
from tools.rls.reading import read_snapshot


class ShowAccessModel(Params):
    """Arguments of show_access_model."""

    toml: bool = Field(default=False, description="Also give the [rls] section that declares all of it.")


class AccessModel(Result):
    """`{"lines": [...], "questions": [...], "section": "..."}`."""

    target: str
    lines: tuple[str, ...]
    questions: tuple[str, ...]
    declared: int = Field(description="Tables that sergei.toml says something about.")
    section: str = ""

    def markdown(self) -> str:
        """The model line by line, then what to ask a person."""
        source = f", {self.declared} tables declared in sergei.toml" if self.declared else ""
        found = [f"Who may see what in {self.target}, read from its policies and keys{source}:"]
        found += [line if line.startswith(" ") else f"- {line}" for line in self.lines]
        if self.questions:
            found += ["", "Ask, and write the answers into [rls] of sergei.toml:"]
            found += [f"- {question}" for question in self.questions]
        if self.section:
            found += ["", "```toml", self.section.rstrip(), "```"]
        return "\n".join(found)


@tool(Effect.READ)
async def show_access_model(params: ShowAccessModel, resources: Resources) -> AccessModel:
    """Show who is meant to see what: records, what opens them and while which conditions hold, staff, codes.

    This is what prove_isolation judges by. Read it with the person who knows, ask its questions, and correct
    it in the [rls] section of sergei.toml. It does not say what policies really let through.
    """
    snapshot = await read_snapshot(resources.database, resources.exposed_schemas)
    model = apply(infer(snapshot), resources.rls_model, snapshot)
    return AccessModel(
        target=resources.database.target.label,
        lines=tuple(line for line in lines(model) if not line.startswith("question: ")),
        questions=model.doubts,
        declared=len(model.declared),
        section=as_toml(model) if params.toml else "",
    )
