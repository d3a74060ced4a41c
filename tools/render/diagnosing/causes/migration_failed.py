"""The pre-deploy command fails in a migration.

What it is
    A statement of a migration is refused: an object that exists or is missing, rows that break a new
    constraint, a missing privilege, a migration edited after it was applied.

How it shows
    The latest deploy is pre_deploy_failed, and its log has the words of Postgres or of the migration tool.

Next step
    Mend the migration (review it first). Look whether a part of it was applied: not every tool wraps one in
    a transaction. The release before still serves.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

WORDS = pattern(
    r"already exists", r"does not exist", r"violates .{0,40}constraint", r"contains null values",
    r"syntax error at", r"permission denied for", r"must be owner of", r"cannot be cast",
    r"could not create unique index", r"sqlstate", r"\bpg::", r"migration.{0,60}fail",
    r"fail.{0,60}migration", r"P30\d\d", r"later migrations canceled",
    r"alembic\.\w*.{0,80}(?:error|can't locate)", r"checksum mismatch",
    r"was modified after it was applied", r"cannot (?:drop|alter)", r"duplicate key value",
    r"column .{0,80} of relation",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """Any failed pre-deploy command; a lock that was waited for in vain has its own cause."""
    trial = snapshot.trial
    if trial is None or trial.step != "pre_deploy":
        return None
    found = tried(snapshot, WORDS, ("pre_deploy",))
    last = tuple(f"log: {fingerprint(line.raw)}" for line in trial.lines[-2:])
    code = trial.reason.get("nonZeroExit")
    ended = (f"event: the pre-deploy command ended with code {code}",) if code else ()
    return Cause(
        "migration_failed",
        STATED - 5 if found else 60,
        "The pre-deploy command fails"
        + (" in a migration" if found else "")
        + "; the release before still serves.",
        shown([*found, *ended, *(() if found else last)]),
        "Review and mend the migration, look whether a part of it was applied, then deploy_service again.",
        trial.deploy.created_at,
    )


KIND = Kind("migration_failed", "The pre-deploy command fails in a migration", check, __doc__ or "")
