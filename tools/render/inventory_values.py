"""What a variable tells without being shown: where it points, what kind of secret it has the shape of.

This is the only module of the review that looks into values. What it hands on are kinds, hosts' ids, regions
and numbers; a rule never has the value itself.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final, cast

from tools.http.secret import Secret, is_secret_name
from tools.redaction_shapes import SECRETS

_SETTINGS: Final = frozenset({
    "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "NODE_VERSION",
    "NODE_ENV", "PYTHON_VERSION", "RAILS_ENV",
})  # fmt: skip
"""Settings of runtimes: their texts hold no secret, and rules read sizes and versions out of them."""
_RENDER_STORE: Final = re.compile(
    r"\b(?P<id>(?P<kind>dpg|red)-[a-z0-9]{10,30}(?:-a)?)(?:\.(?P<region>[a-z]+)-(?:postgres|keyvalue|redis)\.)?"
)
_SUPABASE: Final = re.compile(
    r"\b(?P<ref>[a-z]{20})\.supabase\.(?:co|net)\b|\bpostgres\.(?P<user>[a-z]{20})\b"
)
_POOLER: Final = re.compile(r"\baws-\d-(?P<region>[a-z]{2}-[a-z]+-\d)\.pooler\.supabase\.com\b")
_JWT: Final = re.compile(r"eyJ[\w-]{5,2000}\.(eyJ[\w-]{5,4000})\.[\w-]*", re.ASCII)
_BROWSER: Final = re.compile(
    r"^(?:NEXT_PUBLIC|VITE|REACT_APP|PUBLIC|NUXT_PUBLIC|GATSBY|EXPO_PUBLIC|VUE_APP)_"
)
_PUBLIC_NAME: Final = re.compile(r"PUBLIC|PUBLISHABLE|ANON_?KEY|SENTRY_DSN")
_PUBLIC_VALUE: Final = re.compile(r"\b(?:pk_(?:live|test)_|sb_publishable_)")
_REFERENCE: Final = re.compile(r"\$\{?[A-Za-z_]\w*\}?|<[^>]*>|\{\{.*\}\}")
_PASSWORD: Final = re.compile(r"(?:PASSWORD|PASSWD|PASSPHRASE)$")
_SECONDS: Final = re.compile(
    r"(?:JOB|TASK|WORKER|BATCH|GRACEFUL|SHUTDOWN|DRAIN)[A-Z_]*(?:TIMEOUT|TIME_LIMIT|DEADLINE|MAX_RUNTIME)"
    r"(?P<unit>_MS|_MILLIS|_MILLISECONDS|_SECONDS|_SECS|_S|_MINUTES)?$"
)
_SCALE: Final = {"_MS": 0.001, "_MILLIS": 0.001, "_MILLISECONDS": 0.001, "_MINUTES": 60.0}
_WORDS: Final = {
    "private-key": "a private key",
    "password": "a password or an address with one",
    "jwt": "a JWT",
    "key": "an API key",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A value that points at a database. `region` is what the address says; empty where it says nothing."""

    kind: str
    """postgres, key_value or supabase."""
    target: str
    region: str = ""
    internal: bool = False
    """An address of Render's private network, which ends at the region's border."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one variable's value."""

    present: bool = True
    setting: str = ""
    """The text, of a runtime's setting only."""
    links: tuple[Link, ...] = ()
    looks: str = ""
    """The kind of secret that its shape shows, as `an API key`; empty for none."""
    seconds: float | None = None
    """A time limit for jobs or for stopping, from a variable that names one."""


def look(key: str, value: Secret) -> Value:
    """Look into a value once, and keep only what may be known."""
    text = value.reveal()
    return Value(
        present=bool(text),
        setting=text[:200] if key in _SETTINGS else "",
        links=_links(text),
        looks=_looks(text),
        seconds=_seconds(key, text),
    )


def literal_secret(key: str, value: Secret) -> str:
    """Why a literal value of this name is a secret, in a few words; empty where it is none.

    By its shape, or by its name when the value is not a word, a number or a reference to something else.
    """
    text = value.reveal().strip()
    if not text or _REFERENCE.fullmatch(text):
        return ""
    if looks := _looks(text):
        return f"its value has the shape of {looks}"
    if _PUBLIC_NAME.search(key.upper()) or not is_secret_name(key):
        return ""
    mixed = any(char.isdigit() for char in text) and any(char.isalpha() for char in text)
    if _PASSWORD.search(key.upper()) or (len(text) >= 12 and mixed and " " not in text and "://" not in text):
        return "its name says that it is one"
    return ""


def for_the_browser(key: str) -> bool:
    """Whether build tools copy a variable of this name into what browsers download."""
    return _BROWSER.match(key.upper()) is not None


def _links(text: str) -> tuple[Link, ...]:
    found: dict[str, Link] = {}
    for match in _RENDER_STORE.finditer(text):
        kind = "postgres" if match["kind"] == "dpg" else "key_value"
        region = match["region"] or ""
        found[match["id"]] = Link(kind, match["id"], region, internal=not region)
    pooler = _POOLER.search(text)
    for match in _SUPABASE.finditer(text):
        ref = match["ref"] or match["user"]
        found[ref] = Link("supabase", ref, pooler["region"] if pooler else "")
    return tuple(found.values())


def _looks(text: str) -> str:
    if jwt := _JWT.search(text):
        role = _role(jwt[1])
        if role == "anon":
            return ""
        return "a Supabase service_role key" if role == "service_role" else "a JWT"
    if _PUBLIC_VALUE.search(text):
        return ""
    lowered = text.lower()
    for shape in SECRETS:
        if shape.needles and not any(needle in lowered for needle in shape.needles):
            continue
        match = shape.pattern.search(text)
        if match and (shape.check is None or shape.check(match[shape.group()] or match[0])):
            return _WORDS.get(shape.kind, "a secret")
    return ""


def _role(payload: str) -> str:
    """The `role` claim of a token's middle part."""
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return ""
    return str(cast("dict[str, Any]", claims).get("role", "")) if isinstance(claims, dict) else ""


def _seconds(key: str, text: str) -> float | None:
    named = _SECONDS.search(key.upper())
    if not named or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    number = int(text)
    if named["unit"]:
        return number * _SCALE.get(named["unit"], 1.0)
    return number / 1000 if number >= 5000 else float(number)
