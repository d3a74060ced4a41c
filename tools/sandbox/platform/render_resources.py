"""Workspaces, projects and environments, Postgres, Key Value, disks, blueprints, maintenance, audit logs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tools.sandbox.platform.calls import Answer, Call, Reply, Wrong, paged, route
from tools.sandbox.platform.clock import moment_of, stamp
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.sizes import known, plan_id

WRAPPED: Final = {
    "owners": "owner",
    "projects": "project",
    "environments": "environment",
    "postgres": "postgres",
    "key-value": "keyValue",
    "redis": "redis",
    "disks": "disk",
    "blueprints": "blueprint",
}


def lister(kind: str) -> Answer:
    """GET of a wrapped list, filtered by what the query names."""

    def answer(call: Call) -> Reply:
        records = {} if call.key.role == "stranger" else call.world.kind(_store(kind))
        shown: list[tuple[str, Any]] = []
        for key, record in records.items():
            asked = {
                n: call.queries(n) for n in ("name", "region", "environmentId", "projectId", "serviceId")
            }
            if all(not wanted or record.get(name) in wanted for name, wanted in asked.items()):
                shown.append((key, _public(record, kind)))
        return paged(call, WRAPPED[kind], shown)

    return answer


def getter(kind: str) -> Answer:
    """GET of one record."""

    def answer(call: Call) -> Reply:
        return {name: value for name, value in _record(call, kind).items() if not name.startswith("_")}

    return answer


def patcher(kind: str, fields: tuple[str, ...]) -> Answer:
    """PATCH of the fields that may be changed."""

    def answer(call: Call) -> Reply:
        record = _record(call, kind)
        if "plan" in call.payload and not known(str(call.payload["plan"])):
            raise Wrong(400, f"invalid plan: {call.payload['plan']}")
        if call.payload.get("diskSizeGB", 10**9) < record.get("diskSizeGB", 0):
            raise Wrong(400, "disk size cannot be decreased")
        if call.payload.get("sizeGB", 10**9) < record.get("sizeGB", 0):
            raise Wrong(400, "disk size cannot be decreased")
        record |= {name: call.payload[name] for name in fields if name in call.payload}
        if "plan" in record:
            record["plan"] = plan_id(str(record["plan"]))
        if "enableHighAvailability" in call.payload:
            record["highAvailabilityEnabled"] = call.payload["enableHighAvailability"]
        if "maxmemoryPolicy" in call.payload:
            record["options"] = {**record["options"], "maxmemoryPolicy": call.payload["maxmemoryPolicy"]}
        if "updatedAt" in record:
            record["updatedAt"] = stamp(call.now)
        return getter(kind)(call)

    return answer


def suspender(kind: str, on: bool) -> Answer:
    """Suspend or resume a datastore: 202 without a body."""

    def answer(call: Call) -> Reply:
        record = _record(call, kind)
        record["status"] = "suspended" if on else "available"
        record |= {"suspended": "suspended" if on else "not_suspended", "suspenders": ["user"] if on else []}

    return answer


def _record(call: Call, kind: str) -> Json:
    key = call.path("key")
    record = call.world.kind(_store(kind)).get(key)
    if record is None or call.key.role == "stranger":
        raise Wrong(404, f"not found: {key}")
    return record


def _store(kind: str) -> str:
    return "key-value" if kind == "redis" else kind


def _public(record: Json, kind: str) -> Json:
    hidden = ("readReplicas",) if kind == "postgres" else ("resources",) if kind == "blueprints" else ()
    shown = {name: value for name, value in record.items() if not name.startswith("_") and name not in hidden}
    return shown | ({"readReplicas": record["readReplicas"]} if kind == "postgres" else {})


def members(call: Call) -> Reply:
    """GET /owners/{id}/members."""
    _record(call, "owners")
    return list(call.world.kind("members").values())


def audit_logs(call: Call) -> Reply:
    """GET /owners/{id}/audit-logs, newest first."""
    _record(call, "owners")
    entries = sorted(call.world.kind("audit").values(), key=lambda each: each["timestamp"], reverse=True)
    start, end = call.moment("startTime", call.now - timedelta(days=30)), call.moment("endTime", call.now)
    chosen = [each for each in entries if start <= moment_of(each["timestamp"]) <= end]
    return paged(call, "auditLog", [(each["id"], each) for each in chosen])


def user(call: Call) -> Reply:
    """GET /users: whose key it is."""
    return {"name": f"Simulated {call.key.role}", "email": f"{call.key.role}" + "@" + "guardian.example"}


def postgres_connection(call: Call) -> Reply:
    """GET /postgres/{id}/connection-info: holds a password."""
    if call.key.role != "admin":
        raise Wrong(403, "Forbidden: your role does not permit this action")
    record = _record(call, "postgres")
    host, name, who = record["id"], record["databaseName"], record["databaseUser"]
    word = "simulated-password"
    outside = f"{host}.{record['region']}-postgres.render.com"
    return {
        "password": word,
        "internalConnectionString": f"postgresql://{who}:{word}" + "@" + f"{host}/{name}",
        "externalConnectionString": f"postgresql://{who}:{word}" + "@" + f"{outside}:5432/{name}",
        "psqlCommand": f"PGPASSWORD={word} psql -h {outside} -p 5432 -U {who} {name}",
    }


def key_value_connection(call: Call) -> Reply:
    """GET /key-value/{id}/connection-info."""
    if call.key.role != "admin":
        raise Wrong(403, "Forbidden: your role does not permit this action")
    record = _record(call, "key-value")
    host = f"{record['region']}-keyvalue.render.com"
    return {
        "internalConnectionString": f"redis://{record['id']}:6379",
        "externalConnectionString": f"rediss://{record['id']}:simulated" + "@" + f"{host}:6379",
        "cliCommand": f"REDISCLI_AUTH=simulated valkey-cli --user {record['id']} -h {host} -p 6379 --tls",
    }


def recovery(call: Call) -> Reply:
    """GET /postgres/{id}/recovery."""
    record = _record(call, "postgres")
    if plan_id(record["plan"]).startswith("0.1c"):
        return {"recoveryStatus": "NOT_AVAILABLE"}
    return {"recoveryStatus": "AVAILABLE", "startsAt": stamp(call.now - timedelta(days=7), 0)}


def statistics(name: str) -> Answer:
    """GET /postgres/{id}/query/{name}: what was planted, else nothing."""

    def answer(call: Call) -> Reply:
        rows: list[Any] = _record(call, "postgres").get("_statistics", {}).get(name, [])
        return {name: rows}

    return answer


def snapshots(call: Call) -> Reply:
    """GET /disks/{id}/snapshots: one a day, with keys for 24 hours. Answered, as documented, with 201."""
    disk = _record(call, "disks")
    midnight = call.now.replace(hour=4, minute=0, second=0, microsecond=0)
    times = [midnight - timedelta(days=day) for day in range(1, 8)]
    return [{"createdAt": stamp(at, 0), "snapshotKey": f"{disk['id']}-{at:%Y%m%d}"} for at in times]


def restore(call: Call) -> Reply:
    """POST /disks/{id}/snapshots/restore."""
    disk = _record(call, "disks")
    wanted = call.field("snapshotKey", str)
    if wanted not in [each["snapshotKey"] for each in snapshots(call)]:
        raise Wrong(404, f"not found: {wanted}")
    return disk


def syncs(call: Call) -> Reply:
    """GET /blueprints/{id}/syncs."""
    runs: list[Json] = _record(call, "blueprints").get("_syncs", [])
    return paged(call, "sync", [(each["id"], each) for each in runs])


async def validate_blueprint(call: Call) -> Reply:
    """POST /blueprints/validate: only whether it is a mapping that names something to create."""
    form = await call.request.form()
    upload = form.get("file")
    text = (
        (await upload.read()).decode()
        if upload is not None and not isinstance(upload, str)
        else str(upload or "")
    )
    heads = [line.split(":")[0] for line in text.splitlines() if line[:1].isalpha()]
    sections = [head for head in heads if head in ("services", "databases", "envVarGroups", "projects")]
    if sections:
        names = [line.split("name:")[1].strip() for line in text.splitlines() if "name:" in line]
        return {"valid": True, "plan": {"services": names, "totalActions": len(names)}}
    error = {"error": "blueprint must define services, databases or envVarGroups", "line": 1, "column": 1}
    return {"valid": False, "errors": [error]}


def maintenance(call: Call) -> Reply:
    """GET /maintenance: plain objects, not wrapped."""
    wanted = call.queries("resourceId")
    runs = list(call.world.kind("maintenance").values())
    visible = call.key.role != "stranger"
    return [each for each in runs if visible and (not wanted or each["resourceId"] in wanted)]


def trigger_maintenance(call: Call) -> Reply:
    """POST /maintenance/{id}/trigger."""
    _record(call, "maintenance")["state"] = "in_progress"


def log_stream(call: Call) -> Reply:
    """GET /logs/streams/resource/{id}."""
    return _record(call, "log-streams")


def notifications(call: Call) -> Reply:
    """GET /notification-settings/owners/{id}."""
    _record(call, "owners")
    return {
        "ownerId": call.path("key"),
        "emailEnabled": True,
        "slackEnabled": False,
        "notificationsToSend": "failure",
        "previewNotificationsEnabled": False,
    }


POSTGRES_FIELDS: Final = ("name", "plan", "diskSizeGB", "ipAllowList", "diskAutoscalingEnabled")
ROUTES: Final = [
    *(route("GET", f"/{kind}", lister(kind)) for kind in WRAPPED),
    route("POST", "/blueprints/validate", validate_blueprint),
    *(route("GET", f"/{kind}/{{key}}", getter(kind)) for kind in WRAPPED),
    route("GET", "/owners/{key}/members", members),
    route("GET", "/owners/{key}/audit-logs", audit_logs),
    route("GET", "/users", user),
    route("PATCH", "/postgres/{key}", patcher("postgres", POSTGRES_FIELDS)),
    route("PATCH", "/key-value/{key}", patcher("key-value", ("name", "plan", "ipAllowList"))),
    route("PATCH", "/disks/{key}", patcher("disks", ("name", "sizeGB", "mountPath"))),
    route("PATCH", "/projects/{key}", patcher("projects", ("name",))),
    route("PATCH", "/blueprints/{key}", patcher("blueprints", ("name", "autoSync", "path"))),
    route(
        "PATCH",
        "/environments/{key}",
        patcher("environments", ("name", "protectedStatus", "networkIsolationEnabled")),
    ),
    *(
        route("POST", f"/{kind}/{{key}}/{verb}", suspender(kind, verb == "suspend"), 202)
        for kind in ("postgres", "key-value")
        for verb in ("suspend", "resume")
    ),
    route("POST", "/postgres/{key}/restart", lambda call: _record(call, "postgres") and None, 202),
    route("GET", "/postgres/{key}/connection-info", postgres_connection),
    route("GET", "/key-value/{key}/connection-info", key_value_connection),
    route("GET", "/postgres/{key}/recovery", recovery),
    route("GET", "/postgres/{key}/query/processes", statistics("processes")),
    route("GET", "/postgres/{key}/query/top-queries", statistics("topQueries")),
    route("GET", "/postgres/{key}/query/sizes", statistics("sizes")),
    route("GET", "/postgres/{key}/query/table-scans", statistics("tableScans")),
    route("GET", "/disks/{key}/snapshots", snapshots, 201),
    route("POST", "/disks/{key}/snapshots/restore", restore),
    route("GET", "/blueprints/{key}/syncs", syncs),
    route("GET", "/maintenance", maintenance),
    route("GET", "/maintenance/{key}", getter("maintenance")),
    route("POST", "/maintenance/{key}/trigger", trigger_maintenance, 202),
    route("GET", "/logs/streams/resource/{key}", log_stream),
    route("GET", "/notification-settings/owners/{key}", notifications),
]
