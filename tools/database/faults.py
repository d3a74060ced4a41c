"""PostgreSQL's errors in Sergei's words. The one place where a psycopg exception is read.

What a server says may quote a patient: `invalid input syntax for type integer: "Jane Roe"`, or a relation
that "does not exist" because a value was cast to regclass. So its message passes only when it was raised
while our own statement was being analysed (it points into that text, and no function was running), or when
it matches a reviewed wording made of catalog names. DETAIL, CONTEXT and NOTICE never pass.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors

from tools.database.target import Target
from tools.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    NotFound,
    Refused,
    RemoteError,
    SergeiError,
    Unavailable,
)

_NAMES_ONLY: Final = re.compile(
    r"permission denied for (?:table|view|materialized view|schema|function|procedure|sequence|database|"
    r"column|relation|language|type|foreign server|large object)(?: [\w.$\"]+)?"
    r"|must be owner of [a-z ]+ [\w.$\"]+"
    r"|permission denied to (?:set role|create|alter|drop|examine|reload)[\w \"]*"
    r"|new row violates row-level security policy(?: \"[^\"]+\")? for table \"[^\"]+\""
    r"|query would be affected by row-level security policy for table \"[^\"]+\""
    r"|cannot execute [A-Z ]+ in a read-only transaction"
    r"|cannot drop [a-z ]+ [\w.$\"]+ because other objects depend on it"
    r"|materialized view \"[^\"]+\" has not been populated"
)
_QUOTED: Final = re.compile(r'"([^"]+)"')
_ABOUT_NAMES: Final = frozenset(
    {"42704", "42710", "42P01", "42P06", "42P07", "42701", "42703", "42723", "3F000", "42P16"}
)
_HARMLESS_HINTS: Final = frozenset({"42703", "42883", "42P01", "42702", "42803", "42804"})

_CONNECT: Final[tuple[tuple[str, type[SergeiError], str, str, str], ...]] = (
    ("password authentication failed", RemoteError, "28P01",
     "{target} rejected the password of user {user}.", "Check user and password in the database URL."),
    ("no password supplied", RemoteError, "28P01",
     "{target} asks for a password and the database URL has none.", "Put it in the URL or in ~/.pgpass."),
    ("Tenant or user not found", RemoteError, "28000",
     "The Supabase pooler at {target} does not know this user.",
     "Behind the pooler the user is postgres.PROJECT_REF; the region in the host must be the project's."),
    ("no pg_hba.conf entry", RemoteError, "28000",
     "{target} does not accept user {user} from here.", "It needs an entry in pg_hba.conf, or a tunnel."),
    ("authentication failed", RemoteError, "28000",
     "{target} did not accept user {user}.", "Check the user and how pg_hba.conf lets it in."),
    ("remaining connection slots", Unavailable, "53300", "{target} has no free connection.", "Try later."),
    ("too many clients", Unavailable, "53300", "{target} has no free connection.", "Try later."),
    ("too many connections", Unavailable, "53300", "{target} has no free connection.", "Try later."),
    ("starting up", Unavailable, "57P03", "{target} is starting up.", "Try again in a few seconds."),
    ("shutting down", Unavailable, "57P03", "{target} is shutting down.", "Try again when it is back."),
    ("certificate", ConfigurationError, "", "The certificate of {target} could not be verified.",
     "Check sslmode and sslrootcert in the database URL."),
    ("does not support SSL", ConfigurationError, "", "{target} does not offer TLS and the URL requires it.",
     "Check the host, or sslmode in the database URL."),
    ("invalid response to SSL", Unavailable, "", "What answers at {target} is not PostgreSQL.",
     "Check the host and the port."),
    ("unexpected response from server", Unavailable, "", "What answers at {target} is not PostgreSQL.",
     "Check the host and the port."),
    ("expected authentication request", Unavailable, "", "What answers at {target} is not PostgreSQL.",
     "Check the host and the port."),
    ("invalid authentication request", Unavailable, "", "What answers at {target} is not PostgreSQL.",
     "Check the host and the port."),
    ("lost synchronization", Unavailable, "", "What answers at {target} is not PostgreSQL.",
     "Check the host and the port."),
    ("resolve host", Unavailable, "", "The host of {target} is not known to DNS.",
     "Check the spelling; a paused Supabase project has no address."),
    ("translate host name", Unavailable, "", "The host of {target} is not known to DNS.",
     "Check the spelling; a paused Supabase project has no address."),
    ("timeout", Unavailable, "", "{target} did not answer in time.",
     "Check the address, the firewall, and that PostgreSQL is what listens there."),
    ("refused", Unavailable, "", "Nothing listens at {target}.", "Check the host and the port, or start it."),
    ("No such file", Unavailable, "", "There is no PostgreSQL socket at {target}.", "Start the server."),
    ("server closed the connection", Unavailable, "",
     "{target} closed the connection at once.", "Check that PostgreSQL is what listens there."),
)  # fmt: skip
_GONE: Final = re.compile(r'(database|role) "[^"]*" does not exist')


@contextmanager
def connecting(target: Target) -> Generator[None]:
    """Translate what goes wrong while connecting to `target`."""
    try:
        yield
    except psycopg.Error as error:
        raise connect_fault(str(error), target) from None
    except OSError as error:
        raise connect_fault(error.strerror or "", target) from None


def connect_fault(said: str, target: Target) -> SergeiError:
    """The error for libpq's words `said`, which may name hosts and addresses and so do not pass."""
    where = f"the database {target.database} at {target.address}"
    gone = _GONE.search(said)
    if gone and gone[1] == "database":
        return RemoteError(
            f"There is no database {target.database} at {target.address}.", code="3D000",
            hint="Check the name at the end of the database URL.",
        )  # fmt: skip
    if gone:
        return RemoteError(f"There is no role {target.user} at {target.address}.", code="28000")
    for words, kind, code, message, hint in _CONNECT:
        if words in said:
            sentence = message.format(target=where, user=target.user)
            return kind(sentence[:1].upper() + sentence[1:], hint=hint, code=code)
    return Unavailable(
        f"{where[:1].upper()}{where[1:]} cannot be reached.", hint="Check the address in the database URL."
    )


