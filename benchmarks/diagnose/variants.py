"""Incidents of the second company, written from what the frameworks print, before the causes were tuned."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.diagnose.variant import API, CLAIMS, JOBS, LAB, NOTIFY, PORTAL, Variant, collected
from tools.sandbox.platform import Behaviour, Effect, Line, failures
from tools.sandbox.platform.incidents.scene import Scene

VARIANTS: list[Variant] = []
_variant = collected(VARIANTS)


@_variant(API, "out_of_memory")
def gunicorn_killed(scene: Scene) -> None:
    killed = failures.out_of_memory("2Gi")
    words = ("[ERROR] Worker (pid:47) was sent SIGKILL! Perhaps out of memory?",)
    many = scene.some(12, 25)
    effect = Effect(memory=1.5, crash=killed, crash_every=many * 60.0, last_words=words, error_rate=0.02)
    scene.lasting(API, effect, scene.some(80, 140))


@_variant(PORTAL, "database_connections_exhausted")
def rails_pool(scene: Scene) -> None:
    lines = (
        Line(
            "F, FATAL -- : ActiveRecord::ConnectionTimeoutError (could not obtain a connection from the pool"
            " within 5.000 seconds (waited 5.001 seconds); all pooled connections were in use):",
            4,
        ),
        Line(
            "PG::ConnectionBad (connection to server failed: FATAL:  remaining connection slots are reserved"
            " for roles with the SUPERUSER attribute)",
            3,
        ),
    )
    scene.lasting(PORTAL, Effect(error_rate=0.18, latency=6, lines=lines), scene.some(25, 60))


@_variant(LAB, "missing_env_var")
def go_envconfig(scene: Scene) -> None:
    lines = (
        "panic: required key LAB_API_TOKEN missing value",
        "goroutine 1 [running]:",
        "main.main()",
        "==> Exited with status 2",
    )
    bad = Behaviour(update="fails", update_reason=failures.exited(2), update_lines=lines)
    scene.release(LAB, "Forward results to the second laboratory", bad, scene.some(20, 90))


@_variant(API, "missing_env_var")
def python_keyerror(scene: Scene) -> None:
    lines = (
        '  File "/opt/render/project/src/scheduling/settings.py", line 31, in <module>',
        '    BOOKING_SALT = os.environ["BOOKING_SALT"]',
        '  File "<frozen os>", line 685, in __getitem__',
        "KeyError: 'BOOKING_SALT'",
        "[ERROR] Worker failed to boot.",
        "==> Exited with status 3",
    )
    bad = Behaviour(update="fails", update_reason=failures.exited(3), update_lines=lines)
    scene.release(API, "Signed booking links", bad, scene.some(20, 90))


@_variant(API, "bad_start_command")
def uvicorn_not_found(scene: Scene) -> None:
    hosted = scene.hosted(API)
    hosted.change(scene.ago(62), start_command="uvicorn scheduling.asgi:application --host 0.0.0.0")
    lines = ("bash: line 1: uvicorn: command not found", "==> Exited with status 127")
    bad = Behaviour(update="fails", update_reason=failures.exited(127), update_lines=lines)
    scene.release(API, "Serve with uvicorn", bad, 60)


@_variant(API, "port_binding")
def django_localhost(scene: Scene) -> None:
    lines = (
        "Starting development server at http://127.0.0.1:8000/",
        "Quit the server with CONTROL-C.",
        "==> No open ports detected, continuing to scan...",
        "==> Docs on specifying a port: https://render.com/docs/web-services#port-binding",
        (
            "==> Port scan timeout reached, no open ports detected on 0.0.0.0."
            " Detected open ports on localhost -- did you mean to bind one of these to 0.0.0.0?"
        ),
        "==> Timed Out",
    )
    why = failures.timed_out(900, "no open ports detected")
    bad = Behaviour(update="fails", update_reason=why, update_seconds=900, update_lines=lines)
    scene.release(API, "Run with the development server", bad, scene.some(40, 100))


@_variant(PORTAL, "wrong_health_path")
def rails_health_route(scene: Scene) -> None:
    hosted = scene.hosted(PORTAL)
    minutes = scene.some(40, 120)
    hosted.change(scene.ago(minutes + 1), health_check_path="/healthcheck")
    lines = (
        "* Listening on http://0.0.0.0:10000",
        'F, FATAL -- : ActionController::RoutingError (No route matches [GET] "/healthcheck"):',
    )
    scene.release(PORTAL, "Copy changes", Behaviour(update_lines=lines), minutes)


@_variant(PORTAL, "migration_failed")
def rails_migration(scene: Scene) -> None:
    lines = (
        "== 20261124101500 AddEpisodeToMessages: migrating =====",
        "bin/rails aborted!",
        "StandardError: An error has occurred, this and all later migrations canceled:",
        'PG::DuplicateColumn: ERROR:  column "episode_id" of relation "messages" already exists',
    )
    bad = Behaviour(pre_deploy="fails", pre_deploy_lines=lines)
    scene.release(PORTAL, "Messages belong to an episode", bad, scene.some(20, 90))


@_variant(PORTAL, "migration_lock")
def rails_lock_timeout(scene: Scene) -> None:
    lines = (
        "== 20261124101900 AddIndexToRecords: migrating =====",
        "bin/rails aborted!",
        (
            "ActiveRecord::LockWaitTimeout: PG::LockNotAvailable: ERROR:  canceling statement due to lock"
            " timeout"
        ),
    )
    bad = Behaviour(pre_deploy="fails", pre_deploy_lines=lines)
    scene.release(PORTAL, "Index on records", bad, scene.some(20, 90))


@_variant(API, "build_dependency")
def pip_version(scene: Scene) -> None:
    lines = (
        "Collecting django==5.2.9",
        (
            "ERROR: Could not find a version that satisfies the requirement hl7apy==9.1 (from versions:"
            " 1.3.4, 1.3.5)"
        ),
        "ERROR: No matching distribution found for hl7apy==9.1",
    )
    scene.release(API, "Parse HL7", Behaviour(build="fails", build_lines=lines), scene.some(20, 90))


@_variant(LAB, "build_dependency")
def go_module(scene: Scene) -> None:
    lines = (
        "go: downloading github.com/clinic-example/hl7 v0.4.0",
        (
            "cmd/gateway/main.go:11:2: no required module provides package github.com/clinic-example/fhir;"
            " to add it:"
        ),
        "\tgo get github.com/clinic-example/fhir",
    )
    scene.release(LAB, "FHIR output", Behaviour(build="fails", build_lines=lines), scene.some(20, 90))


@_variant(PORTAL, "build_out_of_memory")
def assets_killed(scene: Scene) -> None:
    lines = (
        "I, [2026-11-24T14:01:11] INFO -- : Writing /opt/render/project/src/public/assets/application.js",
        "Killed",
        "==> Out of memory (used over 8GB)",
    )
    bad = Behaviour(build="fails", build_lines=lines, build_reason=failures.out_of_memory("8Gi"))
    scene.release(PORTAL, "New front end", bad, scene.some(20, 90))


@_variant(JOBS, "key_value_down")
def sidekiq_redis(scene: Scene) -> None:
    text = "WARN: RedisClient::CannotConnectError: Connection refused - connect(2) for 10.211.4.9:6379"
    lines = (Line(text, 6, "warning"), Line("ERROR: heartbeat: Connection refused (redis://red-abc:6379)", 2))
    scene.lasting(JOBS, Effect(traffic=0.02, lines=lines), scene.some(20, 60))


@_variant(LAB, "tls_failure")
def go_certificate(scene: Scene) -> None:
    text = (
        '{"level":"error","msg":"forward failed","error":"Post \\"https://hl7.partner-lab.example/in\\": tls:'
        " failed to verify certificate: x509: certificate has expired or is not yet valid: current time"
        ' 2026-11-24T14:02:01Z is after 2026-11-24T12:00:00Z"}'
    )
    scene.lasting(LAB, Effect(error_rate=0.4, error_status=502, lines=(Line(text, 8),)), scene.some(60, 140))


@_variant(API, "dns_failure")
def python_gaierror(scene: Scene) -> None:
    text = (
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='rooms.internal.example', port=443):"
        ' Max retries exceeded with url: /v2/rooms (Caused by NameResolutionError("Failed to resolve'
        " 'rooms.internal.example' ([Errno -2] Name or service not known)\"))"
    )
    scene.lasting(API, Effect(error_rate=0.14, lines=(Line(text, 5),)), scene.some(30, 120))


@_variant(LAB, "memory_leak")
def goroutine_leak(scene: Scene) -> None:
    words = ("fatal error: runtime: out of memory",)
    killed = failures.out_of_memory("512Mi")
    effect = Effect(
        memory_mb_per_hour=scene.some(75, 100), crash=killed, crash_every=15_000.0, last_words=words
    )
    effect = replace(effect, crash=failures.exited(137))
    scene.release(LAB, "Keep connections open", Behaviour(effect=effect), scene.some(600, 900))


@_variant(API, "third_party_down")
def eligibility_down(scene: Scene) -> None:
    lines = (
        Line(
            "requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url:"
            " https://api.eligibility-check.example/v3/coverage",
            5,
        ),
        Line(
            "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.eligibility-check.example',"
            " port=443):"
            " Read timed out. (read timeout=20)",
            2,
        ),
    )
    effect = Effect(error_rate=0.2, error_status=502, latency=5, path="/v1/bookings", lines=lines)
    scene.lasting(API, effect, scene.some(20, 60))


@_variant(JOBS, "queue_backlog")
def sidekiq_backlog(scene: Scene) -> None:
    start = scene.some(90, 180)
    for minute in range(start, 0, -3):
        size = 40 + (start - minute) * 37
        scene.wrote(JOBS, minute, f"INFO: queue=default size={size} latency={size // 9}s")
    scene.lasting(JOBS, Effect(traffic=1.6), start)


@_variant(PORTAL, "slow_queries")
def rails_statement_timeout(scene: Scene) -> None:
    lines = (
        Line(
            "ActiveRecord::QueryCanceled (PG::QueryCanceled: ERROR:  canceling statement due to"
            " statement timeout"
            "): app/models/record.rb:88:in `timeline'",
            3,
        ),
        Line(
            "W, WARN -- : slow query ({slow}ms) SELECT records.* FROM records WHERE episode_id = $1",
            4,
            "warning",
        ),
    )
    effect = Effect(latency=11, error_rate=0.06, path="/records", lines=lines)
    scene.lasting(PORTAL, effect, scene.some(60, 200))


@_variant(PORTAL, "deploy_errors")
def rails_nil(scene: Scene) -> None:
    text = "NoMethodError (undefined method `full_name' for nil): app/views/messages/_thread.html.erb:14"
    effect = Effect(error_rate=0.22, path="/messages", lines=(Line(text, 5),))
    scene.release(PORTAL, "Threads show the sender", Behaviour(effect=effect), scene.some(25, 80))


@_variant(API, "deploy_latency")
def slow_serializer(scene: Scene) -> None:
    scene.release(API, "Serialise slots with rooms", Behaviour(effect=Effect(latency=7)), scene.some(30, 90))


@_variant(API, "cpu_saturation")
def busy_monday(scene: Scene) -> None:
    scene.lasting(API, Effect(traffic=4.6), scene.some(40, 120))


@_variant(LAB, "autoscaling_at_max")
def flood(scene: Scene) -> None:
    scene.lasting(LAB, Effect(traffic=14.0), scene.some(60, 150))


@_variant(API, "disk_full")
def python_enospc(scene: Scene) -> None:
    disk = scene.world.kind("disks")
    own = scene.hosted(API).spec.id
    disk["dsk-clinic"] = {
        "id": "dsk-clinic", "name": "uploads", "sizeGB": 5, "mountPath": "/var/uploads", "serviceId": own,
        "createdAt": "2026-05-01T00:00:00Z", "updatedAt": "2026-05-01T00:00:00Z",
    }  # fmt: skip
    hosted = scene.hosted(API)
    hosted.profile = replace(hosted.profile, disk_used_mb=4300)
    text = "OSError: [Errno 28] No space left on device: '/var/uploads/tmp9'"
    scene.lasting(API, Effect(disk_mb_per_hour=160), 310)
    scene.lasting(API, Effect(error_rate=0.15, error_status=500, lines=(Line(text, 4),)), 12)


@_variant(CLAIMS, "cron_timeout")
def claims_too_long(scene: Scene) -> None:
    why = failures.timed_out(43200, "cron job run exceeded the maximum of 12 hours")
    scene.lasting(CLAIMS, Effect(crash=why, crash_every=1e9), 60 * 40)


@_variant(CLAIMS, "expired_secret")
def claims_token(scene: Scene) -> None:
    words = (
        (
            "google.auth.exceptions.RefreshError: ('invalid_grant: Token has been expired or revoked.',"
            " {'error': 'invalid_grant'})"
        ),
    )
    scene.lasting(CLAIMS, Effect(crash=failures.exited(1), crash_every=1e9, last_words=words), 60 * 9)


@_variant(NOTIFY, "rate_limited_upstream")
def sms_limits(scene: Scene) -> None:
    text = (
        "twilio.base.exceptions.TwilioRestException: HTTP 429 error: Unable to create record:"
        " Too Many Requests"
    )
    scene.lasting(NOTIFY, Effect(lines=(Line(text, 7),)), scene.some(30, 100))


@_variant(JOBS, "poison_job")
def sidekiq_poison(scene: Scene) -> None:
    words = ("WARN: jid=7f21c09ab4e1 class=MergeRecordsJob: start", "[BUG] Segmentation fault at 0x00000000")
    effect = Effect(crash=failures.exited(139), crash_every=240.0, last_words=words)
    scene.lasting(JOBS, effect, scene.some(40, 90))


@_variant(PORTAL, "slow_start")
def rails_boot(scene: Scene) -> None:
    lines = (
        "=> Booting Puma",
        "=> Rails 8.1.1 application starting in production",
        "Loading 48211 code systems into memory ...",
        (
            "==> Timed out after waiting for internal health check to return a successful response code at:"
            " portal.onrender.com:10000 /up"
        ),
    )
    why = failures.timed_out(900, "health check")
    bad = Behaviour(update="fails", update_reason=why, update_seconds=900, update_lines=lines)
    scene.release(PORTAL, "Code systems in memory", bad, scene.some(30, 90))


@_variant(NOTIFY, "bad_start_command")
def celery_module(scene: Scene) -> None:
    lines = (
        "Usage: celery [OPTIONS] COMMAND [ARGS]...",
        "Error: Invalid value for '-A' / '--app': ",
        "Unable to load celery application.",
        "The module notifier was not found.",
        "==> Exited with status 2",
    )
    hosted = scene.hosted(NOTIFY)
    hosted.change(scene.ago(35), start_command="celery -A notifier worker")
    bad = Behaviour(update="fails", update_reason=failures.exited(2), update_lines=lines)
    scene.release(NOTIFY, "Rename the package", bad, 33)


@_variant(API, "expired_secret")
def database_password(scene: Scene) -> None:
    text = (
        'django.db.utils.OperationalError: connection to server at "10.9.8.7", port 5432 failed: FATAL:'
        '  password authentication failed for user "jobs"'
    )
    scene.lasting(API, Effect(error_rate=0.8, lines=(Line(text, 9),)), scene.some(15, 50))


@_variant(PORTAL, "hardware_failure")
def evicted(scene: Scene) -> None:
    minutes = scene.some(8, 30)
    instance = {"instanceID": "srv-portal-abcde"}
    scene.note(PORTAL, "server_hardware_failure", instance, minutes)
    scene.note(PORTAL, "server_failed", {**instance, "reason": failures.evicted()}, minutes - 0.1)
    scene.lasting(PORTAL, Effect(error_rate=0.3, error_status=502), minutes, until=minutes - 3)


@_variant(PORTAL, "")
def nothing_at_all(scene: Scene) -> None:
    """A quiet day."""


@_variant(API, "")
def long_mended(scene: Scene) -> None:
    """Killed once five days ago, and well since."""
    scene.lasting(API, Effect(memory=1.6, crash=failures.out_of_memory("2Gi"), crash_every=900), 7200, 7160)


@_variant(LAB, "")
def errors_unexplained(scene: Scene) -> None:
    """Requests fail, and nothing says why: no line, no event, no deploy."""
    scene.lasting(LAB, Effect(error_rate=0.12), scene.some(40, 90))
