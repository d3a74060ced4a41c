"""A deploy from its request to its end: found when Render does not say which it is, never asked for twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from tools.errors import ConfigurationError, NotFound, OutcomeUnknown, SergeiError
from tools.render.api_observed import LogQuery
from tools.render.deploying.fingerprints import fingerprint
from tools.render.deploying.session import PATIENCE, Session
from tools.render.deploying.target import SEEN
from tools.render.models import Deploy

LOOKS: Final = 12
LONGEST: Final = timedelta(hours=3)
"""Render gives up on a build after two hours, and on a health check after fifteen minutes."""
_POSTED: Final = ("api",)


async def request(session: Session, *, clear_cache: bool) -> Deploy | None:
    """Ask for the deploy and find it. None: nobody can tell whether it began. Raises what Render says."""
    revision = session.journal.revision
    try:
        made = await session.render.create_deploy(
            session.service.id,
            commit=None if revision.expected else revision.commit or None,
            image=revision.image or None,
            clear_cache=clear_cache,
        )
    except OutcomeUnknown as error:
        session.step(f"the answer to the request was lost ({error.code or 'no connection'}); looking for it")
        return await find(session)
    except SergeiError:
        session.keep(state="closed", verdict="refused")  # Render said no: nothing was begun
        raise
    if made is not None:
        return made
    session.step("queued by Render, which does not say under which id; looking for it")
    return await find(session)


async def find(session: Session, triggers: Sequence[str] = _POSTED, looks: int = LOOKS) -> Deploy | None:
    """The deploy that was not there before the request, looked for during a minute."""
    journal = session.journal
    for look in range(looks):
        if look:
            await session.pause(5)
        listed = await listing(session)
        new = [deploy for deploy in listed if deploy.id not in journal.known and deploy.trigger in triggers]
        ours = [deploy for deploy in new if triggers != _POSTED or _same_revision(session, deploy)]
        if ours:
            return ours[-1]  # the first after the request: newest come first
    return None


async def listing(session: Session) -> list[Deploy]:
    """The newest deploys; none while Render does not answer."""
    try:
        return await session.render.list_deploys(session.service.id, most=SEEN)
    except ConfigurationError:
        raise
    except SergeiError as error:
        session.tell(error.message)
        return []


def _same_revision(session: Session, deploy: Deploy) -> bool:
    commit = deploy.commit.id if deploy.commit else ""
    image = deploy.image.ref if deploy.image else ""
    return session.journal.revision.is_of(commit, image)


async def follow(session: Session, deploy: str) -> Deploy | None:
    """The deploy once it is over; None when it could not be followed to its end."""
    begun, status, status_known, failures, polls = session.now(), "", False, 0, 0
    log = LogTail(session, begun)
    while session.now() - begun < LONGEST:
        try:
            found = await session.render.get_deploy(session.service.id, deploy)
            failures = 0
        except ConfigurationError:
            raise
        except NotFound as error:
            session.step(f"it is gone: {error.message}")
            return None
        except SergeiError as error:
            failures += 1
            session.tell(f"{error.message} ({failures} times in a row)")
            if failures >= PATIENCE:
                session.step(f"Render does not answer: {error.message}")
                return None
            await session.pause(15)
            continue
        if found.status != status:
            status = found.status
            session.step(status if status_known else f"{deploy}: {status}")
            status_known = True
        if found.is_over:
            return found
        await log.tell(status)
        polls += 1
        await session.pause(5 if polls < 12 else 10 if polls < 24 else 15)
    session.step(f"{deploy} is still {status} after {LONGEST.total_seconds() / 3600:.0f} hours")
    return None


class LogTail:
    """Tells the person what the build or the new release writes, in the program's own words."""

    def __init__(self, session: Session, since: datetime) -> None:
        self._session, self._since, self._works = session, since, True

    async def tell(self, status: str) -> None:
        """The last new line. A log that cannot be read is said once and left alone."""
        if not self._works:
            return
        session, now = self._session, self._session.now()
        kind = "build" if status in {"created", "build_in_progress"} else "app"
        query = LogQuery(
            owner=session.service.owner_id, resources=[session.service.id], start=self._since, end=now,
            kind=(kind,), direction="backward",
        )  # fmt: skip
        try:
            lines = (await session.render.list_logs(query, most=50)).logs
        except SergeiError as error:
            self._works = False
            session.tell(f"its log cannot be read: {error.message}")
            return
        self._since = now
        before = session.journal.instances
        own = [line for line in lines if kind == "build" or line.label("instance") not in before]
        if own:
            session.tell(f"{status}: {fingerprint(own[0].message)}")


async def superseded_by(session: Session, deploy: str) -> Deploy | None:
    """The newer deploy that took the place of this one, if there is one."""
    newer: list[Deploy] = []
    for each in await listing(session):
        if each.id == deploy:
            break
        newer.append(each)
    return newer[-1] if newer else None
