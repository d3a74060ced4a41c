"""Guardian's services as configured, what they do on a normal day, and what was deployed lately."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tools.sandbox.platform.world import Autoscaling, Profile, Service

LONG_AGO: Final = datetime(2026, 4, 1, tzinfo=UTC)
REPO: Final = "https://github.com/guardian-health/guardian"


def _service(kind: str, name: str, **fields: object) -> Service:
    usual = {"region": "virginia", "repo": REPO, "build_command": "npm ci && npm run build"}
    return Service("", kind, name, LONG_AGO, LONG_AGO, **(usual | fields))  # type: ignore[arg-type]  # constants below


SERVICES: Final = (
    _service(
        "web_service",
        "guardian-web",
        plan="2c-4g",
        start_command="npm run start:web",
        pre_deploy_command="npm run db:check",
        health_check_path="/health",
        num_instances=2,
        autoscaling=Autoscaling(True, 2, 5, cpu=65, memory=None),
        ports=(10000,),
        previews="manual",
        build_filter=(("apps/web/**", "packages/**"), ("**/*.md",)),
    ),
    _service(
        "background_worker",
        "guardian-document-worker",
        plan="2c-4g",
        start_command="node dist/worker.js",
        num_instances=1,
        auto_deploy=False,
        shutdown_delay=120,
        build_filter=(("apps/worker/**", "packages/**"), ()),
    ),
    _service(
        "private_service",
        "guardian-ocr",
        plan="1c-2g",
        runtime="image",
        image="ghcr.io/guardian-health/ocr:2.3.1",
        repo=None,
        build_command="",
        ports=(8080,),
    ),
    _service(
        "cron_job",
        "guardian-reminders",
        plan="0.5c-512mb",
        schedule="*/15 * * * *",
        start_command="npm run cron:reminders",
    ),
    _service(
        "cron_job",
        "guardian-retention-sweep",
        plan="0.5c-512mb",
        schedule="20 3 * * *",
        start_command="npm run cron:retention",
    ),
    _service(
        "cron_job",
        "guardian-usage-report",
        plan="0.5c-512mb",
        schedule="0 6 * * *",
        start_command="npm run cron:usage",
    ),
    _service(
        "static_site", "guardian-help", publish_path="dist", build_command="npm ci && npm run build:help"
    ),
)

PROFILES: Final = {
    "guardian-web": Profile(
        per_minute=420.0,
        peak_hour=17.0,
        cpu_idle=0.05,
        cpu_per_request=0.0028,
        memory_mb=640.0,
        memory_per_request_mb=0.6,
        latency_ms=(41.0, 182.0, 460.0),
        error_rate=0.0007,
        paths=(
            ("/api/timeline", 0.34),
            ("/api/profiles", 0.2),
            ("/api/documents", 0.16),
            ("/api/events", 0.14),
            ("/api/share", 0.06),
            ("/", 0.1),
        ),
        lines=(
            "info timeline loaded profile={profile} events={n} ms={ms}",
            "info session renewed account={email} ip={ip}",
            "info document queued file={doc} profile={profile}",
            "info share opened by {email} for {patient} level=read",
            "info reminder sent to {phone} for {patient}",
            "warn slow client ip={ip} ms={big}",
        ),
    ),
    "guardian-document-worker": Profile(
        per_minute=18.0,
        swing=0.25,
        peak_hour=2.0,
        bursts=((1.0, 4.0, 2.4),),
        cpu_idle=0.04,
        cpu_per_request=0.026,
        memory_mb=1380.0,
        memory_per_request_mb=20.0,
        latency_ms=(2600.0, 9100.0, 21000.0),
        error_rate=0.004,
        lines=(
            "info job {job} claimed pass={pass} file={doc}",
            "info job {job} done pass={pass} pages={n} ms={slow}",
            "info extracted patient={patient} dob={dob} mrn={mrn} drug={drug}",
            "info heartbeat jobs=4 queue={n}",
            "warn job {job} low confidence on {drug}, sent to quality-guardian",
        ),
        lines_per_minute=5.0,
    ),
    "guardian-ocr": Profile(
        per_minute=16.0,
        peak_hour=2.0,
        bursts=((1.0, 4.0, 2.4),),
        cpu_per_request=0.018,
        memory_mb=760.0,
        latency_ms=(900.0, 2800.0, 6100.0),
        disk_used_mb=6400.0,
        lines=("info page read file={doc} page={n} ms={big}", "info model cache hit"),
        lines_per_minute=2.0,
    ),
    "guardian-reminders": Profile(
        latency_ms=(22_000.0, 31_000.0, 40_000.0),
        memory_mb=140.0,
        lines=("info {n} reminders due", "info sent reminder to {phone} for {patient}", "info done"),
    ),
    "guardian-retention-sweep": Profile(
        latency_ms=(540_000.0, 700_000.0, 800_000.0),
        memory_mb=190.0,
        lines=(
            "info sweeping documents older than the retention of their consent",
            "info {big} objects removed",
        ),
    ),
    "guardian-usage-report": Profile(
        latency_ms=(95_000.0, 120_000.0, 150_000.0),
        memory_mb=170.0,
        lines=("info cost per pass: ocr vision entities codes", "info report written"),
    ),
    "guardian-help": Profile(per_minute=9.0, memory_mb=0.0),
}

ENVIRONMENT: Final = {
    "guardian-web": {
        "NODE_ENV": "production",
        "SUPABASE_URL": "https://gdnprodhealthrecords.supabase.co",
        "SUPABASE_ANON_KEY": "simulated-anon-key",
        "SESSION_SECRET": "simulated-session-secret",
        "NODE_OPTIONS": "--max-old-space-size=3072",
    },
    "guardian-document-worker": {
        "NODE_ENV": "production",
        "SUPABASE_SERVICE_ROLE_KEY": "simulated-service-role-key",
        "VISION_API_KEY": "simulated-vision-key",
        "WORKER_CONCURRENCY": "4",
        "NODE_OPTIONS": "--max-old-space-size=3072",
    },
    "guardian-ocr": {"OCR_THREADS": "2"},
    "guardian-reminders": {"SMS_API_KEY": "simulated-sms-key"},
    "guardian-retention-sweep": {"BATCH_SIZE": "500"},
    "guardian-usage-report": {"REPORT_BUCKET": "usage-reports"},
}

HISTORY: Final = {
    "guardian-web": (
        "Timeline: group encounters by episode",
        "Share dialog: say until when a profile is open",
        "Upgrade supabase-js to 2.58",
        "Reminders: quiet hours per account",
        "Profile switcher keeps the scroll position",
        "Documents: retry an upload that was cut off",
        "Cache the plan's feature flags for a minute",
        "Timeline: load the first page on the server",
    ),
    "guardian-document-worker": (
        "Claim jobs in batches of four",
        "Vision pass: smaller images for forms",
        "Heartbeat every twenty seconds",
        "Entities: dosage ranges of RxNorm",
        "Cost per pass is written with the job",
    ),
    "guardian-ocr": ("2.3.0", "2.3.1"),
    "guardian-reminders": ("Reminders by SMS and push", "Respect quiet hours"),
    "guardian-retention-sweep": ("Sweep in batches", "Skip documents under legal hold"),
    "guardian-usage-report": ("Usage report per pass",),
    "guardian-help": ("Help pages for carers", "Help: how to withdraw a consent"),
}

PENDING: Final = (
    "Document normalizer: units of blood panels",
    "Document pipeline: second vision pass for low confidence",
)
"""Commits of the document worker that are not deployed yet."""
