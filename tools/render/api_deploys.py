"""Deploys, one-off jobs and runs of cron jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from tools.errors import InvalidInput
from tools.render.endpoints import Endpoints, Names
from tools.render.models import CronRun, Deploy, Job


class Deploys(Endpoints):
    """Deploys."""

    async def list_deploys(
        self,
        service: str,
        *,
        status: Names | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        most: int = 20,
    ) -> list[Deploy]:
        """The deploys of a service, newest first."""
        params = {"status": status, "createdAfter": created_after, "createdBefore": created_before}
        return await self._all(Deploy, "deploy", "/services/{}/deploys", service, params=params, most=most)

    async def get_deploy(self, service: str, deploy: str) -> Deploy:
        """One deploy."""
        return await self._one(Deploy, "GET", "/services/{}/deploys/{}", service, deploy)

    async def create_deploy(
        self,
        service: str,
        *,
        commit: str | None = None,
        image: str | None = None,
        clear_cache: bool = False,
        mode: Literal["build_and_deploy", "deploy_only"] | None = None,
    ) -> Deploy | None:
        """Start a deploy. None: queued behind another one, to be found with `list_deploys`.

        `deploy_only` deploys what was built last, with present settings, and takes none of the rest.
        """
        if commit and image:
            raise InvalidInput("A deploy has a commit or an image, not both.")
        if mode == "deploy_only" and (commit or image or clear_cache):
            raise InvalidInput("deploy_only takes no commit, no image and no cleared cache.")
        wanted = {
            "commitId": commit,
            "imageUrl": image,
            "clearCache": "clear" if clear_cache else None,
            "deployMode": mode,
        }
        wanted = {key: value for key, value in wanted.items() if value}
        return await self._perhaps(Deploy, "POST", "/services/{}/deploys", service, json=wanted)

    async def cancel_deploy(self, service: str, deploy: str) -> Deploy:
        """Stop a deploy that is under way; the release before goes on serving. Not for cron jobs."""
        return await self._one(Deploy, "POST", "/services/{}/deploys/{}/cancel", service, deploy)

    async def roll_back(self, service: str, deploy: str) -> Deploy:
        """Deploy what that deploy built. It does not turn off automatic deploys, nor undo a migration."""
        wanted = {"deployId": deploy}
        return await self._one(Deploy, "POST", "/services/{}/rollback", service, json=wanted)


class Jobs(Endpoints):
    """One-off jobs and cron jobs."""

    async def list_jobs(self, service: str, *, status: Names | None = None, most: int = 20) -> list[Job]:
        """The one-off jobs of a service, newest first."""
        params = {"status": status}
        return await self._all(Job, "job", "/services/{}/jobs", service, params=params, most=most)

    async def get_job(self, service: str, job: str) -> Job:
        """One job."""
        return await self._one(Job, "GET", "/services/{}/jobs/{}", service, job)

    async def create_job(self, service: str, command: str, *, plan: str | None = None) -> Job:
        """Run a command once, with the code and the variables of a service."""
        if not command.strip():
            raise InvalidInput("A job needs a command.")
        wanted = {"startCommand": command, **({"planId": plan} if plan else {})}
        return await self._one(Job, "POST", "/services/{}/jobs", service, json=wanted)

    async def cancel_job(self, service: str, job: str) -> Job:
        """Stop a running job."""
        return await self._one(Job, "POST", "/services/{}/jobs/{}/cancel", service, job)

    async def run_cron_job(self, service: str) -> CronRun:
        """Run a cron job now. A run under way is stopped by this."""
        return await self._one(CronRun, "POST", "/cron-jobs/{}/runs", service)

    async def cancel_cron_job_run(self, service: str) -> None:
        """Stop the run under way; not sent twice, as the second could stop the next run."""
        await self.http.call("DELETE", "/cron-jobs/{}/runs", service, repeatable=False)
