"""An environment variable that the code needs is not set.

What it is
    The process reads a variable that neither the service nor its linked groups have; often a new one that the
    release brought.

How it shows
    "X is not set", KeyError: 'X', "required key X missing value", "supabaseUrl is required", in the log of a
    failed deploy or in the running service. The names that the service has are compared.

Next step
    change_env_var sets it (nothing is deployed by that), then deploy_service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from tools.render.diagnosing.cause import SAID, STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

_NAME = r"['\"`]?([A-Z][A-Z0-9]{1,40}(?:_[A-Z0-9]{1,30}){0,6})['\"`]?"
NAMED = re.compile(
    rf"(?:(?i:missing|required|undefined|unset|invalid|no)(?i: required)?"
    rf"(?i: environment| env)?(?i: variables?| vars?| key| setting)?[ :=]{{1,4}}{_NAME}"
    rf"|(?i:env(?:ironment)? ?var(?:iable)?s?)[ :]{{1,3}}{_NAME}"
    rf"|{_NAME}(?i: environment variable| env var)?(?i: is| was| must be| needs to be| has to be)?(?i: not)? "
    r"(?i:set|defined|required|missing|configured|undefined|empty|provided)\b"
    rf"|KeyError: {_NAME}|key not found: {_NAME}|required key {_NAME} missing"
    rf"|process\.env\.{_NAME}|(?i:set the )?{_NAME}(?i: environment)?(?i: variable))"
)
WORDS = pattern(
    r"(?:supabaseUrl|supabaseKey|api_?key|connectionString|secretOrPrivateKey) (?:is required|must have"
    r" a value)",
    r"missing (?:required )?env(?:ironment)?",
    r"environment variables? .{0,60}(?:not set|missing|required|undefined)",
    r"env(?:ironment)? validation (?:error|failed)", r"invalid environment variables",
    r"improperlyconfigured.{0,120}(?:setting|environment)", r"OPENAI_API_KEY",
    r"did not find environment variable",
)  # fmt: skip
_EITHER = re.compile(f"(?:{NAMED.pattern})|(?i:{WORDS.pattern})")


def check(snapshot: Snapshot) -> Cause | None:
    """In a failed deploy, or in the running service."""
    trial = snapshot.trial
    found = tried(snapshot, _EITHER, ("build", "pre_deploy", "update"))
    if trial is not None and found:
        names = _names([trial.text])
        weight = STATED if trial.step == "update" else SAID
        return _cause(snapshot, weight, names, found, trial.deploy.created_at)
    running = heard(snapshot, _EITHER)
    if running is None:
        return None
    names = _names(running.raws)
    return _cause(snapshot, running.score(SAID + 4), names, running.evidence, running.since)


def _names(texts: Iterable[str]) -> list[str]:
    """The variables that are named, in the order of their first mention."""
    found = [
        name for text in texts for match in NAMED.finditer(text[:8_000]) for name in match.groups() if name
    ]
    return [name for name in dict.fromkeys(found) if "_" in name or len(name) > 4][:3]


def _cause(
    snapshot: Snapshot, score: float, names: list[str], evidence: tuple[str, ...], since: datetime | None
) -> Cause | None:
    absent = [name for name in names if name not in snapshot.env_names]
    if names and not absent and snapshot.env_names:
        score -= 20
    said = f"{absent[0]} is not set" if absent else "An environment variable that it needs is not set"
    note = (f"not among its {len(snapshot.env_names)} variables: {', '.join(absent)}",) if absent else ()
    return Cause(
        "missing_env_var",
        score,
        f"{said}.",
        shown([*evidence[:2], *note]),
        f"change_env_var sets {absent[0] if absent else 'it'} (that alone deploys nothing), then"
        f" deploy_service.",
        since,
    )


KIND = Kind(
    "missing_env_var",
    "A needed environment variable is not set",
    check,
    __doc__ or "",
    ("start_crash", "bad_start_command", "deploy_errors", "process_crashes", "run_failed"),
)
