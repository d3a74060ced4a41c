"""Changed relations, views, triggers, publications, buckets and exposed schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.rls.bodies import body_of
from tools.rls.diffing.cells import relation_cells
from tools.rls.diffing.change import (
    CellChange,
    Change,
    Direction,
    Pair,
    combined,
    commands_of,
    own_relations,
    texts,
)
from tools.rls.facts import Facts
from tools.rls.matrix.access import Access, Extent
from tools.rls.matrix.answer import KINDS, WORDS
from tools.rls.objects import Policy, Relation, Trigger
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import text_of


def relation_changes(pair: Pair) -> Iterator[Change]:
    """Relations that came or went, and their row level security, kind and definition."""
    old, new = own_relations(pair.old), own_relations(pair.new)
    for title in sorted(old.keys() | new.keys()):
        if title not in old:
            yield _came(pair, new[title])
        elif title not in new:
            reached = any(True for _ in relation_cells(pair, pair.old, old[title]))
            yield Change(
                direction=Direction.NARROWS if reached else Direction.NEUTRAL,
                kind="relation",
                object=title,
                sentence=f"{KINDS[old[title].kind].capitalize()} {title} is gone.",
                reason="nobody reaches it any more" if reached else "no compared role reached it",
            )
        else:
            yield from _row_security(pair, old[title], new[title])
            yield from _view(pair, old[title], new[title])
            yield from _triggers(pair, old[title], new[title])
            yield from _columns(pair, old[title], new[title])


def _came(pair: Pair, relation: Relation) -> Change:
    cells = list(relation_cells(pair, pair.new, relation))
    open_to = sorted(
        {role for role, _, found in cells if found.extent is Extent.EVERY and role in pair.callers}
    )
    shows = relation.kind in "vm" and not (relation.kind == "v" and relation.invoker)
    callers = sorted({role for role, _, _ in cells if role in pair.callers})
    widens = bool(callers) if shows else bool(open_to) and relation.kind not in "v"
    if widens:
        who = ", ".join(callers if shows else open_to)
        reason = f"{who} reach{'es' if len(who.split(', ')) == 1 else ''} " + (
            "rows through it with other rights than their own" if shows else "every row of it"
        )
    else:
        reason = "no caller reaches more than rows by condition" if cells else "no compared role reaches it"
    return Change(
        direction=Direction.WIDENS if widens else Direction.NEUTRAL,
        kind="relation",
        object=relation.title,
        sentence=f"{KINDS[relation.kind].capitalize()} {relation.title} is new{_state(relation)}.",
        reason=reason,
        after="; ".join(f"{policy.name}: {text_of(policy)}" for policy in relation.policies),
        reaches=_access(cells),
    )


def _access(cells: Iterable[tuple[str, str, Access]]) -> tuple[str, ...]:
    """`anon SELECT, INSERT: every row`."""
    alike: dict[tuple[str, str], list[str]] = {}
    for role, command, found in cells:
        alike.setdefault((role, WORDS[found.extent]), []).append(command)
    return tuple(f"{role} {', '.join(commands)}: {words}" for (role, words), commands in alike.items())


def _state(relation: Relation) -> str:
    if not relation.is_table:
        return ""
    policies = f" and {len(relation.policies)} policies" if relation.policies else " and no policy"
    return f" with row level security {'on' + policies if relation.rls else 'off'}"


def _row_security(pair: Pair, old: Relation, new: Relation) -> Iterator[Change]:
    title = new.title
    if old.rls != new.rls:
        touched = pair.touched(title)
        yield Change(
            direction=combined(c.direction for c in touched) if touched else Direction.NEUTRAL,
            kind="row level security",
            object=title,
            sentence=f"Row level security of {title} is {'on' if new.rls else 'off'} now.",
            reason="" if touched else "no compared role reaches another row because of it",
            reaches=texts(touched),
        )
    if old.forced != new.forced and new.rls:
        owner = new.owner in pair.roles
        direction = Direction.NARROWS if new.forced else Direction.WIDENS
        yield Change(
            direction=direction if owner else Direction.NEUTRAL,
            kind="row level security",
            object=title,
            sentence=f"Row level security of {title} is {'forced' if new.forced else 'no longer forced'}.",
            reason="it binds the owner as well" if new.forced else "the owner sees every row",
            reaches=texts(pair.touched(title, roles=[new.owner])) if owner else (),
        )
    if old.owner != new.owner:
        touched = pair.touched(title)
        yield Change(
            direction=combined(c.direction for c in touched),
            kind="relation",
            object=title,
            sentence=f"{title} belongs to {new.owner} now, no longer to {old.owner}.",
            reason="" if touched else "no compared role reaches another row because of it",
            reaches=texts(touched),
        )


def _view(pair: Pair, old: Relation, new: Relation) -> Iterator[Change]:
    if old.kind != new.kind:
        touched = pair.touched(new.title)
        yield Change(
            direction=combined(c.direction for c in touched),
            kind="relation",
            object=new.title,
            sentence=f"{new.title} was a {KINDS[old.kind]} and is a {KINDS[new.kind]} now.",
            reaches=texts(touched),
        )
        return
    touched = pair.touched(new.title)
    if old.kind == "v" and old.invoker != new.invoker:
        who = "the caller" if new.invoker else f"its owner {new.owner}"
        wanted = Direction.NARROWS if new.invoker else Direction.WIDENS
        reached = bool(touched) or any(True for _ in relation_cells(pair, pair.new, new))
        yield Change(
            direction=wanted if reached else Direction.NEUTRAL,
            kind="view",
            object=new.title,
            sentence=f"View {new.title} reads as {who} now.",
            reason="the caller's policies count" if new.invoker else "the caller's policies do not count",
            reaches=texts(touched),
        )
    elif old.definition != new.definition:
        yield from _definition(pair, old, new, touched)


def _definition(pair: Pair, old: Relation, new: Relation, own: list[CellChange]) -> Iterator[Change]:
    """A view or materialized view with another query: what it shows itself, and what policies read in it."""
    policies = _readers(pair.new, new.title)
    touched = [*own, *(c for p in policies for c in pair.touched(p.relation, commands_of(p)))]
    touched = list(dict.fromkeys(touched))
    if touched:
        reached = f", which {len(policies)} polic{'y' if len(policies) == 1 else 'ies'} read"
        yield Change(
            direction=combined(c.direction for c in touched),
            kind="view",
            object=new.title,
            sentence=f"The definition of {new.title} changed{reached if policies else ''}.",
            reason="by what the policies let through with it" if policies else "",
            before=_flat(old),
            after=_flat(new),
            reaches=texts(touched),
        )


def _readers(side: Snapshot, title: str) -> list[Policy]:
    """The policies that read a view, also through other views and through functions."""
    reached, titles = reach(side), {title}
    for _ in side.relations:
        more = {r.title for r in side.relations.values() if r.kind == "v" and titles & set(r.reads)} - titles
        if not more:
            break
        titles |= more
    functions = {
        function.oid
        for function, _ in reached.policy_functions.values()
        if any(
            _reads(reached, facts, titles, reached.path(function)) for facts in body_of(function).everything()
        )
    }
    return [
        policy
        for policy in side.policies
        if any(
            _reads(reached, part, titles, ()) or functions & {f.oid for f in reached.reached(part)}
            for part in policy.parts()
        )
    ]


def _reads(reached: Reach, facts: Facts, titles: set[str], path: tuple[str, ...]) -> bool:
    found = (reached.relation(source, path) for source in facts.sources())
    return any(relation is not None and relation.title in titles for relation in found)


def _flat(view: Relation) -> str:
    return " ".join((view.definition or "").split())[:1200]


def _columns(pair: Pair, old: Relation, new: Relation) -> Iterator[Change]:
    """Columns that are new where whoever may read the table may read them as well."""
    names = [name for name in new.columns if name not in old.columns]
    readers = (
        sorted(
            {
                role
                for role, command, found in relation_cells(pair, pair.new, new)
                if command == "SELECT"
                and (found.columns is None or set(names) & set(found.columns))
                and role in pair.callers
            }
        )
        if names and new.kind in "rpf"
        else []
    )
    if readers:
        word = "column" if len(names) == 1 else "columns"
        yield Change(
            direction=Direction.NEUTRAL,
            kind="column",
            object=new.title,
            sentence=f"{', '.join(readers)} may read the new {word} {', '.join(names)} of {new.title}.",
            reason="no other row is reached",
        )


def _triggers(pair: Pair, old: Relation, new: Relation) -> Iterator[Change]:
    one = {trigger.name: trigger for trigger in old.triggers}
    other = {trigger.name: trigger for trigger in new.triggers}
    for name in sorted(one.keys() | other.keys()):
        before, after = one.get(name), other.get(name)
        active_before = before is not None and before.enabled
        active_after = after is not None and after.enabled
        where = f"trigger {name} on {new.title}"
        if active_before and not active_after:
            yield Change(
                direction=Direction.CHANGES,
                kind="trigger",
                object=where,
                sentence=f"Trigger {name} on {new.title} is {'disabled' if after else 'gone'}.",
                reason="it may have refused or corrected writes",
            )
        elif active_after and not active_before:
            yield Change(
                direction=Direction.NEUTRAL,
                kind="trigger",
                object=where,
                sentence=f"Trigger {name} on {new.title} is {'enabled' if before else 'new'}.",
                reason="a trigger opens no row to anybody",
            )
        elif before is not None and after is not None and _runs(pair.old, before) != _runs(pair.new, after):
            yield Change(
                direction=Direction.CHANGES,
                kind="trigger",
                object=where,
                sentence=f"Trigger {name} on {new.title} runs something else, or at another time.",
                reason="it may have refused or corrected writes",
            )


def _runs(side: Snapshot, trigger: Trigger) -> tuple[str, int, tuple[str, ...]]:
    function = side.function_by_oid.get(trigger.function)
    return function.title if function is not None else "", trigger.kind, trigger.arguments


def surface_changes(pair: Pair) -> Iterator[Change]:
    """Publications, storage buckets and exposed schemas."""
    yield from _publications(pair)
    old, new = ({b.id: b.public for b in side.buckets} for side in (pair.old, pair.new))
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, False), new.get(name, False)
        if before != after:
            yield Change(
                direction=Direction.WIDENS if after else Direction.NARROWS,
                kind="bucket",
                object=f"bucket {name}",
                sentence=f"Storage bucket {name} is {'public' if after else 'no longer public'}.",
                reason="anybody with a URL reads its files, whatever the policies say"
                if after
                else "its files are read through policies only",
            )
    for name in sorted(set(pair.old.exposed) ^ set(pair.new.exposed)):
        gained = name in pair.new.exposed
        yield Change(
            direction=Direction.WIDENS if gained else Direction.NARROWS,
            kind="API",
            object=f"schema {name}",
            sentence=f"The API {'serves' if gained else 'no longer serves'} schema {name}.",
            reason="its relations and functions can be called"
            if gained
            else "they cannot be called any more",
        )


def _publications(pair: Pair) -> Iterator[Change]:
    old, new = (_published(side) for side in (pair.old, pair.new))
    for name, title in sorted(old ^ new):
        gained = (name, title) in new
        yield Change(
            direction=Direction.WIDENS if gained else Direction.NARROWS,
            kind="publication",
            object=f"publication {name}",
            sentence=f"Publication {name} {'sends' if gained else 'no longer sends'} the changes of {title}.",
            reason="its subscribers get rows; realtime asks the SELECT policies" if gained else "",
        )


def _published(side: Snapshot) -> set[tuple[str, str]]:
    return {
        (publication.name, title)
        for publication in side.publications
        for title in (
            *(["all tables"] if publication.all_tables else []),
            *publication.relations,
            *(f"schema {schema}" for schema in publication.schemas),
        )
    }
