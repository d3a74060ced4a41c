"""The rows that open records to others: who may give them, change them, accept them."""

from __future__ import annotations

from tools.rls.design.access import Access, by_caller, first, ranked
from tools.rls.design.conditions import in_scope, is_caller
from tools.rls.design.existing import Right
from tools.rls.design.helpers import Library
from tools.rls.design.queries import identity, test_of
from tools.rls.proof.model import Anchor, Opening
from tools.rls.wording import literal, quoted


def plan_opening(library: Library, access: Access, opening: Opening, anchor: Anchor) -> None:
    """The rows that open records: given by who owns or manages, never to oneself, never above oneself."""
    table = access.table
    account = opening.account.hops[0].columns[-1] if opening.account.hops else opening.account.column
    holder = is_caller(library, table, opening.account)
    top: Right = first(library, anchor)
    owned = in_scope(library, table, opening.scope, anchor, top)
    managed = in_scope(library, table, opening.scope, anchor, "manage") if ranked(library, anchor) else ""
    access.allow("SELECT", f"{holder} or {managed or owned}", "who holds it, who manages the record")
    highest = [rank.value for rank in opening.ranks if "manage" in rank.rights]
    lower = offered = owned
    if managed and top == "own":
        level = f"{quoted(opening.level)}::text" if opening.level else ""
        below = [f"{level} <> {literal(value)}" for value in highest] if level else []
        offered = f"({owned} or ({' and '.join([managed, *below])}))"
        lower = f"({owned} or ({' and '.join([managed, *below, f'not coalesce({holder}, false)'])}))"
    start = [f"{quoted(column)} = {literal(begin)}" for column, begin, _ in opening.accepts]
    authors = [by_caller(library, table, way) for way in access.belonging.authors if not way.hops]
    check = " and ".join([offered, f"not coalesce({holder}, false)", *authors, *start])
    access.allow("INSERT", check, "owner; managing delegates below their own level")
    access.allow("UPDATE", lower, "owner; managing delegates below their own level")
    access.allow("DELETE", f"{lower} or {holder}", "who may give it, who holds it")
    scoped = opening.scope[0].columns
    access.keep(*scoped, account, *(way.column for way in access.belonging.authors if not way.hops))
    access.filtered.extend([*scoped, account])
    if opening.accepts and not opening.account.hops:
        _acceptance(library, access, opening)


def _acceptance(library: Library, access: Access, opening: Opening) -> None:
    """A function with which the holder accepts what was offered; nobody else can do it for him."""
    table = access.table
    key = table.primary_key[0] if len(table.primary_key) == 1 else ""
    column, start, end = opening.accepts[0]
    if not key or table.schema not in library.snapshot.exposed:
        access.questions.append(
            f"How does somebody accept a row of {table.title}? It has no single key column."
        )
        return
    name = quoted(table.schema, f"accept_{table.name}"[:63])
    kind = table.columns[opening.account.column].type
    stamp = ", accepted_at = now()" if "accepted_at" in table.columns else ""
    living = [
        test_of(c, table.columns[c.column], "t")
        for c in opening.conditions
        if c.table == table.title and not c.hops and c.column != column and c.kind != "not_null"
    ]
    tests = [
        f"t.{quoted(key)} = wanted",
        f"t.{quoted(opening.account.column)} = {identity(opening.account.identity, kind)}",
        f"t.{quoted(column)} = {literal(start)}",
        *living,
    ]
    signature = f"{name}({table.columns[key].type})"
    change = [
        f"update {quoted(table.schema, table.name)} t",
        f"set {quoted(column)} = {literal(end)}{stamp}",
        "where " + "\n      and ".join(tests),
        "returning 1",
    ]
    lines = [
        f"create function {name}(wanted {table.columns[key].type}) returns boolean",
        "language sql security definer set search_path = '' as $$",
        "  with accepted as (",
        *(f"    {line}" for line in change),
        "  )",
        "  select exists (select from accepted)\n$$;",
        f"revoke execute on function {signature} from public{_besides(library)};",
        f"grant execute on function {signature} to {quoted(library.role)};",
    ]
    access.functions.append("\n".join(lines))
    access.undo.append(f"drop function {signature};")


def _besides(library: Library) -> str:
    others = [role.name for role in library.snapshot.callers if role.name != library.role]
    return "".join(f", {quoted(name)}" for name in others)
