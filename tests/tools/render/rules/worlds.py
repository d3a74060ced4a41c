"""Guardian's workspace without any finding, and for each rule on the API how it is broken and mended."""

# ruff: noqa: E501  one case reads better when its lines are not broken

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.tools.render.rules.files import ANON, SERVICE_ROLE
from tools.sandbox.platform import Active, Behaviour, Effect, Platform, failures, guardian, push
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.world import Autoscaling

Act = Callable[[Platform], object]
WEB, WORKER, OCR = "guardian-web", "guardian-document-worker", "guardian-ocr"
REMINDERS = "guardian-reminders"


@dataclass(frozen=True)
class World:
    """One rule on the workspace. `file` is a render.yaml beside it, once broken and once mended."""

    rule: str
    broken: Act
    object: str
    mended: Act = lambda _: None
    fine: tuple[Act, ...] = ()
    file: str = ""
    mended_file: str = ""


def quiet() -> Platform:
    """Guardian with what its demo leaves to be found put right."""
    platform = guardian()
    for hosted in platform.world.services.values():
        hosted.change(platform.clock.now(), auto_deploy=False, previews="off")
    for member in platform.world.kind("members").values():
        member["mfaEnabled"] = True
    ocr = platform.world.named(OCR).spec
    for blueprint in platform.world.kind("blueprints").values():
        blueprint["resources"].append({"id": ocr.id, "name": ocr.name, "type": ocr.kind})
    return platform


def service(name: str, **fields: object) -> Act:
    """Change fields of a service."""
    return lambda platform: platform.world.named(name).change(platform.clock.now(), **fields)


def variables(name: str, **values: str) -> Act:
    """Set variables of a service."""
    return lambda platform: platform.world.named(name).env.update(values)


def without(name: str, key: str) -> Act:
    """Remove a variable of a service."""
    return lambda platform: platform.world.named(name).env.pop(key)


def record(kind: str, **fields: object) -> Act:
    """Change fields of every record of a kind."""

    def act(platform: Platform) -> None:
        for one in platform.world.kind(kind).values():
            one.update(fields)

    return act


def both(*acts: Act) -> Act:
    """One after the other."""
    return lambda platform: [act(platform) for act in acts]


def staging(region: str) -> Act:
    """A second environment with the help pages' neighbour, a worker, in this region."""

    def act(platform: Platform) -> None:
        project = next(iter(platform.world.kind("projects").values()))
        other = platform.world.new_id("evm")
        place = next(iter(platform.world.kind("environments").values()))
        platform.world.kind("environments")[other] = {
            **place, "id": other, "name": "staging", "serviceIds": [], "databasesIds": [], "redisIds": [],
        }  # fmt: skip
        project["environmentIds"].append(other)
        platform.world.named(WORKER).change(platform.clock.now(), environment_id=other, region=region)

    return act


def domain(status: str, days: float) -> Act:
    """A custom domain of the web service, added some days ago."""

    def act(platform: Platform) -> None:
        hosted = platform.world.named(WEB)
        hosted.domains["cdm-1"] = {
            "id": "cdm-1", "name": "guardian.example", "domainType": "apex", "publicSuffix": "example",
            "redirectForName": "", "verificationStatus": status,
            "createdAt": stamp(platform.clock.now() - timedelta(days=days)),
            "server": {"id": hosted.spec.id, "name": hosted.spec.name},
        }  # fmt: skip

    return act


def failing_deploys(count: int) -> Act:
    """Commits whose builds fail, one after the other."""

    def act(platform: Platform) -> None:
        service(WEB, auto_deploy=True)(platform)
        for number in range(count):
            push(platform, WEB, f"Attempt {number}", Behaviour(build="fails"))
            platform.clock.advance(1800)
        service(WEB, auto_deploy=False)(platform)

    return act


def good_deploy(platform: Platform) -> None:
    """A commit that goes live."""
    service(WEB, auto_deploy=True)(platform)
    push(platform, WEB, "It works again")
    platform.clock.advance(1800)
    service(WEB, auto_deploy=False)(platform)


def failing_runs(platform: Platform) -> None:
    """Every run of the reminders fails for a day."""
    own = platform.world.named(REMINDERS).spec.id
    platform.world.effects.append(
        Active(own, Effect(crash_every=1, crash=failures.exited(1)), platform.clock.now())
    )
    platform.clock.advance(86_400)


def forgotten(platform: Platform) -> None:
    """The worker was suspended long ago."""
    worker = platform.world.named(WORKER)
    worker.change(platform.clock.now() - timedelta(days=50), suspenders=("user",))


