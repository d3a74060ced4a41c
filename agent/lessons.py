"""A lesson from what really happened: a change that ran, and a measurement before and after it.

    measurement ─▶ change(s) that ran ─▶ the same measurement ─▶ better: worked, not: failed
    a change that failed ─▶ another one by the same tool on the same object ran ─▶ worked

Calls and their results decide, never prose. Where nothing was measured there is no lesson: most turns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from agent.measures import Measure, Step, measured
from memory import Category, Draft, Result
from tools.errors import SergeiError

_TITLE: Final = 150
_ACTION: Final = 6_000
_PART: Final = 1_500
_FASTER: Final = 0.8
_NO_FASTER: Final = 0.95
"""Shares of the time before. In between lies what a busy server varies by: no lesson."""

_LEAST_MS: Final = 10.0
_SAME_COST: Final = 0.98
"""Below the first nothing is told from noise; with the same plan a faster run was a warmer cache."""

_SERVICES: Final = ("service", "service_id")
_WORLD: Final = frozenset({"remote", "unavailable", "conflict"})
"""Kinds of failure that the target caused, not a slip in the arguments."""

_ROWS: Final = frozenset(
    {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CallStmt", "DoStmt"}
)
_CATEGORIES: Final[Mapping[str, Category]] = {
    "rls": "security-configurations",
    "hipaa": "security-configurations",
    "performance": "performance-tuning",
    "render": "deployment-patterns",
    "migrations": "deployment-patterns",
}


def draft(steps: Sequence[Step]) -> Draft | None:
    """The lesson of these calls, or None: the latest change that a later result confirms or refutes."""
    for last in range(len(steps) - 1, 0, -1):
        lesson = _confirmed(steps, last) or _overcome(steps, last)
        if lesson is not None:
            return lesson
    return None


def _confirmed(steps: Sequence[Step], last: int) -> Draft | None:
    """Step `last` measures again what an earlier step measured, with changes in between."""
    after = measured(steps[last])
    if after is None:
        return None
    for first in range(last - 1, -1, -1):
        changes = [step for step in steps[first + 1 : last] if step.changed and not _repeated(step, steps)]
        before = measured(steps[first]) if changes else None
        if before is not None and before.comparable(after):
            if before.milliseconds is not None and after.milliseconds is not None:
                statement = _without_values(str(steps[first].arguments.get("sql", "")))
                return _timed(before, after, changes, statement)
            return _compared(before, after, changes)
    return None


def _repeated(step: Step, steps: Sequence[Step]) -> bool:
    """Whether a program ran more than once as it is: a test or a check, not what mended something."""
    return "exit_code" in step.result and sum(one.arguments == step.arguments for one in steps) > 1


def _compared(before: Measure, after: Measure, changes: Sequence[Step]) -> Draft | None:
    action = "\n".join(_said(change) for change in changes)
    about = sorted(one for one in before.problems if not one.object or _names(action, one.object))
    gone = [problem for problem in about if after.clear_of(problem)]
    left = [problem for problem in about if after.aimed and after.covers(problem) and problem not in gone]
    new = sorted(
        one
        for one in after.problems - before.problems
        if before.covers(one) and one.object and _names(action, one.object)
    )
    if not gone and not left:
        return None
    outcome: Result = "failed" if not gone else "partly" if left or new else "worked"
    lines = [
        f"{before.name} {when}: {'; '.join(problem.words for problem in group)}."
        for when, group in (
            ("before", [*gone, *left]),
            ("afterwards no longer", gone),
            ("afterwards still", left),
            ("afterwards, new", new),
        )
        if group
    ]
    verb = "gone after" if gone else "not mended by"
    title = f"{(gone or left)[0].words}: {verb} {_verb(changes)}"
    details = "\n".join(one.detail or one.words for one in [*gone, *left][:6])
    tags = [problem.rule for problem in (*gone, *left) if problem.object]
    return _lesson(title, outcome, lines, details, _category(before, changes), changes, tags)


def _timed(before: Measure, after: Measure, changes: Sequence[Step], statement: str) -> Draft | None:
    was, now = before.milliseconds or 0.0, after.milliseconds or 0.0
    if max(was, now) < _LEAST_MS or _FASTER * was < now < _NO_FASTER * was:
        return None
    outcome: Result = "worked" if now <= _FASTER * was else "failed"
    costs = [cost for cost in (before.cost, after.cost) if cost is not None]
    if outcome == "worked" and len(costs) == 2 and costs[1] > _SAME_COST * costs[0]:
        return None
    verb = "faster" if outcome == "worked" else "not faster"
    on = f"{tables[0]}: " if (tables := _tables(changes)) else ""
    title = f"{on}query {verb} after {_verb(changes)} ({was:,.1f} ms to {now:,.1f} ms)"
    lines = [f"{before.name}: {was:,.1f} ms before, {now:,.1f} ms after, the same statement, one run each."]
    if len(costs) == 2:
        lines.append(f"The planner's cost: {costs[0]:,.0f} before, {costs[1]:,.0f} after.")
    category: Category = "database-optimizations" if tables else "performance-tuning"
    return _lesson(title, outcome, lines, f"The statement:\n{statement}", category, changes, [])


def _overcome(steps: Sequence[Step], last: int) -> Draft | None:
    """Step `last` is a change that ran after the same tool had failed on the same object."""
    done = steps[last]
    if not done.changed:
        return None
    for failed in reversed(steps[:last]):
        error: Mapping[str, Any] = failed.result.get("error") or {}
        if failed.tool != done.tool or error.get("kind") not in _WORLD or not error.get("code"):
            continue
        tried = _said(failed)
        common = next((table for table in _tables([done]) if _names(tried, table)), "")
        if common and dict(failed.arguments) != dict(done.arguments):
            reason = f"{error.get('message', '')} [{error['code']}]"
            title = f"{common}: {_verb([done])} ran after it had failed with {error['code']}"
            lines = ["It ran to its end.", f"The attempt before had failed: {reason}"]
            context = f"Tried first:\n{_cut(tried)}\n{_options(failed)}".rstrip()
            return _lesson(
                title, "worked", lines, context, "problem-solutions", [done], [str(error["code"]).lower()]
            )
    return None


def _lesson(
    title: str,
    outcome: Result,
    lines: Sequence[str],
    context: str,
    category: Category,
    changes: Sequence[Step],
    tags: Sequence[str],
) -> Draft:
    action = "\n\n".join(f"{_said(change)}\n{_options(change)}".strip() for change in changes)
    services = [str(value) for change in changes for key in _SERVICES if (value := change.arguments.get(key))]
    scope = {"table": _tables(changes), "service": list(dict.fromkeys(services))}
    return Draft(
        title=_cut(" ".join(title.split()), _TITLE),
        category=category,
        context=_cut(context, 2 * _PART),
        action=_cut(action, _ACTION),
        result=_cut("\n".join(lines), 2 * _PART),
        outcome=outcome,
        tags=list(dict.fromkeys(tags))[:12],
        applies_to={name: names for name, names in scope.items() if names},
    )


def _category(before: Measure, changes: Sequence[Step]) -> Category:
    domains = (before.domain, *(change.domain for change in changes))
    found: list[Category] = [_CATEGORIES[one] for one in domains if one in _CATEGORIES]
    return found[0] if found else "problem-solutions"


def _statements(step: Step) -> list[dict[str, Any]]:
    found = step.result.get("statements")
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return [item for item in items if isinstance(item, dict)]


def _tables(changes: Sequence[Step]) -> list[str]:
    """The tables that the changes' own results name."""
    named = (name for one in changes for each in _statements(one) for name in each.get("tables", ()))
    return list(dict.fromkeys(map(str, named)))[:8]


