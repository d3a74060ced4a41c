"""Variables, groups, scaling and resources behave as Render's do, where that surprises as well."""

from __future__ import annotations

import pytest

from tests.tools.sandbox.platform.asking import Client, path_of
from tools.sandbox.platform import Platform, guardian

WEB, WORKER = "guardian-web", "guardian-document-worker"


@pytest.fixture
def platform() -> Platform:
    return guardian()


def test_put_on_the_list_replaces_all_and_put_on_a_key_adds(platform: Platform):
    client, path = Client(platform), path_of(platform, WORKER)
    deploys = len(platform.world.named(WORKER).deploys)
    assert client.ask("PUT", f"{path}/env-vars/NEW", json={"value": "1"}).json() == {
        "key": "NEW",
        "value": "1",
    }
    assert len(client.get(f"{path}/env-vars")) == 6
    client.ask("PUT", f"{path}/env-vars", json=[{"key": "ONLY", "value": "2"}])
    assert [each["envVar"] for each in client.get(f"{path}/env-vars")] == [{"key": "ONLY", "value": "2"}]
    assert client.ask("DELETE", f"{path}/env-vars/ONLY").status_code == 204
    assert client.ask("GET", f"{path}/env-vars/ONLY").json() == {"message": "not found: ONLY"}
    assert client.ask("PUT", f"{path}/env-vars/1-bad", json={"value": ""}).status_code == 400
    assert len(platform.world.named(WORKER).deploys) == deploys


def test_groups_are_not_wrapped_and_name_their_services(platform: Platform):
    client = Client(platform)
    group = client.get("/env-groups")[0]
    assert group == client.get(f"/env-groups/{group['id']}")
    assert {link["type"] for link in group["serviceLinks"]} == {"web", "worker", "cron"}
    changed = client.ask(
        "PUT", f"/env-groups/{group['id']}/env-vars/LOG_LEVEL", json={"value": "debug"}
    ).json()
    assert {"key": "LOG_LEVEL", "value": "debug"} in changed["envVars"]
    web = platform.world.named(WEB).spec.id
    assert client.ask("DELETE", f"/env-groups/{group['id']}/services/{web}").status_code == 204
    assert web not in str(client.get(f"/env-groups/{group['id']}"))