def slow_runs(platform: Platform) -> None:
    """Reminders that take twenty minutes and are due every fifteen."""
    hosted = platform.world.named(REMINDERS)
    long = (1_200_000.0, 1_260_000.0, 1_300_000.0)
    hosted.profile = hosted.profile.__class__(latency_ms=long)


def blueprint(text: str) -> str:
    """A render.yaml of the web service."""
    return (
        f"services:\n  - type: web\n    name: {WEB}\n    runtime: node\n    buildCommand: npm ci && npm run build\n\
    startCommand: npm run start:web\n    buildFilter:\n      paths: [apps/web/**, packages/**]\n\
      ignoredPaths: ['**/*.md']\n{text}"
    )


def happened(kind: str, times: int = 1) -> Act:
    """Events of the help pages, one every ten minutes up to now."""

    def act(platform: Platform) -> None:
        own = platform.world.named("guardian-help").spec.id
        for number in range(times):
            platform.world.happened(own, platform.clock.now() - timedelta(minutes=10 * number + 5), kind, {})

    return act


def later_deploy(platform: Platform) -> None:
    """The help pages are deployed again."""
    service("guardian-help", auto_deploy=True)(platform)
    push(platform, "guardian-help", "Help: how to add a carer")
    platform.clock.advance(1800)
    service("guardian-help", auto_deploy=False)(platform)


EMPTY_RANGES = both(record("postgres", ipAllowList=[]), record("key-value", ipAllowList=[]))
OPEN = [{"cidrBlock": "0.0.0.0/0", "description": "everywhere"}]
OFFICE = [{"cidrBlock": "203.0.113.0/24", "description": "office"}]

