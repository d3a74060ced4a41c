"""A guard trigger for columns that decide about access, on a table that people may update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.rls.design.access import deciding
from tools.rls.design.existing import free_name, guard
from tools.rls.design.helpers import Library
from tools.rls.design.migration import KEEP
from tools.rls.objects import Relation
from tools.rls.wording import literal, quoted, table_name

if TYPE_CHECKING:
    from tools.rls.fixing.candidates import Ground


def kept_as_they_are(ground: Ground, relation: Relation) -> str:
    """A trigger that refuses changes of the columns that openings look at, their account and their scope."""
    library = Library(ground.snapshot, ground.model, ground.role)
    columns = deciding(library, relation)
    for opening in ground.model.openings:
        if opening.table == relation.title:
            columns += [name for hop in opening.scope[:1] for name in hop.columns]
            columns.append(
                opening.account.hops[0].columns[-1] if opening.account.hops else opening.account.column
            )
            columns += [opening.level] if opening.level else []
    columns = [name for name in dict.fromkeys(columns) if name in relation.columns]
    if not columns:
        return ""
    function = guard(ground.snapshot)
    made = ""
    if not function:
        function = quoted(library.schema, free_name(ground.snapshot, library.schema, "keep_columns"))
        outsiders = ", ".join(["public", *(quoted(role.name) for role in ground.snapshot.callers)])
        schema = (
            "" if library.schema in ground.snapshot.schemas else f"create schema {quoted(library.schema)};\n"
        )
        made = schema + KEEP.format(name=function, outsiders=outsiders) + "\n"
    trigger = quoted(f"{relation.name}_keep"[:63])
    given = ", ".join(literal(name) for name in columns)
    return (
        f"{made}create trigger {trigger} before update on {table_name(relation)}\n"
        f"  for each row execute function {function}({given});"
    )