def test_scaling_is_accepted_and_ignored_while_autoscaling_is_on(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    assert client.ask("POST", f"{path}/scale", json={"numInstances": 4}).status_code == 202
    assert client.get(path)["serviceDetails"]["numInstances"] == 2
    assert client.ask("DELETE", f"{path}/autoscaling").status_code == 204
    client.ask("POST", f"{path}/scale", json={"numInstances": 4})
    assert len(client.get(f"{path}/instances")) == 4
    criteria = {"cpu": {"enabled": True, "percentage": 60}, "memory": {"enabled": False, "percentage": 70}}
    fields = {"enabled": True, "min": 1, "max": 3, "criteria": criteria}
    assert client.ask("PUT", f"{path}/autoscaling", json=fields).json()["max"] == 3
    assert client.get(path)["serviceDetails"]["autoscaling"]["min"] == 1
    assert client.ask("PUT", f"{path}/autoscaling", json={**fields, "min": 4}).status_code == 400
    assert client.ask("POST", f"{path}/scale", json={"numInstances": True}).status_code == 400


def test_a_plan_is_returned_by_its_new_id_and_moves_the_service(platform: Platform):
    client, path = Client(platform), path_of(platform, WORKER)
    answer = client.ask("PATCH", path, json={"serviceDetails": {"plan": "pro_plus"}})
    assert answer.json()["serviceDetails"]["plan"] == "4c-8g"
    assert client.get(f"{path}/deploys", limit=1)[0]["deploy"]["trigger"] == "service_updated"
    resource = platform.world.named(WORKER).spec.id
    platform.clock.advance(90)
    limit = client.get("/metrics/memory-limit", resource=resource)[0]["values"]
    assert (limit[0]["value"], limit[-1]["value"]) == (4 * 2**30, 8 * 2**30)
    assert client.ask("PATCH", path, json={"serviceDetails": {"plan": "enormous"}}).status_code == 400


def test_lists_come_in_pages(platform: Platform):
    client = Client(platform)
    seen: list[str] = []
    cursor = {}
    while page := client.get("/services", limit=3, **cursor):
        seen.extend(each["service"]["name"] for each in page)
        cursor = {"cursor": page[-1]["cursor"]}
    assert len(seen) == len(set(seen)) == 7
    assert client.ask("GET", "/services", params={"limit": 101}).status_code == 400
    workers = client.get("/services", type="background_worker")
    assert [each["service"]["name"] for each in workers] == [WORKER]


def test_jobs_and_cron_runs(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    job = client.ask("POST", f"{path}/jobs", json={"startCommand": "npm run once"}).json()
    assert job["status"] == "pending"
    platform.clock.advance(60)
    assert client.get(f"{path}/jobs/{job['id']}")["status"] == "succeeded"
    cron = platform.world.named("guardian-usage-report").spec.id
    run = client.ask("POST", f"/cron-jobs/{cron}/runs").json()
    assert client.ask("DELETE", f"/cron-jobs/{cron}/runs").status_code == 204
    newest = client.get(f"/services/{cron}/events", limit=1)[0]["event"]["details"]
    assert (newest["cronJobRunId"], newest["status"]) == (run["id"], "canceled")


def test_resources_are_there(platform: Platform):
    client = Client(platform)
    for path in ("owners", "projects", "environments", "postgres", "key-value", "disks", "blueprints"):
        first = client.get(f"/{path}")[0]
        record = next(value for name, value in first.items() if name != "cursor")
        assert client.get(f"/{path}/{record['id']}")["id"] == record["id"]
    blueprint = client.get("/blueprints")[0]["blueprint"]
    assert "resources" not in blueprint
    managed = {each["name"] for each in client.get(f"/blueprints/{blueprint['id']}")["resources"]}
    assert WEB in managed and "guardian-ocr" not in managed
    disk = client.get("/disks")[0]["disk"]
    assert len(client.get(f"/disks/{disk['id']}/snapshots")) == 7
    assert client.ask("PATCH", f"/disks/{disk['id']}", json={"sizeGB": 1}).status_code == 400
    database = client.get("/postgres")[0]["postgres"]
    assert database["ipAllowList"] is None
    assert client.get(f"/postgres/{database['id']}/recovery")["recoveryStatus"] == "AVAILABLE"
    assert client.ask("GET", "/nothing").json() == {"message": "not found: /render/v1/nothing"}


def test_what_acts_on_domains_databases_and_maintenance(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    domain = client.ask("POST", f"{path}/custom-domains", json={"name": "a.guardian.example"}).json()[0]
    assert client.ask("POST", f"{path}/custom-domains/{domain['id']}/verify").status_code == 202
    shown = client.get(f"{path}/custom-domains/a.guardian.example")
    assert (domain["verificationStatus"], shown["verificationStatus"]) == ("unverified", "verified")
    database = next(iter(platform.world.kind("postgres")))
    assert client.ask("POST", f"/postgres/{database}/export").status_code == 202
    assert len(client.get(f"/postgres/{database}/export")) == 1
    assert client.ask("POST", f"/postgres/{database}/failover").status_code == 400
    then = {"restoreTime": "2026-11-24T10:00:00Z"}
    fresh = client.ask("POST", f"/postgres/{database}/recovery", json=then).json()
    assert fresh["id"] != database and {fresh["status"]} == {"creating"}
    assert {each["postgres"]["id"] for each in client.get("/postgres")} == {database, fresh["id"]}
    platform.world.kind("maintenance")["mrn-1"] = {
        "id": "mrn-1",
        "state": "scheduled",
        "resourceId": database,
    }
    assert client.get("/maintenance", resourceId=database)[0]["id"] == "mrn-1"
    late, past = {"scheduledAt": "2026-12-01T03:00:00Z"}, {"scheduledAt": "2026-11-01T03:00:00Z"}
    assert client.ask("PATCH", "/maintenance/mrn-1", json=late).status_code == 202
    assert client.get("/maintenance/mrn-1")["scheduledAt"] == late["scheduledAt"]
    assert client.ask("PATCH", "/maintenance/mrn-1", json=past).status_code == 400


@pytest.mark.parametrize(
    ("text", "valid"), [("services:\n  - name: web\n", True), ("nothing: here\n", False)]
)
def test_a_blueprint_is_looked_at(platform: Platform, text: str, valid: bool):
    files = {"file": ("render.yaml", text.encode())}
    answer = Client(platform).ask("POST", "/blueprints/validate", data={"ownerId": "tea-x"}, files=files)
    assert answer.json()["valid"] is valid
