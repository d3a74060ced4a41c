"""The causes of the seeded incidents."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a service is in trouble."""

    AUTOSCALING_AT_MAX = "autoscaling_at_max"
    BAD_START_COMMAND = "bad_start_command"
    BLUEPRINT_DRIFT = "blueprint_drift"
    BUILD_DEPENDENCY = "build_dependency"
    BUILD_OUT_OF_MEMORY = "build_out_of_memory"
    BUILD_TIMEOUT = "build_timeout"
    CPU_SATURATION = "cpu_saturation"
    CRON_TIMEOUT = "cron_timeout"
    DATABASE_CONNECTIONS_EXHAUSTED = "database_connections_exhausted"
    DEPLOY_ERRORS = "deploy_errors"
    DEPLOY_LATENCY = "deploy_latency"
    DISK_FULL = "disk_full"
    DNS_FAILURE = "dns_failure"
    ENV_GROUP_CHANGE = "env_group_change"
    EXPIRED_SECRET = "expired_secret"  # noqa: S105
    HARDWARE_FAILURE = "hardware_failure"
    HEAP_TOO_LARGE = "heap_too_large"
    HEAP_TOO_SMALL = "heap_too_small"
    IMAGE_PULL_FAILED = "image_pull_failed"
    KEY_VALUE_DOWN = "key_value_down"
    MAINTENANCE_MODE = "maintenance_mode"
    MEMORY_LEAK = "memory_leak"
    MIGRATION_FAILED = "migration_failed"
    MIGRATION_LOCK = "migration_lock"
    MISSING_ENV_VAR = "missing_env_var"
    OUT_OF_MEMORY = "out_of_memory"
    POISON_JOB = "poison_job"
    PORT_BINDING = "port_binding"
    QUEUE_BACKLOG = "queue_backlog"
    RATE_LIMITED_UPSTREAM = "rate_limited_upstream"
    REGION_MISMATCH = "region_mismatch"
    SERVICE_SUSPENDED = "service_suspended"
    SLOW_QUERIES = "slow_queries"
    SLOW_START = "slow_start"
    SUPABASE_DOWN = "supabase_down"
    THIRD_PARTY_DOWN = "third_party_down"
    TLS_FAILURE = "tls_failure"
    WRONG_HEALTH_PATH = "wrong_health_path"
