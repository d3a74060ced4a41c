"""What an incident of the second company is: a story told in a scene, with its right cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tools.sandbox.platform import Platform, deploys
from tools.sandbox.platform.dice import chance
from tools.sandbox.platform.incidents.noise import distract
from tools.sandbox.platform.incidents.scene import Scene

API: Final = "scheduling-api"
PORTAL: Final = "portal"
LAB: Final = "lab-gateway"
JOBS: Final = "portal-jobs"
NOTIFY: Final = "notify"
CLAIMS: Final = "claims-import"

Story = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Variant:
    """One incident: `cause` is the name of the right one, or empty where nothing is to be named."""

    name: str
    service: str
    cause: str
    story: Callable[[Scene], None]

    def plant(self, platform: Platform, seed: int = 1) -> None:
        """Let it have happened up to now."""
        scene = Scene(platform, chance("variant", self.name, seed))
        distract(platform, scene.dice, self.service)
        self.story(scene)
        deploys.settle(platform.world, platform.clock.now())


@dataclass(frozen=True, slots=True)
class Quiet:
    """A service with the usual noise and no trouble."""

    service: str
    cause: str = ""

    @property
    def name(self) -> str:
        """Its name in a report."""
        return f"quiet {self.service}"

    def plant(self, platform: Platform, seed: int = 1) -> None:
        """Only the noise."""
        distract(platform, chance("quiet", self.service, seed), self.service)


def collected(into: list[Variant]) -> Callable[[str, str], Callable[[Story], Story]]:
    """A decorator that makes a story an incident of a service, with its right cause."""

    def variant(service: str, cause: str) -> Callable[[Story], Story]:
        def add(story: Story) -> Story:
            into.append(Variant(story.__name__, service, cause, story))
            return story

        return add

    return variant
