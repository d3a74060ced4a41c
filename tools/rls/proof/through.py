"""Through which helper a policy let somebody: the one function that it asks and that answers yes.

Nothing here says that the helper is wrong: the policy may ask too little of it. Where the cause stays with
the policy, this names the other place to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tools.rls.facts import Call
from tools.rls.objects import Function, Policy
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.probing import Probing
from tools.rls.proof.world import WorldRow, quoted
from tools.rls.reach import Reach
from tools.rls.snapshot import PLATFORM_SCHEMAS
from tools.rls.sqltree import constant

KEY: Final = 8
"""Letters that a value must have to be looked for inside another one, such as a record's key in a path."""


def through(
    probing: Probing, reached: Reach, actor: Actor, policy: Policy, row: WorldRow, source: str
) -> str:
    """The title of the one helper that says yes; empty where none does, or several do.

    `source` is a FROM entry that is the row under its table's name.
    """
    found: dict[str, None] = {}
    for function, arguments in _asked(reached, policy):
        name = f"{quoted(function.schema)}.{quoted(function.name)}({arguments})"
        if function.returns == "boolean":
            text = f"select ({name} is true)::text from {source}"
        else:
            values = ", ".join(literal(v) for v in row.values.values() if v is not None)
            text = (
                f"select exists (select from (select {name}::text as given from {source}) g, "
                f"unnest(array[{values}]::text[]) v where v = given "
                f"or (length(given) >= {KEY} and strpos(v, given) > 0))::text"
            )
        # As its owner runs it, with the caller's claims: a helper need not be open to everybody.
        asking = replace(actor, role="") if function.definer else actor
        if probing.answers(asking, [text]) == ["true"]:
            found[function.title] = None
    return next(iter(found)) if len(found) == 1 else ""


def _asked(reached: Reach, policy: Policy) -> Iterator[tuple[Function, str]]:
    """The project's own functions that a policy calls itself, with arguments that can be written down."""
    for facts in policy.parts():
        for call in facts.calls:
            arguments = _written(call)
            for function in reached.resolve(call, ()) if arguments is not None else ():
                if function.schema not in PLATFORM_SCHEMAS:
                    yield function, arguments or ""


def _written(call: Call) -> str | None:
    """A call's arguments, where they are columns and constants alone."""
    texts: list[str] = []
    for argument in call.arguments:
        value = constant(argument)
        if argument.kind == "ColumnRef":
            texts.append(".".join(quoted(name) for name in argument.words("fields")))
        elif isinstance(value, str):
            texts.append(literal(value))
        else:
            return None
    return ", ".join(texts)
