"""The MCP face: the catalogue, the memory bank and the example requests, for any MCP client.

    client ─▶ Server ─▶ its session's Executor (the gate) ─▶ tool
                              │ a change
                              ▼
              the client's person, through elicitation; nobody to ask: refused

Two eras of the protocol are served by one server. With the handshake (up to 2025-11-25) the question is a
request of ours in the middle of the call, and a yes may hold for the session. Without it (2026-07-28) every
request stands alone: the call is answered with the question, the client repeats the call with the answer, and
a yes holds for that one call.

Importing this module costs most of a second (mcp does): import it only to serve.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anyio
import mcp_types as wire
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from agent import mcp_content as content
from agent import mcp_transport as transport
from agent.approvals import Answer, Decision, Request
from agent.executor import Executor, Outcome
from agent.mcp_clients import ANSWER_SECONDS, MAX_SESSIONS, Clients
from agent.mcp_progress import reported
from prompts import Request as Example
from tools.errors import NotFound, Refused
from tools.registry import Effect, Tool

if TYPE_CHECKING:
    from memory import Banks

NAME: Final = "sergei"
BODY_BYTES: Final = 4 * 1024 * 1024
"""How large one HTTP request may be."""

_APPROVAL: Final = "approval"


class _Unanswered(Refused):
    """The call stops here until the client comes back with the person's answer."""

    kind: ClassVar[str] = "asked"


_Context = ServerRequestContext[Clients, Any]


@dataclass(slots=True)
class _Exchange:
    """One tool call: whom to ask about it, and the question to send back where asking ends the request."""

    ctx: _Context
    params: wire.CallToolRequestParams
    unanswered: wire.InputRequiredResult | None = None

    async def ask(self, request: Request) -> Decision:
        """The person's decision. Raises Refused when there is nobody to ask or no answer."""
        if not _can_ask(self.ctx):
            raise Refused(
                f"{request.tool} needs a person's approval and {_client(self.ctx)} cannot ask for it.",
                hint="Use a client that supports elicitation, or a terminal (sergei chat, sergei run).",
            )
        return await (self._ask_back(request) if _sessionless(self.ctx) else self._ask_now(request))

    async def _ask_now(self, request: Request) -> Decision:
        text = content.question(request, content.EVERY_ANSWER)
        try:
            with anyio.fail_after(ANSWER_SECONDS):
                reply = await self.ctx.session.elicit_form(
                    text, content.form(content.EVERY_ANSWER), related_request_id=self.ctx.request_id
                )
        except TimeoutError:
            raise Refused(f"Nobody approved {request.tool} within {ANSWER_SECONDS // 60} minutes.") from None
        except (MCPError, ValidationError):
            raise Refused(f"{_client(self.ctx)} could not ask a person about {request.tool}.") from None
        return self._decision(request, reply, content.EVERY_ANSWER)

    async def _ask_back(self, request: Request) -> Decision:
        answers, questions = content.ANSWERS_WITHOUT_SESSION, self.ctx.lifespan_context.questions
        text = content.question(request, answers)
        asked = content.fingerprint(request, text)
        reply = (self.params.input_responses or {}).get(_APPROVAL)
        if questions.take(self.params.request_state, asked) and isinstance(reply, wire.ElicitResult):
            return self._decision(request, reply, answers)
        form = wire.ElicitRequestFormParams(message=text, requested_schema=content.form(answers))
        self.unanswered = wire.InputRequiredResult(
            input_requests={_APPROVAL: wire.ElicitRequest(params=form)}, request_state=questions.ask(asked)
        )
        raise _Unanswered(f"{request.tool} waits for a person's answer.")

    def _decision(self, request: Request, reply: wire.ElicitResult, answers: Sequence[Answer]) -> Decision:
        return content.read_answer(
            request.tool, reply.action, reply.content, answers, f"a person at {_client(self.ctx)}"
        )


