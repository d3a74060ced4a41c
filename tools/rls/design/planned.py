"""Tables of a feature that does not exist yet: their CREATE TABLE, run in the scratch copy only."""

from __future__ import annotations

from typing import Final

from tools.database.sqltext import parse_script
from tools.errors import InvalidInput
from tools.rls.fixing import trees
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

ALLOWED: Final = frozenset({
    "CreateStmt", "IndexStmt", "CommentStmt", "CreateEnumStmt", "AlterTableStmt", "CreateDomainStmt",
    "CreateSchemaStmt", "CompositeTypeStmt",
})  # fmt: skip
CALLS: Final = frozenset({
    "now", "clock_timestamp", "timezone", "date_trunc", "extract", "date_part",
    "gen_random_uuid", "uuid_generate_v4", "uid", "jwt", "nextval",
    "lower", "upper", "length", "char_length", "btrim", "trim", "coalesce", "abs", "round", "to_tsvector",
    "jsonb_typeof", "json_typeof", "jsonb_build_object", "jsonb_array_length", "cardinality", "array_length",
})  # fmt: skip
"""Functions that a default or a check may call: rows are made with them, by the copy's superuser."""


def plan_tables(session: ScratchSession, planned: str) -> None:
    """Create the planned tables in the copy. Raises InvalidInput for anything but tables and their parts."""
    if not planned.strip():
        return
    for piece in parse_script(planned, "planned"):
        if piece.kind not in ALLOWED:
            raise InvalidInput(
                f"`planned` may hold CREATE TABLE and what belongs to a table, but no {piece.kind}.",
                hint="Leave policies, grants, functions and data to the design.",
            )
        for node in trees.nodes(piece.node):
            if trees.kind(node) == "func_call" and trees.called(node)[1] not in CALLS:
                raise InvalidInput(
                    f"`planned` calls {trees.called(node)[1]}(), which is not run for a plan.",
                    hint="Leave the default or the check out; it does not matter to row level security.",
                )
    try:
        session.script(planned)
    except SqlFailure as failure:
        message = f"The planned tables cannot be created: {failure.message}."
        raise InvalidInput(message, code=failure.sqlstate) from None
