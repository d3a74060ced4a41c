"""Workspaces, projects, blueprints, maintenance and what surrounds the services."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from tools.errors import InvalidInput
from tools.http.transport import as_text
from tools.render.endpoints import Endpoints, Names
from tools.render.models_workspace import (
    AuditLog,
    Blueprint,
    BlueprintSync,
    BlueprintVerdict,
    Environment,
    LogStream,
    Maintenance,
    Member,
    NotificationSettings,
    Owner,
    Project,
    RegistryCredential,
    User,
    Webhook,
)

LARGEST_BLUEPRINT = 10_000_000


class Workspaces(Endpoints):
    """Who owns what, and how it is grouped."""

    async def get_user(self) -> User:
        """Whose key this is."""
        return await self._one(User, "GET", "/users")

    async def list_owners(self, *, name: Names | None = None) -> list[Owner]:
        """The workspaces that the key reaches."""
        return await self._all(Owner, "owner", "/owners", params={"name": name})

    async def get_owner(self, owner: str) -> Owner:
        """One workspace."""
        return await self._one(Owner, "GET", "/owners/{}", owner)

    async def list_members(self, owner: str) -> list[Member]:
        """The members of a workspace."""
        return await self._plain(Member, "/owners/{}/members", owner)

    async def list_audit_logs(
        self,
        owner: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        direction: Literal["forward", "backward"] | None = None,
        most: int = 100,
    ) -> list[AuditLog]:
        """The audit log of a workspace."""
        params = {"startTime": start, "endTime": end, "direction": direction}
        return await self._all(AuditLog, "auditLog", "/owners/{}/audit-logs", owner, params=params, most=most)

    async def list_projects(self, *, owner: Names | None = None) -> list[Project]:
        """The projects."""
        return await self._all(Project, "project", "/projects", params={"ownerId": owner})

    async def get_project(self, project: str) -> Project:
        """One project."""
        return await self._one(Project, "GET", "/projects/{}", project)

    async def list_environments(self, project: Names) -> list[Environment]:
        """The environments of one or several projects."""
        params = {"projectId": project}
        return await self._all(Environment, "environment", "/environments", params=params)

    async def get_environment(self, environment: str) -> Environment:
        """One environment."""
        return await self._one(Environment, "GET", "/environments/{}", environment)

    async def list_webhooks(self, *, owner: Names | None = None) -> list[Webhook]:
        """The webhooks."""
        return await self._all(Webhook, "webhook", "/webhooks", params={"ownerId": owner})

    async def get_notification_settings(self, owner: str) -> NotificationSettings:
        """Who is told of failures."""
        return await self._one(NotificationSettings, "GET", "/notification-settings/owners/{}", owner)

    async def get_log_stream(self, owner: str) -> LogStream:
        """Where the workspace's logs are sent. Raises NotFound when nowhere."""
        return await self._one(LogStream, "GET", "/logs/streams/owner/{}", owner)

    async def list_registry_credentials(self, *, owner: Names | None = None) -> list[RegistryCredential]:
        """The logins at image registries, without their tokens."""
        params = {"ownerId": owner}
        return await self._plain(RegistryCredential, "/registrycredentials", params=params)


class Blueprints(Endpoints):
    """Blueprints."""

    async def list_blueprints(self, *, owner: Names | None = None) -> list[Blueprint]:
        """The blueprints."""
        return await self._all(Blueprint, "blueprint", "/blueprints", params={"ownerId": owner})

    async def get_blueprint(self, blueprint: str) -> Blueprint:
        """One blueprint with the resources that it keeps."""
        return await self._one(Blueprint, "GET", "/blueprints/{}", blueprint)

    async def list_blueprint_syncs(self, blueprint: str, *, most: int = 20) -> list[BlueprintSync]:
        """Its latest runs."""
        return await self._all(BlueprintSync, "sync", "/blueprints/{}/syncs", blueprint, most=most)

    async def validate_blueprint(self, owner: str, text: str) -> BlueprintVerdict:
        """Render's judgement of a render.yaml; nothing is created."""
        content = text.encode()
        if len(content) > LARGEST_BLUEPRINT:
            raise InvalidInput("Render validates blueprints up to 10 MB.")
        reply = await self.http.call(
            "POST",
            "/blueprints/validate",
            data={"ownerId": owner},
            files={"file": ("render.yaml", content, "application/yaml")},
            repeatable=True,
        )
        return reply.parsed(BlueprintVerdict)


class Maintenances(Endpoints):
    """Maintenance of databases and Key Value instances."""

    async def list_maintenance(
        self, *, owner: Names | None = None, resource: Names | None = None, state: Names | None = None
    ) -> list[Maintenance]:
        """Maintenance runs, planned and past."""
        params = {"ownerId": owner, "resourceId": resource, "state": state}
        return await self._plain(Maintenance, "/maintenance", params=params)

    async def schedule_maintenance(self, maintenance: str, at: datetime) -> None:
        """Move a planned run, up to its `pending_maintenance_by`."""
        await self._done("PATCH", "/maintenance/{}", maintenance, json={"scheduledAt": as_text(at)})

    async def trigger_maintenance(self, maintenance: str) -> None:
        """Start a planned run now."""
        await self._done("POST", "/maintenance/{}/trigger", maintenance)
