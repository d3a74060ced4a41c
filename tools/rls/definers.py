"""Security definer functions that callers can run, and whether anything in them asks who is calling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tools.rls.bodies import body_of, plpgsql_source
from tools.rls.facts import Facts, expression, statements
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach, is_identity, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import bare
from tools.rls.trust import trusts
from tools.rls.wording import personal
from tools.rls.writes import counts_only, stored_values

SECRET: Final = re.compile(
    r"(token|secret|hash|sha256|otp|nonce|api_key|signature|passcode|(invite|invitation|join|share|access)_?code)"
)


_HTTP: Final = frozenset({"http", "http_get", "http_post", "http_put", "http_patch", "http_delete"})


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A definer function without a caller check; `through` is the exposed function that leads to it.

    `stored`: it writes down who calls, and compares that with nothing. `outward`: it sends HTTP requests
    (pg_net, http) with a text that the caller chooses.
    """

    function: Function
    callers: tuple[str, ...]
    reads: tuple[Relation, ...]
    writes: tuple[Relation, ...]
    dynamic: bool
    through: Function | None
    stored: bool = False
    outward: bool = False

    @property
    def touches(self) -> tuple[Relation, ...]:
        """Relations read or written, each once."""
        return tuple({relation.title: relation for relation in (*self.reads, *self.writes)}.values())


def unchecked(snapshot: Snapshot) -> Iterator[Unchecked]:
    """Each definer function that callers reach through the API, touching protected rows and asking nobody."""
    reached = reach(snapshot)
    seen: set[int] = set()
    for entry in snapshot.functions:
        callers = () if entry.is_trigger else snapshot.executors(entry)
        stored = bool(callers) and reached.speaks(entry) and not _checks(reached, entry)
        if not callers or (reached.speaks(entry) and not stored) or _possession(reached, entry):
            continue
        for function in reached.closure([entry]):
            if not function.definer or function.oid in seen or bound_owner(snapshot, function):
                continue
            able = callers if function is entry else tuple(
                name for name in callers if name in snapshot.executors(function, api=False)
            )  # fmt: skip
            found = touching(snapshot, reached, function, able, None if function is entry else entry)
            if found is not None and stored:
                found = _despite_storing(snapshot, reached, function, found)
            if able and found is not None:
                seen.add(function.oid)
                yield found


def touching(
    snapshot: Snapshot, reached: Reach, function: Function, callers: tuple[str, ...], through: Function | None
) -> Unchecked | None:
    reads: dict[str, Relation] = {}
    writes: dict[str, Relation] = {}
    dynamic = False
    inserts_only = True
    for member in reached.closure([function]):
        body, path = body_of(member), reached.path(member)
        dynamic |= bool(body.dynamic)
        for facts in body.facts:
            targets = {id(source) for _, source in facts.written}
            for command, source in facts.written:
                relation = reached.relation(source, path)
                if relation is not None and not (command == "UPDATE" and counts_only(facts)):
                    writes[relation.title] = relation
                    inserts_only &= command == "INSERT"
            for source in facts.sources():
                relation = reached.relation(source, path)
                for base in reached.base_tables(relation) if relation and id(source) not in targets else ():
                    reads[base.title] = base
    hidden = tuple(r for r in reads.values() if _protected(snapshot, r, callers, "SELECT"))
    written = tuple(r for r in writes.values() if _protected(snapshot, r, callers, "UPDATE"))
    deciding = {title for trust in trusts(snapshot) for title in trust.tables}
    letter_box = inserts_only and not any(personal(snapshot, r) or r.title in deciding for r in written)
    outward = any(kind == "text" for kind in function.argument_types) and _sends(reached, function)
    if not hidden and not dynamic and not outward and (not written or letter_box):
        return None
    return Unchecked(function, callers, hidden, written, dynamic, through, outward=outward)


def _sends(reached: Reach, function: Function) -> bool:
    """Whether a function, or one it calls, asks another server, usually with a key of its own."""
    return any(
        call.name in _HTTP and call.schema in ("", "net", "extensions", "http", "public")
        for member in reached.closure([function])
        for facts in body_of(member).facts
        for call in facts.calls
    )


