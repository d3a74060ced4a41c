"""What processes, databases and Render itself print, and the cause that it stands for."""

from __future__ import annotations

import pytest

from tests.tools.render.diagnosing.observed import failed_deploy, saying, snapshot
from tools.render.diagnosing.ranking import diagnose

RUNNING = (
    ("database_connections_exhausted", "FATAL:  sorry, too many clients already"),
    ("database_connections_exhausted", "MaxClientsInSessionMode: max clients reached - in Session mode"),
    ("database_connections_exhausted", "Timed out fetching a new connection from the connection pool. P2024"),
    ("database_connections_exhausted", "QueuePool limit of size 5 overflow 10 reached, connection timed out"),
    ("database_connections_exhausted", "error: Max client connections reached"),
    ("database_connections_exhausted", "PGRST003 Timed out acquiring connection from connection pool."),
    ("slow_queries", "ERROR:  canceling statement due to statement timeout"),
    ("slow_queries", "LOG:  duration: 8123.456 ms  execute <unnamed>: SELECT 1"),
    ("database_down", "Error: connect ECONNREFUSED 10.4.1.7:5432"),
    ("database_down", "FATAL:  the database system is starting up"),
    ("key_value_down", "Error: connect ECONNREFUSED 10.4.1.7:6379"),
    ("key_value_down", "ReplyError: OOM command not allowed when used memory > 'maxmemory'."),
    ("key_value_down", "redis.exceptions.ConnectionError: Error 111 connecting to red-x:6379, refused."),
    ("supabase_down", "FetchError: https://abc.supabase.co/rest/v1/profiles 503 Service Unavailable"),
    ("supabase_down", "PGRST002 Could not query the database for the schema cache. Retrying."),
    ("third_party_down", "AxiosError: Request failed with status code 503 url=https://api.other.example/v1"),
    ("third_party_down", "Error: socket hang up https://api.other.example"),
    ("third_party_down", "Get \"https://api.other.example\": context deadline exceeded"),
    ("dns_failure", "Error: getaddrinfo ENOTFOUND api.other.example"),
    ("dns_failure", "dial tcp: lookup api.other.example on 10.0.0.2:53: no such host"),
    ("dns_failure", "psycopg.OperationalError: could not translate host name \"dpg-abc\" to address"),
    ("tls_failure", "Error: certificate has expired code: 'CERT_HAS_EXPIRED'"),
    ("tls_failure", "x509: certificate signed by unknown authority"),
    ("tls_failure", "unable to verify the first certificate UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    ("expired_secret", "AuthenticationError: 401 Incorrect API key provided"),
    ("expired_secret", "FATAL:  password authentication failed for user \"app\""),
    ("expired_secret", "invalid_grant: Token has been expired or revoked."),
    ("expired_secret", "ExpiredToken: The provided token has expired."),
    ("rate_limited_upstream", "RateLimitError: 429 Too Many Requests"),
    ("rate_limited_upstream", "AuthApiError: over_email_send_rate_limit"),
    ("disk_full", "Error: ENOSPC: no space left on device, write"),
    ("disk_full", "ERROR:  could not extend file \"base/5/16384\": No space left on device"),
    ("heap_too_small", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
    ("out_of_memory", "[ERROR] Worker (pid:47) was sent SIGKILL! Perhaps out of memory?"),
    ("missing_env_var", "Error: SUPABASE_SERVICE_ROLE_KEY is not set"),
    ("missing_env_var", "KeyError: 'MAPS_TOKEN'"),
    ("missing_env_var", "Error: supabaseUrl is required."),
    ("migration_lock", "ERROR:  canceling statement due to lock timeout"),
    ("migration_lock", "process 71 still waiting for AccessExclusiveLock on relation 16403"),
)  # fmt: skip
STARTING = (
    ("build_failed", "build_dependency", "npm error code ERESOLVE"),
    ("build_failed", "build_dependency", "ERROR: No matching distribution found for numpy==9.9"),
    ("build_failed", "build_dependency", "Could not find gem 'rails (= 99)' in rubygems"),
    ("build_failed", "build_out_of_memory", "FATAL ERROR: JavaScript heap out of memory"),
    ("build_failed", "build_out_of_memory", "==> Out of memory (used over 8GB)"),
    ("build_failed", "build_timeout", "==> Timed out"),
    ("build_failed", "build_failed", "src/a.ts(1,1): error TS2322: Type 'string' is not assignable"),
    ("pre_deploy_failed", "migration_failed", "ERROR: column \"a\" of relation \"b\" already exists"),
    ("pre_deploy_failed", "migration_failed", "Error: P3009 migrate found failed migrations"),
    ("pre_deploy_failed", "migration_lock", "ERROR: canceling statement due to lock timeout"),
    ("pre_deploy_failed", "migration_lock", "MigrationLocked: Migration table is already locked"),
    ("update_failed", "port_binding", "==> No open ports detected, continuing to scan..."),
    ("update_failed", "port_binding", "Error: listen EADDRINUSE: address already in use :::10000"),
    ("update_failed", "bad_start_command", "bash: line 1: gunicorn: command not found"),
    ("update_failed", "bad_start_command", "npm error Missing script: \"start\""),
    ("update_failed", "bad_start_command", "Error: Cannot find module '/opt/render/project/src/server.js'"),
    ("update_failed", "missing_env_var", "Error: Missing required environment variable: MAPS_TOKEN"),
    ("update_failed", "missing_env_var", "panic: required key MAPS_TOKEN missing value"),
    ("update_failed", "image_pull_failed", "==> Failed to pull image: manifest unknown"),
    ("update_failed", "start_crash", "TypeError: Cannot read properties of undefined (reading 'listen')"),
)  # fmt: skip
HARMLESS = (
    "warn refused token of a signed-out session",
    "(node:71) [DEP0040] DeprecationWarning: The `punycode` module is deprecated",
    "error validation failed: the dosage is out of range",
    "warn cache miss rate above 40 %",
    "error upload aborted by client",
    "user entered a wrong code",
)


@pytest.mark.parametrize(("cause", "message"), RUNNING)
def test_a_message_of_the_running_service_names_its_cause(cause: str, message: str) -> None:
    top = diagnose(saying(message, "error upload aborted by client")).top
    assert top is not None
    assert top.cause.name == cause
    assert top.cause.evidence
    assert top.cause.next_step


@pytest.mark.parametrize(("status", "cause", "message"), STARTING)
def test_a_message_of_a_failed_deploy_names_its_cause(status: str, cause: str, message: str) -> None:
    top = diagnose(failed_deploy(status, ["==> Deploying...", message])).top
    assert top is not None
    assert top.cause.name == cause


@pytest.mark.parametrize("message", HARMLESS)
def test_a_harmless_message_names_none(message: str) -> None:
    assert diagnose(saying(message)).top is None


def test_the_same_messages_as_always_are_no_trouble() -> None:
    import dataclasses

    noisy = saying("Error: connect ECONNREFUSED 10.4.1.7:6379")
    usual = tuple(dataclasses.replace(each, usual_per_hour=each.per_hour) for each in noisy.said)
    assert diagnose(noisy).top is not None
    assert diagnose(dataclasses.replace(noisy, said=usual)).top is None


def test_nothing_seen_is_nothing_wrong() -> None:
    found = diagnose(snapshot())
    assert (found.top, found.symptoms, found.ranked) == (None, (), ())
