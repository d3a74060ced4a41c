"""What Guardian's workspace has besides services."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.world import Profile, World

PEOPLE: Final = (
    ("Amara Osei", "ADMIN", True),
    ("Jonas Weber", "DEVELOPER", True),
    ("Lena Fournier", "DEVELOPER", False),
)


AUDITED: Final = (
    ("LoginEvent", 0.2),
    ("ViewEnvVarValuesEvent", 3.1),
    ("LoginEvent", 5.0),
    ("JoinTeamEvent", 11.4),
)


def add_resources(world: World, owner_id: str, now: datetime) -> None:
    """The owner, its members, project and environment, datastores, disk, environment group and blueprint."""
    born = stamp(now - timedelta(days=230))
    owner: Json = {
        "id": owner_id,
        "name": "Guardian",
        "email": _address("ops"),
        "type": "team",
        "twoFactorAuthEnabled": True,
    }
    world.kind("owners")[owner_id] = owner
    for index, (name, role, safe) in enumerate(PEOPLE):
        key = f"usr-d1person{index}"
        world.kind("members")[key] = {
            "userId": key,
            "name": name,
            "email": _address(name.split()[0].lower()),
            "status": "active",
            "role": role,
            "mfaEnabled": safe,
        }
    for index, (event, days) in enumerate(AUDITED):
        person = world.kind("members")[f"usr-d1person{index % 2}"]
        key = world.new_id("aud")
        world.kind("audit")[key] = {
            "id": key,
            "timestamp": stamp(now - timedelta(days=days)),
            "event": event,
            "status": "success",
            "actor": {"type": "user", "email": person["email"], "id": person["userId"]},
            "metadata": {},
        }
    project, environment = world.new_id("prj"), world.new_id("evm")
    world.kind("projects")[project] = {
        "id": project,
        "name": "guardian",
        "createdAt": born,
        "updatedAt": born,
        "owner": owner,
        "environmentIds": [environment],
    }
    database, cache = f"{world.new_id('dpg')}-a", world.new_id("red")
    group = world.new_id("evg")
    world.kind("environments")[environment] = {
        "id": environment,
        "name": "production",
        "projectId": project,
        "databasesIds": [database],
        "redisIds": [cache],
        "serviceIds": [],
        "envGroupIds": [group],
        "protectedStatus": "protected",
        "networkIsolationEnabled": False,
    }
    world.kind("postgres")[database] = _postgres(database, environment, owner, born)
    world.profiles[database] = Profile(
        per_minute=900,
        cpu_per_request=0.0002,
        memory_mb=610,
        connections=34,
        disk_used_mb=7300,
        lines=(
            "LOG:  checkpoint complete: wrote {n} buffers",
            'LOG:  automatic vacuum of table "jobs.public.job"',
        ),
        lines_per_minute=0.4,
    )
    world.kind("key-value")[cache] = _key_value(cache, environment, owner, born)
    world.profiles[cache] = Profile(per_minute=2400, cpu_per_request=0.00002, memory_mb=96, connections=22)
    disk = world.new_id("dsk")
    world.kind("disks")[disk] = {
        "id": disk,
        "name": "ocr-models",
        "sizeGB": 10,
        "mountPath": "/var/models",
        "serviceId": "",
        "createdAt": born,
        "updatedAt": born,
    }
    world.kind("env-groups")[group] = {
        "id": group,
        "name": "guardian-shared",
        "ownerId": owner_id,
        "environmentId": environment,
        "createdAt": born,
        "updatedAt": born,
        "envVars": {
            "LOG_LEVEL": "info",
            "QUEUE_URL": f"redis://{cache}:6379",
            "SENTRY_ENVIRONMENT": "production",
        },
        "secretFiles": {},
        "links": [],
    }
    blueprint = world.new_id("exs")
    world.kind("blueprints")[blueprint] = {
        "id": blueprint,
        "name": "guardian",
        "status": "in_sync",
        "autoSync": True,
        "repo": "https://github.com/guardian-health/guardian",
        "branch": "main",
        "path": "render.yaml",
        "lastSync": stamp(now - timedelta(days=6)),
        "resources": [{"id": group, "name": "guardian-shared", "type": "environment_group"}],
    }


def _postgres(key: str, environment: str, owner: Json, born: str) -> Json:
    return {
        "id": key,
        "name": "guardian-jobs",
        "databaseName": "jobs",
        "databaseUser": "jobs",
        "plan": "0.5c-1g",
        "status": "available",
        "role": "primary",
        "region": "virginia",
        "version": "17",
        "diskSizeGB": 15,
        "diskAutoscalingEnabled": True,
        "highAvailabilityEnabled": False,
        "ipAllowList": None,
        "readReplicas": [],
        "environmentId": environment,
        "owner": owner,
        "dashboardUrl": f"https://dashboard.render.com/d/{key}",
        "suspended": "not_suspended",
        "suspenders": [],
        "createdAt": born,
        "updatedAt": born,
    }


def _key_value(key: str, environment: str, owner: Json, born: str) -> Json:
    return {
        "id": key,
        "name": "guardian-queue",
        "dashboardUrl": f"https://dashboard.render.com/r/{key}",
        "plan": "256mb",
        "status": "available",
        "region": "virginia",
        "version": "8.1.4",
        "ipAllowList": None,
        "options": {"maxmemoryPolicy": "noeviction", "persistenceMode": "journal_snapshot"},
        "environmentId": environment,
        "owner": owner,
        "createdAt": born,
        "updatedAt": born,
    }


def _address(name: str) -> str:
    return name + "@" + "guardian.example"
