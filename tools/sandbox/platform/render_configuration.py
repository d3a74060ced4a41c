"""Environment variables, secret files and environment groups, and custom domains, headers and routes.

A PUT on the list replaces all of it; a PUT on one key adds or changes that one. None of them starts a deploy.
"""

from __future__ import annotations

import re
from typing import Any, Final

from tools.sandbox.platform.calls import Call, Reply, Wrong, paged, route
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.render_shapes import DASHBOARD
from tools.sandbox.platform.shapes import Json

KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def list_env(call: Call) -> Reply:
    """GET /services/{id}/env-vars: those of the service itself, without its groups."""
    return _env_page(call, call.hosted().env)


def put_env(call: Call) -> Reply:
    """PUT /services/{id}/env-vars: replaces all."""
    entries = call.entries()
    fresh: dict[str, str] = {}
    for entry in entries:
        key = _key(str(entry.get("key", "")))
        fresh[key] = "simulated-" + key.lower() if entry.get("generateValue") else str(entry.get("value", ""))
    call.hosted().env = fresh
    return [{"envVar": {"key": k, "value": v}, "cursor": f"cursor-{k}"} for k, v in fresh.items()]


def get_env(call: Call) -> Reply:
    """GET /services/{id}/env-vars/{key}."""
    key = call.path("key")
    if key not in call.hosted().env:
        raise Wrong(404, f"not found: {key}")
    return {"key": key, "value": _shown(call, call.hosted().env[key])}


def set_env(call: Call) -> Reply:
    """PUT /services/{id}/env-vars/{key}."""
    key, value = _key(call.path("key")), call.field("value", str)
    call.hosted().env[key] = value
    return {"key": key, "value": value}


def delete_env(call: Call) -> Reply:
    """DELETE /services/{id}/env-vars/{key}."""
    if call.hosted().env.pop(call.path("key"), None) is None:
        raise Wrong(404, f"not found: {call.path('key')}")


def list_files(call: Call) -> Reply:
    """GET /services/{id}/secret-files."""
    files = call.hosted().secret_files.items()
    return paged(
        call, "secretFile", [(name, {"name": name, "content": _shown(call, text)}) for name, text in files]
    )


def put_files(call: Call) -> Reply:
    """PUT /services/{id}/secret-files: replaces all."""
    entries = call.entries()
    call.hosted().secret_files = {str(entry["name"]): str(entry["content"]) for entry in entries}
    return list_files(call)


def get_file(call: Call) -> Reply:
    """GET /services/{id}/secret-files/{name}."""
    name = call.path("key")
    if name not in call.hosted().secret_files:
        raise Wrong(404, f"not found: {name}")
    return {"name": name, "content": _shown(call, call.hosted().secret_files[name])}


def set_file(call: Call) -> Reply:
    """PUT /services/{id}/secret-files/{name}."""
    call.hosted().secret_files[call.path("key")] = call.field("content", str)
    return {"name": call.path("key"), "content": call.payload["content"]}


def delete_file(call: Call) -> Reply:
    """DELETE /services/{id}/secret-files/{name}."""
    if call.hosted().secret_files.pop(call.path("key"), None) is None:
        raise Wrong(404, f"not found: {call.path('key')}")


def list_groups(call: Call) -> Reply:
    """GET /env-groups: plain objects, not wrapped."""
    if call.key.role == "stranger":
        return []
    names = call.queries("name")
    groups = call.world.kind("env-groups").values()
    return [_group_shape(call, each) for each in groups if not names or each["name"] in names]


def get_group(call: Call) -> Reply:
    """GET /env-groups/{id}."""
    return _group_shape(call, _group(call))


def create_group(call: Call) -> Reply:
    """POST /env-groups."""
    now = stamp(call.now)
    group: Json = {
        "id": call.world.new_id("evg"),
        "name": call.field("name", str),
        "ownerId": call.field("ownerId", str),
        "createdAt": now,
        "updatedAt": now,
        "envVars": {each["key"]: each["value"] for each in call.field("envVars", list)},
        "secretFiles": {each["name"]: each["content"] for each in call.field("secretFiles", list, [])},
        "links": [str(each) for each in call.field("serviceIds", list, [])],
    }
    call.world.kind("env-groups")[group["id"]] = group
    return _group_shape(call, group)


def patch_group(call: Call) -> Reply:
    """PATCH /env-groups/{id}."""
    group = _group(call)
    group |= {"name": call.field("name", str), "updatedAt": stamp(call.now)}
    return _group_shape(call, group)


def delete_group(call: Call) -> Reply:
    """DELETE /env-groups/{id}."""
    del call.world.kind("env-groups")[_group(call)["id"]]


def link_group(call: Call) -> Reply:
    """POST /env-groups/{id}/services/{id}."""
    group = _group(call)
    if call.hosted().spec.id not in group["links"]:
        group["links"].append(call.hosted().spec.id)
    return _group_shape(call, group)


def unlink_group(call: Call) -> Reply:
    """DELETE /env-groups/{id}/services/{id}."""
    group = _group(call)
    if call.path("service") not in group["links"]:
        raise Wrong(404, f"not found: {call.path('service')}")
    group["links"].remove(call.path("service"))


