"""The field reference of render.yaml: which fields each kind of object has, and what they may hold.

Written from Render's Blueprint YAML Reference (render.com/docs/blueprint-spec, read in November 2026).
Values that Render adds without notice (plans, regions, runtimes) are open: an unknown one is doubtful, not
wrong. `STRICT` values decide what a field means: an unknown one is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Type = Literal["text", "whole", "flag", "object", "list", "texts", "any"]


@dataclass(frozen=True, slots=True)
class Field:
    """What one field holds. `below` names the object of `object` and of the items of `list`."""

    type: Type
    below: str = ""
    values: tuple[str, ...] = ()
    strict: bool = False
    least: int | None = None
    most: int | None = None
    instead: str = ""
    """What Render's reference says to write today, where the field is deprecated."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: its fields, and which of them it must have."""

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()


TEXT: Final = Field("text")
WHOLE: Final = Field("whole", least=0)
FLAG: Final = Field("flag")
TEXTS: Final = Field("texts")
REGIONS: Final = ("oregon", "ohio", "virginia", "frankfurt", "singapore")
_REGION: Final = Field("text", values=REGIONS)
_GENERATION: Final = Field("text", values=("off", "manual", "automatic"), strict=True)
_TOGGLE: Final = Field("text", values=("enabled", "disabled"), strict=True)
_RANGES: Final = Field("list", "range")
_ENV_VARS: Final = Field("list", "env_var")
_TRIGGER: Final = Field("text", values=("commit", "checksPass", "off"), strict=True)
RUNTIMES: Final = ("node", "python", "elixir", "go", "ruby", "rust", "docker", "image", "static")
_RUNTIME: Final = Field("text", values=RUNTIMES)

_COMMON: Final[dict[str, Field]] = {
    "type": Field(
        "text", values=("web", "pserv", "worker", "cron", "keyvalue", "redis", "workflow"), strict=True
    ),
    "name": TEXT,
    "region": _REGION,
    "plan": TEXT,
    "previewPlan": TEXT,
    "envVars": _ENV_VARS,
}
_BUILT: Final[dict[str, Field]] = {
    **_COMMON,
    "runtime": _RUNTIME,
    "env": Field("text", values=RUNTIMES, instead="runtime"),
    "repo": TEXT,
    "branch": TEXT,
    "rootDir": TEXT,
    "buildCommand": TEXT,
    "startCommand": TEXT,
    "preDeployCommand": TEXT,
    "initialDeployHook": TEXT,
    "buildFilter": Field("object", "build_filter"),
    "autoDeploy": Field("flag", instead="autoDeployTrigger"),
    "autoDeployTrigger": _TRIGGER,
    "dockerCommand": TEXT,
    "dockerContext": TEXT,
    "dockerfilePath": TEXT,
    "registryCredential": Field("object", "registry_credential"),
    "image": Field("object", "image"),
    "previews": Field("object", "service_previews"),
    "pullRequestPreviewsEnabled": Field("flag", instead="previews.generation: automatic"),
}
_RUNNING: Final[dict[str, Field]] = {
    **_BUILT,
    "numInstances": Field("whole", least=0, most=100),
    "scaling": Field("object", "scaling"),
    "disk": Field("object", "disk"),
    "maxShutdownDelaySeconds": Field("whole", least=1, most=300),
}
_SITE: Final[dict[str, Field]] = {
    "domains": TEXTS,
    "domain": Field("text", instead="domains"),
    "ipAllowList": _RANGES,
    "renderSubdomainPolicy": _TOGGLE,
}
_RESOURCES: Final[dict[str, Field]] = {
    "services": Field("list", "service"),
    "databases": Field("list", "database"),
    "envVarGroups": Field("list", "env_group"),
}
_NEEDS_TYPE: Final = ("type", "name")

