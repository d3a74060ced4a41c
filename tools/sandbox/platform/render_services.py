"""Services: read, change, restart, scale, autoscaling, suspend and resume, maintenance."""

from __future__ import annotations

from typing import Any, Final

from tools.sandbox.platform import deploys
from tools.sandbox.platform.calls import Call, Reply, Wrong, paged, route
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.instances import instance_ids
from tools.sandbox.platform.render_shapes import scaling_shape, service_shape
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.sizes import known, plan_id
from tools.sandbox.platform.world import Autoscaling, Hosted

PERSON: Final = {"id": "usr-d2l4m6n8o0q1s3u5", "email": "ops" + "@" + "guardian.example"}


def list_services(call: Call) -> Reply:
    """GET /services."""
    chosen: list[tuple[str, Any]] = []
    for hosted in call.visible():
        spec = hosted.spec
        values = {
            "name": spec.name,
            "type": spec.kind,
            "environmentId": spec.environment_id,
            "env": spec.runtime,
            "region": spec.region,
            "suspended": "suspended" if spec.suspenders else "not_suspended",
            "ownerId": next(iter(call.world.kind("owners"))),
        }
        asked = {name: call.queries(name) for name in values}
        if all(not wanted or values[name] in ",".join(wanted).split(",") for name, wanted in asked.items()):
            chosen.append((spec.id, service_shape(call.platform, hosted)))
    return paged(call, "service", chosen)


def get_service(call: Call) -> Reply:
    """GET /services/{id}."""
    return service_shape(call.platform, call.hosted())


def patch_service(call: Call) -> Reply:
    """PATCH /services/{id}: changes the configuration and starts no deploy."""
    hosted = call.hosted()
    fields: Json = {}
    names = {"name": "name", "branch": "branch", "rootDir": "root_dir", "repo": "repo"}
    for name, own in names.items():
        if name in call.payload:
            fields[own] = call.field(name, str)
    if "autoDeploy" in call.payload:
        if call.payload["autoDeploy"] not in ("yes", "no"):
            raise Wrong(400, "invalid autoDeploy: must be yes or no")
        fields["auto_deploy"] = call.payload["autoDeploy"] == "yes"
    if "autoDeployTrigger" in call.payload:
        fields["auto_deploy"] = call.payload["autoDeployTrigger"] != "off"
    if "image" in call.payload:
        fields["image"] = call.payload["image"]["imagePath"]
    fields |= _details(hosted, call.field("serviceDetails", dict, {}))
    plan_before = plan_id(hosted.spec.plan)
    hosted.change(call.now, **fields)
    if plan_id(hosted.spec.plan) != plan_before:
        change = {"from": plan_before, "to": plan_id(hosted.spec.plan)}
        call.world.happened(hosted.spec.id, call.now, "plan_changed", change)
        _redeploy(call, hosted)
    return service_shape(call.platform, hosted)


def _details(hosted: Hosted, details: Json) -> Json:
    fields: Json = {}
    own = {
        "healthCheckPath": "health_check_path",
        "preDeployCommand": "pre_deploy_command",
        "schedule": "schedule",
        "publishPath": "publish_path",
        "buildCommand": "build_command",
        "maxShutdownDelaySeconds": "shutdown_delay",
    }
    for name, field in own.items():
        if name in details:
            fields[field] = details[name]
    if "plan" in details:
        if not known(str(details["plan"])):
            raise Wrong(400, f"invalid plan: {details['plan']}")
        fields["plan"] = plan_id(str(details["plan"]))
    if "previews" in details:
        fields["previews"] = details["previews"]["generation"]
    if "maintenanceMode" in details:
        mode: Json = details["maintenanceMode"]
        fields |= {"maintenance": mode["enabled"], "maintenance_uri": mode.get("uri", "")}
    commands: Json = details.get("envSpecificDetails", {})
    spelled = {
        "startCommand": "start_command",
        "dockerCommand": "start_command",
        "buildCommand": "build_command",
    }
    for name, field in spelled.items():
        if name in commands:
            fields[field] = commands[name]
    if hosted.spec.kind == "cron_job" and "healthCheckPath" in details:
        raise Wrong(400, "healthCheckPath is not supported for cron jobs")
    return fields


def _redeploy(call: Call, hosted: Hosted) -> None:
    """A changed plan moves the service to new instances, with the release that serves."""
    current = deploys.serving(hosted, call.now)
    if current and not hosted.spec.suspenders:
        deploys.create(
            call.world,
            hosted,
            call.now,
            "service_updated",
            commit=current.commit,
            image=current.image,
            builds=False,
        )


def delete_service(call: Call) -> Reply:
    """DELETE /services/{id}."""
    del call.world.services[call.hosted().spec.id]


def restart(call: Call) -> Reply:
    """POST /services/{id}/restart: new instances of the release that serves."""
    hosted = call.hosted()
    if hosted.spec.kind in ("cron_job", "static_site"):
        raise Wrong(400, "cannot restart this service type")
    if hosted.spec.suspenders:
        raise Wrong(400, "cannot restart a suspended service")
    hosted.restarts.append(call.now)
    call.world.happened(hosted.spec.id, call.now, "server_restarted", {"triggeredByUser": PERSON["id"]})
    return {}


