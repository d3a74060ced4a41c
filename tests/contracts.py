"""The vendors' OpenAPI documents as a judge: every request of a client is validated, and answered in shape.

The documents are no part of the project. They are looked for in the folder that SERGEI_SPECS names, or beside
the project; tests that need them are skipped where they are absent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from jsonschema_path import SchemaPath
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

ROOT = Path(__file__).parents[1]


def specs_folder() -> Path:
    """Where the documents are; skips the test when they are nowhere."""
    folder = Path(os.environ.get("SERGEI_SPECS") or ROOT.parent / "shared" / "specs")
    if not folder.is_dir():
        pytest.skip("the vendors' OpenAPI documents are not here; name their folder with SERGEI_SPECS")
    return folder


@cache
def document(name: str) -> dict[str, Any]:
    """One document, with `{` written plainly in its references.

    A choice is any of its parts, not exactly one: `{"schedule": ...}` fits all of Render's five details.
    """
    text = (specs_folder() / name).read_text().replace("%7B", "{").replace("%7D", "}")
    text = text.replace('"oneOf":', '"anyOf":').replace("/oneOf/", "/anyOf/")
    return json.loads(text)


# None is openapi-core's way to leave the document itself unchecked; its types do not say so.
_UNCHECKED = Config(spec_validator_cls=None)  # pyright: ignore[reportArgumentType]  see above


class _Request:
    """An httpx request as openapi-core reads one."""

    def __init__(self, request: httpx.Request) -> None:
        self.host_url = f"{request.url.scheme}://{request.url.host}"
        self.path = request.url.path
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", "")
        self.body = request.content or None
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()),
            header=Headers(dict(request.headers)),
            cookie=ImmutableMultiDict(),
        )


class Contract:
    """Validates each request, remembers which operations were called, answers what the document shows."""

    def __init__(self, spec: dict[str, Any], samples: Mapping[tuple[str, str], str] | None = None) -> None:
        self.spec, self.samples = spec, dict(samples or {})
        # Supabase's document has a flaw of its own, in a body that no client here sends.
        self.judge = OpenAPI(SchemaPath.from_dict(spec), config=_UNCHECKED)
        self.called: list[tuple[str, str]] = []
        self._judged: set[tuple[object, ...]] = set()
        self.transport = httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Raises openapi-core's error for a request that the document does not allow."""
        same = (request.method, str(request.url), request.headers.get("content-type"), request.content)
        if same not in self._judged:
            asked = _Request(request)
            self.judge.unmarshal_request(asked).raise_for_errors()  # pyright: ignore[reportArgumentType]  a protocol
            self._know_all_names(request, self._template(request.method, request.url.path))
            self._judged.add(same)
        template = self._template(request.method, request.url.path)
        self.called.append((request.method, template))
        if (request.method, template) in self.samples:
            return httpx.Response(200, text=self.samples[request.method, template])
        return self._shaped(request.method, template)

    def _know_all_names(self, request: httpx.Request, template: str) -> None:
        """A misspelled name would be ignored by the validator, and by the vendor."""
        item = self.spec["paths"][template]
        operation = item[request.method.lower()]
        allowed = [
            self.resolved(one) for one in (*item.get("parameters", []), *operation.get("parameters", []))
        ]
        names = {one["name"].removesuffix("[]") for one in allowed if one["in"] == "query"}
        assert set(request.url.params) <= names, f"unknown in a query: {set(request.url.params) - names}"
        if request.headers.get("content-type", "").startswith("application/json"):
            content = self.resolved(operation["requestBody"])["content"]["application/json"]
            unknown = list(self._unknown(json.loads(request.content), [content["schema"]]))
            assert unknown == [], f"unknown in a body: {unknown}"

    def _unknown(self, value: Any, schemas: list[Any]) -> Iterator[str]:
        """Names in a body that none of the possible schemas has."""
        flat = [part for schema in schemas for part in self._parts(schema)]
        if isinstance(value, list):
            for item in cast("list[Any]", value):
                yield from self._unknown(item, [part["items"] for part in flat if "items" in part])
        elif isinstance(value, dict) and any("properties" in part for part in flat):
            for name, inner in cast("dict[str, Any]", value).items():
                fitting = [part["properties"][name] for part in flat if name in part.get("properties", {})]
                if fitting:
                    yield from self._unknown(inner, fitting)
                else:
                    yield name

    def _parts(self, schema: Any) -> Iterator[dict[str, Any]]:
        schema = self.resolved(schema)
        yield schema
        for choice in ("anyOf", "allOf"):
            for part in schema.get(choice, []):
                yield from self._parts(part)

    def _template(self, method: str, path: str) -> str:
        """The path of the document that this path fills; the one with most fixed parts."""
        prefix = (
            httpx.URL(self.spec["servers"][0]["url"]).path.rstrip("/") if self.spec.get("servers") else ""
        )
        parts = path.removeprefix(prefix).split("/")
        fitting = [
            template
            for template, item in self.spec["paths"].items()
            if method.lower() in item and _fits(template.split("/"), parts)
        ]
        return max(
            fitting, key=lambda template: sum(not part.startswith("{") for part in template.split("/"))
        )

    def _shaped(self, method: str, template: str) -> httpx.Response:
        responses = self.spec["paths"][template][method.lower()]["responses"]
        status = min(code for code in responses if code.startswith("2"))
        content = self.resolved(responses[status]).get("content", {})
        if "application/json" not in content:
            return httpx.Response(int(status))
        return httpx.Response(int(status), json=self.example(content["application/json"].get("schema", {})))

    def resolved(self, node: Any) -> dict[str, Any]:
        """The node that a reference means."""
        found = cast("dict[str, Any]", node)
        while "$ref" in found:
            step: Any = self.spec
            for name in str(found["$ref"]).removeprefix("#/").split("/"):
                name = name.replace("~1", "/").replace("~0", "~")
                step = cast("Any", step[int(name)] if isinstance(step, list) else step[name])
            found = cast("dict[str, Any]", step)
        return found

    def example(self, schema: Any, depth: int = 0) -> Any:
        """A value with all of a schema's properties."""
        schema = self.resolved(schema)
        if "allOf" in schema:
            parts = [self.example(part, depth) for part in schema["allOf"]]
            return {k: v for part in parts for k, v in cast("dict[str, Any]", part or {}).items()}
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0], depth)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "object" if "properties" in schema else "")
        if kind == "object":
            properties: dict[str, Any] = schema.get("properties", {}) if depth < 8 else {}
            return {name: self.example(part, depth + 1) for name, part in properties.items()}
        if kind == "array":
            return [self.example(schema["items"], depth + 1)]
        if schema.get("format") == "date-time":
            return "2030-01-02T03:04:05Z"
        return {"string": "text", "integer": 1, "number": 2, "boolean": True}.get(kind)


def _fits(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        fixed.startswith("{") or fixed == part for fixed, part in zip(template, parts, strict=True)
    )


def public_methods(client: type) -> set[str]:
    """Every request that a client can make."""
    return {name for name in dir(client) if not name.startswith("_") and callable(getattr(client, name))}
