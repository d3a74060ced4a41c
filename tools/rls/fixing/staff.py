"""A helper that believes a claim about staff, asking their table as well: claims outlive a dismissal."""

from __future__ import annotations

from tools.rls.design.queries import identity
from tools.rls.fixing import trees
from tools.rls.fixing.conditions import narrowed
from tools.rls.mending import redefined, trusted_metadata
from tools.rls.objects import Function
from tools.rls.proof.model import STAFF, Model, Opening
from tools.rls.reach import Reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import quoted, table_name


def asking_staff(snapshot: Snapshot, reached: Reach, model: Model, function: Function) -> str | None:
    """CREATE OR REPLACE of an SQL function of one role word that only looks at claims, or None."""
    if function.language != "sql" or len(function.arguments) != 1 or "_metadata" not in function.body:
        return None
    opening = next((one for one in model.openings if _fits(one)), None)
    if opening is None or opening.table not in snapshot.relations:
        return None
    table = snapshot.relations[opening.table]
    column = table.columns[opening.account.column]
    me = identity(opening.account.identity, column.type)
    person = f"s.{quoted(opening.account.column)} = {me} and s.{quoted(opening.level)}::text = $1"
    asked = " ".join(["select exists (select from", table_name(table), "s where", person, ")"])
    living = narrowed(reached, model, asked, (), None) or asked

    def changed(body: str) -> str:
        parsed = trees.script(trusted_metadata(body))
        claim = trees.expression(parsed) if parsed is not None else None
        test = trees.value(living.strip().removeprefix("SELECT").removeprefix("select"))
        if claim is None or test is None:
            return body
        said = trees.node_text(claim)
        said = said if said.startswith("COALESCE(") else f"coalesce({said}, false)"
        return f"\n  select {said} and {trees.expression_text(test)}\n"

    return redefined(function, changed)


def _fits(opening: Opening) -> bool:
    return opening.anchor == STAFF and bool(opening.level) and not opening.account.hops