def scale(call: Call) -> Reply:
    """POST /services/{id}/scale: 202 without a body, and without effect while autoscaling is on."""
    hosted = call.hosted()
    many = call.field("numInstances", int)
    if not 1 <= many <= 100:
        raise Wrong(400, "numInstances must be between 1 and 100")
    if hosted.spec.kind not in ("web_service", "private_service", "background_worker"):
        raise Wrong(400, "cannot scale this service type")
    if any(disk["serviceId"] == hosted.spec.id for disk in call.world.kind("disks").values()) and many > 1:
        raise Wrong(400, "services with a disk cannot have multiple instances")
    before = hosted.spec.num_instances
    if not (hosted.spec.autoscaling and hosted.spec.autoscaling.enabled):
        hosted.change(call.now, num_instances=many)
        details = {"fromInstances": before, "toInstances": many}
        call.world.happened(hosted.spec.id, call.now, "instance_count_changed", details)


def put_autoscaling(call: Call) -> Reply:
    """PUT /services/{id}/autoscaling."""
    hosted = call.hosted()
    criteria = call.field("criteria", dict)
    targets: dict[str, int | None] = {}
    for name in ("cpu", "memory"):
        wanted: Json = criteria.get(name) or {"enabled": False}
        targets[name] = int(wanted["percentage"]) if wanted.get("enabled") else None
    least, most = call.field("min", int), call.field("max", int)
    if not 1 <= least <= most:
        raise Wrong(400, "min must be at least 1 and at most max")
    scaling = Autoscaling(call.field("enabled", bool), least, most, targets["cpu"], targets["memory"])
    details: Json = {"toConfig": scaling_shape(scaling)}
    if hosted.spec.autoscaling:
        details["fromConfig"] = scaling_shape(hosted.spec.autoscaling)
    hosted.change(call.now, autoscaling=scaling)
    call.world.happened(hosted.spec.id, call.now, "autoscaling_config_changed", details)
    return scaling_shape(scaling)


def delete_autoscaling(call: Call) -> Reply:
    """DELETE /services/{id}/autoscaling: goes on with the configured number of instances."""
    call.hosted().change(call.now, autoscaling=None)


def suspend(call: Call) -> Reply:
    """POST /services/{id}/suspend: 202 without a body."""
    hosted = call.hosted()
    if "user" not in hosted.spec.suspenders:
        hosted.change(call.now, suspenders=(*hosted.spec.suspenders, "user"))
        who = {"actor": "user", "suspendedByUser": PERSON}
        call.world.happened(hosted.spec.id, call.now, "suspender_added", who)
        call.world.happened(hosted.spec.id, call.now, "service_suspended", {})


def resume(call: Call) -> Reply:
    """POST /services/{id}/resume: a deploy of the last release brings the service back."""
    hosted = call.hosted()
    if "user" not in hosted.spec.suspenders:
        return
    left = tuple(each for each in hosted.spec.suspenders if each != "user")
    hosted.change(call.now, suspenders=left)
    call.world.happened(
        hosted.spec.id, call.now, "suspender_removed", {"actor": "user", "resumedByUser": PERSON}
    )
    if not left:
        call.world.happened(hosted.spec.id, call.now, "service_resumed", {})
        last = deploys.serving(hosted, call.now)
        if last:
            deploys.create(
                call.world,
                hosted,
                call.now,
                "service_resumed",
                commit=last.commit,
                image=last.image,
                builds=False,
            )


def instances(call: Call) -> Reply:
    """GET /services/{id}/instances."""
    hosted = call.hosted()
    release = deploys.serving(hosted, call.now)
    since = (release and deploys.served(hosted, release)[0]) or call.now
    start = max([since, *hosted.restarts])
    ids = instance_ids(call.world, hosted.spec.id, call.now)
    return [{"id": key, "createdAt": stamp(start)} for key in ids]


def purge(call: Call) -> Reply:
    """POST /services/{id}/cache/purge."""
    call.hosted()


SERVICE: Final = "/services/{service}"
ROUTES: Final = [
    route("GET", "/services", list_services),
    route("GET", SERVICE, get_service),
    route("PATCH", SERVICE, patch_service),
    route("DELETE", SERVICE, delete_service, 204),
    route("POST", f"{SERVICE}/restart", restart),
    route("POST", f"{SERVICE}/scale", scale, 202),
    route("PUT", f"{SERVICE}/autoscaling", put_autoscaling),
    route("DELETE", f"{SERVICE}/autoscaling", delete_autoscaling, 204),
    route("POST", f"{SERVICE}/suspend", suspend, 202),
    route("POST", f"{SERVICE}/resume", resume, 202),
    route("GET", f"{SERVICE}/instances", instances),
    route("POST", f"{SERVICE}/cache/purge", purge, 202),
]
