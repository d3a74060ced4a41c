"""Every request that the client can make is one that Render's OpenAPI document allows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError
from pydantic import BaseModel

from tests.contracts import Contract, document, public_methods, specs_folder
from tools.http.secret import Secret
from tools.render import models, models_stores, models_workspace
from tools.render.client import LogQuery, RenderClient
from tools.render.models_observed import METRICS

pytestmark = pytest.mark.anyio
SERVICE, DATABASE = "srv-cu2k4j3qf0us73fbv7u0", "dpg-d7sg9ln7f7vs73d9bg5g-a"
KEY_VALUE = "red-d8k3stdodlmc73btr2q0"
OFFICE = [{"cidrBlock": "192.0.2.0/24", "description": "office"}]
OWNER, DISK, GROUP = "tea-cspvinogph6c73ft00h0", "dsk-cu2k4j3qf0us73fbv80g", "evg-crbpsjbtq21c73clkse0"
NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
LATER = datetime(2030, 1, 2, 13, tzinfo=UTC)
LINES = LogQuery(
    owner=OWNER, resources=[SERVICE, DATABASE], start=NOON, end=LATER, direction="backward",
    kind=["app"], level=["error"], text=["*timeout*"], status_code=["5*"], method=["GET"], path=["/health"],
    host=["example.com"], instance=["a"],
)  # fmt: skip

Call = Callable[[RenderClient], Awaitable[Any]]


def metric_call(metric: Any) -> Call:
    """The request for one metric."""
    return lambda c: c.get_metric(metric, [SERVICE], start=NOON, end=LATER, resolution=60)


CALLS: dict[str, list[Call]] = {
    "list_services": [
        lambda c: c.list_services(),
        lambda c: c.list_services(owner=[OWNER, OWNER], name="api", kind=["web_service", "cron_job"],
                                  region="oregon", environment="evm-1", previews=False),
    ],
    "get_service": [lambda c: c.get_service(SERVICE)],
    "update_service": [
        lambda c: c.update_service(SERVICE, auto_deploy=False),
        lambda c: c.update_service(SERVICE, plan="standard", health_check_path="/health", branch="main",
                                   max_shutdown_delay_seconds=60, build_command="make", start_command="run"),
        lambda c: c.update_service(SERVICE, name="api", pre_deploy_command="migrate", docker_command="run",
                                   build_filter={"paths": ["src/**"], "ignoredPaths": []}),
        lambda c: c.update_service(SERVICE, schedule="0 3 * * *"),
        lambda c: c.update_service(SERVICE, ip_allow_list=OFFICE,
                                   maintenance_mode={"enabled": True, "uri": ""}),
    ],
    "suspend_service": [lambda c: c.suspend_service(SERVICE)],
    "resume_service": [lambda c: c.resume_service(SERVICE)],
    "restart_service": [lambda c: c.restart_service(SERVICE)],
    "scale_service": [lambda c: c.scale_service(SERVICE, 3)],
    "set_autoscaling": [lambda c: c.set_autoscaling(SERVICE, lowest=1, highest=3, cpu=70)],
    "delete_autoscaling": [lambda c: c.delete_autoscaling(SERVICE)],
    "list_instances": [lambda c: c.list_instances(SERVICE)],
    "list_custom_domains": [lambda c: c.list_custom_domains(SERVICE)],
    "verify_custom_domain": [lambda c: c.verify_custom_domain(SERVICE, "example.com")],
    "get_outbound_addresses": [lambda c: c.get_outbound_addresses(SERVICE)],
    "purge_cache": [lambda c: c.purge_cache(SERVICE)],
    "list_env_vars": [lambda c: c.list_env_vars(SERVICE)],
    "get_env_var": [lambda c: c.get_env_var(SERVICE, "DATABASE_URL")],
    "set_env_var": [lambda c: c.set_env_var(SERVICE, "TOKEN", Secret("abc"))],
    "delete_env_var": [lambda c: c.delete_env_var(SERVICE, "TOKEN")],
    "list_secret_files": [lambda c: c.list_secret_files(SERVICE)],
    "set_secret_file": [lambda c: c.set_secret_file(SERVICE, "key.pem", Secret("abc"))],
    "delete_secret_file": [lambda c: c.delete_secret_file(SERVICE, "key.pem")],
    "list_env_groups": [lambda c: c.list_env_groups(owner=OWNER, environment="evm-1")],
    "get_env_group": [lambda c: c.get_env_group(GROUP)],
    "set_env_group_var": [lambda c: c.set_env_group_var(GROUP, "TOKEN", Secret("abc"))],
    "delete_env_group_var": [lambda c: c.delete_env_group_var(GROUP, "TOKEN")],
    "link_env_group": [lambda c: c.link_env_group(GROUP, SERVICE)],
    "unlink_env_group": [lambda c: c.unlink_env_group(GROUP, SERVICE)],
    "list_deploys": [
        lambda c: c.list_deploys(SERVICE, status=["live", "queued"], created_after=NOON, created_before=LATER)
    ],
    "get_deploy": [lambda c: c.get_deploy(SERVICE, "dep-1")],
    "create_deploy": [
        lambda c: c.create_deploy(SERVICE),
        lambda c: c.create_deploy(SERVICE, commit="0123abc", clear_cache=True),
        lambda c: c.create_deploy(SERVICE, image="docker.io/library/nginx@sha256:00"),
        lambda c: c.create_deploy(SERVICE, mode="deploy_only"),
    ],
    "cancel_deploy": [lambda c: c.cancel_deploy(SERVICE, "dep-1")],
    "roll_back": [lambda c: c.roll_back(SERVICE, "dep-1")],
    "list_jobs": [lambda c: c.list_jobs(SERVICE, status="running")],
    "get_job": [lambda c: c.get_job(SERVICE, "job-cu2k4j3qf0us73fbv7u0")],
    "create_job": [lambda c: c.create_job(SERVICE, "make report", plan="plan-srv-006")],
    "cancel_job": [lambda c: c.cancel_job(SERVICE, "job-cu2k4j3qf0us73fbv7u0")],
    "run_cron_job": [lambda c: c.run_cron_job("crn-1")],
    "cancel_cron_job_run": [lambda c: c.cancel_cron_job_run("crn-1")],
    "list_events": [lambda c: c.list_events(SERVICE, kind="server_failed", start=NOON, end=LATER)],
    "get_event": [lambda c: c.get_event("evt-cu2k4j3qf0us73fbv7u0")],
    "list_logs": [lambda c: c.list_logs(LINES)],
    "list_log_values": [lambda c: c.list_log_values(LINES, "level")],
    "follow_logs": [],
    "get_metric": [
        *(metric_call(metric) for metric in METRICS if metric != "bandwidth"),
        lambda c: c.get_metric("bandwidth", [SERVICE], start=NOON, end=LATER),
        lambda c: c.get_metric("cpu", [SERVICE], method="MAX", instance="a"),
        lambda c: c.get_metric("http-requests", [SERVICE], aggregate_by="statusCode", host="a.b", path="/x"),
        lambda c: c.get_metric("http-latency", [SERVICE], quantile=0.95),
    ],
    "get_bandwidth_sources": [lambda c: c.get_bandwidth_sources([SERVICE], start=NOON, end=LATER)],
    "list_metric_filters": [
        lambda c: c.list_metric_filters("application", [SERVICE], start=NOON, end=LATER),
        lambda c: c.list_metric_filters("http", [SERVICE]),
    ],
    "list_metric_paths": [lambda c: c.list_metric_paths([SERVICE], start=NOON, end=LATER)],
    "list_postgres": [lambda c: c.list_postgres(owner=OWNER, environment="evm-1", replicas=True)],
    "get_postgres": [lambda c: c.get_postgres(DATABASE)],
    "get_postgres_connection": [lambda c: c.get_postgres_connection(DATABASE)],
    "update_postgres": [
        lambda c: c.update_postgres(DATABASE, name="db", plan="basic_1gb", disk_size_gb=20,
                                    disk_autoscaling=True, high_availability=False, ip_allow_list=OFFICE),
    ],
    "suspend_postgres": [lambda c: c.suspend_postgres(DATABASE)],
    "resume_postgres": [lambda c: c.resume_postgres(DATABASE)],
    "restart_postgres": [lambda c: c.restart_postgres(DATABASE)],
    "fail_over_postgres": [lambda c: c.fail_over_postgres(DATABASE)],
    "get_recovery": [lambda c: c.get_recovery(DATABASE)],
    "recover_postgres": [lambda c: c.recover_postgres(DATABASE, NOON, name="copy", plan="basic_1gb")],
    "list_postgres_exports": [lambda c: c.list_postgres_exports(DATABASE)],
    "create_postgres_export": [lambda c: c.create_postgres_export(DATABASE)],
    "get_process_statistics": [lambda c: c.get_process_statistics(DATABASE)],
    "get_query_statistics": [lambda c: c.get_query_statistics(DATABASE)],
    "get_size_statistics": [lambda c: c.get_size_statistics(DATABASE)],
    "get_scan_statistics": [lambda c: c.get_scan_statistics(DATABASE)],
    "list_key_values": [lambda c: c.list_key_values(owner=OWNER, environment="evm-1")],
    "get_key_value": [lambda c: c.get_key_value(KEY_VALUE)],
    "get_key_value_connection": [lambda c: c.get_key_value_connection(KEY_VALUE)],
    "update_key_value": [
        lambda c: c.update_key_value(KEY_VALUE, name="kv", plan="starter", maxmemory_policy="allkeys_lru",
                                     ip_allow_list=[]),
    ],
    "suspend_key_value": [lambda c: c.suspend_key_value(KEY_VALUE)],
    "resume_key_value": [lambda c: c.resume_key_value(KEY_VALUE)],
    "list_disks": [lambda c: c.list_disks(owner=OWNER, service=SERVICE)],
    "get_disk": [lambda c: c.get_disk(DISK)],
    "grow_disk": [lambda c: c.grow_disk(DISK, 20)],
    "list_snapshots": [lambda c: c.list_snapshots(DISK)],
    "restore_snapshot": [lambda c: c.restore_snapshot(DISK, "snap", instance="a")],
    "get_user": [lambda c: c.get_user()],
    "list_owners": [lambda c: c.list_owners(name="Guardian")],
    "get_owner": [lambda c: c.get_owner(OWNER)],
    "list_members": [lambda c: c.list_members(OWNER)],
    "list_audit_logs": [lambda c: c.list_audit_logs(OWNER, start=NOON, end=LATER, direction="backward")],
    "list_projects": [lambda c: c.list_projects(owner=OWNER)],
    "get_project": [lambda c: c.get_project("prj-1")],
    "list_environments": [lambda c: c.list_environments(["prj-1", "prj-2"])],
    "get_environment": [lambda c: c.get_environment("evm-1")],
    "list_webhooks": [lambda c: c.list_webhooks(owner=OWNER)],
    "get_notification_settings": [lambda c: c.get_notification_settings(OWNER)],
    "get_log_stream": [lambda c: c.get_log_stream(OWNER)],
    "list_registry_credentials": [lambda c: c.list_registry_credentials(owner=OWNER)],
    "list_blueprints": [lambda c: c.list_blueprints(owner=OWNER)],
    "get_blueprint": [lambda c: c.get_blueprint("exs-cu2k4j3qf0us73fbv7u0")],
    "list_blueprint_syncs": [lambda c: c.list_blueprint_syncs("exs-cu2k4j3qf0us73fbv7u0")],
    "validate_blueprint": [lambda c: c.validate_blueprint(OWNER, "services: []\n")],
    "list_maintenance": [lambda c: c.list_maintenance(owner=OWNER, resource=DATABASE, state="scheduled")],
    "schedule_maintenance": [lambda c: c.schedule_maintenance("mrn-cu2k4j3qf0us73fbv7u0", NOON)],
    "trigger_maintenance": [lambda c: c.trigger_maintenance("mrn-cu2k4j3qf0us73fbv7u0")],
}  # fmt: skip


async def never(seconds: float) -> None:
    """A pause that the tests must not need."""
    raise AssertionError(f"waited {seconds} s")


def recorded() -> list[dict[str, Any]]:
    return json.loads((specs_folder() / "render-recorded-samples.json").read_text())


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(document("render-openapi.merged.json"))


@pytest.fixture
async def client(contract: Contract) -> RenderClient:
    return RenderClient(Secret("rnd_test"), transport=contract.transport, pause=never)


def test_every_request_of_the_client_is_in_the_list():
    assert set(CALLS) == public_methods(RenderClient) - {"close"}


@pytest.mark.parametrize("method", CALLS)
async def test_render_allows_the_request(method: str, contract: Contract, client: RenderClient):
    for number, call in enumerate(CALLS[method]):
        before = len(contract.called)
        await call(client)
        asked = contract.called[before:]
        assert len(set(asked)) == 1, f"{method} {number} asked nothing, or several things"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/services/srv-1/scale", {"numInstances": "3"}),
        ("POST", "/services/srv-1/rollback", {}),
        ("POST", "/services/srv-1/deploys", {"clearCache": "yes"}),
        ("GET", "/logs", None),
        ("POST", "/services/srv-1/restartt", None),
    ],
)
def test_the_judge_refuses_a_wrong_request(method: str, path: str, body: Any, contract: Contract):
    wrong = httpx.Request(method, f"https://api.render.com/v1{path}", json=body)
    with pytest.raises(OpenAPIError):
        contract.answer(wrong)


KINDS: dict[str, type[BaseModel]] = {
    "/services/{id}": models.Service, "/services": models.Service, "/services/{id}/deploys": models.Deploy,
    "/services/{id}/env-vars": models.EnvVar, "/services/{id}/secret-files": models.SecretFile,
    "/services/{id}/autoscaling": models.Autoscaling, "/services/{id}/custom-domains": models.CustomDomain,
    "/disks": models_stores.Disk, "/disks/{id}": models_stores.Disk,
    "/postgres": models_stores.Postgres, "/postgres/{id}": models_stores.Postgres,
    "/postgres/{id}/connection-info": models_stores.PostgresConnection,
    "/key-value": models_stores.KeyValue, "/key-value/{id}": models_stores.KeyValue,
    "/key-value/{id}/connection-info": models_stores.KeyValueConnection,
    "/redis": models_stores.KeyValue, "/redis/{id}": models_stores.KeyValue,
    "/redis/{id}/connection-info": models_stores.KeyValueConnection,
    "/projects": models_workspace.Project, "/projects/{id}": models_workspace.Project,
    "/environments": models_workspace.Environment, "/environments/{id}": models_workspace.Environment,
    "/environments/{id}/resources": models_workspace.Environment,
    "/env-groups": models.EnvGroup, "/env-groups/{id}": models.EnvGroup,
    "/env-groups/{id}/env-vars/{key}": models.EnvGroup,
    "/env-groups/{id}/secret-files/{key}": models.EnvGroup,
    "/webhooks": models_workspace.Webhook, "/webhooks/{id}": models_workspace.Webhook,
    "/notification-settings/owners/some-owner-id": models_workspace.NotificationSettings,
    "/logs/streams/owner/some-owner-id": models_workspace.LogStream,
}  # fmt: skip
"""What the recorded answers of these paths are; the others belong to endpoints that are not used."""


def objects() -> Iterator[tuple[type[BaseModel], dict[str, Any]]]:
    """Every recorded object that the client would read, out of its wrappers."""
    for sample in recorded():
        kind, text = KINDS.get(sample["path"]), sample["response"] or ""
        if kind is None or sample["status"] >= 300 or not text.strip():
            continue
        body: Any = json.loads(text)
        items = cast("list[dict[str, Any]]", body if isinstance(body, list) else [body])
        for item in items:
            wrapped = [value for name, value in item.items() if name not in {"cursor", "deployId"}]
            yield kind, wrapped[0] if len(wrapped) == 1 and isinstance(wrapped[0], dict) else item


def test_every_recorded_answer_that_concerns_us_parses_and_keeps_its_fields():
    seen = list(objects())
    assert len(seen) >= 45
    for kind, item in seen:
        read = kind.model_validate(item)
        known = {field.alias or name for name, field in kind.model_fields.items()} | set(
            read.model_extra or {}
        )
        assert [name for name, value in item.items() if value is not None and name not in known] == []


def test_no_recorded_secret_is_shown_by_a_model():
    shown = [
        (secret, repr(read), read.model_dump_json())
        for kind, item in objects()
        for read in [kind.model_validate(item)]
        for secret in secrets_in(item)
    ]
    assert len(shown) >= 15
    assert [secret for secret, text, dumped in shown if secret in text or secret in dumped] == []


def secrets_in(body: Any) -> list[str]:
    """The values of variables, files and connection strings inside an answer."""
    if isinstance(body, list):
        return [secret for item in cast("list[Any]", body) for secret in secrets_in(item)]
    found: list[str] = []
    for name, value in cast("dict[str, Any]", body).items() if isinstance(body, dict) else ():
        telling = name in {"value", "content", "password", "psqlCommand", "cliCommand"}
        if isinstance(value, str) and len(value) > 5 and (telling or "ConnectionString" in name):
            found.append(value)
        else:
            found += secrets_in(value)
    return found
