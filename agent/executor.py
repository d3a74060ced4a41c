"""The gate: the only way to run a tool, whatever face asks.

    call ─▶ validate ─▶ preview ─▶ approve ─▶ still the same? ─▶ record intent ─▶ run ─▶ redact
              │                       │                                              │      │
              │                       │                       Outcome ◀─ record outcome ◀───┤
              └───────────────────────┴── an error at any step becomes an Outcome ──────────┘

The face decides how an Outcome looks; `fenced` is how it looks to a model.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.approvals import Answer, Approvals, Asker, Request, bind
from agent.audit import AuditLog
from agent.exact import exact, exact_preview
from agent.outcome import Failure, Outcome
from agent.recollection import beware
from tools.errors import Conflict, InvalidInput, NotFound, Refused, RemoteError, SergeiError
from tools.redaction import Redactor
from tools.registry import Effect, Params, Permit, Preview, Result, Tool, digest
from tools.resources import Resources


class Executor:
    """Runs tools for one session: one set of resources, one redactor, one audit log."""

    def __init__(
        self,
        catalogue: Mapping[str, Tool],
        resources: Resources,
        *,
        approvals: Approvals,
        redactor: Redactor,
        audit: AuditLog,
    ) -> None:
        self.catalogue = catalogue
        self.resources = resources
        self.approvals = approvals
        self.redactor = redactor
        self.audit = audit

    async def call(self, name: str, arguments: Mapping[str, Any], *, asker: Asker | None = None) -> Outcome:
        """Run one tool. Never raises for a tool's failure; cancellation passes through, and is recorded.

        `asker` is whom to ask for this call when it is not the session's own person (an MCP client's user).
        """
        call, started = secrets.token_hex(6), time.monotonic()
        record: dict[str, Any] = {"call": call, "tool": name if name in self.catalogue else "(no such tool)"}
        warned: list[str] = []
        result: Result | None = None
        failure: Failure | None = None
        try:
            tool, params = self._validate(name, arguments)
            record |= {"effect": tool.effect_of(params), "digest": digest(name, params)}
            record |= {"target": self._label()}
            permit = await self._approve(tool, params, record, asker, warned)
            raw = await tool.run(params, self.resources, permit)
            record |= raw.audit_facts().fields()
            result = raw.redacted(self.redactor)
            if tool.domain != "recall":
                self.resources.evidence.note(call, name, result.markdown())
            record["result"] = "ok"
        except SergeiError as error:
            failure = self._explain(error)
            record["result"] = failure.kind
        except asyncio.CancelledError:
            self._close({**record, "result": "interrupted", "ms": _ms(started)})
            raise
        except Exception as error:  # noqa: BLE001  the one place: a bug in a tool must not end the session
            failure = self._explain(_unexpected(name, error))
            record["result"] = "bug"
        closing = self._close({**record, "ms": _ms(started)})
        if closing is not None and failure is None:
            result, failure = None, closing
        return Outcome(call, name, result, failure, time.monotonic() - started, tuple(warned))

    def _validate(self, name: str, arguments: Mapping[str, Any]) -> tuple[Tool, Params]:
        tool = self.catalogue.get(name)
        if tool is None:
            raise NotFound(f"There is no tool called {name!r}.", hint="sergei tools lists them.")
        return tool, tool.parse(arguments)

    async def _approve(
        self, tool: Tool, params: Params, record: dict[str, Any], asker: Asker | None, warned: list[str]
    ) -> Permit:
        """A permit for exactly these arguments. Records the intent of a change before it can happen.

        What memory warns of goes into `warned` and into the question; it decides nothing.
        """
        sealed = digest(tool.name, params)
        if tool.effect_of(params) is Effect.READ or tool.preview is None:
            return Permit(tool.name, sealed)
        self.approvals.require_act(tool.name)
        preview = await tool.preview(params, self.resources)
        if tool.domain != "recall":
            warned += await beware(self.resources, self.redactor, preview)
        request = replace(self._request(tool, params, sealed, preview), warnings=tuple(map(exact, warned)))
        record |= {"effect": request.effect, "target": self.redactor.text(request.preview.target)}
        decision = await self.approvals.decide(request, asker)
        record |= {"decision": decision.answer, "by": decision.by, "binding": request.binding}
        record |= {"pattern": decision.pattern} if decision.pattern else {}
        if decision.answer not in {Answer.ONCE, Answer.SESSION}:
            because = f": {decision.reason}" if decision.reason else ""
            raise Refused(f"A person said no to {tool.name}{because}.")
        if decision.asked:
            # The world may have moved while somebody read. No second dry run: it is evidence, not identity.
            again = await tool.preview(params, replace(self.resources, dry_runs=False))
            if bind(sealed, self._identity(), again) != request.binding:
                raise Conflict(
                    f"What {tool.name} would do changed after it was shown, so nothing was run.",
                    hint="Call it again: the person is asked about what it would do now.",
                )
        self.audit.write("intent", record)
        return Permit(tool.name, sealed)

    def _request(self, tool: Tool, params: Params, sealed: str, preview: Preview) -> Request:
        """The question. The action is not redacted (a person must see what runs), what was read there is."""
        shown = preview.model_copy(update={"evidence": self.redactor.text(preview.evidence)})
        database = self.resources.database_or_none
        return Request(
            tool.name,
            Effect.DESTRUCTIVE if preview.destructive else tool.effect,
            sealed,
            exact_preview(shown),
            bind(sealed, self._identity(), preview),
            environment=database.target.environment if database is not None else "",
            arguments=params.model_dump(mode="json"),
            stated=frozenset(name for name, value in params if value != _default(params, name)),
        )

    def _close(self, record: Mapping[str, Any]) -> Failure | None:
        """Record the outcome; that of a change is flushed to disk. A failure when it cannot be recorded."""
        reads = record.get("effect") in {None, Effect.READ}
        try:
            self.audit.write("outcome", record, durable=not reads)
        except SergeiError as error:
            said = "its result is withheld" if reads else "although it was done; the intent is on record"
            failure = self._explain(error)
            told = f"{record['tool']} ran and could not be recorded, {said}. {failure.message}"
            return replace(failure, message=told, retry=reads)
        return None

    def _explain(self, error: SergeiError) -> Failure:
        message, hint = self.redactor.text(error.message), self.redactor.text(error.hint)
        return Failure(error.kind, message, hint, error.code, error.retry, error.exit_code)

    def _label(self) -> str:
        database = self.resources.database_or_none
        return database.target.label if database is not None else ""

    def _identity(self) -> str:
        """What a yes is bound to beside the arguments: the database, the workspace, the project."""
        resources, known = self.resources, dict[str, Any]()
        if resources.database_or_none is not None:
            known |= resources.database_or_none.target.model_dump()
        if resources.render_or_none is not None:
            known["render"] = resources.render_or_none.identity
        if resources.supabase_or_none is not None:
            known["supabase"] = resources.supabase_or_none.identity
        return json.dumps(known, sort_keys=True) if known else ""


def _default(params: Params, name: str) -> object:
    return type(params).model_fields[name].get_default(call_default_factory=True, validated_data={})


def _unexpected(name: str, error: Exception) -> SergeiError:
    """A bug, said without its text: an exception's message may carry a patient's value."""
    if isinstance(error, ValueError):
        return InvalidInput(f"{name} could not work with these arguments ({type(error).__name__}).")
    return RemoteError(f"{name} failed inside ({type(error).__name__}); this is a defect of Sergei.")


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
