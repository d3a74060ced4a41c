"""Words that people in operations use for the same thing, so that a tired question finds a careful note.

A synonym counts less than the word itself (see `memory.index` and `memory.recalling`). Each line is a group;
a word may stand in several.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from memory.stems import stems

_GROUPS = """
    rollback rolled reverted revert undo back previous
    deploy deployment release released ship shipped rollout version build
    prod production live
    db database postgres postgresql
    remove drop delete erase purge
    add create insert
    change alter modify edit update
    job queue task worker background cron scheduled
    slow latency sluggish performance hang hangs stuck
    fast quick speed
    login signin logout session auth authentication
    oom heap memory killed 137
    secret credential credentials password key token
    setting settings config configuration variable env environment
    throttle throttling throttled limit limits 429 quota
    cost costs bill invoice price expensive spend spending
    traffic bandwidth egress transfer
    restart restarted reboot crash crashed crashes down outage
    twice double duplicate duplicates dedupe idempotent again two
    user users account accounts people customer
    redis valkey cache key-value eviction
    ip address addresses network outbound allowlist
    alert alarm page notification warn
    backup restore pitr recovery
    noon midday
    night 3am overnight
    employee staff colleague offboarding left leave
    upload uploads file files attachment storage bucket
    download export csv
    attachment document documents pdf scan
    thousand 1000
    error errors failure fails failing broken 500
    filter where clause condition
    rls policy policies
    permission privilege grant access
    pool pooler pooling connections pgbouncer supavisor
    migration migrations ddl schema
    replica replication standby
    lock locks locked blocked blocking waiting
    index indexes indices
    unused zero never nobody
    missing lost vanished disappeared gone
    stale old outdated
    alive living busy
    stolen taken
    certificate tls ssl https
    domain dns hostname
    timeout timed deadline
    full space disk
    mail email smtp
    webhook callback
    patient patients profile profiles family
    mixed merged contamination crossed
    log logs logging
    metric metrics monitoring dashboard
    test tests ci
    friday weekend freeze
    clean fine green
    instance instances server container
"""


@functools.cache
def _table() -> dict[str, tuple[str, ...]]:
    groups = [line.split() for line in _GROUPS.strip().splitlines()]
    stemmed = stems(word for group in groups for word in group)
    found: dict[str, dict[str, None]] = {}
    for group in groups:
        for word in group:
            others = {stemmed[other]: other for other in group if stemmed[other] != stemmed[word]}
            found.setdefault(stemmed[word], {}).update(dict.fromkeys(others.values()))
    return {stem: tuple(words) for stem, words in found.items()}


def synonyms(terms: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Each of `terms` that has synonyms with those of them that are not terms themselves."""
    stemmed = stems(terms)
    said = set(stemmed.values())
    table = _table()
    found: dict[str, tuple[str, ...]] = {}
    for term, stem in stemmed.items():
        others = table.get(stem, ())
        known = stems(others)
        if kept := tuple(other for other in others if known[other] not in said):
            found[term] = kept
    return found
