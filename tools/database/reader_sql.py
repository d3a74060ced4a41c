"""The SQL of a login that only reads, as pure text: what it may see, and what it can never do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from tools.errors import InvalidInput

NAME: Final = "sergei_reader"
HIDDEN_PASSWORD: Final = "(not shown)"  # noqa: S105  it stands where a password would be
_ROUNDS: Final = 4096
_LIMITS: Final = (
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "30s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "60s"),
)
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """What the login shall be, and the facts of the server that its SQL depends on.

    `owners`: roles whose future tables it shall read as well. `become`: roles that it may change to.
    """

    name: str
    database: str
    schemas: tuple[str, ...]
    become: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    exists: bool = False
    version: int = 170000


def statements(plan: ReaderPlan, verifier: str = HIDDEN_PASSWORD) -> tuple[str, ...]:
    """The statements in order. `verifier` is what the server keeps of the password, never the password."""
    role = identifier(plan.name)
    inherit = "" if plan.version >= 160000 or not plan.become else " noinherit"
    said: list[str] = []
    if not plan.exists:
        said.append(
            f"create role {role} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls{inherit}"
            f" connection limit 10 password {literal(verifier)}"
        )
    said += [f"alter role {role} set {name} = {literal(value)}" for name, value in _LIMITS]
    said.append(f"grant connect on database {identifier(plan.database)} to {role}")
    for schema in map(identifier, plan.schemas):
        said.append(f"grant usage on schema {schema} to {role}")
        said.append(f"grant select on all tables in schema {schema} to {role}")
        said += [
            f"alter default privileges for role {identifier(owner)} in schema {schema}"
            f" grant select on tables to {role}"
            for owner in plan.owners
        ]
    terms = " with inherit false, set true" if plan.version >= 160000 else ""
    said += [f"grant {identifier(other)} to {role}{terms}" for other in plan.become]
    return tuple(said)


def script(plan: ReaderPlan, verifier: str = HIDDEN_PASSWORD) -> str:
    """The statements as one text."""
    return ";\n".join(statements(plan, verifier)) + ";"


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL stores of a password (RFC 5802): the clear text never travels, nor enters its log."""
    if not 12 <= len(password) <= 200 or not password.isascii() or not password.isprintable():
        raise InvalidInput("The password must have 12 to 200 printable ASCII characters.")
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    pieces = (base64.b64encode(part).decode() for part in (salt, stored, server))
    salted64, stored64, server64 = pieces
    return f"SCRAM-SHA-256${_ROUNDS}:{salted64}${stored64}:{server64}"


def identifier(name: str) -> str:
    """A name as SQL, quoted where it must be."""
    if not name or "\0" in name or len(name.encode()) > 63:
        raise InvalidInput(f"{name!r} cannot be a name in PostgreSQL: it takes 1 to 63 bytes.")
    return name if _PLAIN.fullmatch(name) and name not in _RESERVED else '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL."""
    return "'" + text.replace("'", "''") + "'"


_RESERVED: Final = frozenset(
    {"user", "table", "all", "default", "public", "current_user", "session_user", "none"}
)
"""Names that mean something else when they are not quoted."""
