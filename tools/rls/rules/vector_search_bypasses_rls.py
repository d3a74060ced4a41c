"""Vector search returns rows that policies hide.

What it finds
    Security definer functions that callers may execute through the API, that search a table with embeddings
    (a column of type vector, halfvec or sparsevec) by distance, and that never ask who is calling: the
    usual match_documents( query_embedding, match_count). A filter that the caller passes along decides
    nothing and does not count.

Why it matters
    The table has its policies, a direct SELECT shows nothing of other people, and the search hands out the
    text of everybody's documents all the same: it runs with its owner's rights. What reaches a language
    model through it reaches the person who asks.

Fix
    Make the function security invoker, so that the policies of the table apply.

When to ignore
    Embeddings of texts that are the same for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.definers import unchecked
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.vectors import embeddings, searched
from tools.rls.wording import function_name, listed, on_function, rank


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function; the rules for definer functions leave these to this one."""
    reached = reach(snapshot)
    for found in unchecked(snapshot):
        tables = searched(reached, found.function)
        if tables:
            columns = listed(f"{table.title}.{name}" for table in tables for name in embeddings(table))
            yield on_function(
                "vector_search_bypasses_rls", Level.ERROR, found.function,
                f"{listed(found.callers)} can search {columns} through {found.function.title}: it runs with"
                f" the rights of {found.function.owner}, past the policies of"
                f" {listed(table.title for table in tables)}.",
                evidence="security definer; it orders by distance and asks for no caller",
                fix=f"alter function {function_name(found.function)} security invoker;",
                rank=min(rank(snapshot, table, found.callers) for table in tables),
            )  # fmt: skip


RULE = Rule(
    name="vector_search_bypasses_rls",
    title="Vector search returns rows that policies hide",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
