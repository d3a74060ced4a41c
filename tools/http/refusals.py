"""A vendor's error answer as one of our errors, said once and without a secret."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    SergeiError,
    Unavailable,
)
from tools.redaction import Redactor

_REDACTOR: Final = Redactor(strict=True)
_LONGEST: Final = 300
_KINDS: Final[Mapping[int, type[SergeiError]]] = {
    400: InvalidInput,
    402: Unavailable,
    404: NotFound,
    406: InvalidInput,
    409: Conflict,
    410: NotFound,
    413: InvalidInput,
    422: InvalidInput,
    429: Unavailable,
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """Whom we call. `key` is the variable that holds the key, `keys_page` where one is made."""

    name: str
    key: str
    keys_page: str


def refusal(
    vendor: Vendor, where: str, status: int, content: bytes, *, repeatable: bool, sent: Iterable[str] = ()
) -> SergeiError:
    """The error for a status that is no success. `where` is the method and path, `sent` the secrets sent."""
    words = clean(_said(content), sent)
    told = f": {words}" if words else "."
    code = str(status)
    if status == 401:
        return ConfigurationError(
            f"{vendor.name} does not accept {vendor.key} ({where}){told}",
            hint=f"Make a new key at {vendor.keys_page} and set {vendor.key}.",
            code=code,
        )
    if status == 403:
        hint = f"{vendor.key} lacks the right to do this; use a key of a member who has it."
        return Refused(f"{vendor.name} forbids {where}{told}", hint=hint, code=code)
    if status >= 500 and not repeatable:
        return unknown_outcome(vendor, where, f"answered {status}{told}", code)
    kind = _KINDS.get(status, RemoteError)
    verb = "failed on" if status >= 500 else "did not accept"
    hint = "This is used up for now: wait, or raise the limit or plan." if status in {402, 429} else ""
    return kind(f"{vendor.name} {verb} {where} ({status}){told}", hint=hint, code=code)


def unknown_outcome(vendor: Vendor, where: str, happened: str, code: str = "") -> OutcomeUnknown:
    """A change whose fate is not known."""
    return OutcomeUnknown(
        f"{where} was sent to {vendor.name}, which {happened.rstrip('.')}: it may have happened.",
        hint="It was not sent again. Look at the present state before deciding.",
        code=code,
    )


def clean(text: str, sent: Iterable[str] = ()) -> str:
    """A vendor's words on one line, without what we sent as a secret and without what looks like one."""
    for secret in sorted(sent, key=len, reverse=True):
        if len(secret) >= 3:
            text = text.replace(secret, "<secret>")
    text = _REDACTOR.text(" ".join(text.split()))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _said(content: bytes) -> str:
    """The message inside an error body: JSON of several shapes, or an HTML page that says nothing."""
    text = content[:20_000].decode("utf-8", errors="replace").strip()
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "(an HTML page)" if text.startswith("<") else text
    return said(body)


def said(body: Any, depth: int = 0) -> str:
    """The message inside a parsed error of any of the vendors' shapes."""
    if isinstance(body, str):
        return body
    if depth < 3 and isinstance(body, Mapping):
        fields: Mapping[str, Any] = body  # pyright: ignore[reportUnknownVariableType]  parsed JSON
        for name in ("message", "msg", "error_description", "error", "errors", "detail"):
            if fields.get(name):
                return said(fields[name], depth + 1)
    if depth < 3 and isinstance(body, list):
        items: list[Any] = body  # pyright: ignore[reportUnknownVariableType]  parsed JSON
        return "; ".join(filter(None, (said(item, depth + 1) for item in items[:5])))
    return ""
