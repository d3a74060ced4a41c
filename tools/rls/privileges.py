"""Who may do what: ACL text resolved to effective privileges of a role.

A role has what was granted to itself, to PUBLIC, and to every role it inherits from. REVOKE ... FROM PUBLIC
takes none of the explicit grants away, which is why each grant is kept apart until it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

PUBLIC: Final = "public"
LETTERS: Final[Mapping[str, str]] = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
}


@dataclass(frozen=True, slots=True)
class Role:
    """A role, with the roles whose privileges it has without SET ROLE (`effective`, itself included).

    `settable` are the roles that it can become with SET ROLE, itself left out.
    """

    oid: int
    name: str
    superuser: bool
    bypassrls: bool
    login: bool
    effective: frozenset[str]
    settable: frozenset[str] = frozenset()


Acl = Mapping[str, frozenset[str]]
"""Privileges by grantee name; PUBLIC is `public`."""


def parse_acl(items: Iterable[str]) -> dict[str, frozenset[str]]:
    """`{anon=arwd/postgres, =X/postgres}` as privileges by grantee. Grant options are dropped."""
    found: dict[str, frozenset[str]] = {}
    for item in items:
        grantee, _, rest = item.rpartition("=")
        name = _unquoted(grantee) or PUBLIC
        letters = rest.partition("/")[0]
        granted = frozenset(LETTERS[letter] for letter in letters if letter in LETTERS)
        found[name] = found.get(name, frozenset()) | granted
    return found


def _unquoted(name: str) -> str:
    if len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name


def closure(start: int, inherits: Mapping[int, Iterable[int]]) -> set[int]:
    """The role and every role it inherits from, directly or not."""
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        oid = waiting.pop()
        if oid not in seen:
            seen.add(oid)
            waiting.extend(inherits.get(oid, ()))
    return seen


def granted(acl: Acl, role: Role) -> frozenset[str]:
    """What `role` may do under this ACL, however it got there."""
    if role.superuser:
        return frozenset(LETTERS.values())
    found: frozenset[str] = acl.get(PUBLIC, frozenset())
    for name in role.effective:
        if name in acl:
            found |= acl[name]
    return found
