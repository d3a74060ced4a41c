"""An instance is killed at its memory limit.

What it is
    The process needs more memory than the plan has, all at once or under load.

How it shows
    server_failed (or a failed run) with oomKilled or exit code 137, memory at the limit before, and no steady
    growth over hours (that is memory_leak).

Next step
    Lower what one instance does at once (concurrency, batch size), or change_service change_plan.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of
from tools.render.diagnosing.spoken import heard, pattern, tried
from tools.wording import percent

WORDS = pattern(
    r"ran out of memory", r"out of memory \(used over", r"perhaps out of memory", r"oom[- ]?kill",
    r"cannot allocate memory", r"memoryerror", r"std::bad_alloc", r"java\.lang\.outofmemoryerror",
    r"runtime: out of memory", r"signal: killed",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """Kills in the window, a kill of the new instance in the latest deploy, or the process's own words."""
    trial = snapshot.trial
    if trial is not None and trial.step == "update":
        found = tried(snapshot, WORDS, ("update",))
        if "oomKilled" in trial.reason or trial.reason.get("nonZeroExit") == 137:
            return _cause(
                STATED, ("event: the new instance was killed at its memory limit", *found), snapshot
            )
    killed = snapshot.failed_with("oomKilled")
    exits = [e for e in snapshot.failed_with("nonZeroExit") if reason_of(e)["nonZeroExit"] == 137]
    running = heard(snapshot, WORDS)
    evidence: list[str] = []
    if killed:
        limit = reason_of(killed[0])["oomKilled"]
        size = str(limit.get("memoryLimit", "")) if isinstance(limit, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  JSON
        evidence.append(f"event, {often(len(killed))}: oomKilled (limit {size or '?'})")
    if exits:
        evidence.append(f"event, {often(len(exits))}: exit code 137 (killed)")
    if running:
        evidence += running.evidence[:1]
    if not evidence:
        return None
    peak = snapshot.memory_use.between(snapshot.since).quantile(0.99)
    if peak:
        evidence.append(f"memory reached {percent(min(1.0, peak))} of the limit")
    score = STATED if killed or exits else (running.score(78) if running else 0)
    return _cause(score, tuple(evidence), snapshot)


def _cause(score: float, evidence: tuple[str, ...], snapshot: Snapshot) -> Cause:
    times = [e.timestamp for e in [*snapshot.failed_with("oomKilled"), *snapshot.failures] if e.timestamp]
    return Cause(
        "out_of_memory",
        score,
        "Instances are killed at the memory limit of the plan.",
        shown(evidence),
        "Lower concurrency or batch size, or change_service change_plan; read_metrics shows the peak.",
        min(times, default=None),
        max(times, default=None),
    )


KIND = Kind(
    "out_of_memory",
    "Instances are killed at the memory limit",
    check,
    __doc__ or "",
    ("process_crashes", "run_failed", "health_check_failing", "deploy_errors", "slow_start", "start_crash"),
)
