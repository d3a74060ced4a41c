"""Services and deploys as Render's API gives them, with the nulls and the empty texts of the real one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tools.sandbox.platform import deploys
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.crons import runs
from tools.sandbox.platform.dice import hexadecimal
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.sizes import plan_id
from tools.sandbox.platform.world import Autoscaling, Deploy, Hosted, Service, World

if TYPE_CHECKING:
    from tools.sandbox.platform.platform import Platform

DASHBOARD: Final = {
    "web_service": "web",
    "private_service": "pserv",
    "background_worker": "worker",
    "cron_job": "cron",
    "static_site": "static",
}


def service_shape(platform: Platform, hosted: Hosted) -> Json:
    """A service; optional fields are absent where the real API leaves them out."""
    spec = hosted.spec
    shape: Json = {
        "autoDeploy": "yes" if spec.auto_deploy else "no",
        "autoDeployTrigger": "commit" if spec.auto_deploy else "off",
        "createdAt": stamp(spec.created_at),
        "dashboardUrl": f"https://dashboard.render.com/{DASHBOARD[spec.kind]}/{spec.id}",
        "id": spec.id,
        "name": spec.name,
        "notifyOnFail": spec.notify,
        "ownerId": next(iter(platform.world.kind("owners"))),
        "rootDir": spec.root_dir,
        "serviceDetails": _details(platform, hosted),
        "slug": spec.slug,
        "suspended": "suspended" if spec.suspenders else "not_suspended",
        "suspenders": list(spec.suspenders),
        "type": spec.kind,
        "updatedAt": stamp(spec.updated_at),
    }
    if spec.environment_id:
        shape["environmentId"] = spec.environment_id
    if spec.image:
        shape["imagePath"] = spec.image
    else:
        shape |= {"repo": spec.repo, "branch": spec.branch}
    if spec.build_filter:
        shape["buildFilter"] = {
            "paths": list(spec.build_filter[0]),
            "ignoredPaths": list(spec.build_filter[1]),
        }
    return shape


def scaling_shape(scaling: Autoscaling) -> Json:
    """The autoscaling of a service."""
    criteria = {
        "cpu": {"enabled": scaling.cpu is not None, "percentage": scaling.cpu or 0},
        "memory": {"enabled": scaling.memory is not None, "percentage": scaling.memory or 0},
    }
    return {"enabled": scaling.enabled, "min": scaling.min, "max": scaling.max, "criteria": criteria}


def deploy_shape(hosted: Hosted, deploy: Deploy, now: datetime) -> Json:
    """A deploy: an image deploy has a null commit, one that has not ended a null finishedAt."""
    finished = deploys.finished_at(deploy, now)
    started = deploy.phases[0].at if deploy.phases and deploy.phases[0].at <= now else None
    shape: Json = {"id": deploy.id, "commit": None}
    if deploy.commit:
        commit = deploy.commit
        shape["commit"] = {
            "id": commit.id,
            "message": commit.message,
            "createdAt": stamp(commit.created_at, 0),
        }
    if deploy.image:
        shape["image"] = {"ref": deploy.image, "sha": f"sha256:{hexadecimal(64, deploy.image)}"}
    return shape | {
        "status": deploys.status(hosted, deploy, now),
        "trigger": deploy.trigger,
        "createdAt": stamp(deploy.created_at),
        "updatedAt": stamp(deploys.changed_at(hosted, deploy, now)),
        "startedAt": stamp(started) if started else None,
        "finishedAt": stamp(finished) if finished else None,
    }


def disk_of(world: World, service_id: str) -> Json | None:
    """The disk of a service as it stands in the service's details."""
    for disk in world.kind("disks").values():
        if disk["serviceId"] == service_id:
            return {name: disk[name] for name in ("id", "name", "sizeGB", "mountPath")}
    return None


def _details(platform: Platform, hosted: Hosted) -> Json:
    spec = hosted.spec
    shown: Json = {"buildPlan": "starter", "previews": {"generation": spec.previews}}
    shown["pullRequestPreviewsEnabled"] = "no" if spec.previews == "off" else "yes"
    if spec.kind == "static_site":
        site = {"buildCommand": spec.build_command, "publishPath": spec.publish_path}
        return shown | site | {"url": platform.site(spec.slug), "renderSubdomainPolicy": "enabled"}
    shown |= {"env": spec.runtime, "runtime": spec.runtime, "plan": plan_id(spec.plan), "region": spec.region}
    shown["envSpecificDetails"] = _commands(spec)
    if spec.kind == "cron_job":
        del shown["previews"], shown["pullRequestPreviewsEnabled"]
        last = _last_success(platform, hosted)
        return shown | {"schedule": spec.schedule} | ({"lastSuccessfulRunAt": stamp(last)} if last else {})
    shown |= {"numInstances": spec.num_instances, "maxShutdownDelaySeconds": spec.shutdown_delay}
    shown["sshAddress"] = f"{spec.id}" + "@" + f"ssh.{spec.region}.render.com"
    if spec.autoscaling:
        shown["autoscaling"] = scaling_shape(spec.autoscaling)
    if disk := disk_of(platform.world, spec.id):
        shown["disk"] = disk
    if spec.kind == "background_worker":
        return shown
    shown["openPorts"] = [{"port": port, "protocol": "TCP"} for port in spec.ports]
    if spec.kind == "private_service":
        return shown | {"url": f"{spec.slug}:{spec.ports[0] if spec.ports else 10000}"}
    maintenance = {"enabled": spec.maintenance, "uri": spec.maintenance_uri}
    return shown | {
        "healthCheckPath": spec.health_check_path,
        "maintenanceMode": maintenance,
        "cache": {"profile": "no-cache"},
        "ipAllowList": [{"cidrBlock": "0.0.0.0/0", "description": "everywhere"}],
        "url": platform.site(spec.slug),
        "renderSubdomainPolicy": "enabled",
    }


def _last_success(platform: Platform, hosted: Hosted) -> datetime | None:
    now = platform.clock.now()
    good = [run.end for run in runs(platform.world, hosted, now - timedelta(days=2), now) if not run.reason]
    return max((at for at in good if at <= now), default=None)


def _commands(spec: Service) -> Json:
    if spec.runtime in ("image", "docker"):
        return {
            "dockerCommand": spec.start_command,
            "dockerContext": "",
            "dockerfilePath": "" if spec.runtime == "image" else "./Dockerfile",
            "preDeployCommand": spec.pre_deploy_command,
        }
    return {
        "buildCommand": spec.build_command,
        "startCommand": spec.start_command,
        "preDeployCommand": spec.pre_deploy_command,
    }
