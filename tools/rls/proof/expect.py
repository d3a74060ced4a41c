"""What the model allows: the defaults, and what `[rls.expect]` says instead."""

from __future__ import annotations

from functools import lru_cache

from tools.rls.proof.model import Belonging, Kind, Model
from tools.rls.proof.standing import Standing
from tools.rls.proof.states import Key, key_of
from tools.rls.proof.world import World, WorldRow
from tools.rls.proof.writing import Write
from tools.rls.storage import OBJECTS


def may_read(world: World, row: WorldRow, standing: Standing) -> bool | None:
    """Whether the model lets somebody of this standing read the row; None where it has no opinion."""
    belonging = world.model.tables.get(row.table)
    if belonging is None:
        return None
    declared = _declared(belonging, "SELECT", standing)
    if declared is not None:
        return declared and forbidden(belonging, "SELECT", row, standing) is None
    if belonging.open_rows is not None and world.meets(belonging.open_rows, row):
        return True
    if row.table == OBJECTS and row.values.get("bucket_id") in {
        b.id for b in world.snapshot.buckets if b.public
    }:
        return True  # its files are served to anybody; what may be written there is another matter
    match belonging.kind:
        case Kind.REFERENCE:
            return True
        case Kind.UNCLASSIFIED:
            return None
        case Kind.SERVICE:
            return False if standing.base != "staff" else None
        case Kind.STAFF:
            return standing.base == "staff" or standing.party
        case _:
            return standing.inside or standing.base == "staff" or standing.party


def may_write(
    world: World,
    row: WorldRow,
    standing: Standing,
    command: str,
    *,
    living: bool = True,
    by_call: bool = False,
) -> bool | None:
    """Whether the model lets somebody write (insert, change, delete) this row; None: no opinion.

    `living`: for a row of an opening's table, whether it opens something as it is written. `by_call`: a
    function wrote it, which may do more than the commands that `[rls.expect]` speaks of.
    """
    belonging = world.model.tables.get(row.table)
    if belonging is None:
        return None
    declared = _declared(belonging, command, standing)
    if declared is not None and not by_call:
        return declared
    if standing.base == "staff":
        return None
    match belonging.kind:
        case Kind.UNCLASSIFIED:
            return None
        case Kind.REFERENCE | Kind.SERVICE | Kind.STAFF:
            return None if standing.party or standing.author else False
        case Kind.OWN:
            return standing.inside or standing.party or standing.author
        case Kind.SCOPED:
            if command == "INSERT" and _begins(world, belonging, row, standing):
                return None
            return _scoped(world.model, row, standing, living=living)


def _begins(world: World, belonging: Belonging, row: WorldRow, standing: Standing) -> bool:
    """Whether somebody starts a new record, which nobody else's rows belong to yet: in the own name, or in
    nobody's where its table names no account (a membership tells later whose it is).
    """
    anchor = world.model.anchors.get(row.table)
    if anchor is None or row.id or standing.base not in ("none", "ended"):
        return False
    if world.find(row.table, (anchor.key,), row.key((anchor.key,))):
        return False  # as a call left it: the record was there before
    named = (anchor.owners, anchor.claims, anchor.parents, belonging.parties, belonging.authors)
    return standing.author or not any(named)


def _scoped(model: Model, row: WorldRow, standing: Standing, *, living: bool) -> bool | None:
    if standing.base == "owner" or "manage" in standing.rights:
        return True
    opens = any(opening.table == row.table for opening in model.openings)
    if opens:
        if standing.party:
            return None if not living or standing.inside else False
        return None if standing.inside else False
    if standing.inside:
        return "write" in standing.rights or (None if standing.author or standing.party else False)
    return None if standing.party and not standing.author else False


def forbidden(belonging: Belonging, command: str, row: WorldRow, standing: Standing) -> Key | None:
    """What a narrower expectation says against it: a row in a state that is not for this standing."""
    for key, words in _narrower(belonging, command):
        if (
            key.state is not None
            and not key.to
            and key.state.holds(row.values)
            and not _among(words, standing)
        ):
            return key
    return None


def narrowed_to(world: World, row: WorldRow, standing: Standing) -> Key | None:
    """The state on account of which somebody may not read a row of a table that he may read otherwise."""
    belonging = world.model.tables.get(row.table)
    if belonging is None or not _declared(belonging, "SELECT", standing):
        return None
    return forbidden(belonging, "SELECT", row, standing)


def overstepped(belonging: Belonging, write: Write, standing: Standing) -> Key | None:
    """The same for columns that this standing may not write, and states that it may not bring about."""
    before, after = write.before, write.after
    if write.command == "INSERT":
        listed = set(write.sql.partition("(")[2].partition(") values")[0].replace('"', "").split(", "))
        for key, words in _narrower(belonging, "INSERT"):
            if listed & set(key.columns) and not _among(words, standing):
                return key
        return None
    if before is None or after is None:
        return None
    for key, words in _narrower(belonging, "UPDATE"):
        if _among(words, standing):
            continue
        if write.changed & set(key.columns):
            return key
        reached = key.to and key.state is not None and key.state.column in write.changed
        if reached and key.state and key.state.holds(after.values) and not key.state.holds(before.values):
            return key
    return None


def _narrower(belonging: Belonging, command: str) -> tuple[tuple[Key, frozenset[str]], ...]:
    return _parsed(tuple(belonging.expect.items()), command)


@lru_cache(maxsize=1024)
def _parsed(
    expect: tuple[tuple[str, frozenset[str]], ...], command: str
) -> tuple[tuple[Key, frozenset[str]], ...]:
    found = ((key_of(text), words) for text, words in expect)
    return tuple(
        (key, words)
        for key, words in found
        if key is not None and key.command == command and (key.columns or key.state)
    )


def _declared(belonging: Belonging, command: str, standing: Standing) -> bool | None:
    words = belonging.expect.get(command)
    return None if words is None else _among(words, standing)


def _among(words: frozenset[str], standing: Standing) -> bool:
    return standing.word in words or standing.word.partition("+")[0] in words or "anyone" in words
