"""The simulated platform as the deploy tools see it: no real waiting, and a repository if wanted."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from memory import Bank, Banks, Entry
from tools.http.secret import Secret
from tools.redaction import Redactor
from tools.registry import Permit, Result, Tool, digest
from tools.render.client import RenderClient
from tools.render.deploy_service import deploy_service
from tools.render.deploying.outcome import Deployed, RolledBack
from tools.render.rollback_service import rollback_service
from tools.resources import Resources
from tools.sandbox.platform import RENDER_ADMIN, Behaviour, Platform, guardian, push
from tools.sandbox.platform.deploys import serving, status
from tools.sandbox.platform.world import Commit, Hosted
from tools.workspace.jail import Workspace

WEB, WORKER = "guardian-web", "guardian-document-worker"


@dataclass
class World:
    """One platform, one folder for state and memory, and what was told while tools ran."""

    folder: Path
    platform: Platform = field(default_factory=guardian)
    told: list[str] = field(default_factory=list[str])
    workspace: Workspace | None = None

    def resources(self, **changes: Any) -> Resources:
        """Resources as a process would have them; each call is a process anew."""
        clock = self.platform.clock
        render = RenderClient(
            Secret(RENDER_ADMIN.text),
            transport=self.platform.transport(),
            pause=clock.sleep,
            clock=lambda: clock.now().timestamp(),
            progress=self.told.append,
        )
        made = Resources(
            render_or_none=render,
            bank_or_none=Banks(Bank(self.folder / "bank", refuse=Redactor(strict=True).objection)),
            workspace_or_none=self.workspace,
            state_dir=self.folder / "state",
            get_status=self.get_status,
            pause=clock.sleep,
            now=clock.now,
            progress=self.told.append,
        )
        return replace(made, **changes)

    async def get_status(self, url: str) -> int:
        """The site as the internet sees it."""
        async with httpx.AsyncClient(transport=self.platform.transport()) as client:
            try:
                return (await client.get(url)).status_code
            except httpx.HTTPError:
                return 0

    def hosted(self, name: str) -> Hosted:
        """A service of the platform."""
        return self.platform.world.named(name)

    def by_hand(self, name: str) -> None:
        """Turn autodeploy off, so that a push alone deploys nothing."""
        self.hosted(name).change(self.platform.clock.now(), auto_deploy=False)

    def push(self, name: str, behaviour: Behaviour | None = None) -> Commit:
        """A commit that waits to be deployed."""
        on = self.hosted(name).spec.auto_deploy
        self.by_hand(name)
        made = push(self.platform, name, "Something new", behaviour)
        self.hosted(name).change(self.platform.clock.now(), auto_deploy=on)
        return made

    async def deploy(self, name: str, *, resources: Resources | None = None, **arguments: Any) -> Deployed:
        """deploy_service, as the gate runs it after a yes."""
        answer = await run(deploy_service, {"service": name, **arguments}, resources or self.resources())
        assert isinstance(answer, Deployed)
        return answer

    async def roll_back(
        self, name: str, *, resources: Resources | None = None, **arguments: Any
    ) -> RolledBack:
        """rollback_service, as the gate runs it after a yes."""
        answer = await run(rollback_service, {"service": name, **arguments}, resources or self.resources())
        assert isinstance(answer, RolledBack)
        return answer

    def asked(self, method: str, path: str) -> int:
        """How many requests of this method had this in their path."""
        return sum(each.method == method and path in each.path for each in self.platform.requests)

    def changes(self) -> list[str]:
        """Every request that was not a read, in order."""
        return [
            f"{each.method} {each.path}"
            for each in self.platform.requests
            if each.method != "GET" and each.api == "render"
        ]

    def statuses(self, name: str) -> list[str]:
        """The triggers and statuses of the deploys, newest first."""
        hosted, now = self.hosted(name), self.platform.clock.now()
        ordered = sorted(hosted.deploys, key=lambda each: each.created_at, reverse=True)
        return [f"{each.trigger} {status(hosted, each, now)}" for each in ordered]

    def serving(self, name: str) -> str:
        """The commit or image that serves."""
        deploy = serving(self.hosted(name), self.platform.clock.now())
        return "" if deploy is None else deploy.commit.id if deploy.commit else deploy.image or ""

    def remembered(self) -> list[Entry]:
        """What the memory bank holds."""
        return list(Bank(self.folder / "bank").entries())


class Killed(BaseException):
    """Our own end, in the middle of whatever was waited for."""


def ends_at(world: World, seconds: float) -> Resources:
    """Resources whose process ends so many simulated seconds from now."""
    begun = world.platform.clock.now()

    async def pause(wait: float) -> None:
        await world.platform.clock.sleep(wait)
        if (world.platform.clock.now() - begun).total_seconds() >= seconds:
            raise Killed

    return world.resources(pause=pause)


async def run(tool: Tool, arguments: dict[str, Any], resources: Resources) -> Result:
    """Preview, then the body with a permit, as the gate does."""
    params = tool.parse(arguments)
    assert tool.preview is not None
    await tool.preview(params, resources)
    return await tool.run(params, resources, Permit(tool.name, digest(tool.name, params)))


@dataclass
class Checkout:
    """A workspace that is a clone of a service's repository, and the remote behind it."""

    world: World
    service: str
    root: Path
    remote: Path

    @classmethod
    def of(cls, world: World, service: str) -> Checkout:
        """A repository with one commit, which the service serves."""
        remote, root = world.folder / "remote.git", world.folder / "checkout"
        git(world.folder, "init", "-q", "--bare", "-b", "main", str(remote))
        git(world.folder, "clone", "-q", str(remote), str(root))
        git(root, "checkout", "-q", "-b", "main")
        made = cls(world, service, root, remote)
        hosted = world.hosted(service)
        hosted.change(world.platform.clock.now(), repo=str(remote), auto_deploy=False, build_filter=None)
        world.workspace = Workspace(root.resolve(), {"PATH": "/usr/bin:/bin", "HOME": str(world.folder)})
        first = made.commit("First", {"src/main.ts": "export const answer = 42\n"})
        hosted.commits.clear()
        now = world.platform.clock.now()
        old = Commit(first, "First", now)
        hosted.commits.append(old)
        hosted.deploys[-1] = replace(hosted.deploys[-1], commit=old)
        return made

    def commit(self, message: str, files: dict[str, str], behaviour: Behaviour | None = None) -> str:
        """Commit, push, and let the platform know the commit."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", message)
        git(self.root, "push", "-q", "origin", "main")
        sha = git(self.root, "rev-parse", "HEAD").strip()
        self.world.hosted(self.service).commits.append(Commit(sha, message, self.world.platform.clock.now()))
        if behaviour:
            self.world.platform.world.behaviours[sha] = behaviour
        return sha


def git(folder: Path, *words: str) -> str:
    """One git command."""
    who = (
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test" + "@" + "example.org",
        "-c",
        "commit.gpgsign=false",
    )
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )  # fmt: skip
    return done.stdout