KINDS: Final[Mapping[str, Kind]] = {
    "root": Kind({
        **_RESOURCES,
        "version": TEXT,
        "projects": Field("list", "project"),
        "ungrouped": Field("object", "ungrouped"),
        "previews": Field("object", "root_previews"),
        "previewsEnabled": Field("flag", instead="previews.generation: automatic"),
        "previewsExpireAfterDays": Field("whole", least=1, instead="previews.expireAfterDays"),
    }),
    "ungrouped": Kind(_RESOURCES),
    "project": Kind(
        {"name": TEXT, "environments": Field("list", "environment"),
         "envVarGroups": Field("list", "env_group")},
        ("name", "environments"),
    ),
    "environment": Kind(
        {**_RESOURCES, "name": TEXT, "networking": Field("object", "networking"),
         "permissions": Field("object", "permissions"), "ipAllowList": _RANGES},
        ("name",),
    ),
    "networking": Kind({"isolation": _TOGGLE}),
    "permissions": Kind({"protection": _TOGGLE}),
    "root_previews": Kind({"generation": _GENERATION, "expireAfterDays": Field("whole", least=1)}),
    "service_previews": Kind(
        {"generation": _GENERATION, "numInstances": Field("whole", least=0, most=100), "plan": TEXT}
    ),
    "web": Kind(
        {**_RUNNING, **_SITE, "healthCheckPath": TEXT, "maintenanceMode": Field("object", "maintenance")},
        (*_NEEDS_TYPE, "runtime"),
    ),
    "static": Kind(
        {**_BUILT, **_SITE, "staticPublishPath": TEXT, "headers": Field("list", "header"),
         "routes": Field("list", "route")},
        (*_NEEDS_TYPE, "staticPublishPath"),
    ),
    "pserv": Kind(_RUNNING, (*_NEEDS_TYPE, "runtime")),
    "worker": Kind(_RUNNING, (*_NEEDS_TYPE, "runtime")),
    "workflow": Kind(_RUNNING, (*_NEEDS_TYPE, "runtime", "startCommand")),
    "cron": Kind({**_BUILT, "schedule": TEXT}, (*_NEEDS_TYPE, "runtime", "schedule")),
    "keyvalue": Kind(
        {
            **{name: spec for name, spec in _COMMON.items() if name != "envVars"},
            "ipAllowList": _RANGES,
            "maxmemoryPolicy": Field("text", values=(
                "allkeys-lru", "volatile-lru", "allkeys-random", "volatile-random", "volatile-ttl",
                "noeviction", "allkeys-lfu", "volatile-lfu",
            )),
            "persistenceMode": TEXT,
        },
        (*_NEEDS_TYPE, "ipAllowList"),
    ),
    "database": Kind(
        {
            "name": TEXT, "plan": TEXT, "previewPlan": TEXT, "region": _REGION, "user": TEXT,
            "databaseName": TEXT, "postgresMajorVersion": TEXT, "ipAllowList": _RANGES,
            "diskSizeGB": Field("whole", least=1), "previewDiskSizeGB": Field("whole", least=1),
            "storageAutoscalingEnabled": FLAG, "connectionPool": Field("any"),
            "highAvailability": Field("object", "high_availability"),
            "readReplicas": Field("list", "replica"),
        },
        ("name",),
    ),
    "high_availability": Kind({"enabled": FLAG}, ("enabled",)),
    "replica": Kind({"name": TEXT}, ("name",)),
    "env_group": Kind({"name": TEXT, "envVars": Field("list", "env_var")}, ("name",)),
    "env_var": Kind({
        "key": TEXT, "value": TEXT, "previewValue": TEXT, "generateValue": FLAG, "sync": FLAG,
        "fromDatabase": Field("object", "from_database"), "fromService": Field("object", "from_service"),
        "fromGroup": TEXT,
    }),
    "from_database": Kind(
        {"name": TEXT, "property": Field("text", values=(
            "host", "port", "user", "password", "database", "connectionString", "connectionPoolString",
        ))},
        ("name", "property"),
    ),
    "from_service": Kind(
        {"name": TEXT, "type": _COMMON["type"], "envVarKey": TEXT, "property": Field("text", values=(
            "host", "port", "hostport", "connectionString",
        ))},
        ("name", "type"),
    ),
    "build_filter": Kind({"paths": TEXTS, "ignoredPaths": TEXTS}),
    "scaling": Kind(
        {
            "minInstances": Field("whole", least=1, most=100),
            "maxInstances": Field("whole", least=1, most=100),
            "targetMemoryPercent": Field("whole", least=1, most=90),
            "targetCPUPercent": Field("whole", least=1, most=90),
        },
        ("minInstances", "maxInstances"),
    ),
    "disk": Kind({"name": TEXT, "mountPath": TEXT, "sizeGB": Field("whole", least=1)}, ("name", "mountPath")),
    "range": Kind({"source": TEXT, "description": TEXT}, ("source",)),
    "image": Kind({"url": TEXT, "creds": Field("object", "registry_credential")}, ("url",)),
    "registry_credential": Kind(
        {"fromRegistryCreds": Field("object", "registry_name")}, ("fromRegistryCreds",)
    ),
    "registry_name": Kind({"name": TEXT}, ("name",)),
    "header": Kind({"path": TEXT, "name": TEXT, "value": TEXT}, ("path", "name", "value")),
    "route": Kind(
        {"type": Field("text", values=("redirect", "rewrite"), strict=True), "source": TEXT,
         "destination": TEXT},
        ("type", "source", "destination"),
    ),
    "maintenance": Kind({"enabled": FLAG, "uri": TEXT}),
}  # fmt: skip