WORLDS = (
    World("secret_for_browser", variables(WEB, VITE_SUPABASE_KEY=SERVICE_ROLE),
          f"VITE_SUPABASE_KEY of web service {WEB}", without(WEB, "VITE_SUPABASE_KEY"),
          (variables(WEB, VITE_SUPABASE_KEY=ANON), variables(WEB, SUPABASE_KEY=SERVICE_ROLE))),
    World("datastore_open_to_internet", record("postgres", ipAllowList=OPEN), "Postgres database guardian-jobs",
          EMPTY_RANGES, (record("postgres", ipAllowList=OFFICE), record("key-value", ipAllowList=None))),
    World("maintenance_mode_on", service(WEB, maintenance=True), f"web service {WEB}", service(WEB, maintenance=False)),
    World("service_suspended", service(WEB, suspenders=("billing",)), f"web service {WEB}", service(WEB, suspenders=()),
          (service(WEB, suspenders=("user",)),)),
    World("service_suspended", forgotten, f"background worker {WORKER}", service(WORKER, suspenders=())),
    World("region_apart", service(WORKER, region="frankfurt"), f"background worker {WORKER}",
          service(WORKER, region="virginia")),
    World("region_apart", both(service(WEB, region="singapore"), record("env-groups", links=[])), f"web service {WEB}",
          service(WEB, region="ohio")),
    World("free_plan_in_production", record("postgres", plan="free"), "Postgres database guardian-jobs",
          record("postgres", plan="0.5c-1g"), (record("postgres", plan="free", name="guardian-test", environmentId=None),)),
    World("heap_exceeds_plan", service(WORKER, plan="1c-2g"), f"background worker {WORKER}", service(WORKER, plan="2c-4g")),
    World("cron_without_success", failing_runs, f"cron job {REMINDERS}", lambda platform: (
        platform.world.effects.clear(), platform.clock.advance(3600))),
    World("cron_outlasts_interval", slow_runs, f"cron job {REMINDERS}", service(REMINDERS, schedule="5 * * * *")),
    World("preview_with_production_data", service(WEB, previews="automatic"), f"web service {WEB}", service(WEB, previews="off"),
          (both(service(OCR, previews="automatic"),),)),
    World("domain_unverified", domain("unverified", 3), f"domain guardian.example of web service {WEB}", domain("verified", 3),
          (domain("unverified", 0.1),)),
    World("health_check_missing", service(WEB, health_check_path=""), f"web service {WEB}", service(WEB, health_check_path="/health"),
          (service(OCR, health_check_path=""),)),
    World("single_instance", service(WEB, autoscaling=None, num_instances=1), f"web service {WEB}", service(WEB, num_instances=2),
          (service(WORKER, num_instances=1),)),
    World("single_instance", service(WEB, autoscaling=Autoscaling(True, 1, 5, cpu=65)), f"web service {WEB}",
          service(WEB, autoscaling=Autoscaling(True, 2, 5, cpu=65))),
    World("autodeploy_without_checks", service(WEB, auto_deploy=True), f"web service {WEB}", service(WEB, auto_deploy=False),
          (service("guardian-help", auto_deploy=True),)),
    World("image_unpinned", service(OCR, image="ghcr.io/guardian-health/ocr:latest"), f"private service {OCR}",
          service(OCR, image="ghcr.io/guardian-health/ocr:2.3.1")),
    World("shutdown_before_jobs_end", variables(WORKER, JOB_TIMEOUT_SECONDS="240"), f"background worker {WORKER}",
          service(WORKER, shutdown_delay=240), (variables(WORKER, JOB_TIMEOUT_SECONDS="100"), variables(WORKER, JOB_LIMIT="900"))),
    World("development_command", variables(WEB, NODE_ENV="development"), f"web service {WEB}", variables(WEB, NODE_ENV="production")),
    World("migration_in_start_command", service(WEB, start_command="npm run migrate:deploy && npm start"), f"web service {WEB}",
          service(WEB, start_command="npm start")),
    World("environment_unprotected", record("environments", protectedStatus="unprotected"), "environment production",
          record("environments", protectedStatus="protected"), (record("environments", protectedStatus="unprotected", name="staging"),)),
    World("environment_not_isolated", staging("virginia"), "environment production",
          record("environments", networkIsolationEnabled=True), (staging("frankfurt"),)),
    World("member_without_mfa", lambda platform: platform.world.kind("members")["usr-d1person0"].update(mfaEnabled=False),
          "member usr-d1person0", record("members", mfaEnabled=True),
          (record("members", mfaEnabled=False, status="inactive"),)),
    World("failures_not_notified", service(WEB, notify="ignore"), f"web service {WEB}", service(WEB, notify="default")),
    World("postgres_version_unsupported", record("postgres", version="14"), "Postgres database guardian-jobs", record("postgres", version="17")),
    World("queue_evicts", record("key-value", options={"maxmemoryPolicy": "allkeys_lru"}), "Key Value instance guardian-queue",
          record("key-value", options={"maxmemoryPolicy": "noeviction"})),
    World("deploys_failing", failing_deploys(3), f"web service {WEB}", good_deploy, (failing_deploys(2),)),
    World("builds_stopped", happened("pipeline_minutes_exhausted"), "static site guardian-help", later_deploy),
    World("builds_stopped", happened("branch_deleted"), "static site guardian-help", later_deploy),
    World("builds_stopped", both(service("guardian-help", auto_deploy=True), happened("commit_ignored", 12)), "static site guardian-help", later_deploy,
          (both(service("guardian-help", auto_deploy=True), happened("commit_ignored", 3)), happened("commit_ignored", 12))),
    World("blueprint_not_synced", record("blueprints", status="error"), "blueprint guardian", record("blueprints", status="in_sync")),
    World("unmanaged_service", lambda platform: next(iter(platform.world.kind("blueprints").values()))["resources"].pop(),
          f"private service {OCR}", service(OCR, suspenders=("user",))),
    World("blueprint_drift", lambda _: None, f"web service {WEB}", file=blueprint("    plan: 4c-8g\n"), mended_file=blueprint("    plan: pro\n")),
    World("blueprint_drift", service(WEB, health_check_path="/ready"), f"web service {WEB}",
          service(WEB, health_check_path="/health"), file=blueprint("    healthCheckPath: /health\n")),
    World("blueprint_drift", lambda _: None, f"web service {WEB}",
          file=blueprint("").replace("[apps/web/**, packages/**]", "[apps/**]"), mended_file=blueprint("")),
    World("blueprint_drift", lambda _: None, "background worker next", mended_file=blueprint(""),
          file=blueprint("  - type: worker\n    name: next\n    runtime: image\n    image: {url: x/y:1}\n")),
    World("variable_missing", lambda _: None, f"web service {WEB}", variables(WEB, VISION_KEY="x"),
          file=blueprint("    envVars: [{key: VISION_KEY, sync: false}]\n")),
    World("variable_missing", without(WEB, "SESSION_SECRET"), f"web service {WEB}", variables(WEB, SESSION_SECRET="x"),
          file=blueprint("    envVars: [{key: SESSION_SECRET, sync: false}, {key: LOG_LEVEL, sync: false}]\n")),
    World("reference_unresolved", lambda _: None, f"render.yaml services[{WEB}].envVars[DATABASE_URL]",
          file=blueprint("    envVars: [{key: DATABASE_URL, fromDatabase: {name: gone, property: connectionString}}]\n"),
          mended_file=blueprint("    envVars: [{key: DATABASE_URL, fromDatabase: {name: guardian-jobs, property: connectionString}}]\n")),
)  # fmt: skip
