"""The `[rls]` section of sergei.toml over an inferred model: what a person said wins.

    [rls]
    accounts = "auth.users"
    complete = false                      # true: nothing is inferred beside the section

    [[rls.record]]                        # whose rows belong to somebody
    table = "public.profiles"
    owners = ["owner_account_id"]
    live = ["archived_at is null"]

    [[rls.opening]]                       # what opens them; a key that is left out stays as inferred
    table = "public.profile_grants"
    opens = "public.profiles"             # or "staff", or "nothing"
    by = "profile_id -> public.profiles"
    to = "grantee_account_id"
    live = ["status is active", "expires_at not past"]
    level = "level"
    ranks = {read = ["read"], write = ["read", "write"], manage = ["read", "write", "manage"]}
    accepts = ["status pending -> active"]

    [[rls.staff]]
    name = "reviewer"
    claims = {"app_metadata.staff_role" = "reviewer", aal = "aal2"}

    [rls.tables]
    reference = ["public.codes"]          # also service, staff, own

    [rls.rows]
    "public.pages" = {paths = ["document_id -> public.documents then profile_id -> public.profiles"]}

    [rls.expect."public.notices"]         # who may do it; a standing covers itself with +party and +author
    select = ["owner", "none+party"]
    update = ["owner"]
    "update created_by, record_id" = []   # columns that nobody changes
    "insert status = sent" = ["staff reviewer"]

    [rls.expect."public.send_notice(uuid)"]  # and what a function does, for whom
    "write public.notices" = ["owner"]
    "given public.notices status = sent" = []
    changes = ["public.notices.status"]

The texts are described in language.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tools.errors import ConfigurationError
from tools.rls.proof.belongings import PARTITION, as_partition
from tools.rls.proof.declared_checking import check_columns
from tools.rls.proof.declared_reading import Section
from tools.rls.proof.language import condition, identity, path, way
from tools.rls.proof.model import (
    STAFF,
    Anchor,
    Belonging,
    Identity,
    Kind,
    Model,
    Opening,
    Rank,
    StaffRole,
)
from tools.rls.proof.model_toml import RIGHTS, as_toml, key_of
from tools.rls.snapshot import Snapshot

__all__ = ["apply", "as_toml"]


def apply(model: Model, raw: Mapping[str, Any], snapshot: Snapshot | None = None) -> Model:
    """The model with a person's corrections; with the snapshot, the columns that they name are checked, too.

    Raises ConfigurationError that names the wrong key, with the nearest known ones.
    """
    if not raw:
        return model
    section = Section(raw, model)
    section.check_keys()
    if section.flag("complete"):
        model = replace(model, anchors={}, openings=(), staff=())
    if "accounts" in raw:
        accounts = section.text(raw, "accounts", "[rls]")
        model = replace(model, accounts=section.table(accounts) if accounts else "")
    model = _records(section, model)
    model = _openings(section, model)
    model = _staff(section, model)
    model = _tables(section, model)
    asked = [d for d in model.doubts if not any(f" {t}" in d.partition("?")[0] for t in section.named)]
    model = replace(
        model,
        identities=_identities(model),
        declared=frozenset(section.named),
        calls={**model.calls, **section.calls()},
        doubts=(*asked, *_unsaid(section, model)),
    )
    if snapshot is not None:
        check_columns(model, snapshot)
    return model


def as_mapping(model: Model) -> dict[str, Any]:
    """The model as an `[rls]` section already read: what `apply` takes."""
    return dict(tomllib.loads(as_toml(model)).get("rls", {}))


def _unsaid(section: Section, model: Model) -> list[str]:
    """Where the section says that it is complete: the tables that it does not name."""
    if not section.flag("complete"):
        return []
    said = {*section.named, *(t for t, one in model.tables.items() if one.why.startswith(PARTITION))}
    return [
        f"What are the rows of {title}? [rls] does not name it."
        for title in model.tables
        if title not in said
    ]


def _records(section: Section, model: Model) -> Model:
    anchors = dict(model.anchors)
    entries = section.entries("record")
    for entry in entries:
        title = section.table(section.text(entry, "table", "[[rls.record]]"))
        known = anchors.get(title)
        anchors[title] = Anchor(title, str(entry.get("key", known.key if known else "id")))
    for entry in section.entries("owner"):
        title = section.table(section.text(entry, "table", "[[rls.owner]]"))
        anchors.setdefault(title, Anchor(title, "id"))
    model = replace(model, anchors=anchors)

    def key(table: str) -> str:
        return key_of(model, table)

    for entry in entries:
        title = section.table(section.text(entry, "table", "[[rls.record]]"))
        where = f"[[rls.record]] {title}"
        anchors[title] = Anchor(
            title,
            anchors[title].key,
            tuple(way(text, title, key, section.table) for text in section.texts(entry, "owners", where)),
            tuple(identity(text) for text in section.texts(entry, "claims", where)),
            tuple(path(text, title, key, section.table) for text in section.texts(entry, "parents", where)),
            tuple(condition(text, title, key, section.table) for text in section.texts(entry, "live", where)),
        )
    for entry in section.entries("owner"):
        title = section.table(section.text(entry, "table", "[[rls.owner]]"))
        columns = section.texts(entry, "column", f"[[rls.owner]] {title}")
        owners = tuple(way(text, title, key, section.table) for text in columns)
        anchors[title] = replace(anchors[title], owners=owners)
        if title in model.tables and model.tables[title].kind is not Kind.SCOPED:
            row = Belonging(title, Kind.SCOPED, ((),), (title,), why="declared")
            model = replace(model, tables={**model.tables, title: row})
    return replace(model, anchors=anchors)


def _openings(section: Section, model: Model) -> Model:
    """Declared openings in place of the inferred ones of the same table (and record, and account)."""
    kept = list(model.openings)
    for entry in section.entries("opening"):
        title = section.table(section.text(entry, "table", "[[rls.opening]]"))
        opens = section.text(entry, "opens", f"[[rls.opening]] {title}") if "opens" in entry else ""
        anchor = STAFF if opens == "staff" else section.table(opens) if opens not in ("", "nothing") else ""
        like = [
            one
            for one in model.openings
            if one.table == title and anchor in ("", one.anchor) and _same_account(section, model, entry, one)
        ]
        if opens == "nothing":
            kept = [one for one in kept if one.table != title]
            continue
        made = _opening(section, model, entry, title, anchor, like[0] if like else None)
        at = next((i for i, one in enumerate(kept) if one in like), len(kept))
        kept = [one for one in kept if one not in like]
        kept.insert(at, made)
    return replace(model, openings=tuple(kept))


def _same_account(section: Section, model: Model, entry: Mapping[str, Any], one: Opening) -> bool:
    if "to" not in entry:
        return True
    wanted = way(str(entry["to"]), one.table, lambda table: key_of(model, table), section.table)
    return (wanted.hops, wanted.column) == (one.account.hops, one.account.column)


def _opening(
    section: Section, model: Model, entry: Mapping[str, Any], title: str, anchor: str, like: Opening | None
) -> Opening:
    where = f"[[rls.opening]] {title}"
    anchor = anchor or (like.anchor if like else "")
    if not anchor:
        raise ConfigurationError(f"{where} does not say what it opens.", hint="Add `opens`.")
    if anchor != STAFF and anchor not in model.anchors:
        raise ConfigurationError(
            f"{where} opens {anchor}, which is no record.", hint=f'Add [[rls.record]] table = "{anchor}".'
        )

    def key(table: str) -> str:
        return key_of(model, table)

    scope = path(_scoped(str(entry["by"]), anchor), title, key, section.table) if "by" in entry else ()
    if "by" not in entry and like is not None:
        scope = like.scope
    if not scope and anchor != STAFF:
        raise ConfigurationError(f"{where} does not say by which column.", hint="Add `by`.")
    if "to" not in entry and like is None:
        raise ConfigurationError(f"{where} does not say to whom.", hint="Add `to`.")
    account = (
        way(str(entry["to"]), title, key, section.table) if "to" in entry else like.account if like else None
    )
    assert account is not None  # one of the two was there
    live = tuple(condition(text, title, key, section.table) for text in section.texts(entry, "live", where))
    return Opening(
        title,
        anchor,
        scope,
        account,
        live if "live" in entry or like is None else like.conditions,
        str(entry["level"]) if "level" in entry else like.level if like else "",
        _ranks(section, entry, where) if "ranks" in entry else like.ranks if like else (),
        _accepts(section, entry, where) if "accepts" in entry else like.accepts if like else (),
    )


def _scoped(text: str, anchor: str) -> str:
    """`by = "profile_id"` means the key of what is opened."""
    return text if "->" in text else f"{text} -> {anchor}"


def _ranks(section: Section, entry: Mapping[str, Any], where: str) -> tuple[Rank, ...]:
    held = section.mapping(entry["ranks"], f"{where} ranks")
    found: list[Rank] = []
    for value in held:
        rights = section.texts(held, value, f"{where} ranks")
        for right in rights:
            section.one_of(right, RIGHTS, f"{where} ranks {value}")
        found.append(Rank(value, frozenset(right for right in RIGHTS if right in rights)))
    return tuple(found)


def _accepts(section: Section, entry: Mapping[str, Any], where: str) -> tuple[tuple[str, str, str], ...]:
    found: list[tuple[str, str, str]] = []
    for text in section.texts(entry, "accepts", where):
        start, arrow, new = text.partition("->")
        words = start.split(maxsplit=1)
        if not arrow or len(words) != 2:
            raise ConfigurationError(f"{where} accepts {text!r}.", hint="Write `status pending -> active`.")
        found.append((words[0], words[1].strip(), new.strip()))
    return tuple(found)


def _staff(section: Section, model: Model) -> Model:
    roles = {role.name: role for role in model.staff}
    for entry in section.entries("staff"):
        name = section.text(entry, "name", "[[rls.staff]]")
        claims = section.mapping(entry.get("claims", {}), f"[[rls.staff]] {name} claims")
        opening = section.table(str(entry["opening"])) if entry.get("opening") else ""
        roles[name] = StaffRole(name, {path: str(value) for path, value in claims.items()}, opening)
    return replace(model, staff=tuple(roles[name] for name in sorted(roles)))


def _tables(section: Section, model: Model) -> Model:
    def key(table: str) -> str:
        return key_of(model, table)

    tables = dict(model.tables)
    for word, titles in section.lists().items():
        for title in titles:
            same = title in tables and tables[title].kind.value == word
            if not same or section.flag("complete"):
                tables[title] = Belonging(
                    title, Kind(word), parties=tables[title].parties if word == "own" else ()
                )
    for title, entry in section.rows().items():
        where = f'[rls.rows] "{title}"'
        word = section.one_of(str(entry.get("kind", "scoped")), [kind.value for kind in Kind], where)
        paths = tuple(path(text, title, key, section.table) for text in section.texts(entry, "paths", where))
        open_rows = entry.get("open_rows")
        tables[title] = Belonging(
            title,
            Kind(word),
            paths,
            tuple(dict.fromkeys(hops[-1].target if hops else title for hops in paths)),
            tuple(way(text, title, key, section.table) for text in section.texts(entry, "parties", where)),
            tuple(way(text, title, key, section.table) for text in section.texts(entry, "authors", where)),
            condition(str(open_rows), title, key, section.table) if open_rows else None,
        )
    if section.flag("complete"):
        tables = {title: replace(one, expect={}) for title, one in tables.items()}
    for title, expected in section.expected().items():
        tables[title] = replace(tables[title], expect=expected)
    for title, one in tables.items():
        whole = one.why.removeprefix(PARTITION)
        if whole != one.why and whole in tables and title not in section.named:
            tables[title] = as_partition(tables[whole], title)
    told = {
        title: replace(one, why=model.tables[title].why if _equal(one, model.tables[title]) else "declared")
        for title, one in tables.items()
    }
    return replace(model, tables=told)


def _equal(one: Belonging, other: Belonging) -> bool:
    return replace(one, why="") == replace(other, why="")


def _identities(model: Model) -> tuple[Identity, ...]:
    """The identities that the model names, beside those that the code asks for."""
    ways = [way for anchor in model.anchors.values() for way in anchor.owners]
    ways += [opening.account for opening in model.openings]
    ways += [way for one in model.tables.values() for way in (*one.parties, *one.authors)]
    claims = [identity for anchor in model.anchors.values() for identity in anchor.claims]
    roles = [Identity("claim", tuple(path.split("."))) for role in model.staff for path in role.claims]
    found = {*model.identities, *claims, *roles, *(way.identity for way in ways)}
    return tuple(sorted(found, key=lambda one: (one.kind != "uid", one.kind, one.path)))
