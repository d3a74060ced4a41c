"""A design as a test script in plain SQL: a family is made, everybody acts, all is rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tools.rls.design.evidence import outcomes, spoken
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.attack import Campaign
from tools.rls.proof.replay import seed_of
from tools.rls.proof.world import WorldRow, named
from tools.rls.proof.writing import Write, trusted_tables, where_key

_CASE: Final = """do $test$ declare n bigint := 0; begin
  begin
    {statement};
    get diagnostics n = row_count;
    raise exception using errcode = 'TSTOK';
  exception
    when sqlstate 'TSTOK' then null;
    when insufficient_privilege then n := 0;
    when foreign_key_violation then n := 1;  -- keys are checked after the policies let it through
  end;
  if n <> {expected} then raise exception '%', {complaint}; end if;
end $test$;"""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One statement of one actor, and how many rows it must reach."""

    actor: Actor
    rows: tuple[WorldRow, ...]
    statement: str
    expected: int
    says: str


def script(campaign: Campaign, tables: Iterable[str], generated: Mapping[str, frozenset[str]]) -> str:
    """The test script. Run by the owner of any copy of the schema; it raises at the first case that fails."""
    cases = [case for title in tables for case in _cases(campaign, title)]
    rows: dict[str, WorldRow] = {}
    actors = list(dict.fromkeys(case.actor for case in cases))
    for case in cases:
        for row in case.rows:
            _needed(campaign, row, rows)
    trusted = trusted_tables(campaign.world.model) | {campaign.world.model.accounts}
    for title in trusted:
        for row in campaign.world.rows.get(title, ()):
            if any(actor.account and actor.account in row.values.values() for actor in actors):
                _needed(campaign, row, rows)
    lines = ["begin;", *seed_of(campaign.world, list(rows.values()), generated)]
    for actor in actors:
        lines += [f"\n-- {actor.name}", *actor.acting()]
        lines += [_written(case) for case in cases if case.actor is actor]
        lines.append("reset role;")
    return "\n".join([*lines, "rollback;"]) + "\n"


def _cases(campaign: Campaign, title: str) -> Iterator[Case]:
    """One case per standing and purpose, for the first actor and row that have it."""
    world = campaign.world
    relation = world.snapshot.relations[title]
    done: set[tuple[str, str]] = set()
    for actor in world.actors:
        role = world.snapshot.roles.get(actor.role)
        may = world.snapshot.may(role, relation) if role is not None else frozenset[str]()
        for row in world.rows[title] if "SELECT" in may else ():
            word = spoken(campaign.standings.standing(actor, row))
            if (word, "SELECT") not in done:
                done.add((word, "SELECT"))
                seen = row.id in campaign.seen.get(actor, {}).get(title, frozenset())
                look = " ".join(["perform from", named(title), "where", where_key(relation, row)])
                yield Case(actor, (row,), look, int(seen), f"{actor.name} reads {title}")
        for write, worked in outcomes(campaign, actor, title):
            row = write.before or write.after
            word = spoken(campaign.standings.standing(actor, row)) if row is not None else ""
            if (word, write.purpose) not in done:
                done.add((word, write.purpose))
                needed = (write.before,) if write.before is not None else ()
                says = f"{actor.name}: {write.command} on {title}"
                yield Case(actor, needed, _portable(campaign, write), int(worked), says)


def _portable(campaign: Campaign, write: Write) -> str:
    """The statement with the row named by its key: a place in the file means nothing elsewhere."""
    if write.purpose not in ("touch", "delete") or write.before is None:
        return write.sql
    head, _, _ = write.sql.rpartition(" where ")
    return f"{head} where {where_key(campaign.world.snapshot.relations[write.table], write.before)}"


def _needed(campaign: Campaign, row: WorldRow, rows: dict[str, WorldRow]) -> None:
    """The row and everything that it refers to."""
    name = f"{row.table} {row.id}"
    if name in rows or not row.id:
        return
    rows[name] = row
    relation = campaign.world.snapshot.relations.get(row.table)
    for key in relation.foreign_keys if relation is not None else ():
        values = row.key(key.columns)
        if None not in values:
            for parent in campaign.world.find(key.target, key.target_columns, values)[:1]:
                _needed(campaign, parent, rows)


def _written(case: Case) -> str:
    complaint = literal(f"{case.says} must reach {case.expected} rows")
    return _CASE.format(statement=case.statement, expected=case.expected, complaint=complaint)
