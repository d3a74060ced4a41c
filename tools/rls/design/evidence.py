"""What a design does when it runs: who reached which tables, as a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, Field

from tools.rls.proof.actors import Actor
from tools.rls.proof.attack import REFUSED, Campaign
from tools.rls.proof.writing import Write

ORDER = ("owner", "opening", "staff", "ended", "none", "anon")


class Reaches(BaseModel):
    """What one kind of caller does with one table's rows: all, some, none; `-` where it was not tried."""

    model_config = ConfigDict(frozen=True)

    table: str
    who: str = Field(description="owner, a level of an opening, ended, none (a stranger), anon")
    select: str
    insert: str
    update: str
    delete: str


def matrix(campaign: Campaign, tables: Iterable[str]) -> list[Reaches]:
    """One line per table and standing, as executed."""
    found: list[Reaches] = []
    for title in tables:
        tries: dict[tuple[str, str], list[bool]] = {}
        order: dict[str, int] = {}
        for actor in campaign.world.actors:
            for row in campaign.world.rows.get(title, ()):
                standing = campaign.standings.standing(actor, row)
                order[standing.word] = ORDER.index(standing.base)
                seen = row.id in campaign.seen.get(actor, {}).get(title, frozenset())
                tries.setdefault((standing.word, "SELECT"), []).append(seen)
            for write, worked in outcomes(campaign, actor, title):
                if write.purpose in ("insert", "touch", "delete"):
                    row = write.before or write.after
                    word = campaign.standings.standing(actor, row).word if row is not None else "none"
                    order.setdefault(word, ORDER.index("none"))
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
    """The matrix for people: one row per standing, standings that do the same taken together."""
    shown: list[str] = []
    table = ""
    for line in lines:
        if line.table != table:
            table = line.table
            shown.append(f"{table:<44} {'read':<6}{'insert':<8}{'update':<8}delete")
        shown.append(f"  {line.who:<42} {line.select:<6}{line.insert:<8}{line.update:<8}{line.delete}")
    return "\n".join(shown)
