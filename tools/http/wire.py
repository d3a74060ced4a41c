"""The shape of a vendor's answers: read leniently, because vendors break their own specifications.

A null counts as absent, an unknown field is kept, an unknown status stays a string, a time that cannot be
read is None. Only what a caller cannot do without (an id) is required.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from tools.errors import RemoteError
from tools.http.secret import masked


def _moment(value: object) -> datetime | None:
    """A vendor's time: RFC 3339, a bare ISO text (UTC), or milliseconds since 1970."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        moment = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
"""A time with a zone, or None."""


class Wire(BaseModel):
    """One object of an answer, in snake_case here and in the vendor's spelling on the wire."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent_and_secrets_are_masked(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        items: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  parsed JSON
        typed = _typed_names(cls)
        return {
            key: item if key in typed else masked(item, key)
            for key, item in items.items()
            if item is not None
        }


@cache
def _typed_names(kind: type[BaseModel]) -> frozenset[str]:
    """The keys that a class reads itself; in all others secrets are masked by their name."""
    typed = ((name, field) for name, field in kind.model_fields.items() if "Any" not in str(field.annotation))
    return frozenset(spelling for name, field in typed for spelling in (name, field.alias or name))


class SnakeWire(Wire):
    """An object whose vendor writes snake_case."""

    model_config = ConfigDict(alias_generator=None)


T = TypeVar("T")


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Built once: with `defer_build` each new adapter works out the whole schema again."""
    return TypeAdapter(kind)


def parse(kind: type[T], value: object, *, where: str) -> T:
    """The value as that type. Raises RemoteError naming the field, never its content."""
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(step) for step in first["loc"]) or "the whole"
        raise RemoteError(
            f"The answer to {where} has an unknown shape: {field} ({first['type']}).",
            hint="The API may have changed; nothing was concluded from this answer.",
        ) from None
