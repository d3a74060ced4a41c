"""Who may do what with a table's rows, from what the table is to the model: its policies as conditions."""

from __future__ import annotations

from typing import Final

from tools.rls.design.access import Access, by_caller, deciding, first, most
from tools.rls.design.conditions import in_scope, is_account, is_caller, primary, scope, together
from tools.rls.design.existing import Right, trusted_tables
from tools.rls.design.helpers import Library
from tools.rls.design.openings import plan_opening
from tools.rls.design.queries import identity, test_of
from tools.rls.proof.model import Anchor, Belonging, Condition, Kind
from tools.rls.wording import quoted

SETTLED: Final = (Kind.SERVICE, Kind.UNCLASSIFIED)


def plan(library: Library, belonging: Belonging) -> Access:
    """The access to one table."""
    table = library.snapshot.relations[belonging.table]
    access = Access(table, belonging)
    model = library.model
    opening = next((o for o in model.openings if o.table == table.title and o.scope), None)
    anchor = model.anchors.get(table.title)
    if belonging.kind in SETTLED:
        if belonging.kind is Kind.UNCLASSIFIED:
            access.questions.append(f"Whose are the rows of {table.title}? Closed until somebody says.")
    elif belonging.kind is Kind.REFERENCE:
        access.allow("SELECT", "true", "everybody signed in")
    elif belonging.kind is Kind.STAFF:
        _for_staff(library, access)
    elif opening is not None and opening.anchor in model.anchors:
        plan_opening(library, access, opening, model.anchors[opening.anchor])
    elif anchor is not None and is_account(model, anchor) is None:
        _anchor(library, access, anchor)
    elif anchor is not None:
        _account(library, access, anchor)
    else:
        _rows(library, access)
    _parties(library, access)
    if belonging.open_rows is not None and belonging.open_rows.column in table.columns:
        _published(access, belonging.open_rows)
    access.filtered = [name for name in dict.fromkeys(access.filtered) if name in table.columns]
    return access


def _for_staff(library: Library, access: Access) -> None:
    roles = [f"(select {library.staff(role)}())" for role in library.model.staff]
    if roles:
        access.allow("SELECT", " or ".join(roles), "staff")
    access.questions.append(f"May staff write {access.table.title} through the API? It is only readable now.")


def _anchor(library: Library, access: Access, anchor: Anchor) -> None:
    """The record itself. Its owner sees it by its own columns: INSERT ... RETURNING comes before helpers."""
    table, key = access.table, quoted(anchor.key)
    living = [test_of(c, table.columns[c.column]) for c in anchor.conditions if not c.hops]
    own = [is_caller(library, table, way) for way in anchor.owners]
    mine = " and ".join([together(own, "or"), *living]) if own else ""
    readable = f"{key} = any (array(select {library.keys(anchor.table, 'read')}()))"
    access.allow("SELECT", f"({mine}) or {readable}" if mine else readable, "owner, delegates")
    parents = [
        f"{in_scope(library, table, chain, library.model.anchors[chain[-1].target], 'write')}"
        for chain in anchor.parents
        if chain[-1].target in library.model.anchors
    ]
    if own or parents:
        access.allow("INSERT", " and ".join([*([together(own, "or")] if own else []), *parents]), "owner")
    else:
        access.questions.append(
            f"Who creates rows of {table.title}? No column names an owner, so only the service does for now."
        )
    managed = f"{key} = any (array(select {library.keys(anchor.table, most(library, anchor))}()))"
    access.allow("UPDATE", managed, "owner, managing delegates")
    if library.ownable(anchor):
        owned = f"{key} = any (array(select {library.keys(anchor.table, 'own')}()))"
        access.allow("DELETE", owned, "owner")
    access.keep(anchor.key)
    for way in anchor.owners:
        column = way.hops[0].columns[-1] if way.hops else way.column
        access.keep(column)
        access.filtered.append(column)
    for chain in anchor.parents:
        access.keep(*chain[0].columns)
        access.filtered.extend(chain[0].columns)