@contextmanager
def running(target: Target, offset: int = 0, named_in: str = "") -> Generator[None]:
    """Translate what goes wrong while a statement runs on `target`."""
    try:
        yield
    except psycopg.Error as error:
        raise statement_fault(error, target, offset, named_in) from None


def statement_fault(error: psycopg.Error, target: Target, offset: int = 0, named_in: str = "") -> SergeiError:
    """The error for a failed statement, without any value of the target."""
    code = error.sqlstate or ""
    if isinstance(error, psycopg.DataError) and not code:
        return InvalidInput("A value in the request cannot be sent to PostgreSQL (a NUL byte?).")
    if not code:
        return Unavailable(f"The connection to {target.label} was lost.", hint="Try again.")
    fixed = _FIXED.get(code)
    if fixed is not None:
        kind, message, hint = fixed
        return kind(message, hint=hint, code=code)
    kind = _KINDS.get(code) or _KINDS.get(code[:2], RemoteError)
    return kind(_sentence(error, code, offset, named_in), hint=_hint(error, code), code=code)


def _sentence(error: psycopg.Error, code: str, offset: int, named_in: str) -> str:
    """The server's message where it may pass, else the name of the SQLSTATE and of what it concerns."""
    diag = error.diag
    said, quiet = diag.message_primary or "", diag.context is None and diag.internal_query is None
    analysed = quiet and diag.statement_position is not None and code.startswith("42")
    if analysed or (quiet and (_NAMES_ONLY.fullmatch(said) or _own_names(said, code, named_in))):
        sentence = said[:1].upper() + said[1:]
    else:
        sentence = f"PostgreSQL: {condition(code)}"
        concerned = [
            f"{word} {name}"
            for word, name in (
                ("constraint", diag.constraint_name),
                ("column", diag.column_name),
                ("table", ".".join(part for part in (diag.schema_name, diag.table_name) if part)),
                ("type", diag.datatype_name),
            )
            if name
        ]
        sentence += f" ({', '.join(concerned)})" if concerned else ""
    if diag.statement_position is not None:
        sentence += f" at character {int(diag.statement_position) - offset}"
    return sentence + "."


def _own_names(said: str, code: str, named_in: str) -> bool:
    """Whether a message about definitions quotes nothing but names that stand in the statement itself."""
    quoted, rest = _QUOTED.findall(said), _QUOTED.sub("", said)
    plain = code in _ABOUT_NAMES and rest.replace(" ", "").isalpha()
    return plain and bool(quoted) and all(name in named_in for name in quoted)


def _hint(error: psycopg.Error, code: str) -> str:
    diag = error.diag
    harmless = code in _HARMLESS_HINTS and diag.statement_position is not None and diag.context is None
    if harmless and diag.message_hint:
        return diag.message_hint
    if code.startswith(("22", "23", "P0")):
        return "Its own message is withheld: it may quote a patient's values."
    return ""


def condition(code: str) -> str:
    """PostgreSQL's name for a SQLSTATE in words: 22P02 is "invalid text representation"."""
    try:
        name = errors.lookup(code).__name__
    except KeyError:
        return f"error {code}" if re.fullmatch(r"[0-9A-Z]{5}", code) else "an error"
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


_KINDS: Final[dict[str, type[SergeiError]]] = {
    "42P01": NotFound, "42883": NotFound, "42703": NotFound, "42704": NotFound, "3F000": NotFound,
    "42501": Refused, "42": InvalidInput, "22": InvalidInput, "21": InvalidInput, "54": InvalidInput,
    "0A": InvalidInput, "2B": Conflict, "40": Conflict, "55": Conflict, "53": Unavailable, "08": Unavailable,
    "58": Unavailable,
}  # fmt: skip
_FIXED: Final[dict[str, tuple[type[SergeiError], str, str]]] = {
    "57014": (Unavailable, "The statement took too long and was cancelled.",
              "Narrow it, or look at its plan with explain_query."),
    "55P03": (Conflict, "A lock that the statement needs is held by somebody else.",
              "list_activity shows who blocks whom."),
    "25006": (Refused, "The statement would write, and this transaction is read-only.",
              "change_sql is the tool that changes something; it asks a person first."),
    "25P02": (Conflict, "An earlier statement of this transaction failed.", ""),
    "40P01": (Conflict, "The statement was the victim of a deadlock and was rolled back.", "Try again."),
    "57P01": (Unavailable, "The server ended the connection.", "Try again."),
    "25P03": (Unavailable, "The session was idle for too long inside its transaction.", "Try again."),
    "42P05": (Conflict, "A pooler handed out a session that somebody else had prepared.",
              "Use the direct or the session-mode address."),
}  # fmt: skip
