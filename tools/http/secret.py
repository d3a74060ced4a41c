"""A value that may be sent to a vendor and compared, and never shown.

It shows that it is there, and a digest: equal values have equal digests within one run. The digest is keyed
anew in each run, because many secrets are short ("true", a port) and a plain hash of those is soon guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_KEY: Final = secrets.token_bytes(32)

_TELLING: Final = re.compile(
    r"(?:secrets?|passw(?:or)?d|passphrase|pass|tokens?|api_?keys?|private_?key|service_?role|credentials?|dsn"
    r"|connection_?strings?|connection_?uris?|(?:psql|cli)_?command|test_otp|jwks?|jwt|_keys?)$"
)
"""Names of fields whose texts are secrets; names are compared in snake_case."""


class Secret:
    """One secret. `reveal()` is called where it is sent, and nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    @property
    def digest(self) -> str:
        """Eight hex digits, the same for the same value within this run; empty for an empty value."""
        if not self._value:
            return ""
        return hmac.digest(_KEY, self._value.encode(errors="replace"), hashlib.sha256).hex()[:8]

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode(errors="replace"), other._value.encode(errors="replace")
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<secret:{self.digest}>" if self else "<secret:empty>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not written anywhere")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            as_secret,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: {"present": bool(secret), "digest": secret.digest}
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "object",
            "properties": {"present": {"type": "boolean"}, "digest": {"type": "string"}},
        }


def as_secret(value: object) -> Secret:
    """Any scalar as a secret: vendors send numbers and booleans as well."""
    return value if isinstance(value, Secret) else Secret("" if value is None else str(value))


def is_secret_name(name: str) -> bool:
    """Whether a field of this name (`smtp_pass`, `authToken`, `DB-PASSWORD`) holds a secret."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
    return _TELLING.search(snake) is not None


def masked(value: Any, name: str = "") -> Any:
    """JSON with every text under a telling name replaced by its digest; what is not text stays as it is."""
    if isinstance(value, Mapping):
        items: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  parsed JSON
        return {key: masked(item, key) for key, item in items.items()}
    if isinstance(value, list | tuple):
        return [masked(item, name) for item in value]  # pyright: ignore[reportUnknownVariableType]  JSON
    if isinstance(value, str) and value and is_secret_name(name):
        return repr(Secret(value))
    return value


def unveil(value: Any, seen: list[str]) -> Any:
    """JSON to send: secrets revealed, and noted in `seen` so that an error can be cleaned of them."""
    if isinstance(value, Secret):
        seen.append(value.reveal())
        return value.reveal()
    if isinstance(value, Mapping):
        items: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  JSON to be
        return {key: unveil(item, seen) for key, item in items.items()}
    if isinstance(value, list | tuple):
        return [unveil(item, seen) for item in value]  # pyright: ignore[reportUnknownVariableType]  JSON to be
    return value