def _despite_storing(
    snapshot: Snapshot, reached: Reach, function: Function, found: Unchecked
) -> Unchecked | None:
    """Still unchecked when it takes or changes somebody's rows by an id that the caller chooses."""
    reads = tuple(relation for relation in found.reads if personal(snapshot, relation))
    changed = _changed(reached, function)
    writes = tuple(r for r in found.writes if r.title in changed and personal(snapshot, r))
    pairs = zip(function.arguments, function.argument_types, strict=True)
    if not (reads or writes) or not any(kind == "uuid" or name.endswith("_id") for name, kind in pairs):
        return None
    return replace(found, reads=reads, writes=writes, stored=True)


def _changed(reached: Reach, function: Function) -> set[str]:
    """Relations whose present rows a function updates or deletes."""
    found: set[str] = set()
    for member in reached.closure([function]):
        for facts in body_of(member).facts:
            for command, source in facts.written:
                relation = reached.relation(source, reached.path(member)) if command != "INSERT" else None
                if relation is not None and not counts_only(facts):
                    found.add(relation.title)
    return found


def _checks(reached: Reach, entry: Function) -> bool:
    """Whether the caller's identity decides anything: it is not only stored, or tested for being there."""
    members = [f for f in reached.closure([entry]) if f.schema not in PLATFORM_SCHEMAS]
    if any(body_of(member).dynamic or not body_of(member).complete for member in members):
        return True
    return any(_decides_in(member) for member in members)


def _decides_in(member: Function) -> bool:
    source = plpgsql_source(member)
    assigned = [
        (names, facts) for names, text in (source.assigned if source else ()) for facts in _read(text)
    ]
    handed = {id(facts) for _, facts in assigned}
    holding = {name for names, facts in assigned for name in names if any(map(is_identity, facts.calls))}
    for facts in body_of(member).facts:
        idle = {id(node) for value in stored_values(facts) for node in value.walk()}
        for test in facts.root.walk():
            if test.kind == "NullTest":
                idle |= {id(node) for node in test.walk()}
        own = id(facts) in handed and not any(block.sources for block in facts.blocks)
        if not own and any(is_identity(call) and id(call.node) not in idle for call in facts.calls):
            return True
        if any(c.name in holding and not c.qualifier and id(c.node) not in idle for c in facts.columns):
            return True
    return False


def _read(text: str) -> tuple[Facts, ...]:
    """An assignment's right side: the same facts that the body holds, since both are kept by their text."""
    one = expression(text)
    return (one,) if one is not None else statements(text) or ()


def _protected(snapshot: Snapshot, relation: Relation, callers: tuple[str, ...], privilege: str) -> bool:
    """Whether row level security, or the lack of a privilege, keeps callers from this relation otherwise."""
    if relation.rls and any(_decides(policy_text) for policy_text in _conditions(relation, privilege)):
        return True
    return not all(privilege in snapshot.may(snapshot.roles[name], relation) for name in callers) and (
        personal(snapshot, relation) or not relation.rls or not relation.policies
    )


def _conditions(relation: Relation, privilege: str) -> list[str]:
    command = "SELECT" if privilege == "SELECT" else "UPDATE"
    return [p.using_text or p.check_text or "" for p in relation.policies if p.covers(command)] or [""]


def _decides(text: str) -> bool:
    """An empty condition stands for: no policy at all, nobody may."""
    return text in ("", "false") or "(" in text


def _possession(reached: Reach, entry: Function) -> bool:
    """Whether the caller must know a secret: a column such as token_sha256 is compared with an argument."""
    names = {name for name in entry.arguments if name}
    for member in reached.closure([entry]):
        names |= {name for name in member.arguments if name}
        for facts in body_of(member).facts:
            for comparison in facts.comparisons:
                column = bare(comparison.left)
                if comparison.operator != "=" or column is None or column.kind != "ColumnRef":
                    continue
                words = {n.words("fields")[-1] for n in comparison.right.walk() if n.kind == "ColumnRef"}
                numbered = any(n.kind == "ParamRef" for n in comparison.right.walk())
                if SECRET.search(column.words("fields")[-1]) and (words & names or numbered):
                    return True
    return False


def bound_owner(snapshot: Snapshot, function: Function) -> bool:
    """Whether the owner is itself held by privileges and policies, so that definer gains nothing special."""
    owner = snapshot.roles.get(function.owner)
    owns = any(relation.owner == function.owner for relation in snapshot.relations.values())
    return owner is not None and not (owner.superuser or owner.bypassrls or owns)
