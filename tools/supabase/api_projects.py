"""Projects, their health, advisors, backups, branches and migrations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, cast

from tools.errors import InvalidInput
from tools.supabase.endpoints import Endpoints
from tools.supabase.models import (
    HEALTH_SERVICES,
    ActionRun,
    Advice,
    Advices,
    Backups,
    Branch,
    Bucket,
    Migration,
    Organization,
    OrganizationMember,
    Project,
    RestorePoint,
    ServiceHealth,
)


class Projects(Endpoints):
    """Projects and who reaches them."""

    async def list_projects(self) -> list[Project]:
        """The projects that the token reaches."""
        return await self._list(Project, "/projects")

    async def get_project(self, project: str | None = None) -> Project:
        """One project."""
        return await self._one(Project, "GET", "/projects/{}", self._ref(project))

    async def list_organizations(self) -> list[Organization]:
        """The organizations that the token reaches."""
        return await self._list(Organization, "/organizations")

    async def list_members(self, organization: str) -> list[OrganizationMember]:
        """The members of an organization, named by its slug."""
        return await self._list(OrganizationMember, "/organizations/{}/members", organization)

    async def get_health(
        self, services: Sequence[str] = HEALTH_SERVICES, *, project: str | None = None
    ) -> list[ServiceHealth]:
        """The health of the project's services."""
        if not services:
            raise InvalidInput("Name at least one service.")
        params = {"services": list(services)}
        return await self._list(ServiceHealth, "/projects/{}/health", self._ref(project), params=params)

    async def list_advice(
        self, kind: Literal["security", "performance"], *, project: str | None = None
    ) -> list[Advice]:
        """What Supabase's own advisor finds."""
        found = await self._one(Advices, "GET", "/projects/{}/advisors/{}", self._ref(project), kind)
        return list(found.lints)


class Databases(Endpoints):
    """Backups, branches, migrations, queries and buckets."""

    async def list_backups(self, project: str | None = None) -> Backups:
        """The backups, and the span that point-in-time recovery covers."""
        return await self._one(Backups, "GET", "/projects/{}/database/backups", self._ref(project))

    async def restore_to_time(self, to: datetime, *, project: str | None = None) -> None:
        """Set the database back to a time: what came after is lost, and the project is down meanwhile."""
        if to.tzinfo is None:
            raise InvalidInput("A time needs its zone, for example 2030-12-31T08:00:00Z.")
        path, wanted = "/projects/{}/database/backups/restore-pitr", int(to.timestamp())
        await self._done("POST", path, self._ref(project), json={"recovery_time_target_unix": wanted})

    async def get_restore_point(self, name: str | None = None, *, project: str | None = None) -> RestorePoint:
        """A named restore point, or the latest."""
        path, params = "/projects/{}/database/backups/restore-point", {"name": name}
        return await self._one(RestorePoint, "GET", path, self._ref(project), params=params)

    async def create_restore_point(self, name: str, *, project: str | None = None) -> RestorePoint:
        """Name the present as a point to come back to."""
        path = "/projects/{}/database/backups/restore-point"
        if not 1 <= len(name) <= 20:
            raise InvalidInput("A restore point's name has 1 to 20 characters.")
        return await self._one(RestorePoint, "POST", path, self._ref(project), json={"name": name})

    async def list_branches(self, project: str | None = None) -> list[Branch]:
        """The database branches."""
        return await self._list(Branch, "/projects/{}/branches", self._ref(project))

    async def list_action_runs(self, *, most: int = 20, project: str | None = None) -> list[ActionRun]:
        """The latest workflow runs of branches."""
        params = {"limit": most}
        return await self._list(ActionRun, "/projects/{}/actions", self._ref(project), params=params)

    async def get_action_log(self, run: str, *, project: str | None = None) -> str:
        """The log of one workflow run: it is in no other log."""
        path = "/v1/projects/{}/actions/{}/logs"
        reply = await self.http.call("GET", path, self._ref(project), run, accept="*/*")
        return reply.content.decode("utf-8", errors="replace")

    async def list_migrations(self, project: str | None = None) -> list[Migration]:
        """The migrations that were applied, oldest first."""
        return await self._list(Migration, "/projects/{}/database/migrations", self._ref(project))

    async def read_rows(
        self, sql: str, parameters: Sequence[Any] = (), *, project: str | None = None
    ) -> list[dict[str, Any]]:
        """Rows of a query, run as `supabase_read_only_user`, which reads past row level security.

        Rows may be patients' values, of columns unknown here: only for catalogs. Use the database
        connection for tables, where values are masked.
        """
        wanted = {"query": sql, **({"parameters": list(parameters)} if parameters else {})}
        path = "/v1/projects/{}/database/query/read-only"
        reply = await self.http.call("POST", path, self._ref(project), json=wanted, repeatable=True)
        return [cast("dict[str, Any]", row) for row in reply.items()]

    async def list_buckets(self, project: str | None = None) -> list[Bucket]:
        """The storage buckets."""
        return await self._list(Bucket, "/projects/{}/storage/buckets", self._ref(project))