def group_part(part: str, field: str) -> dict[str, Any]:
    """The handlers of one key of a group's variables or secret files."""

    def read(call: Call) -> Reply:
        values = _group(call)[part]
        if call.path("key") not in values:
            raise Wrong(404, f"not found: {call.path('key')}")
        name = "key" if part == "envVars" else "name"
        return {name: call.path("key"), field: _shown(call, values[call.path("key")])}

    def write(call: Call) -> Reply:
        group = _group(call)
        group[part][call.path("key")] = call.field(field, str)
        group["updatedAt"] = stamp(call.now)
        return _group_shape(call, group)

    def remove(call: Call) -> Reply:
        if _group(call)[part].pop(call.path("key"), None) is None:
            raise Wrong(404, f"not found: {call.path('key')}")

    return {"GET": read, "PUT": write, "DELETE": remove}


def list_domains(call: Call) -> Reply:
    """GET /services/{id}/custom-domains."""
    return paged(call, "customDomain", list(call.hosted().domains.items()))


def add_domain(call: Call) -> Reply:
    """POST /services/{id}/custom-domains: answers with a list."""
    name = call.field("name", str)
    domain: Json = {
        "id": call.world.new_id("cdm"),
        "name": name,
        "domainType": "apex" if name.count(".") == 1 else "subdomain",
        "publicSuffix": name.rpartition(".")[2],
        "redirectForName": "",
        "verificationStatus": "unverified",
        "createdAt": stamp(call.now),
    }
    call.hosted().domains[domain["id"]] = domain
    return [domain]


def get_domain(call: Call) -> Reply:
    """GET /services/{id}/custom-domains/{id or name}."""
    wanted = call.path("key")
    for domain in call.hosted().domains.values():
        if wanted in (domain["id"], domain["name"]):
            return domain
    raise Wrong(404, f"not found: {wanted}")


def delete_domain(call: Call) -> Reply:
    """DELETE /services/{id}/custom-domains/{id or name}."""
    del call.hosted().domains[get_domain(call)["id"]]


def list_headers(call: Call) -> Reply:
    """GET /services/{id}/headers."""
    return paged(call, "header", [(each["id"], each) for each in call.hosted().headers])


def list_routes(call: Call) -> Reply:
    """GET /services/{id}/routes."""
    return paged(call, "route", [(each["id"], each) for each in call.hosted().routes])


def _env_page(call: Call, env: dict[str, str]) -> Reply:
    return paged(
        call, "envVar", [(key, {"key": key, "value": _shown(call, value)}) for key, value in env.items()]
    )


def _shown(call: Call, value: str) -> str:
    """Who may only look gets no values."""
    return value if call.key.role == "admin" else ""


def _key(text: str) -> str:
    if not KEY.fullmatch(text):
        raise Wrong(400, f"invalid environment variable key: {text}")
    return text


def _group(call: Call) -> Json:
    group = call.world.kind("env-groups").get(call.path("group"))
    if group is None or call.key.role == "stranger":
        raise Wrong(404, f"not found: {call.path('group')}")
    return group


def _group_shape(call: Call, group: Json) -> Json:
    shape = {name: value for name, value in group.items() if name not in ("links", "envVars", "secretFiles")}
    linked = [call.world.services[key].spec for key in group["links"] if key in call.world.services]
    shape["envVars"] = [{"key": k, "value": _shown(call, v)} for k, v in group["envVars"].items()]
    shape["secretFiles"] = [{"name": k, "content": _shown(call, v)} for k, v in group["secretFiles"].items()]
    shape["serviceLinks"] = [{"id": s.id, "name": s.name, "type": DASHBOARD[s.kind]} for s in linked]
    return shape


SERVICE: Final = "/services/{service}"
GROUP: Final = "/env-groups/{group}"
ROUTES: Final = [
    route("GET", f"{SERVICE}/env-vars", list_env),
    route("PUT", f"{SERVICE}/env-vars", put_env),
    route("GET", f"{SERVICE}/env-vars/{{key}}", get_env),
    route("PUT", f"{SERVICE}/env-vars/{{key}}", set_env),
    route("DELETE", f"{SERVICE}/env-vars/{{key}}", delete_env, 204),
    route("GET", f"{SERVICE}/secret-files", list_files),
    route("PUT", f"{SERVICE}/secret-files", put_files),
    route("GET", f"{SERVICE}/secret-files/{{key}}", get_file),
    route("PUT", f"{SERVICE}/secret-files/{{key}}", set_file, 201),
    route("DELETE", f"{SERVICE}/secret-files/{{key}}", delete_file, 204),
    route("GET", "/env-groups", list_groups),
    route("POST", "/env-groups", create_group, 201),
    route("GET", GROUP, get_group),
    route("PATCH", GROUP, patch_group),
    route("DELETE", GROUP, delete_group, 204),
    route("POST", f"{GROUP}/services/{{service}}", link_group),
    route("DELETE", f"{GROUP}/services/{{service}}", unlink_group, 204),
    *(
        route(method, f"{GROUP}/{path}/{{key}}", handler, 204 if method == "DELETE" else 200)
        for path, part, field in (
            ("env-vars", "envVars", "value"),
            ("secret-files", "secretFiles", "content"),
        )
        for method, handler in group_part(part, field).items()
    ),
    route("GET", f"{SERVICE}/custom-domains", list_domains),
    route("POST", f"{SERVICE}/custom-domains", add_domain, 201),
    route("GET", f"{SERVICE}/custom-domains/{{key}}", get_domain),
    route("DELETE", f"{SERVICE}/custom-domains/{{key}}", delete_domain, 204),
    route("GET", f"{SERVICE}/headers", list_headers),
    route("GET", f"{SERVICE}/routes", list_routes),
]
