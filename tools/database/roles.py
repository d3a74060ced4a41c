"""Acting as another role while reading: one that exists, that the login may become, and no superuser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tools.errors import InvalidInput, NotFound, Refused

if TYPE_CHECKING:
    from tools.database.connection import Session

_ROLE: Final = """
select r.rolsuper as superuser,
       case when pg_catalog.current_setting('server_version_num')::int >= 160000
            then pg_catalog.pg_has_role(session_user, r.oid, 'SET')
            else pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER') end as open,
       session_user::text as login
from pg_catalog.pg_roles r where r.rolname = %(role)s
"""
_CLAIMS_CHARS: Final = 16_384


async def act_as(session: Session, role: str | None, claims: Mapping[str, Any] | None) -> None:
    """Become `role` with `claims` for the rest of the transaction.

    Raises NotFound for an unknown role, Refused for a superuser or one that the login may not become, and
    InvalidInput for claims that a JSON web token could not carry.
    """
    if (
        claims is not None
        and sum(len(str(key)) + len(str(value)) for key, value in claims.items()) > _CLAIMS_CHARS
    ):
        raise InvalidInput(f"`claims` is longer than {_CLAIMS_CHARS:,} characters.")
    if claims is not None and any("\0" in str(part) for item in claims.items() for part in item):
        raise InvalidInput("`claims` contains a NUL character.")
    if role is not None:
        rows = await session.fetch(_ROLE, {"role": role})
        if not rows:
            raise NotFound(f"There is no role {role} in {session.target.label}.", code="22023")
        if rows[0]["superuser"]:
            raise Refused(f"as_role does not become {role}: it is a superuser.")
        if not rows[0]["open"]:
            raise Refused(
                f"The login {rows[0]['login']} may not become {role}.",
                hint=f"sergei init-role --become {role} shows the grant that lets a reading login do so.",
                code="42501",
            )
    await session.become(role, claims)
