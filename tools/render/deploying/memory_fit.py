"""Whether the heap flag and the number of processes fit into the memory of the plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tools.render.deploying.checks import Check, ok, unseen, warning
from tools.render.plans import HEAP_SHARE, heap_flag, plan_megabytes

JOBS: Final = ("WORKER_CONCURRENCY", "QUEUE_CONCURRENCY", "SIDEKIQ_CONCURRENCY", "CELERY_CONCURRENCY")
READ: Final = (
    "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", *JOBS,
)  # fmt: skip
"""Variables whose numbers are read: they are settings of a runtime, not secrets. No value is ever shown."""
_WORKERS: Final = re.compile(r"(?:--workers|-w)[= ](\d{1,3})")
_CONCURRENCY: Final = re.compile(r"--concurrency[= ](\d{1,4})")
LEAST_FOR_A_JOB: Final = 128
"""MB; with less, one large document is enough for the kernel to end the process."""


def plan_memory(plan: str) -> int | None:
    """MB of a plan, by its name before or after the renaming of 2026; None for one that is not known."""
    return plan_megabytes(plan.lower().replace(" ", "_").removesuffix("_legacy"))


def check_memory(plan: str, start_command: str, settings: Mapping[str, str]) -> Check:
    """The plan against what the processes may take. `settings` are those of READ that are set."""
    limit = plan_memory(plan)
    if limit is None:
        return unseen("memory", "the memory of this plan is not known", f"plan {plan or 'unknown'}")
    text = " ".join((start_command, *settings.values()))
    flag, heap = heap_flag(text)
    processes, jobs = _processes(start_command, settings), _jobs(start_command, settings)
    room = (heap or int(HEAP_SHARE * limit / processes)) // jobs
    if jobs > 1 and room < LEAST_FOR_A_JOB:
        said = f"{jobs} jobs at once share {room * jobs} MB: {room} MB for each"
        return warning("memory", said, f"plan {plan} has {limit} MB; concurrency {jobs}")
    if heap is None:
        return ok("memory", f"plan {limit} MB, no heap flag", f"plan {plan}")
    total = heap * processes
    told = f"{flag} {heap} MB" + (f" in {processes} processes" if processes > 1 else "")
    evidence = f"plan {plan} has {limit} MB; {told}"
    if total >= limit:
        return warning(
            "memory",
            f"{told} is not below the plan's {limit} MB: it is killed before it collects its garbage",
            evidence,
        )
    if total > HEAP_SHARE * limit:
        return warning("memory", f"{told} leaves little of the plan's {limit} MB for all else", evidence)
    return ok("memory", f"{told} fits into {limit} MB", evidence)


def _processes(start_command: str, settings: Mapping[str, str]) -> int:
    """How many processes have such a heap each."""
    found = _WORKERS.search(" ".join((start_command, settings.get("GUNICORN_CMD_ARGS", ""))))
    said = found[1] if found else settings.get("WEB_CONCURRENCY", "")
    return max(1, int(said)) if said.isdigit() else 1


def _jobs(start_command: str, settings: Mapping[str, str]) -> int:
    """How many jobs one process works on at once."""
    found = _CONCURRENCY.search(start_command)
    said = found[1] if found else next((settings[name] for name in JOBS if name in settings), "")
    return max(1, int(said)) if said.isdigit() else 1
