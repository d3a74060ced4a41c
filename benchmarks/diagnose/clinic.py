"""A second company beside Guardian, in other languages and frameworks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from tools.sandbox.platform import Platform, deploys, guardian
from tools.sandbox.platform.dice import hexadecimal, resource_id
from tools.sandbox.platform.guardian_services import LONG_AGO
from tools.sandbox.platform.world import Autoscaling, Commit, Hosted, Profile, Service, Sizing

REPO: Final = "https://github.com/clinic-example/platform"


def _service(kind: str, name: str, **fields: object) -> Service:
    usual = {"region": "virginia", "repo": REPO}
    return Service("", kind, name, LONG_AGO, LONG_AGO, **(usual | fields))  # type: ignore[arg-type]  # constants below


SERVICES: Final = (
    _service(
        "web_service", "scheduling-api", runtime="python", plan="1c-2g", ports=(10000,),
        build_command="pip install -r requirements.txt", health_check_path="/healthz",
        start_command="gunicorn scheduling.wsgi --bind 0.0.0.0:$PORT --workers 3",
    ),
    _service(
        "web_service", "portal", runtime="ruby", plan="1c-2g", num_instances=2, ports=(10000,),
        build_command="bundle install && bundle exec rails assets:precompile", health_check_path="/up",
        pre_deploy_command="bundle exec rails db:migrate", start_command="bundle exec puma -C config/puma.rb",
    ),
    _service(
        "web_service", "lab-gateway", runtime="go", plan="0.5c-512mb", ports=(10000,),
        build_command="go build -tags netgo -o app ./cmd/gateway", health_check_path="/livez",
        start_command="./app", autoscaling=Autoscaling(True, 1, 3, cpu=70, memory=None),
    ),
    _service(
        "background_worker", "portal-jobs", runtime="ruby", plan="1c-2g", auto_deploy=False,
        build_command="bundle install", start_command="bundle exec sidekiq -C config/sidekiq.yml",
    ),
    _service(
        "background_worker", "notify", runtime="python", plan="0.5c-512mb", auto_deploy=False,
        build_command="pip install -r requirements.txt", start_command="celery -A notify worker -c 4",
    ),
    _service(
        "cron_job", "claims-import", runtime="python", plan="0.5c-512mb", schedule="*/30 * * * *",
        build_command="pip install -r requirements.txt", start_command="python -m claims.run",
    ),
)  # fmt: skip

PROFILES: Final = {
    "scheduling-api": Profile(
        per_minute=190.0, cpu_idle=0.03, cpu_per_request=0.0014, memory_mb=720.0, memory_per_request_mb=0.3,
        latency_ms=(62.0, 240.0, 610.0), error_rate=0.001, healthy_paths=("/healthz",),
        paths=(("/v1/slots", 0.5), ("/v1/bookings", 0.35), ("/v1/rooms", 0.15)),
        lines=(
            '10.0.0.1 - - "GET /v1/slots HTTP/1.1" 200 {n}',
            "INFO booking.created id={job} for {patient}",
        ),
    ),
    "portal": Profile(
        per_minute=260.0, cpu_idle=0.04, cpu_per_request=0.0016, memory_mb=830.0, memory_per_request_mb=0.2,
        latency_ms=(85.0, 330.0, 900.0), error_rate=0.0012, healthy_paths=("/up",),
        paths=(("/records", 0.4), ("/messages", 0.4), ("/login", 0.2)),
        lines=(
            "I, INFO -- : Completed 200 OK in {ms}ms (Views: 4.1ms | ActiveRecord: {n}ms)",
            "I, INFO -- : Started GET \"/records\" for {ip}",
        ),
    ),
    "lab-gateway": Profile(
        per_minute=140.0, cpu_idle=0.01, cpu_per_request=0.0009, memory_mb=90.0, memory_per_request_mb=0.05,
        latency_ms=(12.0, 70.0, 180.0), error_rate=0.0006, healthy_paths=("/livez",),
        paths=(("/hl7", 0.7), ("/results", 0.3)),
        lines=('{"level":"info","msg":"result forwarded","mrn":"{mrn}","ms":{ms}}',),
    ),
    "portal-jobs": Profile(
        per_minute=40.0, cpu_idle=0.02, cpu_per_request=0.006, memory_mb=610.0, memory_per_request_mb=1.0,
        lines=("INFO: jid={job} class=ReportJob: start", "INFO: jid={job} class=ReportJob: done: {n}.3 sec"),
    ),
    "notify": Profile(
        per_minute=30.0, cpu_idle=0.02, cpu_per_request=0.004, memory_mb=210.0, memory_per_request_mb=0.5,
        lines=("[INFO/ForkPoolWorker-2] Task notify.send[{profile}] succeeded in 0.{n}s: None",),
    ),
    "claims-import": Profile(
        latency_ms=(70_000.0, 90_000.0, 110_000.0), memory_mb=160.0,
        lines=("INFO claims: {n} files", "INFO done")
    ),
}  # fmt: skip

HISTORY: Final = ("Initial import", "Smaller images", "Bump dependencies", "Copy: plain words")


def clinic(seed: int = 11) -> Platform:
    """Guardian's workspace with six more services, all well."""
    platform = guardian(seed)
    world, now = platform.world, platform.clock.now()
    for spec in SERVICES:
        key = resource_id("crn" if spec.kind == "cron_job" else "srv", seed, spec.name)
        born = now - timedelta(days=160)
        own = replace(spec, id=key, slug=spec.name, created_at=born, updated_at=born)
        hosted = Hosted(
            own, PROFILES[spec.name], env={"DATABASE_URL": "simulated", "SECRET_KEY": "simulated"}
        )
        hosted.sizing.append(Sizing(born, own.plan, own.num_instances, own.autoscaling))
        world.services[key] = hosted
        for index, message in enumerate(HISTORY):
            at = now - timedelta(days=12 - 3 * index, minutes=13 * index)
            made = Commit(hexadecimal(40, seed, own.name, message), message, at - timedelta(minutes=4))
            hosted.commits.append(made)
            deploys.create(world, hosted, at, "new_commit" if own.auto_deploy else "manual", commit=made)
    deploys.settle(world, now)
    return platform
