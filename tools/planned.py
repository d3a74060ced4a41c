"""A change of something that a vendor runs: as it is shown, sent, and looked at afterwards."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tools.errors import Conflict, OutcomeUnknown, SergeiError
from tools.registry import Params, Preview, Result, digest

if TYPE_CHECKING:
    from tools.resources import Resources

_LOOKS: Final = 4
_LOOK_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Look:
    """What is so after a change: whether it took effect (None: it cannot be seen), and in words.

    `head` is said instead of "Done" where more is known than that it was done.
    """

    done: bool | None
    words: str
    head: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """One change. `request` is what will be sent; `evidence` may differ a moment later, the rest may not."""

    request: str
    says: str
    target: str
    touches: tuple[str, ...]
    consequence: str
    undo: str
    send: Callable[[], Awaitable[object]]
    look: Callable[[], Awaitable[Look]]
    destructive: bool = False
    evidence: str = ""

    @property
    def preview(self) -> Preview:
        """What a person is asked."""
        return Preview(
            action=f"{self.says}\n{self.request}",
            target=self.target,
            touches=self.touches,
            consequence=self.consequence,
            undo=self.undo,
            evidence=self.evidence,
            destructive=self.destructive,
        )


class ChangeDone(Result):
    """What was sent and what was so right afterwards."""

    target: str
    action: str
    took_effect: bool | None
    now: str
    undo: str
    note: str = ""
    head: str = ""

    def markdown(self) -> str:
        """A few lines."""
        heads = {True: "Done", False: "Sent, and it did NOT take effect", None: "Accepted"}
        lines = [f"{self.head or heads[self.took_effect]}: {self.action}.", f"Target: {self.target}"]
        lines += [f"Now: {self.now}"] if self.now else []
        lines += [self.note] if self.note else []
        return "\n".join([*lines, f"Undo: {self.undo}"])


def request(method: str, path: str, body: Any = None) -> str:
    """A request as it stands in a preview: `POST /services/srv-1/scale {"numInstances": 3}`."""
    return f"{method} {path}" + ("" if body is None else f" {json.dumps(body)}")


def call(tool: str, **arguments: object) -> str:
    """A call of a tool, as the way back: `change_service service=api action=scale instances=2`."""
    given = (f"{name}={value}" for name, value in arguments.items() if value is not None)
    return " ".join((tool, *given)).replace("=True", "=true").replace("=False", "=false")


def show(planned: Planned, name: str, params: Params, resources: Resources) -> Preview:
    """The preview; what it resolved is remembered, so that nothing else is sent."""
    preview = planned.preview
    resources.pinned[digest(name, params)] = preview.action
    return preview


async def carry_out(planned: Planned, name: str, params: Params, resources: Resources) -> ChangeDone:
    """Send what was shown, then look. Raises Conflict when it would no longer be the same.

    Raises OutcomeUnknown when the answer was lost and the state does not show that it happened.
    """
    if resources.pinned.pop(digest(name, params), planned.preview.action) != planned.preview.action:
        raise Conflict(
            f"What {name} would do changed after it was shown, so nothing was sent.",
            hint="Call it again: the person is asked about what it would do now.",
        )
    lost: OutcomeUnknown | None = None
    try:
        await planned.send()
    except OutcomeUnknown as error:
        lost = error
    look = await _settled(planned, resources)
    if lost is not None and not look.done:
        raise OutcomeUnknown(
            f"{lost.message} Looked at it since: {look.words}.",
            hint="It was not sent again. Look once more before anything is repeated.",
            code=lost.code,
        )
    note = "The answer to the request was lost; the state shows that it happened." if lost else ""
    return ChangeDone(
        target=planned.target,
        action=planned.says,
        took_effect=look.done,
        now=look.words,
        undo=planned.undo,
        note=note,
        head=look.head,
    )


async def _settled(planned: Planned, resources: Resources) -> Look:
    """What is so afterwards. Vendors take some seconds, so what cannot be seen yet is looked for again."""
    look = Look(None, "")
    for number in range(_LOOKS):
        if number:
            await resources.pause(_LOOK_SECONDS)
        try:
            look = await planned.look()
        except SergeiError as error:
            return Look(None, f"the state could not be read afterwards: {error.message}")
        if look.done is not False:
            break
    return look
