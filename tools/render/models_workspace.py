"""Workspaces, projects, blueprints, maintenance and settings around services, as Render answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.http.secret import Secret
from tools.http.wire import Moment, Wire
from tools.render.models import AllowedRange, Named


class User(Wire):
    """Whose key it is."""

    name: str = ""
    email: str = ""


class Owner(Wire):
    """A workspace (Render calls it owner in its API)."""

    id: str
    name: str = ""
    type: str = ""
    email: str = ""
    ip_allow_list: tuple[AllowedRange, ...] = ()
    two_factor_auth_enabled: bool | None = None


class Member(Wire):
    """A member of a workspace."""

    user_id: str = ""
    name: str = ""
    email: str = ""
    status: str = ""
    role: str = ""
    mfa_enabled: bool | None = None


class AuditLog(Wire):
    """One entry of a workspace's audit log."""

    id: str = ""
    timestamp: Moment = None
    event: str = ""
    status: str = ""
    actor: Mapping[str, Any] = {}
    metadata: Mapping[str, Any] = {}


class Project(Wire):
    """A project."""

    id: str
    name: str = ""
    owner: Named | None = None
    environment_ids: tuple[str, ...] = ()
    created_at: Moment = None
    updated_at: Moment = None


class Environment(Wire):
    """An environment of a project, and what is in it."""

    id: str
    name: str = ""
    project_id: str = ""
    service_ids: tuple[str, ...] = ()
    databases_ids: tuple[str, ...] = ()
    redis_ids: tuple[str, ...] = ()
    env_group_ids: tuple[str, ...] = ()
    protected_status: str = ""
    network_isolation_enabled: bool | None = None
    ip_allow_list: tuple[AllowedRange, ...] | None = None


class Blueprint(Wire):
    """A blueprint: a render.yaml that Render keeps services in step with."""

    id: str
    name: str = ""
    status: str = ""
    auto_sync: bool = False
    repo: str = ""
    branch: str = ""
    path: str = ""
    last_sync: Moment = None
    resources: tuple[Named, ...] = ()


class BlueprintSync(Wire):
    """One run of a blueprint."""

    id: str
    state: str = ""
    commit: Mapping[str, Any] = {}
    started_at: Moment = None
    completed_at: Moment = None


class BlueprintFault(Wire):
    """Something wrong in a render.yaml."""

    error: str = ""
    path: str = ""
    line: int | None = None
    column: int | None = None


class BlueprintPlan(Wire):
    """What a render.yaml would create or change, by name."""

    services: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    key_value: tuple[str, ...] = ()
    env_groups: tuple[str, ...] = ()
    total_actions: int | None = None


class BlueprintVerdict(Wire):
    """Render's own judgement of a render.yaml."""

    valid: bool
    errors: tuple[BlueprintFault, ...] = ()
    plan: BlueprintPlan | None = None


class Maintenance(Wire):
    """A maintenance run of a database or Key Value instance."""

    id: str
    type: str = ""
    state: str = ""
    resource_id: str = ""
    scheduled_at: Moment = None
    pending_maintenance_by: Moment = None


class Webhook(Wire):
    """A webhook."""

    id: str
    name: str = ""
    url: str = ""
    enabled: bool = False
    event_filter: tuple[str, ...] = ()
    secret: Secret = Secret("")


class NotificationSettings(Wire):
    """Who is told of failures."""

    owner_id: str = ""
    slack_enabled: bool | None = None
    email_enabled: bool | None = None
    preview_notifications_enabled: bool | None = None
    notifications_to_send: str = ""


class LogStream(Wire):
    """Where a workspace sends its logs."""

    owner_id: str = ""
    endpoint: str = ""
    preview: str = ""


class RegistryCredential(Wire):
    """A login at an image registry; Render never answers its token."""

    id: str
    name: str = ""
    registry: str = ""
    username: str = ""
