"""The start command does not start the service.

What it is
    The command names a program, script, module or file that is not there, or it ends by itself although the
    service is to run on.

How it shows
    Exit code 126 or 127, "command not found", "Missing script", "Cannot find module" for the file that the
    command names, "can't open file", or an early exit with code 0.

Next step
    Correct the start command (or the build that should have made the file) and deploy again.
"""

from __future__ import annotations

from datetime import datetime

from tools.render.diagnosing.cause import STATED, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"command not found", r"\bnot found$", r"missing script:", r"cannot find module '?/",
    r"can't open file", r"exec format error", r"no such file or directory", r"is not recognized",
    r"unable to load celery application", r"failed to find attribute", r"error loading asgi app",
    r"could not import module", r"no module named ['\"]?__main__", r"unable to access jarfile",
    r"could not find or load main class", r"permission denied$", r"executable file not found",
    r"couldn't find (?:a )?\w*file", r"no rule to make target", r"could not locate gemfile",
    r"cannot find package '/",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """In the latest failed deploy, or in instances that end by themselves."""
    trial = snapshot.trial
    command = snapshot.service.service_details.env_specific_details
    start = command.start_command or command.docker_command
    setting = (f"start command: {start}",) if start else ()
    if trial is not None and trial.step == "update":
        found = list(tried(snapshot, WORDS, ("update",)))
        code = trial.reason.get("nonZeroExit")
        if code in (126, 127):
            found.append(f"event: exit code {code} (not found, or not executable)")
        early = bool(trial.reason.get("earlyExit"))
        if early:
            found.append("event: the process ended with code 0 although it should run on")
        if found:
            score = STATED if code in (126, 127) or early else STATED - 8
            return _cause(score, (*found[:2], *setting), trial.deploy.created_at, early)
    ended = [e for e in snapshot.failures if reason_of(e).get("earlyExit")]
    if ended:
        evidence = (f"event, {often(len(ended))}: the process ended with code 0", *setting)
        return _cause(STATED, evidence, ended[-1].timestamp, True)
    running = heard(snapshot, pattern(r"command not found", r"missing script:"))
    return _cause(running.score(), (*running.evidence, *setting), running.since, False) if running else None


def _cause(score: float, evidence: tuple[str, ...], since: datetime | None, early: bool) -> Cause:
    what = "ends by itself, with success" if early else "names something that is not there"
    return Cause(
        "bad_start_command",
        score,
        f"The start command {what}.",
        shown(evidence),
        "Correct the start command, or the build step that should have made the file, then deploy_service.",
        since,
    )


KIND = Kind(
    "bad_start_command",
    "The start command does not start the service",
    check,
    __doc__ or "",
    ("start_crash", "port_binding", "process_crashes"),
)