def _account(library: Library, access: Access, anchor: Anchor) -> None:
    """The caller's own row, one to one with the account: made by sign-up, never deleted by the API."""
    who = is_account(library.model, anchor)
    if who is None:
        return
    mine = f"{quoted(anchor.key)} = {identity(who, library.key_type(anchor))}"
    access.allow("SELECT", mine, "the account itself")
    access.allow("UPDATE", mine, "the account itself")
    made_here = not access.table.triggers and access.table.schema not in ("auth",)
    if made_here:
        access.allow("INSERT", mine, "the account itself")
    access.keep(anchor.key, *deciding(library, access.table))


def _rows(library: Library, access: Access) -> None:
    """Rows that belong to records or accounts by their keys."""
    table, belonging = access.table, access.belonging
    anchor = next((library.model.anchors[a] for a in belonging.anchors if a in library.model.anchors), None)
    if anchor is None:
        _owned_by_parties(library, access)
        return
    trusted = table.title in trusted_tables(library.model)
    account = is_account(library.model, anchor) is not None
    last = most(library, anchor)
    write: Right = "write" if not trusted else first(library, anchor)
    delete: Right = last if not trusted else write
    access.allow("SELECT", scope(library, table, belonging, "read"), _people("read", account=account))
    authors = [by_caller(library, table, way) for way in belonging.authors if not way.hops]
    insert = " and ".join([scope(library, table, belonging, write), *authors])
    access.allow("INSERT", insert, _people(write, account=account))
    access.allow("UPDATE", scope(library, table, belonging, write), _people(write, account=account))
    access.allow("DELETE", scope(library, table, belonging, delete), _people(delete, account=account))
    access.keep(*primary(table, belonging), *(way.column for way in belonging.authors if not way.hops))
    if account and trusted:
        _self_judging(library, access)
    access.filtered.extend(name for path in belonging.paths if path for name in path[0].columns)


def _owned_by_parties(library: Library, access: Access) -> None:
    """No record, but columns that name accounts: the first of them is the owner."""
    parties = [way for way in access.belonging.parties if not way.hops] or [
        way for way in access.belonging.authors if not way.hops
    ]
    if not parties:
        access.questions.append(f"Whose are the rows of {access.table.title}? Closed until somebody says.")
        return
    mine = is_caller(library, access.table, parties[0])
    for command in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        access.allow(command, mine, "the account itself")
    access.keep(parties[0].column)
    access.filtered.append(parties[0].column)


def _self_judging(library: Library, access: Access) -> None:
    """An account's own row that also decides about access (a provider's verification): not by itself."""
    columns = deciding(library, access.table)
    access.keep(*columns)
    living = [
        f"not coalesce({test_of(condition, access.table.columns[condition.column])}, false)"
        for opening in library.model.openings
        for condition in opening.conditions
        if condition.table == access.table.title and condition.kind in ("one_of", "true", "not_null")
    ]
    if living:
        access.check["INSERT"] = " and ".join(dict.fromkeys([access.check["INSERT"], *living]))
        access.questions.append(
            f"Who sets {', '.join(columns)} of {access.table.title}? Only the service does for now."
        )


def _parties(library: Library, access: Access) -> None:
    """People whom the row is also about may read it."""
    if access.belonging.kind is not Kind.SCOPED or "SELECT" not in access.using:
        return
    for way in access.belonging.parties:
        test = is_caller(library, access.table, way)
        if test not in access.using["SELECT"]:
            access.using["SELECT"] = f"{access.using['SELECT']} or {test}"
            access.who["SELECT"] += ", who it is for"
            column = way.hops[0].columns[-1] if way.hops else way.column
            access.keep(column)
            access.filtered.append(column)


def _published(access: Access, condition: Condition) -> None:
    test = test_of(condition, access.table.columns[condition.column])
    access.everybody = test
    if "SELECT" in access.using:
        access.using["SELECT"] = f"{test} or {access.using['SELECT']}"


def _people(right: Right, *, account: bool) -> str:
    """Who has a right, in words."""
    if account:
        return "the account itself"
    words = {"own": "owner", "manage": "owner, managing delegates", "write": "owner, writing delegates"}
    return words.get(right, "owner, delegates")
