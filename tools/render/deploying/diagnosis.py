"""Why a deploy failed: Render's reason, the lines that say so, the cause known for them, the next step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tools.errors import SergeiError
from tools.render.api_observed import LogQuery
from tools.render.deploying.fingerprints import counted, exact
from tools.render.deploying.reasons import failure_words
from tools.render.deploying.session import Session
from tools.render.models import Deploy

_STEPS: Final = {
    "build_failed": ("build_ended", "build"),
    "pre_deploy_failed": ("pre_deploy_ended", "app"),
    "update_failed": ("deploy_ended", "app"),
}
_NOISE: Final = re.compile(r"==> (?:Common ways|Build failed|Pre-deploy failed)|troubleshooting-deploys")
_TELLING: Final = re.compile(
    r"error|err!|fail|fatal|exception|traceback|cannot|not found|not set|denied|refused|killed|missing"
    r"|undefined",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`reason` is Render's, `lines` are the log's (without values), `cause` and `next_step` are ours."""

    reason: str
    lines: tuple[str, ...]
    cause: str
    next_step: str


async def diagnose(session: Session, deploy: Deploy) -> Diagnosis:
    """From events and log lines of the failed step; what cannot be read is said."""
    event_type, kind = _STEPS.get(deploy.status, ("deploy_ended", "app"))
    start = deploy.created_at or session.journal.started
    end = (deploy.finished_at or session.now()) + timedelta(seconds=5)
    reason = "Render gives no reason"
    try:
        for event in await session.render.list_events(
            session.service.id, kind=event_type, start=start, end=end, most=20
        ):
            if event.reason:
                reason = failure_words(event.reason)
                break
    except SergeiError as error:
        reason = f"its events could not be read ({error.code or error.kind})"
    texts = await _lines(session, kind, deploy)
    telling = [text for text in texts if _TELLING.search(text) and not _NOISE.search(text)]
    said = telling or texts[-5:]
    shown = tuple(list(dict.fromkeys(map(exact, said)) if kind == "build" else counted(said))[:6])
    cause, step = _known("\n".join((reason, *texts)), deploy.status)
    return Diagnosis(reason, shown, cause, step)


async def _lines(session: Session, kind: str, deploy: Deploy) -> list[str]:
    """What the failed step wrote, oldest first, without what the old instances wrote meanwhile."""
    query = LogQuery(
        owner=session.service.owner_id, resources=[session.service.id], kind=(kind,), direction="backward",
        start=deploy.created_at or session.journal.started,
        end=(deploy.finished_at or session.now()) + timedelta(seconds=5),
    )  # fmt: skip
    try:
        found = (await session.render.list_logs(query, most=300)).logs
    except SergeiError:
        return []
    before = session.journal.instances
    own = [line for line in found if kind == "build" or line.label("instance") not in before]
    return [line.message for line in reversed(own)]


@dataclass(frozen=True, slots=True)
class _Sign:
    pattern: str
    cause: str
    step: str


_SIGNS: Final = (
    _Sign(
        r"(?:env(?:ironment)?[ _]var(?:iable)?s?|variable)\W+(?P<name>[A-Z][A-Z0-9_]{2,})\W+(?:is |are )?"
        r"(?:not set|missing|required|undefined)|(?:missing|required)[^\n]{0,40}?env\w*[^\n]{0,20}?"
        r"(?P<other>[A-Z][A-Z0-9_]{3,})|KeyError: '(?P<key>[A-Z][A-Z0-9_]{3,})'",
        "the environment variable {name} is missing",
        "Set {name} with change_env_var, then deploy again.",
    ),
    _Sign(
        r"out of memory|heap out of memory|oomkilled|\bkilled\b.*memory|exited with code 137",
        "it ran out of memory",
        "Compare plan and heap flag (preflight `memory`); a larger plan or less work at the start.",
    ),
    _Sign(
        r"EADDRINUSE|no open ports|port scan timeout|not detect(?:ed)? (?:an )?open port|bind to \$?PORT",
        "it does not listen on the port that Render expects",
        "Listen on 0.0.0.0 and the port in PORT.",
    ),
    _Sign(
        r"health ?check[^\n]*(?:failed|timed? ?out|unexpected)|unhealthy",
        "the health check did not pass",
        "Compare the health check path with the routes of this commit; it must answer 2xx or 3xx within 5 s.",
    ),
    _Sign(
        r"Cannot find module|ModuleNotFoundError|No module named|MODULE_NOT_FOUND",
        "a module that the code imports is not installed",
        "Add it to the dependencies (not the development ones) and to the lock file.",
    ),
    _Sign(
        r"ERESOLVE|could not resolve|lock ?file.*(?:out of date|not up to date|sync)|"
        r"No matching distribution|version solving failed|npm ERR! code|npm error code",
        "the dependencies cannot be installed",
        "Mend package file and lock file locally with the same versions of the runtime, then push.",
    ),
    _Sign(
        r"ECONNREFUSED|ENOTFOUND|EAI_AGAIN|connection refused|could not connect|too many connections",
        "it could not reach something that it needs at its start (a database, a queue)",
        "Check that it runs, its address in the variables, its region and its allow list.",
    ),
    _Sign(
        r"migrat\w*[^\n]*(?:fail|error)|relation \S+ (?:already exists|does not exist)|"
        r"lock timeout|column \S+ does not exist",
        "a migration or the schema it expects failed",
        "Look at the migration and at what is applied; nothing of it is undone by Render.",
    ),
    _Sign(r"error TS\d+|SyntaxError|Type error|Failed to compile", "the code does not compile",
          "Mend it at the line that the log names."),
    _Sign(r"pull image|manifest unknown|image[^\n]*not found", "the image could not be pulled",
          "Check the tag and the registry credential."),
    _Sign(r"timed out after|pipeline minutes", "it took longer than it may",
          "Find what hangs in the log; the build plan and cache decide how fast a build is."),
)  # fmt: skip


def _known(text: str, status: str) -> tuple[str, str]:
    for sign in _SIGNS:
        if found := re.search(sign.pattern, text, re.IGNORECASE if "(?P<name>" not in sign.pattern else 0):
            name = next((value for value in found.groupdict().values() if value), "it")
            return sign.cause.format(name=name), sign.step.format(name=name)
    step = {"build_failed": "build", "pre_deploy_failed": "pre-deploy command"}.get(status, "new instance")
    return f"not one of the known causes; the {step} failed", "Ask diagnose_service, and read_logs in full."
