"""What a design does when it runs: who reached which tables, as a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, Field

from tools.rls.fixing.reached import dormant
from tools.rls.proof.actors import Actor
from tools.rls.proof.attack import REFUSED, Campaign
from tools.rls.proof.standing import Standing
from tools.rls.proof.writing import Write

ORDER = ("owner", "opening", "staff", "ended", "none", "anon")


class Reaches(BaseModel):
    """What one kind of caller does with one table's rows: all, some, none; `-` where it was not tried."""

    model_config = ConfigDict(frozen=True)

    table: str
    who: str = Field(description="owner, a level of an opening, former holder, stranger, anon")
    select: str
    insert: str
    update: str
    delete: str


def matrix(campaign: Campaign, tables: Iterable[str]) -> list[Reaches]:
    """One line per table and standing, as executed; rows of records that are not in force are left out."""
    found: list[Reaches] = []
    for title in tables:
        tries: dict[tuple[str, str], list[bool]] = {}
        order: dict[str, int] = {}
        for actor in campaign.world.actors:
            for row in campaign.world.rows.get(title, ()):
                if dormant(campaign, row):
                    continue
                standing = campaign.standings.standing(actor, row)
                word = spoken(standing)
                order[word] = ORDER.index(standing.base)
                seen = row.id in campaign.seen.get(actor, {}).get(title, frozenset())
                tries.setdefault((word, "SELECT"), []).append(seen)
            for write, worked in outcomes(campaign, actor, title):
                row = write.before or write.after
                if write.purpose in ("insert", "touch", "delete") and not (row and dormant(campaign, row)):
                    standing = (
                        campaign.standings.standing(actor, row) if row is not None else Standing("none")
                    )
                    word = spoken(standing)
                    order.setdefault(word, ORDER.index(standing.base))
                    tries.setdefault((word, write.command), []).append(worked)
        for word in sorted(order, key=lambda one: (order[one], one)):
            cells = {c: _share(tries.get((word, c), [])) for c in ("SELECT", "INSERT", "UPDATE", "DELETE")}
            found.append(
                Reaches(
                    table=title,
                    who=word,
                    select=cells["SELECT"],
                    insert=cells["INSERT"],
                    update=cells["UPDATE"],
                    delete=cells["DELETE"],
                )
            )
    return found


def spoken(standing: Standing) -> str:
    """The standing in few words: the level and what gives it, and whether the row is about the caller."""
    match standing.base:
        case "opening":
            opening, _, rank = standing.detail.partition(" ")
            word = f"{rank or 'holder'} ({opening.partition('.')[0]})"
        case "none":
            word = "stranger"
        case "ended":
            word = "former holder"
        case _:
            word = standing.detail or standing.base
    return f"{word}, own row" if standing.party and standing.base != "owner" else word


def outcomes(campaign: Campaign, actor: Actor, title: str) -> Iterator[tuple[Write, bool]]:
    """The writes that an actor tried on a table, and whether each went through.

    One that failed otherwise than by a refusal (a key that is still referred to) says nothing about access.
    """
    for outcome in campaign.permitted.get(actor, ()):
        write = campaign.writes[outcome.attempt.statement]
        if write.table == title:
            yield write, True
    for write, outcome in campaign.refused.get(actor, ()):
        if write.table == title and outcome.state in ("", *REFUSED):
            yield write, False


def _share(tries: list[bool]) -> str:
    if not tries:
        return "-"
    return "all" if all(tries) else "some" if any(tries) else "none"


def text(lines: Iterable[Reaches]) -> str:
    """The matrix for people: per table, standings that do the same taken together."""
    tables: dict[str, dict[tuple[str, str, str, str], list[str]]] = {}
    for line in lines:
        cells = (line.select, line.insert, line.update, line.delete)
        tables.setdefault(line.table, {}).setdefault(cells, []).append(line.who)
    shown: list[str] = []
    for title, groups in tables.items():
        shown.append(f"{title}\n  {'read':<6}{'insert':<8}{'update':<8}{'delete':<8}")
        for (select, insert, update, delete), people in groups.items():
            shown.append(f"  {select:<6}{insert:<8}{update:<8}{delete:<8}{_together(people)}")
    return "\n".join(shown)


def _together(people: Iterable[str]) -> str:
    """`owner; manage, write (grants); stranger`: levels of one opening with its name once."""
    groups: dict[str, list[str]] = {}
    for word in people:
        level, mark, rest = word.partition(" (")
        groups.setdefault(mark + rest, []).append(level)
    return "; ".join(f"{', '.join(levels)}{opening}" for opening, levels in groups.items())
