"""rollback_service: the way back that a person asks for, planned and then carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tools.errors import Conflict, InvalidInput, NotFound, Refused
from tools.render.deploying.figures import measure, window
from tools.render.deploying.journal import Journal, folder, read
from tools.render.deploying.lock import exclusive
from tools.render.deploying.outcome import BackVerdict, RolledBack, figures_in_words
from tools.render.deploying.plan import serving_since
from tools.render.deploying.record import record
from tools.render.deploying.revision import Revision
from tools.render.deploying.session import Session
from tools.render.deploying.target import Target, find_target, revision_of
from tools.render.deploying.undoing import PASSES, Came, confirm, earlier_release, not_undone, undo
from tools.render.models import Deploy
from tools.resources import Resources

_VERDICTS: Final[dict[Came, BackVerdict]] = {
    "back": "back_verified", "unconfirmed": "back_inconclusive", "no_better": "no_better",
    "failed": "failed", "not_begun": "failed", "unknown": "unknown",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Return:
    """Where to. `resumed` is a rollback that was begun and not followed to its end."""

    target: Target
    to: Deploy
    resumed: Journal | None
    seen: Journal | None


async def plan_return(resources: Resources, service: str, deploy: str | None) -> Return:
    """Choose and check the release. Raises Refused, Conflict, InvalidInput, NotFound."""
    target = await find_target(resources.render, service)
    own, name = target.service, target.service.name
    if own.type == "cron_job":
        raise InvalidInput(f"Render does not roll back cron jobs; deploy the earlier commit of {name}.")
    if own.is_suspended:
        raise Refused(f"{name} is suspended.", hint="Resume it first; that deploys its last release.")
    seen = read(folder(resources), own.id)
    if seen is not None and seen.open(resources.now()) and seen.rollback_sent_at is not None:
        known = next((each for each in target.deploys if each.id == seen.previous), None)
        if known is not None and seen.state != "closed":
            return Return(target, known, seen, seen)
    if (running := target.running) is not None:
        raise Conflict(
            f"{running.id} of {name} is under way ({running.status}).",
            hint="Cancel it (change_service cancel_deploy): what is not live needs no rollback.",
        )
    return Return(target, _chosen(target, deploy), None, seen)


def _chosen(target: Target, deploy: str | None) -> Deploy:
    serving, name = target.serving, target.service.name
    good = [each for each in target.deploys if each.status == "deactivated"]
    choices = ", ".join(f"{each.id} ({revision_of(each)})" for each in good[:6]) or "none"
    if deploy is None:
        found, why = earlier_release(target.deploys, serving)
        if found is None:
            raise InvalidInput(f"Which release of {name} to go back to is not clear: {why}.",
                               hint=f"Name one with `deploy`: {choices}.")  # fmt: skip
        return found
    if serving is not None and deploy == serving.id:
        raise InvalidInput(f"{deploy} is what {name} serves now.", hint=f"There are: {choices}.")
    found = next((each for each in target.deploys if each.id == deploy), None)
    if found is None:
        raise NotFound(f"{deploy} is not among the newest {len(target.deploys)} deploys of {name}.",
                       hint=f"There are: {choices}.")  # fmt: skip
    if found.status != "deactivated":
        raise InvalidInput(
            f"{deploy} ended as {found.status} and never served.", hint=f"There are: {choices}."
        )
    return found


async def go_back(resources: Resources, planned: Return, minutes: float) -> RolledBack:
    """Carry it out under the service's lock."""
    service, place, now = planned.target.service, folder(resources), resources.now()
    with exclusive(place, service.id, f"rollback_service {service.name}", now):
        if read(place, service.id) != planned.seen:
            raise Conflict(f"{service.name} was at work on meanwhile.", hint="Call again.")
        if planned.resumed is not None:
            session = Session(resources, planned.target, place, planned.resumed)
            session.step("going on with a rollback that was not followed to its end")
        else:
            session = await _begin(resources, planned)
        if session.journal.rollback:
            undone = await confirm(session, planned.to.id, minutes=minutes, passes=PASSES)
        else:
            undone = await undo(session, planned.to.id, minutes=minutes)
        verdict = _VERDICTS[undone.came]
        after = undone.baked.figures if undone.baked is not None else None
        if verdict != "unknown":
            session.keep(state="closed", verdict=verdict)
        figures = figures_in_words(session.journal.baseline, after)
        kept = await record(session, "rollback_service", verdict, undone.said, figures)
        return RolledBack(
            verdict=verdict,
            service=service.name,
            deploy=session.journal.rollback,
            revision=revision_of(planned.to),
            previous=f"{_id(planned.target.serving)} ({revision_of(planned.target.serving)})",
            reasons=(undone.said,),
            cautions=undone.baked.judgement.cautions if undone.baked is not None else (),
            before=session.journal.baseline,
            after=after,
            steps=tuple(session.journal.steps),
            not_undone=() if undone.came in {"not_begun", "failed"} else tuple(not_undone(service)),
            next_steps=tuple(_next(service.name, verdict)),
            record=kept,
        )


def _id(deploy: Deploy | None) -> str:
    return deploy.id if deploy is not None else "nothing"


async def _begin(resources: Resources, planned: Return) -> Session:
    """Compare with the time before the bad release, where that is on record; else with what is so now."""
    target, seen, now = planned.target, planned.seen, resources.now()
    serving = target.serving
    known = seen is not None and serving is not None and seen.deploy == serving.id
    if seen is not None and known:
        baseline = seen.baseline
    else:
        baseline = await measure(resources.render, target.service, *window(now, serving_since(target)))
    journal = Journal(
        service=target.service.id,
        kind="rollback",
        state="undoing",
        started=now,
        sent_at=now,
        revision=Revision(commit=planned.to.commit.id if planned.to.commit else ""),
        known=tuple(deploy.id for deploy in target.deploys),
        previous=planned.to.id,
        previous_revision=revision_of(planned.to),
        baseline=baseline,
        deploy=serving.id if serving else "",
    )
    session = Session(resources, target, folder(resources), journal)
    if known and seen is not None:
        journal.healthy_before = seen.healthy_before
    elif (prober := session.prober()) is not None:
        await prober.ask()
        journal.healthy_before = False if prober.last_status in {401, 403} else None
    since = "before the bad release, from the record of its deploy" if known else "now, before the rollback"
    session.step(f"figures to compare with: {since}")
    return session


def _next(name: str, verdict: BackVerdict) -> list[str]:
    off = f"autodeploy of {name} stays off until a person turns it on (change_service autodeploy)"
    if verdict == "back_verified":
        return [off, "mend the cause in the code before the next deploy"]
    if verdict == "back_inconclusive":
        return [off, f"look again with read_metrics and read_logs on {name} in some minutes"]
    if verdict == "no_better":
        return [off, f"diagnose_service on {name}: look beside the release (database, a dependency, traffic)"]
    if verdict == "unknown":
        return [
            f"call rollback_service on {name} again: it looks at Render first and does not roll back twice"
        ]
    return [f"diagnose_service on {name}; a person decides: no second rollback follows by itself"]