def build_server(executor: Executor, *, bank: Banks | None, requests: Sequence[Example]) -> Server[Clients]:
    """A server over one gate: its catalogue, target, mode and audit log; approvals are per client.

    Without a `bank` there are no resources. `requests` become prompts.
    """

    @asynccontextmanager
    async def lifespan(_: Server[Clients]) -> AsyncGenerator[Clients]:
        yield Clients(executor)

    @cache
    def tools(structured: bool) -> list[wire.Tool]:
        return [describe_tool(tool, structured=structured) for tool in executor.catalogue.values()]

    async def list_tools(ctx: _Context, _: wire.PaginatedRequestParams | None) -> wire.ListToolsResult:
        return wire.ListToolsResult(tools=tools(_structured(ctx)))

    server: Server[Clients] = Server(
        NAME,
        version=version(NAME),
        title="Sergei",
        instructions=content.instructions(executor.approvals.mode),
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=_call_tool,
        on_list_resources=partial(_list_pages, bank) if bank is not None else None,
        on_list_resource_templates=_list_templates if bank is not None else None,
        on_read_resource=partial(_read_page, bank) if bank is not None else None,
        on_list_prompts=partial(_list_examples, requests),
        on_get_prompt=partial(_get_example, requests),
    )
    # The SDK's tracing would tell an exporter about calls; what is recorded about a call is the audit log's.
    server.middleware.clear()
    return server


async def serve_stdio(executor: Executor, *, bank: Banks | None, requests: Sequence[Example]) -> None:
    """Serve one client over stdin and stdout until stdin ends or a signal comes.

    Whatever else is printed meanwhile, by us or a child process, goes to stderr.
    """
    server = build_server(executor, bank=bank, requests=requests)
    if os.isatty(0):
        print(
            "This is an MCP server: a client starts it and speaks to it here. Ctrl-C ends it.",
            file=sys.stderr,
        )
    with transport.ended_by_sigterm(), transport.ended_by_departure(), transport.stdin_lines() as lines:
        async with (
            stdio_server(stdin=lines) as (source, sink),
            transport.answered_to_the_end(source, sink.send, _asked, _answered) as (read, write),
        ):
            await server.run(read, write, server.create_initialization_options())
            await sink.aclose()


def _asked(item: SessionMessage | Exception) -> wire.RequestId | None:
    message = item.message if isinstance(item, SessionMessage) else None
    return message.id if isinstance(message, wire.JSONRPCRequest) else None


def _answered(item: SessionMessage) -> wire.RequestId | None:
    return item.message.id if isinstance(item.message, wire.JSONRPCResponse | wire.JSONRPCError) else None


async def serve_http(
    executor: Executor,
    *,
    bank: Banks | None,
    requests: Sequence[Example],
    host: str = "127.0.0.1",
    port: int = 8765,
    token: str | None = None,
) -> None:
    """Serve clients over streamable HTTP at /mcp until a signal comes. The address is announced on stderr.

    Plain HTTP: for other machines, put it behind a proxy that terminates TLS. Raises ConfigurationError for
    an address that must not be opened (not loopback and no token), Conflict when the port is taken.
    """
    server = build_server(executor, bank=bank, requests=requests)
    door = transport.open_door(host, port, token)
    names = transport.host_names(host, door)
    app = server.streamable_http_app(
        streamable_http_path="/mcp",
        max_request_body_size=BODY_BYTES,
        max_sessions=MAX_SESSIONS,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=names is not None,
            allowed_hosts=list(names or ()),
            allowed_origins=[f"{scheme}://{name}" for name in names or () for scheme in ("http", "https")],
        ),
    )
    mode = executor.approvals.mode
    print(f"Sergei's MCP server: {transport.url_of(door)} ({mode} mode). Ctrl-C ends it.", file=sys.stderr)
    await transport.listen(transport.TokenRequired(app, token) if token else app, door)


def describe_tool(tool: Tool, *, structured: bool = True) -> wire.Tool:
    """A tool's definition on the wire: both schemas as they are, hints from the effect.

    Without `structured` there is no output schema: who gives one must send structured content.
    """
    return wire.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema if structured else None,
        annotations=wire.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.effect is Effect.READ,
            destructive_hint=tool.effect is Effect.DESTRUCTIVE,
            idempotent_hint=tool.effect is Effect.READ,
            open_world_hint=tool.open_world,
        ),
    )


