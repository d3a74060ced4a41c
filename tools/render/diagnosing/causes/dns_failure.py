"""A host name is not found.

What it is
    A name that the process calls does not resolve: a typo, a renamed or deleted service, an internal name
    used from another region, a record that expired, or a failing resolver.

How it shows
    ENOTFOUND, EAI_AGAIN, "Name or service not known", "no such host", "could not translate host name".

Next step
    Compare the name with the address that the service is given; internal names work only within a region.
"""

from __future__ import annotations

import re

from tools.render.diagnosing.cause import SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"enotfound", r"eai_again", r"eai_nodata", r"name or service not known", r"no such host",
    r"could not translate host name", r"name resolution", r"failed to resolve", r"nodename nor servname",
    r"getaddrinfo", r"nxdomain", r"servfail", r"unknownhostexception", r"could not resolve host",
    r"no address associated with hostname", r"socketerror.{0,40}getaddrinfo",
)  # fmt: skip
_HOST = re.compile(
    r"(?:ENOTFOUND|EAI_AGAIN|lookup|host(?:name)?|resolve|for)[ :='\"(]{1,4}"
    r"((?:[a-z0-9_-]{1,63}\.){0,6}[a-z0-9-]{2,63})(?=['\":, )]|$)",
    re.IGNORECASE,
)


def check(snapshot: Snapshot) -> Cause | None:
    """In the running service, or at the start of a deploy."""
    running = heard(snapshot, WORDS)
    found = tried(snapshot, WORDS, ("pre_deploy", "update"))
    if running is None and not found:
        return None
    texts = running.raws if running else (snapshot.trial.text if snapshot.trial else "",)
    hosts = [
        h
        for raw in texts
        for h in _HOST.findall(raw[:4_000])
        if "." in h or h.startswith(("dpg-", "red-", "srv-"))
    ]
    named = f"The host {hosts[0]}" if hosts else "A host that it calls"
    return Cause(
        "dns_failure",
        running.score(SAID + 6) if running else SAID,
        f"{named} is not found (DNS).",
        shown((running.evidence if running else found)[:2]),
        "Compare the name with the variable that holds it and with the DNS record; internal names end"
        " at the region.",
        running.since if running else None,
    )


KIND = Kind(
    "dns_failure",
    "A host name is not found",
    check,
    __doc__ or "",
    ("third_party_down", "deploy_errors", "start_crash", "database_down"),
)
