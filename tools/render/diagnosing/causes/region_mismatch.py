"""The service and what it depends on are in different regions.

What it is
    Every query crosses a continent (60 ms and more each), and Render's internal addresses do not work at
    all between regions.

How it shows
    The region of the service differs from that of its Postgres, Key Value or Supabase project, and it is
    slow, or internal names (dpg-..., red-...) are not found.

Next step
    A region cannot be changed: a person makes the service anew in the region of the database.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from tools.render.diagnosing.cause import RISK, SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, mentioned, pattern, tried
from tools.render.diagnosing.symptoms import slow

AWS: Final = {
    "us-east-1": "virginia", "us-east-2": "ohio", "us-west-2": "oregon", "eu-central-1": "frankfurt",
    "ap-southeast-1": "singapore",
}  # fmt: skip
"""Supabase's regions that lie beside one of Render's."""
INTERNAL = pattern(
    r"(?:enotfound|eai_again|no such host|not known|translate host name|resolve|timed? ?out|etimedout"
    r"|refused).{0,80}\b(?:dpg|red|srv)-[a-z0-9]{8,}",
    r"\b(?:dpg|red)-[a-z0-9]{8,}.{0,120}(?:enotfound|eai_again|no such host|not known|resolve|timed?"
    r" ?out|etimedout)",
)  # fmt: skip
FAR = pattern(
    r"(?:round[- ]?trip|\brtt\b|network|latency to|ping).{0,40}?\b(?:ms[=: ]{1,2})?(?:[6-9]\d"
    r"|[1-9]\d\d)\b(?: ?ms)?",
    r"cross[- ]region", r"another region",
)  # fmt: skip
_STORE: Final = re.compile(r"DATABASE|POSTGRES|\bPG|REDIS|QUEUE|CACHE|DB_|KEY_VALUE|VALKEY")


def check(snapshot: Snapshot) -> Cause | None:
    """Stores of the same environment in another region; a risk only, without slowness or failing names."""
    own = snapshot.service.service_details.region
    if not own:
        return None
    apart = [s for s in (*snapshot.postgres, *snapshot.key_values) if s.region and s.region != own]
    near = [s for s in (*snapshot.postgres, *snapshot.key_values) if s.region == own]
    evidence = [f"the service is in {own}, {s.kind} {s.name} in {s.region}" for s in apart]
    base = snapshot.supabase
    beside = AWS.get(base.region, base.region) if base else own
    if base and base.region and beside != own:
        evidence.insert(0, f"the service is in {own}, the Supabase project in {base.region}")
    if not evidence:
        return None
    spoken, late = heard(snapshot, INTERNAL), slow(snapshot)
    far, started = mentioned(snapshot, FAR), tried(snapshot, INTERNAL, ("pre_deploy", "update"))
    used = any(_STORE.search(name) for name in snapshot.env_names) or (base is not None and beside != own)
    lasting = _always_slow(snapshot)
    if spoken or started or far:
        score = SAID + 12
    elif late or lasting:
        score = 68 if used and not (near and not (base and beside != own)) else 45
    else:
        score = RISK
    said = spoken.evidence[:1] if spoken else (far or started)[:1]
    speed = (
        f"p95 {late.level:.0f} ms (usual {late.usual:.0f} ms)"
        if late
        else "slow all the time"
        if lasting
        else ""
    )
    return Cause(
        "region_mismatch",
        score,
        "The service and what it depends on are in different regions.",
        shown([*evidence[:2], *said, speed], 4),
        "A person makes the service anew in the region of the database: a region cannot be changed.",
        late.start if late else spoken.since if spoken else None,
    )


def _always_slow(snapshot: Snapshot) -> bool:
    """Whether even the median was above 150 ms for all of the last hours: no onset to be seen."""
    recent = snapshot.measured.p50.between(snapshot.now - timedelta(hours=3))
    return bool(recent) and recent.quantile(0.2) > 150


KIND = Kind(
    "region_mismatch",
    "The service and its database are in different regions",
    check,
    __doc__ or "",
    ("dns_failure", "key_value_down", "database_down", "deploy_latency", "third_party_down", "slow_queries"),
)
