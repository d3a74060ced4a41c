"""The Supabase project: functions, secrets, logs, configurations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.tools.sandbox.platform.asking import SUPABASE, Client
from tools.sandbox.platform import SUPABASE_STRANGER, SUPABASE_VIEWER, Platform, guardian

REF = "/projects/gdnprodhealthrecords"


@pytest.fixture
def platform() -> Platform:
    return guardian()


@pytest.fixture
def client(platform: Platform) -> Client:
    return Client(platform, SUPABASE)


def deploy(client: Client, slug: str, source: bytes, **query: str) -> Any:
    files = {"file": ("index.ts", source), "metadata": (None, '{"entrypoint_path": "index.ts"}')}
    return client.ask("POST", f"{REF}/functions/deploy", params={"slug": slug, **query}, files=files)


def test_a_function_is_deployed_and_brought_back_from_its_kept_source(client: Client):
    path = f"{REF}/functions/quality-guardian"
    before = client.get(path)
    kept = client.ask("GET", f"{path}/body").content
    assert kept.count(b"quality-guardian 6") == 1
    assert deploy(client, "quality-guardian", b"new", bundleOnly="true").status_code == 201
    assert client.get(path) == before
    assert deploy(client, "quality-guardian", b"new").json()["version"] == before["version"] + 1
    assert b"new" in client.ask("GET", f"{path}/body").content
    source = kept.split(b"\r\n\r\n")[1].split(b"\r\n--")[0]
    again = deploy(client, "quality-guardian", source).json()
    assert again["ezbr_sha256"] == before["ezbr_sha256"] and again["version"] == before["version"] + 2
    assert deploy(client, "quality-guardian", b"syntax error").status_code == 400
    assert client.ask("DELETE", path).status_code == 200
    assert client.ask("GET", path).status_code == 404


def test_secrets_are_shown_as_digests_and_protected_by_their_prefix(client: Client):
    assert client.ask("POST", f"{REF}/secrets", json=[{"name": "A_KEY", "value": "plain"}]).status_code == 201
    shown = {each["name"]: each["value"] for each in client.get(f"{REF}/secrets")}
    assert len(shown["A_KEY"]) == 64 and "plain" not in str(shown)
    assert client.ask("POST", f"{REF}/secrets", json=[{"name": "SUPABASE_X", "value": ""}]).status_code == 400
    client.ask("DELETE", f"{REF}/secrets", json=["A_KEY"])
    assert "A_KEY" not in str(client.get(f"{REF}/secrets"))


def test_logs_look_at_the_last_minute_unless_told(client: Client, platform: Platform):
    now = platform.clock.now()
    path = f"{REF}/analytics/endpoints/logs"
    sql = "select count() as n from logs where source = 'edge_logs'"
    short = client.get(path, sql=sql)["result"][0]["n"]
    times = {
        "iso_timestamp_start": (now - timedelta(hours=2)).isoformat(),
        "iso_timestamp_end": now.isoformat(),
    }
    long = client.get(path, sql=sql, **times)["result"][0]["n"]
    assert 0 < short < 20 and long > 60 * short / 2
    times["iso_timestamp_start"] = (now - timedelta(days=2)).isoformat()
    refused = client.get(path, sql=sql, **times)
    assert refused["result"] is None and "24 hours" in refused["error"]["message"]
    assert client.get(path, sql="select count(*) from logs")["error"]["code"] == 400


def test_health_wants_repeated_names(client: Client, platform: Platform):
    assert platform.project is not None
    platform.project.unhealthy["db"] = "connection refused"
    shown = client.get(f"{REF}/health", services=["auth", "db"])
    assert [(each["name"], each["healthy"]) for each in shown] == [("auth", True), ("db", False)]
    assert client.ask("GET", f"{REF}/health", params={"services": "auth,db"}).status_code == 400


def test_configurations_change_and_unknown_fields_are_refused(client: Client):
    path = f"{REF}/config/auth"
    assert client.get(path)["password_min_length"] == 10
    assert client.ask("PATCH", path, json={"password_min_length": 12}).json()["password_min_length"] == 12
    assert client.ask("PATCH", path, json={"no_such_field": 1}).status_code == 400
    fields = {"requestedConfig": {"database": True}}
    assert client.ask("PUT", f"{REF}/ssl-enforcement", json=fields).json()["currentConfig"] == {
        "database": True
    }
    applied = client.ask(
        "POST", f"{REF}/network-restrictions/apply", json={"dbAllowedCidrs": ["198.51.100.0/24"]}
    )
    assert applied.json()["config"]["dbAllowedCidrs"] == ["198.51.100.0/24"]


def test_restores_and_queries_have_their_limits(client: Client, platform: Platform):
    now = int(platform.clock.now().timestamp())
    path = f"{REF}/database/backups/restore-pitr"
    assert client.ask("POST", path, json={"recovery_time_target_unix": now - 30 * 86400}).status_code == 400
    assert client.ask("POST", path, json={"recovery_time_target_unix": now - 3600}).status_code == 201
    assert client.get(REF)["status"] == "RESTORING"
    read = f"{REF}/database/query/read-only"
    assert client.ask("POST", read, json={"query": "select 1 as one"}).json() == [{"one": 1}]
    assert "25006" in client.ask("POST", read, json={"query": "drop table profiles"}).json()["message"]
    assert client.ask("POST", read, json={"query": "select * from profiles"}).status_code == 400


def test_keys_of_the_project(client: Client, platform: Platform):
    hidden = {each["type"]: each["api_key"] for each in client.get(f"{REF}/api-keys")}
    assert "simulated" in hidden["publishable"] and "simulated" not in hidden["secret"]
    shown = {each["type"]: each["api_key"] for each in client.get(f"{REF}/api-keys", reveal="true")}
    assert "simulated" in shown["secret"]
    viewer = Client(platform, SUPABASE, SUPABASE_VIEWER.text)
    assert viewer.ask("DELETE", f"{REF}/functions/quality-guardian").status_code == 403
    stranger = Client(platform, SUPABASE, SUPABASE_STRANGER.text)
    assert (stranger.get("/projects"), stranger.ask("GET", REF).status_code) == ([], 403)


def test_limits_are_counted_for_each_project(client: Client):
    first = client.ask("GET", REF)
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("120", "119")
    logs = client.ask("GET", f"{REF}/analytics/endpoints/logs")
    assert logs.headers["x-ratelimit-limit"] == "30"


PATHS = """
    functions secrets config/auth database/backups advisors/security advisors/performance network-restrictions
    ssl-enforcement api-keys branches database/migrations storage/buckets config/disk config/disk/util
    config/disk/autoscale config/storage config/realtime config/database/postgres config/database/pgbouncer
    config/database/pooler postgrest billing/addons readonly upgrade/eligibility actions
    config/auth/signing-keys config/auth/sso/providers
"""


@pytest.mark.parametrize("path", PATHS.split())
def test_everything_can_be_read(client: Client, path: str):
    assert client.get(f"{REF}/{path}") is not None
