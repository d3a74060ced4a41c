"""The rest of Render's endpoints that are read for a review, and a few that act on datastores and domains."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tools.sandbox.platform.calls import Call, Reply, Wrong, paged, route
from tools.sandbox.platform.clock import moment_of, stamp
from tools.sandbox.platform.render_configuration import get_domain
from tools.sandbox.platform.shapes import Json


def verify_domain(call: Call) -> Reply:
    """POST /services/{id}/custom-domains/{id}/verify: 202 without a body."""
    get_domain(call)["verificationStatus"] = "verified"


def outbound_addresses(call: Call) -> Reply:
    """GET /services/{id}/outbound-ips."""
    call.hosted()
    return {"type": "shared", "ips": ["192.0.2.10", "192.0.2.11", "192.0.2.12"]}


def webhooks(call: Call) -> Reply:
    """GET /webhooks: the secret is there."""
    found = {} if call.key.role == "stranger" else call.world.kind("webhooks")
    return paged(call, "webhook", list(found.items()))


def registry_credentials(call: Call) -> Reply:
    """GET /registrycredentials: plain objects, not wrapped."""
    return [] if call.key.role == "stranger" else list(call.world.kind("registry-credentials").values())


def owner_log_stream(call: Call) -> Reply:
    """GET /logs/streams/owner/{id}."""
    key = call.path("key")
    if key not in call.world.kind("owners") or call.key.role == "stranger":
        raise Wrong(404, f"not found: {key}")
    return call.world.kind("owner-log-streams").get(key, {"ownerId": key, "endpoint": "", "preview": "drop"})


def exports(call: Call) -> Reply:
    """GET /postgres/{id}/export."""
    _database(call)
    return [each for each in call.world.kind("exports").values() if each["id"].startswith(call.path("key"))]


def export(call: Call) -> Reply:
    """POST /postgres/{id}/export: 202 without a body."""
    key = f"{_database(call)['id']}-{call.now:%Y-%m-%dT%H:%MZ}"
    call.world.kind("exports")[key] = {"id": key, "createdAt": stamp(call.now, 0)}


def recover(call: Call) -> Reply:
    """POST /postgres/{id}/recovery: makes a new database beside the old one."""
    old = _database(call)
    wanted = moment_of(call.field("restoreTime", str))
    if not call.now - timedelta(days=7) <= wanted <= call.now:
        raise Wrong(400, "restoreTime is out of range")
    key = f"{call.world.new_id('dpg')}-a"
    name = call.field("restoreName", str, f"{old['name']}-restored")
    fresh = old | {"id": key, "name": name, "status": "creating", "createdAt": stamp(call.now)}
    call.world.kind("postgres")[key] = fresh
    return fresh


def failover(call: Call) -> Reply:
    """POST /postgres/{id}/failover: only with high availability."""
    if not _database(call)["highAvailabilityEnabled"]:
        raise Wrong(400, "high availability is not enabled for this database")


def reschedule(call: Call) -> Reply:
    """PATCH /maintenance/{id}: 202 without a body."""
    run = call.world.kind("maintenance").get(call.path("key"))
    if run is None:
        raise Wrong(404, f"not found: {call.path('key')}")
    wanted = moment_of(call.field("scheduledAt", str))
    if wanted < call.now:
        raise Wrong(400, "scheduledAt must be in the future")
    run["scheduledAt"] = stamp(wanted, 0)


def _database(call: Call) -> Json:
    found = call.world.kind("postgres").get(call.path("key"))
    if found is None or call.key.role == "stranger":
        raise Wrong(404, f"not found: {call.path('key')}")
    return found


ROUTES: Final = [
    route("POST", "/services/{service}/custom-domains/{key}/verify", verify_domain, 202),
    route("GET", "/services/{service}/outbound-ips", outbound_addresses),
    route("GET", "/webhooks", webhooks),
    route("GET", "/registrycredentials", registry_credentials),
    route("GET", "/logs/streams/owner/{key}", owner_log_stream),
    route("GET", "/postgres/{key}/export", exports),
    route("POST", "/postgres/{key}/export", export, 202),
    route("POST", "/postgres/{key}/recovery", recover),
    route("POST", "/postgres/{key}/failover", failover, 202),
    route("PATCH", "/maintenance/{key}", reschedule, 202),
]
