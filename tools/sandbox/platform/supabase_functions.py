"""Edge functions and their secrets."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from tools.sandbox.platform.calls import Call, Reply, Wrong, route
from tools.sandbox.platform.dice import hexadecimal
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.supabase_calls import PROJECT, project
from tools.sandbox.platform.supabase_state import EdgeFunction

SLUG: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def list_functions(call: Call) -> Reply:
    """GET /functions."""
    return [shape(each) for each in project(call).functions.values()]


def get_function(call: Call) -> Reply:
    """GET /functions/{slug}."""
    return shape(_function(call))


def function_source(call: Call) -> Reply:
    """GET /functions/{slug}/body: the only copy of a version; gone once another is deployed."""
    found = _function(call)
    edge = "simulated-boundary"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="index.ts"\r\n\r\n'
    body = head.encode() + found.source + f"\r\n--{edge}--\r\n".encode()
    return Response(body, media_type=f"multipart/form-data; boundary={edge}")


async def deploy_function(call: Call) -> Reply:
    """POST /functions/deploy?slug=: multipart with metadata and files; bundleOnly changes nothing."""
    found = project(call)
    form = await call.request.form()
    try:
        metadata: Json = json.loads(str(form.get("metadata", "")))
    except ValueError:
        raise Wrong(400, "invalid metadata") from None
    if "entrypoint_path" not in metadata:
        raise Wrong(400, "metadata.entrypoint_path is required")
    files = [each for each in form.getlist("file") if isinstance(each, UploadFile)]
    if not files:
        raise Wrong(400, "no files were uploaded")
    source = b"\n".join([await each.read() for each in files])
    slug = call.query("slug") or str(metadata.get("name", ""))
    if not SLUG.fullmatch(slug):
        raise Wrong(400, "invalid slug")
    if b"syntax error" in source:
        raise Wrong(
            400, "Failed to bundle the function (reason: the module's source code could not be parsed)"
        )
    old = found.functions.get(slug)
    key = old.id if old else hexadecimal(32, "function", slug)
    fresh = EdgeFunction(
        key if old else f"{key[:8]}-{key[8:12]}-4{key[13:16]}-a{key[17:20]}-{key[20:]}",
        slug,
        old.version + 1 if old else 1,
        old.created_at if old else call.now,
        call.now,
        source,
        bool(metadata.get("verify_jwt", old.verify_jwt if old else True)),
    )
    if call.query("bundleOnly") == "true":
        return shape(fresh)
    found.functions[slug] = replace(fresh, per_minute=old.per_minute) if old else fresh
    return shape(found.functions[slug])


def patch_function(call: Call) -> Reply:
    """PATCH /functions/{slug}."""
    found = _function(call)
    changed = replace(found, verify_jwt=call.field("verify_jwt", bool, found.verify_jwt), updated_at=call.now)
    project(call).functions[found.slug] = changed
    return shape(changed)


def delete_function(call: Call) -> Reply:
    """DELETE /functions/{slug}."""
    del project(call).functions[_function(call).slug]
    return Response(status_code=200)


def shape(found: EdgeFunction) -> Json:
    """A function as the API gives it; times are milliseconds."""
    return {
        "id": found.id,
        "slug": found.slug,
        "name": found.slug,
        "status": "ACTIVE",
        "version": found.version,
        "created_at": int(found.created_at.timestamp() * 1000),
        "updated_at": int(found.updated_at.timestamp() * 1000),
        "verify_jwt": found.verify_jwt,
        "import_map": False,
        "entrypoint_path": f"file:///tmp/user_fn_{found.id}_{found.version}/source/index.ts",
        "ezbr_sha256": hashlib.sha256(found.source).hexdigest(),
    }


def _function(call: Call) -> EdgeFunction:
    found = project(call).functions.get(call.path("slug"))
    if found is None:
        raise Wrong(404, "Function not found")
    return found


def list_secrets(call: Call) -> Reply:
    """GET /secrets: the value is a digest of the real one."""
    secrets = project(call).secrets.items()
    return [
        {
            "name": name,
            "value": hashlib.sha256(value.encode()).hexdigest(),
            "updated_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        for name, (value, at) in secrets
    ]


def add_secrets(call: Call) -> Reply:
    """POST /secrets: adds or replaces each."""
    entries = call.entries()
    for each in entries:
        if str(each.get("name", "")).startswith("SUPABASE_"):
            raise Wrong(400, "Secret name must not start with the SUPABASE_ prefix")
        if not each.get("name") or not isinstance(each.get("value"), str):
            raise Wrong(400, "invalid secret")
    for each in entries:
        project(call).secrets[each["name"]] = (each["value"], call.now)
    return Response(status_code=201)


def delete_secrets(call: Call) -> Reply:
    """DELETE /secrets: a list of names."""
    names: list[Any] = list(call.entries())
    for name in names:
        project(call).secrets.pop(str(name), None)
    return Response(status_code=200)


FUNCTION: Final = f"{PROJECT}/functions/{{slug}}"
ROUTES: Final = [
    route("GET", f"{PROJECT}/functions", list_functions),
    route("POST", f"{PROJECT}/functions/deploy", deploy_function, 201),
    route("GET", FUNCTION, get_function),
    route("GET", f"{FUNCTION}/body", function_source),
    route("PATCH", FUNCTION, patch_function),
    route("DELETE", FUNCTION, delete_function),
    route("GET", f"{PROJECT}/secrets", list_secrets),
    route("POST", f"{PROJECT}/secrets", add_secrets, 201),
    route("DELETE", f"{PROJECT}/secrets", delete_secrets),
]
