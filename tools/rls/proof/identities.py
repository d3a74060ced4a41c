"""Where the caller's identity stands in SQL: auth.uid(), claims, settings, the role."""

from __future__ import annotations

import re
from typing import Final

from tools.rls.proof.graph import Const, Sources
from tools.rls.proof.model import Identity

UID: Final = Identity("uid", ("sub",))
TOKEN: Final = Identity("claim", ())
"""The whole token, before a path is taken from it."""
_PATH_ITEM: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}\s]+)')
_ACCOUNT: Final = re.compile(
    r"(^|[._])(sub|uid|user|users|account|member|person|profile|email|login|username)(_?id)?$"
)
_TENANT: Final = re.compile(
    r"tenant|org|compan|clinic|practice|team|workspace|household|famil|group|site|hospital|facility|project|customer"
)


def called(schema: str, name: str) -> Identity | None:
    """The identity that a function of Supabase Auth gives."""
    if schema != "auth":
        return None
    return {
        "uid": UID,
        "jwt": TOKEN,
        "email": Identity("claim", ("email",)),
        "role": Identity("claim", ("role",)),
    }.get(name)


def setting(name: str) -> Identity | None:
    """The identity in a setting; None for the server's own settings."""
    if name in ("request.jwt.claims", "request.jwt.claim"):
        return TOKEN
    if name.startswith("request.jwt.claim."):
        return claim(tuple(name.removeprefix("request.jwt.claim.").split(".")))
    return Identity("setting", (name,)) if "." in name else None


def claim(path: tuple[str, ...]) -> Identity:
    """The claim at a path; `sub` is the user id itself."""
    return UID if path == ("sub",) else Identity("claim", path)


def below(sources: Sources, steps: Sources) -> Sources:
    """What `->`, `->>`, `#>` and `#>>` take out of a token; other sources stay as they are."""
    path = tuple(step for one in steps if isinstance(one, Const) for step in _steps(one.value))
    found = {
        claim((*one.path, *path)) if isinstance(one, Identity) and one.kind == "claim" and path else one
        for one in sources
    }
    return frozenset(found)


def _steps(text: str) -> list[str]:
    if text.startswith("{") and text.endswith("}"):
        return [match[1] or match[2] for match in _PATH_ITEM.finditer(text[1:-1])]
    return [text]


def complete(identity: Identity) -> bool:
    """Whether a value was taken from the token, and not the token itself."""
    return identity.kind != "claim" or bool(identity.path)


def names_account(identity: Identity) -> bool:
    """Whether the value tells which person calls: the user id, an email address."""
    if identity.kind == "uid":
        return True
    last = identity.path[-1].lower()
    return identity.kind != "role" and bool(_ACCOUNT.search(last)) and not _TENANT.search(last)


def names_tenant(identity: Identity) -> bool:
    """Whether the value is called like an organisation, a tenant or another group."""
    return identity.kind in ("claim", "setting") and bool(_TENANT.search(identity.path[-1].lower()))
