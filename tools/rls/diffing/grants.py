"""Changed privileges, memberships, default privileges, schemas and role attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.rls.diffing.change import Change, Direction, Pair, combined, own_relations, texts
from tools.rls.objects import DefaultPrivileges, Relation
from tools.rls.privileges import Acl
from tools.rls.snapshot import PLATFORM_SCHEMAS

_KINDS: Final = {"r": "tables", "S": "sequences", "f": "functions", "T": "types", "n": "schemas"}
_ROWS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"})


def privilege_changes(pair: Pair) -> Iterator[Change]:
    """Privileges on relations (and columns) and on schemas, by grantee."""
    old, new = own_relations(pair.old), own_relations(pair.new)
    for title in sorted(old.keys() & new.keys()):
        one, other = _grants(old[title]), _grants(new[title])
        for grantee in sorted(one.keys() | other.keys()):
            before, after = one.get(grantee, frozenset()), other.get(grantee, frozenset())
            for names, gained in ((after - before, True), (before - after, False)):
                if names and grantee not in (old[title].owner, new[title].owner):
                    yield _privilege(pair, title, grantee, names, gained)
    for name in sorted(pair.old.schemas.keys() | pair.new.schemas.keys()):
        if name not in PLATFORM_SCHEMAS:
            yield from _schema(pair, name)


def _grants(relation: Relation) -> dict[str, frozenset[str]]:
    """`SELECT` or `SELECT (column)` by grantee."""
    found = {name: privileges & _ROWS for name, privileges in relation.acl.items()}
    for column in relation.columns.values():
        for name, privileges in column.acl.items():
            found[name] = found.get(name, frozenset()) | {f"{p} ({column.name})" for p in privileges & _ROWS}
    return found


def _privilege(pair: Pair, title: str, grantee: str, names: frozenset[str], gained: bool) -> Change:
    commands = {name.partition(" ")[0] for name in names}
    roles = pair.holders(pair.new if gained else pair.old, grantee)
    wanted = Direction.WIDENS if gained else Direction.NARROWS
    touched = pair.touched(title, commands, roles)
    counts = any(cell.direction in (wanted, Direction.CHANGES) for cell in touched)
    neutral = (
        "no compared role has this grant"
        if not roles
        else "no row is reached by it (row level security, schema USAGE), or the role has it otherwise"
    )
    who = "PUBLIC" if grantee == "public" else grantee
    return Change(
        direction=wanted if counts else Direction.NEUTRAL,
        kind="privilege",
        object=title,
        sentence=f"{who} {'has now' if gained else 'lost'} {_listed(names)} on {title}.",
        reason="" if counts else neutral,
        reaches=texts(touched) if counts else (),
    )


def _listed(names: frozenset[str]) -> str:
    """`SELECT, UPDATE (a, b)`."""
    columns: dict[str, list[str]] = {}
    for name in sorted(names):
        command, _, column = name.partition(" ")
        columns.setdefault(command, []).extend([column.strip("()")] if column else [])
    return ", ".join(
        f"{command} ({', '.join(some)})" if some else command for command, some in columns.items()
    )


def _schema(pair: Pair, name: str) -> Iterator[Change]:
    one, other = pair.old.schemas.get(name, {}), pair.new.schemas.get(name, {})
    for grantee, names, gained in _differences(one, other):
        roles = pair.holders(pair.new if gained else pair.old, grantee)
        if not roles:
            continue
        wanted = Direction.WIDENS if gained else Direction.NARROWS
        touched = [
            c
            for c in pair.touched(roles=roles)
            if c.relation.startswith(f"{name}.") and c.direction is wanted
        ]
        counts = bool(touched) or "CREATE" in names
        yield Change(
            direction=wanted if counts else Direction.NEUTRAL,
            kind="privilege",
            object=f"schema {name}",
            sentence=f"{_who(grantee)} {'has now' if gained else 'lost'} {_listed(names)} on schema {name}.",
            reason="objects can be made there"
            if "CREATE" in names
            else ""
            if touched
            else "it opens no relation that was closed",
            reaches=texts(touched),
        )


def _differences(one: Acl, other: Acl) -> Iterator[tuple[str, frozenset[str], bool]]:
    """(grantee, privileges, gained?) for what differs."""
    for grantee in sorted(one.keys() | other.keys()):
        before, after = one.get(grantee, frozenset()), other.get(grantee, frozenset())
        for names, gained in ((after - before, True), (before - after, False)):
            if names:
                yield grantee, names, gained


def _who(grantee: str) -> str:
    return "PUBLIC" if grantee == "public" else grantee


def default_changes(pair: Pair) -> Iterator[Change]:
    """Default privileges: what objects get that are made from now on."""
    one, other = (_defaults(side) for side in (pair.old.default_privileges, pair.new.default_privileges))
    for key in sorted(one.keys() | other.keys()):
        creator, schema, kind = key
        if schema in PLATFORM_SCHEMAS:
            continue
        for grantee, names, gained in _differences(one.get(key, {}), other.get(key, {})):
            if not pair.holders(pair.new if gained else pair.old, grantee):
                continue
            where = f" in schema {schema}" if schema else ""
            verb = "gets" if gained else "no longer gets"
            what = f"{_KINDS.get(kind, kind)} that {creator} makes{where}"
            yield Change(
                direction=Direction.WIDENS if gained else Direction.NARROWS,
                kind="default privileges",
                object=f"default privileges of {creator}{where}",
                sentence=f"{_who(grantee)} {verb} {_listed(names)} on {what}.",
                reason="for objects that are made from now on",
            )


def _defaults(entries: tuple[DefaultPrivileges, ...]) -> dict[tuple[str, str, str], Acl]:
    return {(one.creator, one.schema, one.kind): one.acl for one in entries}


def role_changes(pair: Pair) -> Iterator[Change]:
    """Roles that came, went, gained memberships or attributes."""
    for name in pair.roles:
        old, new = pair.old.roles.get(name), pair.new.roles.get(name)
        touched = pair.touched(roles=[name])
        if old is None or new is None:
            yield Change(
                direction=combined(c.direction for c in touched),
                kind="role",
                object=f"role {name}",
                sentence=f"Role {name} {'is new' if old is None else 'is gone'}.",
                reason="" if touched else "it reaches no relation of its own",
                reaches=texts(touched),
            )
            continue
        for word, before, after in (
            ("SUPERUSER", old.superuser, new.superuser),
            ("BYPASSRLS", old.bypassrls, new.bypassrls),
        ):
            if before != after:
                yield Change(
                    direction=Direction.WIDENS if after else Direction.NARROWS,
                    kind="role",
                    object=f"role {name}",
                    sentence=f"Role {name} {'has' if after else 'lost'} {word}.",
                    reason="row level security does not bind it" if after else "policies bind it now",
                )
        yield from _memberships(pair, name, old.effective, new.effective)


def _memberships(pair: Pair, name: str, before: frozenset[str], after: frozenset[str]) -> Iterator[Change]:
    for names, gained in ((after - before, True), (before - after, False)):
        if names:
            wanted = Direction.WIDENS if gained else Direction.NARROWS
            verb = "is now" if gained else "is no longer"
            touched = [c for c in pair.touched(roles=[name]) if c.direction is wanted]
            yield Change(
                direction=wanted if touched else Direction.NEUTRAL,
                kind="role",
                object=f"role {name}",
                sentence=f"Role {name} {verb} a member of {', '.join(sorted(names))}.",
                reason="" if touched else "no row is reached by it that was not reached before",
                reaches=texts(touched),
            )
