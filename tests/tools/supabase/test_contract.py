"""Every request that the client can make is one that Supabase's OpenAPI document allows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from tests.contracts import Contract, document, public_methods
from tools.http.secret import Secret
from tools.supabase.client import SupabaseClient
from tools.supabase.models import SourceFile

pytestmark = pytest.mark.anyio
REF = "abcdefghijklmnopqrst"
NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
LATER = datetime(2030, 1, 2, 13, tzinfo=UTC)
SOURCE = [SourceFile("index.ts", b"Deno.serve(() => new Response())"), SourceFile("deno.json", b"{}")]

Call = Callable[[SupabaseClient], Awaitable[Any]]
CALLS: dict[str, list[Call]] = {
    "list_projects": [lambda c: c.list_projects()],
    "get_project": [lambda c: c.get_project(), lambda c: c.get_project(REF)],
    "list_organizations": [lambda c: c.list_organizations()],
    "list_members": [lambda c: c.list_members("guardian")],
    "get_health": [lambda c: c.get_health(), lambda c: c.get_health(["db"])],
    "list_advice": [lambda c: c.list_advice("security"), lambda c: c.list_advice("performance")],
    "list_backups": [lambda c: c.list_backups()],
    "restore_to_time": [lambda c: c.restore_to_time(NOON)],
    "get_restore_point": [lambda c: c.get_restore_point(), lambda c: c.get_restore_point("before")],
    "create_restore_point": [lambda c: c.create_restore_point("before")],
    "list_branches": [lambda c: c.list_branches()],
    "list_action_runs": [lambda c: c.list_action_runs()],
    "get_action_log": [lambda c: c.get_action_log("run-1")],
    "list_migrations": [lambda c: c.list_migrations()],
    "read_rows": [lambda c: c.read_rows("select 1"), lambda c: c.read_rows("select $1", ["a"])],
    "list_buckets": [lambda c: c.list_buckets()],
    "list_functions": [lambda c: c.list_functions()],
    "get_function": [lambda c: c.get_function("hello")],
    "get_function_bundle": [lambda c: c.get_function_bundle("hello")],
    "deploy_function": [
        lambda c: c.deploy_function("hello", SOURCE, entrypoint="index.ts"),
        lambda c: c.deploy_function(
            "hello", SOURCE, entrypoint="index.ts", import_map="deno.json", verify_jwt=True, bundle_only=True
        ),
    ],
    "delete_function": [lambda c: c.delete_function("hello")],
    "list_secrets": [lambda c: c.list_secrets()],
    "set_secrets": [lambda c: c.set_secrets({"API_TOKEN": Secret("abc")})],
    "delete_secrets": [lambda c: c.delete_secrets(["API_TOKEN"])],
    "query_logs": [lambda c: c.query_logs("select id from logs limit 1", start=NOON, end=LATER)],
    "get_function_statistics": [lambda c: c.get_function_statistics("3c07a8f0", "1hr")],
    "get_request_counts": [lambda c: c.get_request_counts("1day")],
    "get_auth_config": [lambda c: c.get_auth_config()],
    "update_auth_config": [
        lambda c: c.update_auth_config({"jwt_exp": 3600, "smtp_pass": Secret("abc"), "disable_signup": True})
    ],
    "list_api_keys": [lambda c: c.list_api_keys()],
    "has_legacy_keys": [lambda c: c.has_legacy_keys()],
    "list_signing_keys": [lambda c: c.list_signing_keys()],
    "get_network_restrictions": [lambda c: c.get_network_restrictions()],
    "set_network_restrictions": [lambda c: c.set_network_restrictions(["192.0.2.0/24"], ["2001:db8::/32"])],
    "get_ssl_enforcement": [lambda c: c.get_ssl_enforcement()],
    "set_ssl_enforcement": [lambda c: c.set_ssl_enforcement(True)],
    "list_banned_addresses": [lambda c: c.list_banned_addresses()],
    "get_disk": [lambda c: c.get_disk()],
    "get_disk_utilization": [lambda c: c.get_disk_utilization()],
    "get_disk_autoscale": [lambda c: c.get_disk_autoscale()],
    "get_addons": [lambda c: c.get_addons()],
    "set_addon": [lambda c: c.set_addon("compute_instance", "ci_small")],
    "list_pooler_configs": [lambda c: c.list_pooler_configs()],
    "set_pool_size": [lambda c: c.set_pool_size(15)],
    "get_postgres_config": [lambda c: c.get_postgres_config()],
    "update_postgres_config": [lambda c: c.update_postgres_config({"statement_timeout": "30s"})],
    "get_data_api_config": [lambda c: c.get_data_api_config()],
    "get_upgrade_eligibility": [lambda c: c.get_upgrade_eligibility()],
    "get_read_only_mode": [lambda c: c.get_read_only_mode()],
}


async def never(seconds: float) -> None:
    """A pause that the tests must not need."""
    raise AssertionError(f"waited {seconds} s")


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The judge; an answered error of a log query would be raised, so there the error is absent."""
    judge = Contract(document("supabase-openapi.json"))
    for endpoint in ("logs", "functions.combined-stats", "usage.api-counts"):
        path = f"/v1/projects/{{ref}}/analytics/endpoints/{endpoint}"
        judge.samples["GET", path] = json.dumps(
            {"result": [{"timestamp": "2030-01-02T00:00:00", "count": 1}]}
        )
    for path in ("query", "query/read-only"):
        judge.samples["POST", f"/v1/projects/{{ref}}/database/{path}"] = '[{"one": 1}]'
    return judge


@pytest.fixture
async def client(contract: Contract) -> SupabaseClient:
    return SupabaseClient(Secret("sbp_test"), project_ref=REF, transport=contract.transport, pause=never)


def test_every_request_of_the_client_is_in_the_list():
    assert set(CALLS) == public_methods(SupabaseClient) - {"close"}


@pytest.mark.parametrize("method", CALLS)
async def test_supabase_allows_the_request(method: str, contract: Contract, client: SupabaseClient):
    for number, call in enumerate(CALLS[method]):
        before = len(contract.called)
        await call(client)
        assert len(contract.called) == before + 1, f"{method} {number} asked nothing, or more than once"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/v1/projects/{REF}/health?services=auth,db", None),
        ("GET", f"/v1/projects/{REF}/health", None),
        ("POST", f"/v1/projects/{REF}/secrets", [{"name": "SUPABASE_X", "value": "a"}]),
        ("PUT", f"/v1/projects/{REF}/ssl-enforcement", {}),
        ("GET", "/v1/projects/short/functions", None),
    ],
)
def test_the_judge_refuses_a_wrong_request(method: str, path: str, body: Any, contract: Contract):
    wrong = httpx.Request(method, f"https://api.supabase.com{path}", json=body)
    with pytest.raises(OpenAPIError):
        contract.answer(wrong)
