"""The words of the `[rls]` section: columns, paths, accounts, conditions and identities as short texts.

    path        profile_id -> public.profiles            the key of profiles is meant
                (profile_id, consent_id) -> public.consents(profile_id, id)
                document_id -> public.documents then profile_id -> public.profiles
    account     grantee_account_id
                provider_id -> public.providers then account_id
                login is setting app.user
    condition   status is active or approved             revoked_at is null
                expires_at not past                      starts_at not in the future
                is_active is true                        status is given via consent_id -> public.consents
    identity    uid, claim app_metadata.org_id, setting app.tenant_id, role

A name or value that is no plain word stands in double quotes. `(untested)` after a condition says that no
policy looks at the column today.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from tools.errors import ConfigurationError
from tools.rls.proof.model import Condition, Hop, Identity, Way

Keys = Callable[[str], str]
"""Gives the key column of a table."""

_PLAIN: Final = re.compile(r"[A-Za-z_][\w$]*")
_VALUE: Final = re.compile(r"[\w$.:+/-]+")
_WORD: Final = r'(?:"(?:[^"]|"")*"|[\w$]+)'
_TABLE: Final = r'(?:"(?:[^"]|"")*"|[\w$.]+|\([\w$]+\))'
_HOP: Final = re.compile(
    rf"^\s*(?:\((?P<many>{_WORD}(?:\s*,\s*{_WORD})*)\)|(?P<one>{_WORD}))\s*->\s*(?P<target>{_TABLE})"
    rf"(?:\((?P<columns>{_WORD}(?:\s*,\s*{_WORD})*)\))?\s*$"
)
_NAMED: Final = re.compile(rf"^\s*({_WORD})(?:\s+is\s+(.+?))?\s*$")
_CONDITION: Final = re.compile(
    rf"^\s*(?P<column>{_WORD})\s+(?P<test>is .+?|not past|not in the future)"
    r"(?:\s+via\s+(?P<path>.+?))?(?P<untested>\s*\(untested\))?\s*$"
)
_RESERVED: Final = frozenset({"null", "true", "false", "not", "or", "via"})
_SIMPLE: Final[dict[str, Literal["null", "not_null", "true", "false", "future", "past"]]] = {
    "is null": "null",
    "is not null": "not_null",
    "is true": "true",
    "is false": "false",
    "not past": "future",
    "not in the future": "past",
}


def name_text(name: str) -> str:
    """A name as written: plain, or in double quotes."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _name(text: str) -> str:
    text = text.strip()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _names(text: str) -> tuple[str, ...]:
    return tuple(_name(one) for one in re.findall(_WORD, text))


# -- paths and accounts ------------------------------------------------------------------------


def path_text(hops: tuple[Hop, ...], key: Keys) -> str:
    """A path; the target's columns are left out where they are its key. The empty path is empty."""
    return " then ".join(_hop_text(hop, key) for hop in hops)


def _hop_text(hop: Hop, key: Keys) -> str:
    columns = ", ".join(name_text(one) for one in hop.columns)
    start = columns if len(hop.columns) == 1 else f"({columns})"
    target = hop.target if re.fullmatch(_TABLE, hop.target) else name_text(hop.target)
    if hop.target_columns != (key(hop.target),):
        target += "(" + ", ".join(name_text(one) for one in hop.target_columns) + ")"
    return f"{start} -> {target}"


def path(text: str, table: str, key: Keys, known: Callable[[str], str]) -> tuple[Hop, ...]:
    """The hops of a path that begins at `table`. `known` completes a table's name or refuses it."""
    hops: list[Hop] = []
    for part in re.split(r"\s+then\s+", text.strip()) if text.strip() else ():
        match = _HOP.match(part)
        if match is None:
            raise ConfigurationError(
                f"[rls] {part!r} is no step of a path.",
                hint="Write `column -> schema.table`, joined by `then`.",
            )
        columns = _names(match["many"] or match["one"])
        target = known(_name(match["target"]))
        target_columns = _names(match["columns"]) if match["columns"] else (key(target),)
        if len(columns) != len(target_columns):
            raise ConfigurationError(f"[rls] {part!r} has not as many columns on both sides.")
        hops.append(Hop(table, columns, target, target_columns))
        table = target
    return tuple(hops)


