"""A view hands out what a definer function reads past the policies.

What it finds
    Views in an exposed schema that callers may SELECT from, whose definition calls a security definer
    function that reads protected rows and asks nobody. security_invoker on the view does not help: the
    function has its own rights. Functions that the API serves themselves are reported there.

Why it matters
    The function sits in a schema that the API does not serve, and the view serves it.

Fix
    Make the function security invoker, or let it ask for auth.uid().

When to ignore
    A function whose answer is meant for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.definers import bound_owner, touching
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import function_name, grants, listed, on_table, personal, rank


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per view and function."""
    reached = reach(snapshot)
    for view in snapshot.relations.values():
        if view.kind != "v" or view.schema in PLATFORM_SCHEMAS:
            continue
        exposure = {name: held for name, held in snapshot.exposure(view).items() if "SELECT" in held}
        for function in _definers(reached, view) if exposure else ():
            able = tuple(name for name in exposure if name in snapshot.executors(function, api=False))
            if not able or set(able) <= set(snapshot.executors(function)):
                continue
            found = touching(snapshot, reached, function, able, None)
            if found is None or not found.reads:
                continue
            yield on_table(
                "view_calls_definer_function",
                Level.ERROR if any(personal(snapshot, table) for table in found.reads) else Level.WARN, view,
                f"View {view.title} calls {function.title}, which reads"
                f" {listed(table.title for table in found.reads)} with the rights of {function.owner} and"
                f" asks nobody: {listed(able)} can read it all.",
                evidence=f"{function.title} is security definer; {grants(exposure)}",
                fix=f"alter function {function_name(function)} security invoker;",
                rank=min(rank(snapshot, table, able) for table in found.reads),
            )  # fmt: skip


def _definers(reached: Reach, view: Relation) -> list[Function]:
    """Definer functions in the view's definition that never ask for the caller."""
    snapshot = reached.snapshot
    called = [f for facts in reached.view_facts(view) for call in facts.calls for f in reached.resolve(call)]
    return [
        function
        for function in dict.fromkeys(called)
        if function.definer and function.schema not in PLATFORM_SCHEMAS
        and not bound_owner(snapshot, function) and not reached.speaks(function)
    ]  # fmt: skip


RULE = Rule(
    name="view_calls_definer_function",
    title="A view hands out what a definer function reads past the policies",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
