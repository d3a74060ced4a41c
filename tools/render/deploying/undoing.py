"""Back to an earlier release: autodeploy off first, one rollback, followed and watched; never a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from tools.errors import OutcomeUnknown, SergeiError
from tools.render.deploying.baking import Baked, bake
from tools.render.deploying.following import find, follow
from tools.render.deploying.session import Session
from tools.render.models import LIVE, Deploy, Service

Came = Literal["back", "unconfirmed", "no_better", "failed", "unknown", "not_begun"]
VERIFY_MINUTES: Final = 4.0
PASSES: Final = 3
NEVER_CAME: Final = timedelta(minutes=5)
"""A request of which nothing is seen for that long was not received."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of it, in a word and a sentence, and the figures afterwards."""

    came: Came
    said: str
    baked: Baked | None = None


async def undo(session: Session, to: str, *, minutes: float = VERIFY_MINUTES, passes: int = PASSES) -> Undone:
    """Roll back to this deploy. The journal says after each step how far it came."""
    session.keep(state="undoing")
    if problem := await autodeploy_off(session):
        return Undone("not_begun", problem)
    try:
        made = await _ask(session, to)
    except SergeiError as error:
        return Undone("failed", f"Render did not begin the rollback: {error}")
    if made is None:
        return Undone("unknown", "whether Render began the rollback cannot be told; look before asking again")
    session.keep(state="returning", rollback=made.id)
    return await confirm(session, to, minutes=minutes, passes=passes)


async def confirm(session: Session, to: str, *, minutes: float, passes: int) -> Undone:
    """Follow a rollback that was begun, and watch the release that it brought back."""
    ended = await follow(session, session.journal.rollback)
    if ended is None:
        return Undone("unknown", f"{session.journal.rollback} could not be followed to its end")
    if ended.status != LIVE:
        return Undone("failed", f"the rollback {ended.id} to {to} ended as {ended.status}")
    session.step(f"the release of {to} serves again ({ended.id})")
    live_at = ended.finished_at or session.now()
    baked = await bake(session, ended.id, live_at, passes=passes, minutes=minutes)
    if baked.judgement.word == "good":
        return Undone("back", "the figures are as they were before", baked)
    if baked.judgement.word == "inconclusive":
        return Undone("unconfirmed", "; ".join(baked.judgement.doubts), baked)
    why = "; ".join(baked.judgement.regressions)
    return Undone(
        "no_better", f"it is still bad after the rollback ({why}): the release was not the cause", baked
    )


async def autodeploy_off(session: Session) -> str:
    """Turn automatic deploys off, and see that they are. '' when they are, else why not."""
    await session.refresh()
    if not session.service.deploys_by_itself:
        session.step("autodeploy is off already")
        return ""
    try:
        await session.render.update_service(session.service.id, auto_deploy=False)
    except OutcomeUnknown:
        session.step("the answer about autodeploy was lost; looking at what is so now")
    except SergeiError as error:
        return f"autodeploy could not be turned off, so no rollback was begun: {error}"
    await session.refresh()
    if session.service.deploys_by_itself:
        return "autodeploy is still on after it was turned off, so no rollback was begun"
    session.step("autodeploy turned off; it stays off until a person turns it on again")
    return ""


async def _ask(session: Session, to: str) -> Deploy | None:
    """One request. After a lost answer it is looked for before anything else."""
    sent = session.journal.rollback_sent_at
    if sent is not None:
        found = await find(session, ("rollback",))
        if found is not None or session.now() - sent < NEVER_CAME:
            return found
        session.step("the rollback asked for before never came; asking for it again")
    listed = await session.render.list_deploys(session.service.id)
    known = tuple(dict.fromkeys((*session.journal.known, *(deploy.id for deploy in listed))))
    session.keep(rollback_sent_at=session.now(), known=known)
    try:
        made = await session.render.roll_back(session.service.id, to)
    except OutcomeUnknown as error:
        session.step(f"the answer to the rollback was lost ({error.code or 'no connection'}); looking for it")
        return await find(session, ("rollback",))
    session.step(f"rollback to {to} asked for: {made.id}")
    return made


def not_undone(service: Service) -> list[str]:
    """What stays as it is after a rollback, as far as it applies to this service."""
    details = service.service_details
    said: list[str] = []
    if details.pre_deploy:
        said.append(f"what the pre-deploy command (`{details.pre_deploy}`) did: migrations stay applied")
    else:
        said.append("migrations that were applied meanwhile, and rows that the bad release wrote")
    said.append("values of environment groups, plan, domains, headers and routes")
    if details.disk is not None:
        said.append(
            f"the disk {details.disk.name or details.disk.id}: its files stay as the bad release left them"
        )
    if service.image_path:
        said.append("an image tag is pulled again: if it moved, other code runs than before")
    said.append("environment variables: the old release runs with its old ones, the next deploy with today's")
    return said


def earlier_release(deploys: tuple[Deploy, ...], serving: Deploy | None) -> tuple[Deploy | None, str]:
    """The release to go back to without being told one, or None and why it cannot be chosen."""
    if serving is None:
        return None, "no release of it serves"
    if serving.trigger == "rollback":
        return None, "the serving release came by a rollback itself, so the one before it may be the bad one"
    later = deploys[: deploys.index(serving)] if serving in deploys else ()
    older = [deploy for deploy in deploys if deploy not in later and deploy != serving]
    for deploy in older:
        if deploy.status == "deactivated" and not _same(deploy, serving):
            index = deploys.index(deploy)
            replaced_by = next(
                (each for each in reversed(deploys[:index]) if each.status == "deactivated"), None
            )
            if replaced_by is not None and replaced_by.trigger == "rollback":
                continue  # somebody took this one back
            return deploy, ""
    return None, "there is no earlier release of another revision among its newest deploys"


def _same(one: Deploy, other: Deploy) -> bool:
    if one.commit and other.commit:
        return one.commit.id == other.commit.id
    return bool(one.image and other.image and one.image.sha == other.image.sha and one.image.sha)
