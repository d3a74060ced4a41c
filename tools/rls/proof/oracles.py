"""Side channels: what an error tells somebody about rows that he may not see. Worth knowing, no more."""

from __future__ import annotations

from tools.findings import Level
from tools.rls.proof.attack import Campaign
from tools.rls.proof.probing import Attempt
from tools.rls.proof.verdict import Kind, Leak
from tools.rls.proof.writing import insert_statement


def oracles(campaign: Campaign) -> tuple[Leak, ...]:
    """Unique keys over values that people choose: an INSERT tells whether somebody else has the value.

    Tried by the other family's owner, where his INSERT goes through, with the first family's value.
    """
    world = campaign.world
    a, b = world.sides[0], world.sides[1]
    actor = next((one for one in world.actors if one.name.startswith(f"owner of {b.name}")), None)
    found: list[Leak] = []
    for title, belonging in world.model.tables.items() if actor else ():
        theirs = a.of(title)
        if theirs is None or not campaign.worked.get((title, "INSERT")) or title not in world.tables:
            continue
        relation = world.snapshot.relations[title]
        keyed = {name for key in relation.foreign_keys for name in key.columns}
        for key in relation.keys:
            if key.kind != "u" or set(key.columns) <= keyed or actor is None:
                continue
            for row in campaign.templates.rows(b, belonging)[:1]:
                values = {**row.values, **{name: theirs.values.get(name) for name in key.columns}}
                if any(values[name] is None for name in key.columns) or set(key.columns) & keyed:
                    continue
                skipped = campaign.templates.shapes_generated
                sql = insert_statement(world, relation, actor, values, skipped)
                outcome = campaign.probing.attempts(actor, [Attempt(sql)])[0] if sql else None
                if outcome is not None and outcome.state == "23505":
                    listed = ", ".join(key.columns)
                    found.append(
                        Leak(
                            kind=Kind.ORACLE,
                            level=Level.INFO,
                            object=title,
                            sentence=f"An INSERT into {title} tells whether somebody else has this {listed}: "
                            f"unique key {key.name} answers with 23505.",
                            actor=actor.name,
                            command="INSERT",
                            relations=(title,),
                        )
                    )
    return tuple(found)