def way_text(way: Way, key: Keys) -> str:
    """An account: the path to it, its column, and what the column equals unless that is auth.uid()."""
    identity = "" if way.identity.kind == "uid" else f" is {identity_text(way.identity)}"
    return " then ".join(filter(None, [path_text(way.hops, key), name_text(way.column) + identity]))


def way(text: str, table: str, key: Keys, known: Callable[[str], str]) -> Way:
    """An account that a row of `table` names."""
    *steps, last = re.split(r"\s+then\s+", text.strip())
    match = _NAMED.match(last)
    if match is None:
        raise ConfigurationError(
            f"[rls] {text!r} names no account.",
            hint="Write `column`, or `column -> schema.table then column`.",
        )
    hops = path(" then ".join(steps), table, key, known)
    return Way(hops, hops[-1].target if hops else table, _name(match[1]), identity(match[2] or "uid"))


def identity_text(one: Identity) -> str:
    """`uid`, `claim a.b`, `setting a.b`, `role`."""
    return one.kind if one.kind in ("uid", "role") else f"{one.kind} {'.'.join(one.path)}"


def identity(text: str) -> Identity:
    """Where a caller's value comes from."""
    kind, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    match kind:
        case "uid" if not rest:
            return Identity("uid")
        case "role" if not rest:
            return Identity("role", ())
        case "claim" if rest:
            return Identity("uid") if rest == "sub" else Identity("claim", tuple(rest.split(".")))
        case "setting" if rest:
            return Identity("setting", (rest,))
        case _:
            raise ConfigurationError(
                f"[rls] {text!r} is no identity.",
                hint="Write uid, role, `claim path.to.it` or `setting name`.",
            )


# -- conditions ----------------------------------------------------------------------------------


def condition_text(one: Condition, key: Keys) -> str:
    """A condition with the path to its table."""
    said = next((words for words, kind in _SIMPLE.items() if kind == one.kind), "")
    said = said or "is " + " or ".join(_value_text(value) for value in one.values)
    via = f" via {path_text(one.hops, key)}" if one.hops else ""
    return f"{name_text(one.column)} {said}{via}{'' if one.tested else ' (untested)'}"


def _value_text(value: str) -> str:
    plain = _VALUE.fullmatch(value) and value.lower() not in _RESERVED
    return value if plain else '"' + value.replace('"', '""') + '"'


def condition(text: str, table: str, key: Keys, known: Callable[[str], str]) -> Condition:
    """A test that a living row of `table` passes."""
    match = _CONDITION.match(text)
    if match is None:
        raise ConfigurationError(
            f"[rls] {text!r} is no condition.",
            hint="Such as `status is active`, `revoked_at is null`, `expires_at not past`, `is_on is true`.",
        )
    hops = path(match["path"] or "", table, key, known)
    end, column, tested = hops[-1].target if hops else table, _name(match["column"]), not match["untested"]
    simple = _SIMPLE.get(" ".join(match["test"].split()))
    if simple is not None:
        return Condition(hops, end, column, simple, (), tested)
    values = re.findall(r'"((?:[^"]|"")*)"|([^\s"]+)', match["test"].removeprefix("is "))
    kept = [quoted.replace('""', '"') if quoted or not plain else plain for quoted, plain in values]
    words = [plain for _, plain in values]
    if len(kept) % 2 == 0 or any(word != "or" for word in words[1::2]):
        raise ConfigurationError(f"[rls] {text!r} is no condition.", hint="Join values by `or`.")
    return Condition(hops, end, column, "one_of", tuple(kept[::2]), tested)
