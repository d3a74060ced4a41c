"""What columns mean for the life of a row: a status, an end, a beginning, a flag."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, Literal

from tools.rls.objects import Column
from tools.rls.proof.model import Condition, Hop

ConditionKind = Literal["one_of", "null", "not_null", "future", "past", "true", "false"]

LIVE: Final = frozenset({
    "active", "activated", "accepted", "accept", "approved", "granted", "confirmed", "verified",
    "current", "enabled", "given", "live", "valid", "consented", "joined", "signed", "established",
    "ongoing", "in_force", "effective", "open", "allowed", "permitted", "authorized", "authorised",
    "opted_in", "yes", "ok", "member", "connected", "linked", "registered", "subscribed", "trialing",
    "running", "agreed",
})  # fmt: skip
DEAD: Final = frozenset({
    "pending", "invited", "requested", "request", "proposed", "draft", "new", "waiting", "awaiting",
    "unverified", "unconfirmed", "revoked", "expired", "rejected", "declined", "denied", "refused",
    "cancelled", "canceled", "suspended", "inactive", "left", "removed", "withdrawn", "closed",
    "archived", "ended", "disabled", "blocked", "banned", "deleted", "terminated", "deactivated",
    "finished", "completed", "past", "former", "opted_out", "no", "none", "invalid", "lapsed", "paused",
    "frozen", "locked", "resigned", "dismissed", "failed", "void", "stopped", "disconnected", "unlinked",
    "unsubscribed", "past_due", "superseded", "replaced", "withheld", "ignored",
})  # fmt: skip
WAITING: Final = frozenset({"pending", "invited", "sent", "offered", "awaiting", "waiting", "unconfirmed"})
"""States in which the other side has still to say yes."""

_STATUS: Final = re.compile(r"(^|_)(status|state)$")
_FUTURE: Final = re.compile(
    r"(^|_)(expires?|expiry|expiration|expiring|valid_(until|to|through|thru|till)|verified_(until|to)|"
    r"not_after|until|ends|end_(date|at|time|on)|through_date|good_(until|through)|active_until|effective_(to|"
    r"until))(_(at|on|date|time|ts))?$"
)
_PAST: Final = re.compile(
    r"(^|_)(starts|start_(date|at|time|on)|valid_(from|since)|effective_(from|at|date|on)|not_before|"
    r"active_from|begins|begin_(date|at))(_(at|on|date|time|ts))?$"
)
_NULL: Final = re.compile(
    r"(^|_)(revoked|deleted|left|ended|withdrawn|removed|cancelled|canceled|terminated|suspended|blocked|"
    r"archived|disabled|deactivated|closed|rejected|declined|expired|banned|resigned|departed|"
    r"unlinked)(_(at|on|date|time|ts))?$"
)
_NOT_NULL: Final = re.compile(
    r"(^|_)(accepted|verified|confirmed|approved|activated|consented|granted|joined)(_(at|on|date))$"
)
_TRUE: Final = re.compile(
    r"^(is_|has_|was_)?(active|enabled|current|valid|live|approved|accepted|verified|confirmed|granted|"
    r"consent(ed)?|consent_(given|granted)|opted_in|in_force)$"
)
_FALSE: Final = re.compile(
    r"^(is_|has_|was_)?(revoked|deleted|blocked|banned|suspended|archived|disabled|inactive|expired|withdrawn|"
    r"removed|cancelled|canceled|closed|left|terminated|deactivated|locked|opted_out|declined|rejected|soft_deleted)$"
)
_TIME: Final = re.compile(r"^(timestamp|date|time)")


def kind_of(column: Column) -> ConditionKind | None:
    """What a column's name and type say about its row's life; not_null only counts where code tests it."""
    name = column.name.lower()
    if _TIME.search(column.type):
        for pattern, kind in ((_NULL, "null"), (_FUTURE, "future"), (_PAST, "past"), (_NOT_NULL, "not_null")):
            if pattern.search(name):
                return kind  # pyright: ignore[reportReturnType]  the words above
        return None
    if column.type == "boolean":
        return "true" if _TRUE.search(name) else "false" if _FALSE.search(name) else None
    return "one_of" if _STATUS.search(name) and _worded(column) else None


def _worded(column: Column) -> bool:
    return column.type not in ("integer", "bigint", "smallint", "uuid", "jsonb", "json")


def live_values(column: Column, asked: Collection[str], agreed: Collection[str]) -> tuple[str, ...]:
    """The living values of a status: by word, and what most of the code asks for unless the word is dead.

    `asked` are all constants that code compares the column with, `agreed` those of the majority.
    """
    known = column.values or tuple(dict.fromkeys(asked))
    live = [v for v in known if _word(v) in LIVE or (v in agreed and _word(v) not in DEAD)]
    if not live:
        live = [v for v in known if v in agreed]
    return tuple(live)


def _word(value: str) -> str:
    return value.lower().replace("-", "_").replace(" ", "_")


def waiting(value: str) -> bool:
    """Whether a status means that the account has still to accept."""
    return _word(value) in WAITING


def condition(
    hops: tuple[Hop, ...],
    table: str,
    column: Column,
    *,
    tested: bool,
    asked: Collection[str],
    agreed: Collection[str],
) -> Condition | None:
    """The living condition that a column means, or None."""
    kind = kind_of(column)
    if kind is None or (kind == "not_null" and not tested):
        return None
    values = live_values(column, asked, agreed) if kind == "one_of" else ()
    if kind == "one_of" and not values:
        return None
    return Condition(hops, table, column.name, kind, values, tested)
