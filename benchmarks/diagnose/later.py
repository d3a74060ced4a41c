"""Incidents in Java, Elixir, PHP, .NET and TypeScript, written after the causes."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.diagnose.variant import API, CLAIMS, JOBS, LAB, NOTIFY, PORTAL, Variant, collected
from tools.sandbox.platform import Behaviour, Effect, Line, deploys, failures
from tools.sandbox.platform.incidents.scene import Scene
from tools.sandbox.platform.world import Sizing

LATER: list[Variant] = []
_variant = collected(LATER)


@_variant(API, "out_of_memory")
def java_heap_space(scene: Scene) -> None:
    words = ("java.lang.OutOfMemoryError: Java heap space",)
    effect = Effect(memory=1.9, crash=failures.exited(3), crash_every=900, last_words=words)
    scene.lasting(API, effect, scene.some(70, 150))


@_variant(PORTAL, "database_connections_exhausted")
def hikari_pool(scene: Scene) -> None:
    text = (
        "SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after"
        " 30000ms (total=10, active=10, idle=0, waiting={n})"
    )
    scene.lasting(PORTAL, Effect(error_rate=0.2, latency=8, lines=(Line(text, 5),)), scene.some(20, 80))


@_variant(API, "database_connections_exhausted")
def elixir_dropped(scene: Scene) -> None:
    text = (
        "** (DBConnection.ConnectionError) connection not available and request was dropped from queue after"
        " {big}ms. This means requests are coming in and your connection pool cannot serve them fast enough."
    )
    scene.lasting(API, Effect(error_rate=0.15, latency=5, lines=(Line(text, 5),)), scene.some(20, 80))


@_variant(PORTAL, "missing_env_var")
def laravel_key(scene: Scene) -> None:
    lines = (
        "production.ERROR: No application encryption key has been specified. Set the APP_KEY variable.",
        "==> Exited with status 1",
    )
    bad = Behaviour(update="fails", update_lines=lines)
    scene.release(PORTAL, "Encrypt messages", bad, scene.some(20, 80))


@_variant(API, "port_binding")
def dotnet_localhost(scene: Scene) -> None:
    lines = (
        "info: Microsoft.Hosting.Lifetime[14] Now listening on: http://localhost:5000",
        "info: Microsoft.Hosting.Lifetime[0] Application started.",
        "==> No open ports detected, continuing to scan...",
        "==> Timed Out",
    )
    why = failures.timed_out(900, "no open ports detected")
    bad = Behaviour(update="fails", update_reason=why, update_seconds=900, update_lines=lines)
    scene.release(API, "Kestrel defaults", bad, scene.some(30, 80))


@_variant(PORTAL, "migration_failed")
def prisma_failed_before(scene: Scene) -> None:
    lines = (
        "Error: P3009",
        "migrate found failed migrations in the target database, new migrations will not be applied.",
    )
    scene.release(PORTAL, "Visits", Behaviour(pre_deploy="fails", pre_deploy_lines=lines), scene.some(20, 80))


@_variant(PORTAL, "migration_failed")
def alembic_undefined(scene: Scene) -> None:
    lines = (
        "INFO  [alembic.runtime.migration] Running upgrade 8a1f -> 90bc, visits get a room",
        'sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation "visits" does not exist',
    )
    scene.release(PORTAL, "Rooms", Behaviour(pre_deploy="fails", pre_deploy_lines=lines), scene.some(20, 80))


@_variant(NOTIFY, "rate_limited_upstream")
def openai_quota(scene: Scene) -> None:
    text = (
        "openai.RateLimitError: Error code: 429 - {'error': {'message': 'You exceeded your current quota,"
        " please check your plan and billing details.', 'type': 'insufficient_quota'}}"
    )
    scene.lasting(NOTIFY, Effect(lines=(Line(text, 6),)), scene.some(30, 120))


@_variant(API, "expired_secret")
def stripe_key(scene: Scene) -> None:
    text = "stripe._error.AuthenticationError: Expired API Key provided: sk_live_********ab12"
    effect = Effect(error_rate=0.1, path="/v1/bookings", lines=(Line(text, 4),))
    scene.lasting(API, effect, scene.some(30, 120))


@_variant(NOTIFY, "poison_job")
def stalled_job(scene: Scene) -> None:
    text = "Error: job 48213 stalled more than allowable limit, attempt 12"
    scene.lasting(NOTIFY, Effect(lines=(Line(text, 3),)), scene.some(40, 120))


@_variant(LAB, "build_dependency")
def vite_unresolved(scene: Scene) -> None:
    lines = (
        "vite v6.0.3 building for production...",
        '[vite]: Rollup failed to resolve import "dayjs" from "/opt/render/project/src/src/App.tsx".',
    )
    scene.release(LAB, "Dates", Behaviour(build="fails", build_lines=lines), scene.some(20, 80))


@_variant(LAB, "build_failed")
def typescript_error(scene: Scene) -> None:
    lines = ("src/app.ts(41,7): error TS2322: Type 'string' is not assignable to type 'number'.",)
    scene.release(LAB, "Numbers", Behaviour(build="fails", build_lines=lines), scene.some(20, 80))


@_variant(API, "cpu_saturation")
def dearer_work(scene: Scene) -> None:
    sick = failures.unhealthy("HTTP health check failed (timed out after 5 seconds)")
    scene.lasting(API, Effect(cpu=6.0, crash=sick, crash_every=1500), scene.some(60, 150))


@_variant(API, "settings_changed")
def smaller_plan(scene: Scene) -> None:
    minutes = scene.some(60, 150)
    hosted = scene.hosted(API)
    hosted.spec = replace(hosted.spec, plan="0.5c-512mb")
    hosted.sizing.append(Sizing(scene.ago(minutes), "0.5c-512mb", 1, None))
    scene.note(API, "plan_changed", {"from": "1c-2g", "to": "0.5c-512mb"}, minutes)
    effect = Effect(crash=failures.out_of_memory("512Mi"), crash_every=600)
    scene.lasting(API, effect, minutes - 2)


@_variant(PORTAL, "")
def canceled_deploy(scene: Scene) -> None:
    """Somebody pushed, thought better of it and canceled."""
    deploy = scene.release(PORTAL, "Half a thought", Behaviour(build_seconds=9000), 30)
    deploys.cancel(scene.world, scene.hosted(PORTAL), deploy, scene.ago(26))


@_variant(CLAIMS, "run_failed")
def bad_row(scene: Scene) -> None:
    words = ("Traceback (most recent call last):", "ValueError: line 14: amount is not a number")
    scene.lasting(CLAIMS, Effect(crash=failures.exited(1), crash_every=1e9, last_words=words), 400)


@_variant(PORTAL, "database_down")
def database_restarts(scene: Scene) -> None:
    text = "PG::ConnectionBad: connection to server failed: FATAL:  the database system is starting up"
    scene.lasting(PORTAL, Effect(error_rate=0.9, error_status=500, lines=(Line(text, 9),)), scene.some(8, 20))


@_variant(NOTIFY, "dns_failure")
def smtp_name(scene: Scene) -> None:
    text = "Error: getaddrinfo EAI_AGAIN smtp.mail-relay.example (code EDNS, syscall getaddrinfo)"
    scene.lasting(NOTIFY, Effect(lines=(Line(text, 4),)), scene.some(20, 100))


@_variant(API, "tls_failure")
def self_signed(scene: Scene) -> None:
    text = (
        "urllib.error.URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed:"
        " self-signed certificate in certificate chain (_ssl.c:1006)>"
    )
    scene.lasting(API, Effect(error_rate=0.12, lines=(Line(text, 4),)), scene.some(20, 100))


@_variant(JOBS, "queue_backlog")
def horizon_waiting(scene: Scene) -> None:
    start = scene.some(90, 200)
    for minute in range(start, 0, -4):
        scene.wrote(JOBS, minute, f"horizon: {30 + (start - minute) * 41} jobs waiting on default")
    scene.lasting(JOBS, Effect(traffic=1.5), start)


@_variant(API, "disk_full")
def sqlite_full(scene: Scene) -> None:
    text = "sqlite3.OperationalError: database or disk is full"
    scene.lasting(API, Effect(error_rate=0.2, lines=(Line(text, 5),)), scene.some(10, 60))


@_variant(API, "slow_start")
def spring_boot(scene: Scene) -> None:
    lines = (
        "INFO o.s.b.w.embedded.tomcat.TomcatWebServer : Tomcat initialized with port 10000 (http)",
        "INFO o.s.web.context.ContextLoader : Root WebApplicationContext: initialization started",
        "INFO c.c.catalog.CatalogLoader : importing 2.1 million concepts, please wait",
    )
    why = failures.unhealthy("HTTP health check failed (timed out after 5 seconds)")
    bad = Behaviour(update="fails", update_reason=why, update_seconds=900, update_lines=lines)
    scene.release(API, "Concept catalogue", bad, scene.some(30, 80))


@_variant(PORTAL, "wrong_health_path")
def health_behind_login(scene: Scene) -> None:
    lines = ("I, INFO -- : Filter chain halted as :authenticate_user! rendered or redirected",) * 2
    why = failures.unhealthy("HTTP health check failed (unexpected status code: 401)")
    bad = Behaviour(update="fails", update_reason=why, update_seconds=900, update_lines=lines)
    scene.release(PORTAL, "Everything needs a login", bad, scene.some(30, 80))
