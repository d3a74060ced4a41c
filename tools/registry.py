"""One definition per tool, from which every face is made.

    params model + result model + docstring + effect
            │  @tool(Effect.READ)
            ▼
          Tool ──▶ Anthropic schema · MCP schema and annotations · `sergei run` flags · slash command

A `Tool` is not callable. It runs only with a `Permit`, and a permit is made in one place: the gate
(agent/executor.py), after validation and approval.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import InvalidInput, Refused
from tools.redaction import Redactor
from tools.resources import Resources


class Effect(StrEnum):
    """What a call may do to the world outside the conversation."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class Params(BaseModel):
    """Base of every tool's arguments: frozen, and unknown names are refused rather than ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the audit log keeps of a result: how many rows, and names. Never a value.

    `phi_columns` are `schema.table.column`, `tables` are `schema.table`: names from the catalog, not aliases,
    which whoever writes the query chooses. `target` is what was read where it is not the connected database.
    """

    rows: int | None = None
    phi_columns: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    target: str = ""

    def fields(self) -> dict[str, Any]:
        """What there is to say, as fields of a record."""
        said: dict[str, Any] = {"rows": self.rows} if self.rows is not None else {}
        said |= {"target": self.target} if self.target else {}
        said |= {"phi_columns": sorted(set(self.phi_columns))} if self.phi_columns else {}
        return said | ({"tables": sorted(set(self.tables))} if self.tables else {})


class Result(BaseModel):
    """Base of every tool's answer, still unredacted: only the gate hands it on.

    Override `redacted` where the tool knows more about its values than their text shows (a column's origin,
    for one), and `markdown` where a person or a model reads something better than JSON.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    def redacted(self, redactor: Redactor) -> Self:
        """A copy that may leave the tool layer."""
        return type(self).model_validate(redactor.walk(self.model_dump(by_alias=True)))

    def audit_facts(self) -> Facts:
        """What the audit log says about this answer, read before it is redacted."""
        return Facts()

    def markdown(self) -> str:
        """The answer as compact Markdown, the same for a model and for a terminal."""
        return "```json\n" + self.model_dump_json(indent=1, by_alias=True, exclude_none=True) + "\n```"


class Preview(BaseModel):
    """What a person must see before a change: the exact action, where, what it touches, how to undo it."""

    model_config = ConfigDict(frozen=True)

    action: str
    target: str
    touches: tuple[str, ...] = ()
    consequence: str = ""
    undo: str = ""
    evidence: str = ""
    destructive: bool = False


Body = Callable[[Any, Resources], Awaitable[Result]]
Previewer = Callable[[Any, Resources], Awaitable[Preview]]


@dataclass(frozen=True, slots=True)
class Permit:
    """The gate's leave to run one tool with exactly these arguments (`digest` of them)."""

    tool: str
    digest: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's definition. `name` is snake_case verb_noun; `domain` is the folder it lives in.

    `looks` tells which calls of a tool that changes something change nothing: they run as reads do.
    """

    name: str
    domain: str
    summary: str
    description: str
    effect: Effect
    open_world: bool
    params: type[Params]
    result: type[Result]
    preview: Previewer | None
    body: Body
    looks: Callable[[Any], bool] | None = None

    @property
    def title(self) -> str:
        """Words for people: `list_tables` is "List tables"."""
        return self.name.replace("_", " ").capitalize()

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return _tidy(self.params.model_json_schema())

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer, as serialised."""
        return _tidy(self.result.model_json_schema(mode="serialization"))

    def effect_of(self, params: Params) -> Effect:
        """What this very call may do."""
        return Effect.READ if self.looks is not None and self.looks(params) else self.effect

    def parse(self, arguments: Mapping[str, Any]) -> Params:
        """Validated arguments, or InvalidInput naming every argument that is wrong."""
        try:
            return self.params.model_validate(dict(arguments))
        except ValidationError as error:
            raise InvalidInput(f"{self.name}: {_explain(error)}.") from None

    async def run(self, params: Params, resources: Resources, permit: Permit) -> Result:
        """Run the body. Raises Refused unless `permit` is for this tool and these very arguments."""
        if permit.tool != self.name or permit.digest != digest(self.name, params):
            raise Refused(f"{self.name} was not permitted with these arguments.")
        return await self.body(params, resources)


def tool(
    effect: Effect,
    *,
    preview: Previewer | None = None,
    open_world: bool = False,
    looks: Callable[[Any], bool] | None = None,
) -> Callable[[Body], Tool]:
    """Turn `async def verb_noun(params: P, resources: Resources) -> R` into a Tool.

    The first paragraph of the docstring is the summary; all of it is what a model reads. `open_world` is for
    tools that reach beyond the database and the workspace. Every tool that is not READ needs a `preview`.
    `looks` is for a protocol that has reading and changing commands in one tool.
    """

    def define(body: Body) -> Tool:
        hints = get_type_hints(body)
        params, result = hints["params"], hints["return"]
        doc = inspect.getdoc(body) or ""
        name: str = body.__name__
        if not doc or not issubclass(params, Params) or not issubclass(result, Result):
            raise TypeError(f"tool {name} needs a docstring, a Params argument and a Result")
        if (effect is Effect.READ) != (preview is None):
            raise TypeError(
                f"tool {name}: a preview belongs to tools that change something, and only to them"
            )
        domain = body.__module__.split(".")[1]
        summary = " ".join(doc.split("\n\n")[0].split())
        return Tool(name, domain, summary, doc, effect, open_world, params, result, preview, body, looks)

    return define


def digest(name: str, params: Params) -> str:
    """SHA-256 over the tool's name and its canonical arguments: what an approval is bound to."""
    canonical = json.dumps(params.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
    return sha256(f"{name}\0{canonical}".encode()).hexdigest()


_PLAIN = {"missing": "is missing", "extra_forbidden": "is not one of its arguments"}


def _explain(error: ValidationError) -> str:
    """Each wrong argument and why, without echoing its value (it may be a patient's)."""
    parts: list[str] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(step) for step in item["loc"]) or "arguments"
        said = _PLAIN.get(item["type"]) or item["msg"][0].lower() + item["msg"][1:]
        parts.append(f"`{where}` {said}")
    return "; ".join(parts)


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop the titles pydantic repeats from names: every token of a schema is paid on every turn."""

    def clean(node: Any, *, names: bool = False) -> Any:
        if isinstance(node, dict):
            items: dict[str, Any] = node  # pyright: ignore[reportUnknownVariableType]  json schema is untyped
            return {
                key: clean(value, names=key in ("properties", "$defs"))
                for key, value in items.items()
                if names or key != "title"
            }
        if isinstance(node, list):
            return [clean(item) for item in node]  # pyright: ignore[reportUnknownVariableType]  same
        return node

    tidy: dict[str, Any] = clean(schema)
    tidy.pop("description", None)
    return tidy
