"""A model as the `[rls]` section of sergei.toml: what a person reads, corrects and confirms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from tools.rls.proof.belongings import PARTITION
from tools.rls.proof.language import condition_text, identity_text, path_text, way_text
from tools.rls.proof.model import STAFF, Anchor, Belonging, Kind, Model, Opening, StaffRole

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
RIGHTS: Final = ("read", "write", "manage")
LISTS: Final = {"reference": Kind.REFERENCE, "service": Kind.SERVICE, "staff": Kind.STAFF}


def key_of(model: Model, table: str) -> str:
    """The key column of a table, as paths take it for granted."""
    anchor = model.anchors.get(table)
    return anchor.key if anchor is not None else "id"


def as_toml(model: Model) -> str:
    """The whole model, in a form that reads back to the same one: nothing is inferred beside it."""
    return "\n".join(_lines(model)) + "\n"


def _lines(model: Model) -> Iterator[str]:
    yield "[rls]"
    yield "complete = true  # nothing is inferred beside what stands here; new tables are asked about"
    yield f"accounts = {_text(model.accounts)}"
    for anchor in model.anchors.values():
        yield from _record(model, anchor)
    for opening in model.openings:
        yield from _opening(model, opening)
    for role in model.staff:
        yield from _staff(role)
    yield from _tables(model)
    for belonging in model.tables.values():
        if belonging.expect and not belonging.why.startswith(PARTITION):
            yield ""
            yield f"[rls.expect.{_key(belonging.table)}]"
            for command, words in belonging.expect.items():
                text = command.lower() if command.isupper() else command
                yield f"{_key(text)} = {_texts(sorted(words))}"

    for title, expected in model.calls.items():
        yield ""
        yield f"[rls.expect.{_key(title)}]"
        yield from (f"{_key(text)} = {_texts(sorted(words))}" for text, words in expected.items())


def _record(model: Model, anchor: Anchor) -> Iterator[str]:
    def key(table: str) -> str:
        return key_of(model, table)

    yield ""
    yield "[[rls.record]]"
    yield f"table = {_text(anchor.table)}"
    yield f"key = {_text(anchor.key)}"
    if anchor.owners:
        yield f"owners = {_texts(way_text(way, key) for way in anchor.owners)}"
    if anchor.claims:
        yield f"claims = {_texts(identity_text(one) for one in anchor.claims)}"
    if anchor.parents:
        yield f"parents = {_texts(path_text(hops, key) for hops in anchor.parents)}"
    if anchor.conditions:
        yield f"live = {_texts(condition_text(one, key) for one in anchor.conditions)}"


def _opening(model: Model, opening: Opening) -> Iterator[str]:
    def key(table: str) -> str:
        return key_of(model, table)

    yield ""
    yield "[[rls.opening]]"
    yield f"table = {_text(opening.table)}"
    yield f"opens = {_text('staff' if opening.anchor == STAFF else opening.anchor)}"
    if opening.scope:
        yield f"by = {_text(path_text(opening.scope, key))}"
    yield f"to = {_text(way_text(opening.account, key))}"
    yield f"live = {_texts(condition_text(one, key) for one in opening.conditions)}"
    if opening.level:
        yield f"level = {_text(opening.level)}"
    if opening.ranks:
        held = [
            f"{_key(r.value)} = {_texts(right for right in RIGHTS if right in r.rights)}"
            for r in opening.ranks
        ]
        yield f"ranks = {{{', '.join(held)}}}"
    if opening.accepts:
        yield f"accepts = {_texts(f'{column} {old} -> {new}' for column, old, new in opening.accepts)}"


def _staff(role: StaffRole) -> Iterator[str]:
    yield ""
    yield "[[rls.staff]]"
    yield f"name = {_text(role.name)}"
    if role.claims:
        yield f"claims = {{{', '.join(f'{_key(k)} = {_text(v)}' for k, v in role.claims.items())}}}"
    if role.opening:
        yield f"opening = {_text(role.opening)}"


def _tables(model: Model) -> Iterator[str]:
    yield ""
    yield "[rls.tables]"
    plain: set[str] = set()
    for word, kind in LISTS.items():
        several = [
            one.table
            for one in model.tables.values()
            if one.kind is kind and _is_plain(one) and not one.why.startswith(PARTITION)
        ]
        plain.update(several)
        yield f"{word} = {_texts(several)}"
    yield ""
    yield "[rls.rows]"
    for one in model.tables.values():
        if one.table not in plain and one.kind is not Kind.UNCLASSIFIED and not one.why.startswith(PARTITION):
            yield f"{_key(one.table)} = {_row(model, one)}"


def _is_plain(one: Belonging) -> bool:
    return not (one.paths or one.parties or one.authors or one.open_rows)


def _row(model: Model, one: Belonging) -> str:
    def key(table: str) -> str:
        return key_of(model, table)

    held: list[str] = []
    if one.kind is not Kind.SCOPED:
        held.append(f"kind = {_text(one.kind.value)}")
    if one.paths:
        held.append(f"paths = {_texts(path_text(hops, key) for hops in one.paths)}")
    if one.parties:
        held.append(f"parties = {_texts(way_text(way, key) for way in one.parties)}")
    if one.authors:
        held.append(f"authors = {_texts(way_text(way, key) for way in one.authors)}")
    if one.open_rows is not None:
        held.append(f"open_rows = {_text(condition_text(one.open_rows, key))}")
    return "{" + ", ".join(held) + "}"


def _text(value: str) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: Iterable[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)
