"""What an incident is made of, and the words in which its file tells it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.sandbox.platform import deploys
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.dice import chance
from tools.sandbox.platform.effects import Active, Behaviour, Effect, Level, Line
from tools.sandbox.platform.guardian_platform import commit
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.noise import distract
from tools.sandbox.platform.platform import Platform
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.supabase_state import SupabaseProject, Trouble
from tools.sandbox.platform.world import Deploy, Hosted

WEB = "guardian-web"
WORKER = "guardian-document-worker"
OCR = "guardian-ocr"
REMINDERS = "guardian-reminders"
SWEEP = "guardian-retention-sweep"


@dataclass(frozen=True, slots=True)
class Incident:
    """A seeded incident: `plant` brings its symptoms, and distractions, into a platform."""

    name: str
    cause: Cause
    service: str
    """The service that people would ask about."""
    story: Callable[[Scene], None]

    def plant(self, platform: Platform, seed: int = 1) -> None:
        """Let it have happened, up to the present time of the platform's clock."""
        scene = Scene(platform, chance("incident", self.name, seed))
        distract(platform, scene.dice, self.service)
        self.story(scene)
        deploys.settle(platform.world, platform.clock.now())


class Scene:
    """The platform as a story changes it; times are minutes before now."""

    def __init__(self, platform: Platform, dice: random.Random) -> None:
        self.platform = platform
        self.dice = dice
        self.now = platform.clock.now()
        self.world = platform.world

    @property
    def project(self) -> SupabaseProject:
        """The Supabase project, which every story may count on."""
        assert self.platform.project is not None
        return self.platform.project

    def hosted(self, name: str) -> Hosted:
        """A service."""
        return self.world.named(name)

    def ago(self, minutes: float) -> datetime:
        """So many minutes before now."""
        return self.now - timedelta(minutes=minutes)

    def some(self, low: int, high: int) -> int:
        """A number that the seed decides."""
        return self.dice.randint(low, high)

    def lasting(self, name: str, effect: Effect, minutes: float, until: float | None = None) -> None:
        """An effect on a service since so many minutes ago."""
        end = self.ago(until) if until is not None else None
        self.world.effects.append(Active(self.hosted(name).spec.id, effect, self.ago(minutes), end))

    def release(
        self, name: str, message: str, behaviour: Behaviour, minutes: float, **more: object
    ) -> Deploy:
        """A commit pushed and deployed so many minutes ago."""
        hosted = self.hosted(name)
        at = self.ago(minutes)
        if hosted.spec.image:
            image = f"{hosted.spec.image.partition(':')[0]}:{message}"
            self.world.behaviours[image] = behaviour
            return deploys.create(self.world, hosted, at, "manual", image=image)
        made = commit(self.world.seed, hosted.spec, message, at - timedelta(minutes=2))
        hosted.commits.append(made)
        hosted.commits.sort(key=lambda each: each.created_at)
        self.world.behaviours[made.id] = behaviour
        trigger = str(more.get("trigger", "new_commit" if hosted.spec.auto_deploy else "manual"))
        return deploys.create(self.world, hosted, at, trigger, commit=made)

    def redeploy(self, name: str, trigger: str, minutes: float) -> Deploy:
        """A deploy of the release that served, as after a changed configuration."""
        hosted = self.hosted(name)
        at = self.ago(minutes)
        last = deploys.serving(hosted, at)
        made = last.commit if last else None
        image = last.image if last else None
        return deploys.create(self.world, hosted, at, trigger, commit=made, image=image, builds=False)

    def note(self, name: str, kind: str, details: Json, minutes: float) -> None:
        """An event of a service."""
        self.world.happened(self.hosted(name).spec.id, self.ago(minutes), kind, details)

    def wrote(self, name: str, minutes: float, text: str, level: Level = "info") -> None:
        """One line in the log of a service."""
        self.world.wrote(self.hosted(name).spec.id, self.ago(minutes), text, level=level)

    def audit(self, event: str, metadata: Json, minutes: float) -> None:
        """An entry in the audit log of the workspace."""
        person = next(iter(self.world.kind("members").values()))
        key = self.world.new_id("aud")
        actor = {"type": "user", "email": person["email"], "id": person["userId"]}
        self.world.kind("audit")[key] = {
            "id": key,
            "timestamp": stamp(self.ago(minutes)),
            "event": event,
            "status": "success",
            "actor": actor,
            "metadata": metadata,
        }

    def trouble(
        self,
        source: str,
        text: str,
        per_minute: float,
        minutes: float,
        level: Level = "error",
        **attributes: str,
    ) -> None:
        """Rows in Supabase's logs since so many minutes ago; __ in a name stands for a dot."""
        pairs = tuple((name.replace("__", "."), value) for name, value in attributes.items())
        line = Line(text, per_minute, level)
        self.project.troubles.append(Trouble(source, line, self.ago(minutes), attributes=pairs))
