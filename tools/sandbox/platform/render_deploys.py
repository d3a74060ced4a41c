"""Deploys, rollback, cancel, one-off jobs and cron runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from tools.sandbox.platform import deploys
from tools.sandbox.platform.calls import Call, Reply, Wrong, paged, route
from tools.sandbox.platform.clock import moment_of, stamp
from tools.sandbox.platform.render_services import PERSON
from tools.sandbox.platform.render_shapes import deploy_shape
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.world import Commit, Deploy, Hosted

JOB_SECONDS: Final = 40.0
RUN_SECONDS: Final = 75.0


def list_deploys(call: Call) -> Reply:
    """GET /services/{id}/deploys, newest first."""
    deploys.settle(call.world, call.now)
    hosted = call.hosted()
    wanted = [part for each in call.queries("status") for part in each.split(",")]
    low, high = datetime.min.replace(tzinfo=call.now.tzinfo), datetime.max.replace(tzinfo=call.now.tzinfo)
    after, before = call.moment("createdAfter", low), call.moment("createdBefore", high)
    shown: list[tuple[str, Any]] = []
    for each in sorted(hosted.deploys, key=_newest_last)[::-1]:
        if each.created_at > call.now or not after <= each.created_at <= before:
            continue
        if not wanted or deploys.status(hosted, each, call.now) in wanted:
            shown.append((each.id, deploy_shape(hosted, each, call.now)))
    return paged(call, "deploy", shown)


def _newest_last(deploy: Deploy) -> datetime:
    return deploy.created_at


def get_deploy(call: Call) -> Reply:
    """GET /services/{id}/deploys/{id}."""
    deploys.settle(call.world, call.now)
    hosted = call.hosted()
    return deploy_shape(hosted, call.deploy(hosted), call.now)


def create_deploy(call: Call) -> Reply:
    """POST /services/{id}/deploys: 201 with the deploy, or 202 without a body where it has to wait."""
    hosted = call.hosted()
    clear = call.field("clearCache", str, "do_not_clear")
    if clear not in ("clear", "do_not_clear"):
        raise Wrong(400, "invalid clearCache")
    mode = call.field("deployMode", str, "build_and_deploy")
    others = {"clearCache", "commitId", "imageUrl"} & set(call.payload)
    if mode not in ("build_and_deploy", "deploy_only") or (mode == "deploy_only" and others):
        raise Wrong(400, "invalid deployMode")
    if hosted.spec.suspenders:
        raise Wrong(400, "cannot deploy a suspended service")
    if "imageUrl" in call.payload and not hosted.spec.image:
        raise Wrong(400, "imageUrl is only supported for image-backed services")
    if "commitId" in call.payload and hosted.spec.kind == "cron_job":
        raise Wrong(400, "commitId is not supported for cron jobs")
    current = deploys.serving(hosted, call.now)
    commit: Commit | None = None
    if not hosted.spec.image:
        wanted = call.field("commitId", str, None)
        commit = current.commit if mode == "deploy_only" and current else _commit(call, hosted, wanted)
    image = call.field("imageUrl", str, hosted.spec.image)
    deploy = deploys.create(
        call.world,
        hosted,
        call.now,
        "api",
        commit=commit,
        image=image,
        builds=mode != "deploy_only",
        clear_cache=clear == "clear",
    )
    return _answer(call, hosted, deploy.id)


def rollback(call: Call) -> Reply:
    """POST /services/{id}/rollback: a new deploy of an old build. Autodeploy stays as it is."""
    hosted = call.hosted()
    key = call.field("deployId", str)
    target = next((each for each in hosted.deploys if each.id == key), None)
    if target is None:
        raise Wrong(404, f"not found: {key}")
    if deploys.status(hosted, target, call.now) not in ("live", "deactivated"):
        raise Wrong(400, "cannot roll back to a deploy that did not succeed")
    if hosted.spec.kind == "cron_job":
        raise Wrong(400, "rollback is not supported for cron jobs")
    deploy = deploys.create(
        call.world,
        hosted,
        call.now,
        "rollback",
        commit=target.commit,
        image=target.image,
        builds=False,
        rollback_of=target.id,
    )
    return deploy_shape(hosted, deploy, call.now)


def cancel_deploy(call: Call) -> Reply:
    """POST /services/{id}/deploys/{id}/cancel."""
    deploys.settle(call.world, call.now)
    hosted = call.hosted()
    deploy = call.deploy(hosted)
    if hosted.spec.kind == "cron_job":
        raise Wrong(400, "cannot cancel deploys of cron jobs")
    if deploys.status(hosted, deploy, call.now) in deploys.ENDED:
        raise Wrong(400, "deploy is not in progress")
    return deploy_shape(hosted, deploys.cancel(call.world, hosted, deploy, call.now), call.now)


def _answer(call: Call, hosted: Hosted, key: str) -> Reply:
    deploy = deploys.find(hosted, key)
    return deploy_shape(hosted, deploy, call.now) if deploy.phases else Response(status_code=202)


def _commit(call: Call, hosted: Hosted, wanted: str | None) -> Commit | None:
    known = [each for each in hosted.commits if each.created_at <= call.now]
    if wanted is None:
        return known[-1] if known else None
    for each in known:
        if each.id.startswith(wanted) and len(wanted) >= 7:
            return each
    raise Wrong(404, f"not found: commit {wanted}")


def create_job(call: Call) -> Reply:
    """POST /services/{id}/jobs: a one-off job from the build that serves."""
    hosted = call.hosted()
    now = call.now
    job = {
        "id": call.world.new_id("job"),
        "serviceId": hosted.spec.id,
        "startCommand": call.field("startCommand", str),
        "planId": call.field("planId", str, "plan-srv-006"),
        "createdAt": stamp(now),
    }
    hosted.jobs[job["id"]] = job
    ends = now + timedelta(seconds=JOB_SECONDS)
    reason = {"jobId": job["id"], "status": "succeeded"}
    call.world.happened(hosted.spec.id, ends, "job_run_ended", reason, job["id"])
    call.world.wrote(
        job["id"], ends - timedelta(seconds=5), f"$ {job['startCommand']}: done", origin=job["id"]
    )
    return _job(job, now)


def _job(job: Json, now: datetime) -> Json:
    if "status" in job:
        return job
    start = moment_of(job["createdAt"]) + timedelta(seconds=4)
    ends = start + timedelta(seconds=JOB_SECONDS - 4)
    status = "pending" if now < start else "running" if now < ends else "succeeded"
    shown = job | {"status": status}
    if now >= start:
        shown["startedAt"] = stamp(start)
    if now >= ends:
        shown["finishedAt"] = stamp(ends)
    return shown


def list_jobs(call: Call) -> Reply:
    """GET /services/{id}/jobs, newest first."""
    jobs = sorted(call.hosted().jobs.values(), key=lambda job: job["createdAt"], reverse=True)
    return paged(call, "job", [(job["id"], _job(job, call.now)) for job in jobs])


def get_job(call: Call) -> Reply:
    """GET /services/{id}/jobs/{id}."""
    job = call.hosted().jobs.get(call.path("job"))
    if job is None:
        raise Wrong(404, f"not found: {call.path('job')}")
    return _job(job, call.now)


def cancel_job(call: Call) -> Reply:
    """POST /services/{id}/jobs/{id}/cancel."""
    job = get_job(call)
    if job["status"] not in ("pending", "running"):
        raise Wrong(400, "job is not running")
    call.world.forget_after(job["id"], call.now)
    canceled = job | {"status": "canceled", "finishedAt": stamp(call.now)}
    call.hosted().jobs[job["id"]] = canceled
    return canceled


def run_cron(call: Call) -> Reply:
    """POST /cron-jobs/{id}/runs: starts a run; one under way is canceled first."""
    hosted = _cron(call)
    _cancel_runs(call, hosted)
    run = {"id": call.world.new_id("crr"), "status": "pending", "startedAt": stamp(call.now)}
    hosted.runs[run["id"]] = run | {"triggeredBy": PERSON["id"], "finishedAt": None}
    ends = call.now + timedelta(seconds=RUN_SECONDS)
    own = hosted.spec.id
    call.world.happened(own, call.now, "cron_job_run_started", {"cronJobRunId": run["id"]}, run["id"])
    details = {"cronJobRunId": run["id"], "status": "successful"}
    call.world.happened(own, ends, "cron_job_run_ended", details, run["id"])
    return run | {"triggeredBy": PERSON["id"]}


def cancel_cron(call: Call) -> Reply:
    """DELETE /cron-jobs/{id}/runs."""
    _cancel_runs(call, _cron(call))


def _cancel_runs(call: Call, hosted: Hosted) -> None:
    for key, run in list(hosted.runs.items()):
        if (
            run["status"] == "pending"
            and moment_of(run["startedAt"]) + timedelta(seconds=RUN_SECONDS) > call.now
        ):
            call.world.forget_after(key, call.now)
            hosted.runs[key] = run | {"status": "canceled", "finishedAt": stamp(call.now)}
            details = {"cronJobRunId": key, "status": "canceled", "user": PERSON}
            call.world.happened(hosted.spec.id, call.now, "cron_job_run_ended", details)


def _cron(call: Call) -> Hosted:
    hosted = call.hosted()
    if hosted.spec.kind != "cron_job":
        raise Wrong(404, f"not found: {hosted.spec.id}")
    return hosted


SERVICE: Final = "/services/{service}"
ROUTES: Final = [
    route("GET", f"{SERVICE}/deploys", list_deploys),
    route("POST", f"{SERVICE}/deploys", create_deploy, 201),
    route("GET", f"{SERVICE}/deploys/{{deploy}}", get_deploy),
    route("POST", f"{SERVICE}/deploys/{{deploy}}/cancel", cancel_deploy),
    route("POST", f"{SERVICE}/rollback", rollback, 201),
    route("GET", f"{SERVICE}/jobs", list_jobs),
    route("POST", f"{SERVICE}/jobs", create_job, 201),
    route("GET", f"{SERVICE}/jobs/{{job}}", get_job),
    route("POST", f"{SERVICE}/jobs/{{job}}/cancel", cancel_job),
    route("POST", "/cron-jobs/{service}/runs", run_cron),
    route("DELETE", "/cron-jobs/{service}/runs", cancel_cron, 204),
]
