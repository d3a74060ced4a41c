"""Projects, organizations, configurations, backups, network, keys, branches, migrations, storage, billing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from tools.sandbox.platform.calls import Answer, Call, Reply, Wrong, route
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.supabase_calls import PROJECT, project, project_shape


def list_projects(call: Call) -> Reply:
    """GET /projects."""
    found = call.platform.project
    return [project_shape(found)] if found and call.key.role != "stranger" else []


def get_project(call: Call) -> Reply:
    """GET /projects/{ref}."""
    return project_shape(project(call))


def organizations(call: Call) -> Reply:
    """GET /organizations."""
    found = call.platform.project
    if found is None or call.key.role == "stranger":
        return []
    return [{name: found.organization[name] for name in ("id", "slug", "name")}]


def organization(call: Call) -> Reply:
    """GET /organizations/{slug}."""
    found = call.platform.project
    if found is None or call.path("slug") != found.organization["slug"] or call.key.role == "stranger":
        raise Wrong(403, "Forbidden")
    own = {name: found.organization[name] for name in ("id", "name", "plan")}
    return own | {"opt_in_tags": [], "allowed_release_channels": ["ga"]}


def members(call: Call) -> Reply:
    """GET /organizations/{slug}/members."""
    organization(call)
    people = call.world.kind("members").values()
    return [
        {
            "user_id": each["userId"],
            "user_name": each["name"],
            "email": each["email"],
            "role_name": "Owner" if each["role"] == "ADMIN" else "Developer",
            "mfa_enabled": each["mfaEnabled"],
        }
        for each in people
    ]


def action_log(call: Call) -> Reply:
    """GET /actions/{id}/logs: plain text."""
    logs: Json = project(call).records["action-logs"]
    if call.path("run") not in logs:
        raise Wrong(404, "Action run not found")
    return Response(logs[call.path("run")], media_type="text/plain")


def profile(call: Call) -> Reply:
    """GET /profile: whose key it is."""
    own = "00000000-0000-4000-a000-000000000001"
    return {
        "gotrue_id": own,
        "username": call.key.role,
        "primary_email": call.key.role + "@" + "guardian.example",
    }


def pause(call: Call) -> Reply:
    """POST /pause."""
    project(call).status = "PAUSING"
    return Response(status_code=200)


def unpause(call: Call) -> Reply:
    """POST /restore."""
    found = project(call)
    if found.status == "ACTIVE_HEALTHY":
        raise Wrong(400, "Project is already active")
    found.status = "COMING_UP"
    return Response(status_code=200)


def record(path: str) -> Answer:
    """GET of a configuration that is kept as it is."""

    def answer(call: Call) -> Reply:
        return project(call).records[path]

    return answer


def merged(path: str) -> Answer:
    """PATCH or PUT that changes fields of a configuration; an unknown field is refused."""

    def answer(call: Call) -> Reply:
        kept: Json = project(call).records[path]
        unknown = [name for name in call.payload if name not in kept]
        if unknown:
            raise Wrong(400, f"{unknown[0]}: unrecognized key")
        kept.update(call.payload)
        return None if path == "config/realtime" else kept

    return answer


def listed(name: str) -> Answer:
    """GET of a list of the project."""

    def answer(call: Call) -> Reply:
        return getattr(project(call), name)

    return answer


def put_ssl(call: Call) -> Reply:
    """PUT /ssl-enforcement."""
    wanted: Json = call.field("requestedConfig", dict)
    fresh = {"currentConfig": {"database": bool(wanted["database"])}, "appliedSuccessfully": True}
    project(call).records["ssl-enforcement"] = fresh
    return fresh


def apply_network(call: Call) -> Reply:
    """POST /network-restrictions/apply: replaces what is allowed."""
    kept: Json = project(call).records["network-restrictions"]
    old = kept["config"]
    config = {
        "dbAllowedCidrs": call.field("dbAllowedCidrs", list, []),
        "dbAllowedCidrsV6": call.field("dbAllowedCidrsV6", list, []),
    }
    kept |= {"config": config, "old_config": old, "status": "applied"}
    return kept


def bans(call: Call) -> Reply:
    """POST /network-bans/retrieve."""
    project(call)
    return {"banned_ipv4_addresses": []}


def api_keys(call: Call) -> Reply:
    """GET /api-keys: values only with reveal=true."""
    shown: list[Json] = []
    for key in project(call).records["api-keys"]:
        hidden = key["type"] == "secret" and call.query("reveal") != "true"
        shown.append(key | {"api_key": f"{key['prefix']}··········" if hidden else key["api_key"]})
    return shown


def backups(call: Call) -> Reply:
    """GET /database/backups."""
    found = project(call)
    start = call.now - timedelta(days=7)
    return {
        "region": found.region,
        "walg_enabled": True,
        "pitr_enabled": found.records["pitr"],
        "backups": found.backups,
        "physical_backup_data": {
            "earliest_physical_backup_date_unix": int(start.timestamp()),
            "latest_physical_backup_date_unix": int((call.now - timedelta(minutes=2)).timestamp()),
        },
    }


def restore_pitr(call: Call) -> Reply:
    """POST /database/backups/restore-pitr: brings the whole project back to a time."""
    found = project(call)
    if not found.records["pitr"]:
        raise Wrong(400, "PITR is not enabled for this project")
    wanted = call.field("recovery_time_target_unix", int)
    if not (call.now - timedelta(days=7)).timestamp() <= wanted <= call.now.timestamp():
        raise Wrong(400, "recovery_time_target_unix is out of range")
    found.status = "RESTORING"
    return Response(status_code=201)


def restore_point(call: Call) -> Reply:
    """POST /database/backups/restore-point."""
    done = call.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    fresh = {"name": call.field("name", str), "status": "AVAILABLE", "completed_on": done}
    project(call).records["restore-point"] = fresh
    return fresh


def get_restore_point(call: Call) -> Reply:
    """GET /database/backups/restore-point."""
    fresh = project(call).records.get("restore-point")
    if fresh is None:
        raise Wrong(404, "no restore point")
    return fresh


def apply_migration(call: Call) -> Reply:
    """POST /database/migrations: noted, not run; it gives no rows back."""
    version = call.now.strftime("%Y%m%d%H%M%S")
    call.field("query", str)
    project(call).migrations.append({"version": version, "name": call.field("name", str, "")})
    return JSONResponse([])


def disk_use(call: Call) -> Reply:
    """GET /config/disk/util."""
    found = project(call)
    size = int(found.records["config/disk"]["attributes"]["size_gb"] * 1e9)
    used = int(found.records["disk-used-gb"] * 1e9)
    stamp = call.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    sizes = {"fs_size_bytes": size, "fs_avail_bytes": size - used, "fs_used_bytes": used}
    return {"timestamp": stamp, "metrics": sizes}


def change_disk(call: Call) -> Reply:
    """POST /config/disk."""
    kept: Json = project(call).records["config/disk"]
    wanted: Json = call.field("attributes", dict)
    if wanted.get("size_gb", 0) < kept["attributes"]["size_gb"]:
        raise Wrong(400, "disk size cannot be decreased")
    kept["attributes"] = wanted
    kept["last_modified_at"] = call.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Response(status_code=201)


KEPT: Final = {
    "config/auth": "PATCH",
    "postgrest": "PATCH",
    "config/storage": "",
    "config/realtime": "PATCH",
    "config/database/postgres": "PUT",
    "config/database/pgbouncer": "",
    "config/database/pooler": "",
    "config/disk": "",
    "config/disk/autoscale": "",
    "network-restrictions": "",
    "ssl-enforcement": "",
    "billing/addons": "",
    "readonly": "",
    "api-keys/legacy": "",
    "upgrade/eligibility": "",
    "config/auth/signing-keys": "",
    "config/auth/sso/providers": "",
    "actions": "",
}
"""Configurations by path, and the method that changes them."""
ROUTES: Final[list[Any]] = [
    route("GET", "/projects", list_projects),
    route("GET", "/organizations", organizations),
    route("GET", "/organizations/{slug}", organization),
    route("GET", "/organizations/{slug}/members", members),
    route("GET", f"{PROJECT}/actions/{{run}}/logs", action_log),
    route("GET", "/profile", profile),
    route("GET", PROJECT, get_project),
    route("POST", f"{PROJECT}/pause", pause),
    route("POST", f"{PROJECT}/restore", unpause),
    *(route("GET", f"{PROJECT}/{path}", record(path)) for path in KEPT),
    *(
        route(method, f"{PROJECT}/{path}", merged(path), 204 if path == "config/realtime" else 200)
        for path, method in KEPT.items()
        if method
    ),
    route("PUT", f"{PROJECT}/ssl-enforcement", put_ssl),
    route("POST", f"{PROJECT}/network-restrictions/apply", apply_network, 201),
    route("POST", f"{PROJECT}/network-bans/retrieve", bans, 201),
    route("GET", f"{PROJECT}/api-keys", api_keys),
    route("GET", f"{PROJECT}/database/backups", backups),
    route("POST", f"{PROJECT}/database/backups/restore-pitr", restore_pitr, 201),
    route("GET", f"{PROJECT}/database/backups/restore-point", get_restore_point),
    route("POST", f"{PROJECT}/database/backups/restore-point", restore_point, 201),
    route("GET", f"{PROJECT}/branches", listed("branches")),
    route("GET", f"{PROJECT}/database/migrations", listed("migrations")),
    route("POST", f"{PROJECT}/database/migrations", apply_migration),
    route("GET", f"{PROJECT}/storage/buckets", listed("buckets")),
    route("GET", f"{PROJECT}/config/disk/util", disk_use),
    route("POST", f"{PROJECT}/config/disk", change_disk, 201),
]