def _verb(changes: Sequence[Step]) -> str:
    """The last change in a word or two: its command, or the tool."""
    statements = _statements(changes[-1])
    return str(statements[-1].get("command") or changes[-1].tool) if statements else changes[-1].tool


def _said(step: Step) -> str:
    """What was run, as it was; but no constants of statements about rows: they may be a patient's."""
    if isinstance(sql := step.arguments.get("sql"), str):
        return _without_values(sql)
    if isinstance(command := step.arguments.get("command"), str):
        return command
    return f"{step.tool} {json.dumps(dict(step.arguments), ensure_ascii=False, sort_keys=True)}"


def _options(step: Step) -> str:
    """The arguments beside the text that was run, such as a lock timeout."""
    if not ("sql" in step.arguments or "command" in step.arguments):
        return ""
    given = {
        key: value for key, value in step.arguments.items() if key not in {"sql", "command", "expect_target"}
    }
    return f"({', '.join(f'{key} = {value}' for key, value in sorted(given.items()))})" if given else ""


def _without_values(sql: str) -> str:
    from tools.database.literals import without_literals
    from tools.database.sqltext import parse_script

    try:
        pieces = parse_script(sql)
    except SergeiError:
        return without_literals(sql, _PART)
    if not any(piece.kind in _ROWS for piece in pieces):
        return sql.strip()
    said = (without_literals(one.text, _PART) if one.kind in _ROWS else one.text.strip() for one in pieces)
    return ";\n".join(said) + ";"


def _names(text: str, name: str) -> bool:
    """Whether the text names an object, with its schema or without; `policy x on public.t` is its table."""
    found = re.findall(r"[\w$]+(?:\.[\w$]+)?", name)
    bare = found[-1].rpartition(".")[2] if found else ""
    return bool(bare) and re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", text, re.IGNORECASE) is not None


def _cut(text: str, limit: int = _PART) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
