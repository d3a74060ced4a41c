"""render.yaml: what Render understands passes, what it does not is told with its line."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.render.blueprint.fields import KINDS
from tools.render.blueprint.file import read_blueprint
from tools.render.blueprint.tree import Fault

WHOLE = """
version: "1"
previews: {generation: automatic, expireAfterDays: 3}
services:
  - type: web
    name: site
    runtime: static
    buildCommand: npm run build
    staticPublishPath: ./dist
    previews: {generation: manual}
    buildFilter: {paths: [src/**], ignoredPaths: ['**/*.md']}
    headers: [{path: /*, name: X-Frame-Options, value: sameorigin}]
    routes: [{type: redirect, source: /old, destination: /new}]
    domains: [clinic.example, www.clinic.example]
  - type: web
    name: api
    runtime: docker
    repo: https://github.com/clinic/api
    rootDir: api
    dockerCommand: ./start
    dockerContext: .
    dockerfilePath: ./Dockerfile
    registryCredential: {fromRegistryCreds: {name: ours}}
    scaling: {minInstances: 1, maxInstances: 3, targetCPUPercent: 60}
    healthCheckPath: /
    maintenanceMode: {enabled: false, uri: https://clinic.example/pause}
    renderSubdomainPolicy: disabled
    initialDeployHook: ./seed.sh
    ipAllowList: [{source: 203.0.113.4/30, description: office}, {source: 198.51.100.1}]
    previews: {generation: automatic, numInstances: 1, plan: 0.5c-512mb}
    envVars:
      - {key: PORT, value: 3000}
      - {key: DEBUG, value: false, previewValue: true}
      - {key: SECRET, generateValue: true}
      - {key: TOKEN, sync: false}
      - {key: DATABASE_URL, fromDatabase: {name: records, property: connectionString}}
      - {key: PEER, fromService: {type: pserv, name: store, property: hostport}}
      - {key: PEER_USER, fromService: {type: pserv, name: store, envVarKey: USER}}
      - fromGroup: shared
  - type: pserv
    name: store
    runtime: image
    image: {url: docker.io/clinic/store:1, creds: {fromRegistryCreds: {name: ours}}}
    disk: {name: data, mountPath: /data, sizeGB: 10}
    maxShutdownDelaySeconds: 300
  - type: cron
    name: nightly
    runtime: python
    region: frankfurt
    plan: 0.5c-512mb
    schedule: "*/15 6-20/2 1,15 JAN-MAR MON"
    buildCommand: pip install -r requirements.txt
    startCommand: python nightly.py
    autoDeployTrigger: off
  - {type: keyvalue, name: cache, ipAllowList: [], maxmemoryPolicy: volatile-ttl}
databases:
  - name: records
    databaseName: records
    user: records
    plan: 0.5c-1g
    region: ohio
    postgresMajorVersion: "18"
    diskSizeGB: 15
    previewDiskSizeGB: 1
    previewPlan: 0.1c-256mb
    storageAutoscalingEnabled: true
    highAvailability: {enabled: true}
    ipAllowList: []
    readReplicas: [{name: records-replica}]
envVarGroups:
  - name: shared
    envVars: [{key: CONCURRENCY, value: 2}, {key: SALT, generateValue: true}]
projects:
  - name: clinic
    environments:
      - name: production
        networking: {isolation: enabled}
        permissions: {protection: enabled}
        services:
          - {type: worker, name: jobs, runtime: node, buildCommand: npm ci, startCommand: node jobs.js}
ungrouped:
  services:
    - {type: worker, name: loose, runtime: go, buildCommand: go build, startCommand: ./loose}
"""
FIELDS = [*KINDS["root"].fields, *KINDS["web"].fields, "key", "value"]
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in pairwise("abcdefghi")
)


def faults(text: str) -> list[Fault]:
    return list(read_blueprint(text).faults)


def web(lines: str) -> str:
    """A web service with more fields."""
    start = "services:\n  - type: web\n    name: api\n    runtime: node\n"
    start += "    buildCommand: a\n    startCommand: b\n"
    return start + "".join(f"    {line}\n" for line in lines.splitlines())


def test_a_file_with_every_kind_of_object_has_no_fault() -> None:
    assert faults(WHOLE) == []
    read = read_blueprint(WHOLE)
    assert [one.name for one in read.services] == ["site", "api", "store", "nightly", "jobs", "loose"]
    assert [one.kind for one in read.services][:3] == ["static_site", "web_service", "private_service"]
    assert {one.source for one in read.services[1].variables} == {
        "value", "generated", "prompted", "database", "service",
    }  # fmt: skip
    assert read.services[4].environment == "production" and read.store("records-replica") is not None
    assert read.previews == "automatic"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "is a mapping"),
        ("services: [", 1, "not valid YAML"),
        ("- a", 1, "is a mapping"),
        ("servics: []", 1, "Did you mean services?"),
        ("services: {}", 1, "services is a list"),
        ("services:\n  - name: a", 2, "type is missing"),
        ("services:\n  - type: wep\n    name: a", 2, "Did you mean web?"),
        (web("healthcheckPath: /h"), 7, "Did you mean healthCheckPath?"),
        (web("schedule: '* * * * *'"), 7, "It belongs to a cron job"),
        (web("numInstances: two"), 7, "whole number"),
        (web("numInstances: 101"), 7, "at most 100"),
        (web("maxShutdownDelaySeconds: 0"), 7, "at least 1"),
        (web("autoDeployTrigger: always"), 7, "one of commit, checksPass, off"),
        (web("healthCheckPath: health"), 7, "begins with /"),
        (web("domains: clinic.example"), 7, "list of texts"),
        (web("disk: {name: d, mountPath: /d}\nnumInstances: 2"), 7, "cannot have several"),
        (web("disk: {name: d}"), 7, "mountPath is missing"),
        (web("scaling: {minInstances: 3, maxInstances: 2, targetCPUPercent: 50}"), 7, "above maxInstances"),
        (web("scaling: {minInstances: 1, maxInstances: 2}"), 7, "needs targetCPUPercent"),
        (web("envVars:\n  - {key: A, value: x, generateValue: true}"), 8, "one source, not value and"),
        (web("envVars:\n  - {key: A}"), 8, "one of value"),
        (web("envVars:\n  - {value: x}"), 8, "key is missing"),
        (web("envVars:\n  - {key: A, value: {b: c}}"), 8, "value is one text"),
        (web("envVars:\n  - {key: A, fromGroup: g}"), 8, "stands alone"),
        (web("envVars:\n  - {key: A, fromDatabase: {name: d}}"), 8, "property is missing"),
        (web("envVars:\n  - {key: A, fromService: {name: d, type: pserv}}"), 8, "property or envVarKey"),
        (web("envVars:\n  - {key: A, value: 1}\n  - {key: A, value: 2}"), 9, "twice; the first is on line 8"),
        (web("plan: pro\nplan: standard"), 8, "given twice; the first is on line 7"),
        (web("ipAllowList: [{source: everywhere}]"), 7, "CIDR"),
        (web("image: x/y:1"), 7, "image is a mapping"),
        ("services:\n  - {type: web, name: a, runtime: image}", 2, "image is missing"),
        ("services:\n  - {type: worker, name: a, runtime: docker, plan: free}", 2, "no free plan"),
        ("services:\n  - {type: worker, name: a, runtime: node, startCommand: b}", 2, "buildCommand is"),
        ("services:\n  - {type: keyvalue, name: a}", 2, "ipAllowList is missing"),
        ("services:\n  - {type: cron, name: a, runtime: node, schedule: '61 * * * *'}", 2, "from 0 to 59"),
        ("services:\n  - {type: cron, name: a, runtime: node, schedule: '@daily'}", 2, "five fields"),
        ("databases:\n  - {name: d, diskSizeGB: 7}", 2, "multiple of 5"),
        ("databases:\n  - {name: d}\n  - {name: d}", 3, "defined twice"),
        ("envVarGroups:\n  - name: g\n    envVars: [{key: A, sync: false}]", 3, "ignores sync: false"),
        ("envVarGroups:\n  - name: g\n    envVars: [{fromGroup: h}]", 3, "cannot have fromGroup"),
        ("projects:\n  - name: p", 2, "environments is missing"),
        ("services: []\n---\nservices: []", 1, "one YAML document"),
    ],
)  # fmt: skip
def test_a_fault_is_told_once_with_its_line(text: str, line: int, says: str) -> None:
    found = [one for one in faults(text) if says in one.message]
    assert [one.line for one in found] == [line], faults(text)
    assert found[0].grave and not found[0].deprecated
    assert len(faults(text)) == 1, faults(text)


@pytest.mark.parametrize(
    ("field", "instead"),
    [
        ("env: node", "runtime"),
        ("autoDeploy: true", "autoDeployTrigger"),
        ("domain: a.example", "domains"),
        ("pullRequestPreviewsEnabled: true", "previews.generation"),
    ],
)
def test_what_was_replaced_still_works(field: str, instead: str) -> None:
    found = faults(web(field))
    assert len(found) == 1 and found[0].deprecated and not found[0].grave and instead in found[0].message


def test_what_may_be_new_is_only_doubtful() -> None:
    assert [one.grave for one in faults(web("region: tokyo"))] == [False]
    assert faults(web("plan: 16c-128g")) == []
    both = faults(web("envVars: [{key: A, generateValue: true, sync: false}]"))
    assert [one.grave for one in both] == [False]


def test_anchors_and_merges_are_followed() -> None:
    text = "x: &base {runtime: node, buildCommand: a, startCommand: b}\nservices:\n"
    text += "  - {<<: *base, type: web, name: api}\n"
    assert [one.message for one in faults(text)] == ["the file has no field x."]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a, *a]",
        BOMB,
        "[" * 5000,
        "a: " + "{b: " * 3000,
        "x" * 2_000_000,
        "a: !!python/object/apply:os.system [id]",
        "a: \x00",
        "? [1, 2]\n: x",
    ],
    ids=["recursion", "bomb", "deep", "deeper", "large", "python", "nul", "key"],
)  # fmt: skip
def test_hostile_yaml_is_a_fault(text: str) -> None:
    assert faults(text)


def test_a_message_of_the_parser_shows_nothing_of_the_file() -> None:
    found = faults("key: *hunter2secret")
    assert found and "hunter2secret" not in found[0].message


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(sorted(KINDS)),
        lambda below: st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), below, max_size=4),
        max_leaves=12,
    )
)  # fmt: skip
def test_whatever_is_in_a_file_it_is_read(content: object) -> None:
    import json

    from tools.render.inventory import Inventory
    from tools.render.inventory_declared import with_file
    from tools.render.review_render import findings_of
    from tools.sandbox.platform.clock import Clock

    read = read_blueprint(json.dumps(content))
    findings_of(with_file(Inventory(now=Clock().now()), read))
    for fault in read.faults:
        assert fault.message and fault.line >= 1


def test_every_kind_of_object_is_reached_from_the_file() -> None:
    services = {"web", "static", "pserv", "worker", "workflow", "cron", "keyvalue"}
    below = {field.below for kind in KINDS.values() for field in kind.fields.values()} - {"", "service"}
    assert below | services | {"root"} == set(KINDS)
    assert all(set(kind.required) <= set(kind.fields) for kind in KINDS.values())
