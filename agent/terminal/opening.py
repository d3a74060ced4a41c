"""How a conversation begins: what the command line said, and the parts that it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.approvals import Mode
from agent.compose import House
from agent.loop import Loop
from agent.model import API_URL, AnthropicModel
from agent.session import Session
from agent.settings import Settings
from prompts import system_prompt
from tools.errors import NotFound

KEYLESS: Final = (
    "No ANTHROPIC_API_KEY is set, so there is no model to talk to; set it and start again.",
    "What works without: sergei demo, sergei review, sergei run TOOL, and slash commands (/help).",
)


@dataclass(frozen=True, slots=True)
class Opening:
    """`mode` and `model` are None where the settings decide; `max_turns` is requests per question.

    `flags` is what a person repeats to reach the same target, such as ` --demo`.
    """

    mode: Mode | None = None
    model: str | None = None
    max_turns: int = 50
    latest: bool = False
    resume: str | None = None
    flags: str = ""


def sessions_folder(settings: Settings) -> Path:
    """Where conversations are saved."""
    return settings.state_dir / "sessions"


def open_model(settings: Settings, name: str | None) -> AnthropicModel:
    """The named model, or the settings' one. Raises ConfigurationError without a usable key."""
    return AnthropicModel(
        api_key=settings.api_key, model=name or settings.model, base_url=settings.base_url or API_URL
    )


def open_loop(house: House, model: AnthropicModel, session: Session, max_steps: int) -> Loop:
    """A loop over the composed parts."""
    system = system_prompt(guardian=house.guardian)
    return Loop(model, house.executor, session, system=system, max_steps=max_steps)


def open_session(house: House, opening: Opening, model: str) -> Session:
    """The session to go on with, or a new one. Raises NotFound, Conflict, RemoteError."""
    folder = sessions_folder(house.settings)
    if opening.resume:
        return Session.load(folder, opening.resume)
    if opening.latest:
        found = Session.latest(folder, target=house.target)
        if found is None:
            about = f"about {house.target}" if house.target else "without a database"
            raise NotFound(f"There is no saved conversation {about}.", hint="Start one: sergei chat")
        return found
    return Session.create(folder, target=house.target, model=model)