async def _call_tool(
    ctx: _Context, params: wire.CallToolRequestParams
) -> wire.CallToolResult | wire.InputRequiredResult:
    exchange = _Exchange(ctx, params)
    session = None if _sessionless(ctx) else _session_id(ctx)
    executor = ctx.lifespan_context.executor(session, _client(ctx))
    async with reported(ctx.session.report_progress, ctx.lifespan_context.shared.redactor.text):
        outcome = await executor.call(params.name, params.arguments or {}, asker=exchange.ask)
    return exchange.unanswered or describe_outcome(outcome, structured=_structured(ctx))


def describe_outcome(outcome: Outcome, *, structured: bool = True) -> wire.CallToolResult:
    """An outcome on the wire: fenced text for a model, and the same as data for a program if `structured`.

    A failure has no structured content: it would not fit the output schema, and some clients check that even
    of errors. Its fields are in `_meta`.
    """
    text: list[wire.ContentBlock] = [wire.TextContent(text=outcome.fenced())]
    if outcome.ok:
        return wire.CallToolResult(
            content=text, structured_content=outcome.structured() if structured else None
        )
    return wire.CallToolResult(
        content=text, is_error=True, _meta={f"{NAME}/error": outcome.structured()["error"]}
    )


async def _list_pages(
    bank: Banks, ctx: _Context, _: wire.PaginatedRequestParams | None
) -> wire.ListResourcesResult:
    clean = ctx.lifespan_context.shared.redactor.text
    found = await asyncio.to_thread(content.pages, bank)
    return wire.ListResourcesResult(
        resources=[
            wire.Resource(
                uri=page.uri,
                name=page.name,
                title=clean(page.title),
                description=page.description,
                mime_type="text/markdown",
            )
            for page in found
        ]
    )


async def _list_templates(
    _: _Context, __: wire.PaginatedRequestParams | None
) -> wire.ListResourceTemplatesResult:
    template = wire.ResourceTemplate(
        uri_template=f"{content.ENTRY_URI}{{id}}",
        name="entry",
        title="Memory entry",
        description="What was done, what came of it and where it applies.",
        mime_type="text/markdown",
    )
    return wire.ListResourceTemplatesResult(resource_templates=[template])


async def _read_page(
    bank: Banks, ctx: _Context, params: wire.ReadResourceRequestParams
) -> wire.ReadResourceResult:
    try:
        text = await asyncio.to_thread(content.page_text, bank, params.uri)
    except NotFound as error:
        raise MCPError(code=wire.INVALID_PARAMS, message=str(error)) from None
    # People write in the bank too, and a client's model reads it: it leaves as clean as a tool's result.
    clean = ctx.lifespan_context.shared.redactor.text(text)
    page = wire.TextResourceContents(uri=params.uri, mime_type="text/markdown", text=clean)
    return wire.ReadResourceResult(contents=[page])


async def _list_examples(
    requests: Sequence[Example], _: _Context, __: wire.PaginatedRequestParams | None
) -> wire.ListPromptsResult:
    return wire.ListPromptsResult(
        prompts=[wire.Prompt(name=one.name, title=one.title, description=one.description) for one in requests]
    )


async def _get_example(
    requests: Sequence[Example], _: _Context, params: wire.GetPromptRequestParams
) -> wire.GetPromptResult:
    for one in requests:
        if one.name == params.name:
            message = wire.PromptMessage(role="user", content=wire.TextContent(text=one.text))
            return wire.GetPromptResult(description=one.description, messages=[message])
    known = ", ".join(one.name for one in requests)
    raise MCPError(code=wire.INVALID_PARAMS, message=f"There is no such prompt; there are {known}.")


def _sessionless(ctx: _Context) -> bool:
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def _session_id(ctx: _Context) -> str:
    """The HTTP session, which the transport has checked; on stdio the connection is the only one."""
    return "" if ctx.request is None else str(ctx.request.headers.get("mcp-session-id", ""))


def _can_ask(ctx: _Context) -> bool:
    """Whether the client declared forms. A bare `elicitation: {}` means forms: it is older than the modes."""
    capabilities = ctx.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _structured(ctx: _Context) -> bool:
    """Whether this client keeps structured content from its model, which is to read the fenced text."""
    params = ctx.session.client_params
    return params is None or params.client_info.name not in content.UNFENCING_CLIENTS


def _client(ctx: _Context) -> str:
    params = ctx.session.client_params
    return (
        content.client_label(params.client_info.name, params.client_info.version)
        if params
        else "unnamed client"
    )
