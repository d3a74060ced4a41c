"""How the coverage of a test run looks: what was never decided first, then what only ever went one way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from agent.reports.markdown import plain

if TYPE_CHECKING:
    from tools.rls.coverage.measure import Clauses, PolicyCoverage

GROUPS: Final = (
    ("never", "Never decided anything: no test reached a row through them"),
    ("only true", "Only ever true: no test was refused by them"),
    ("only false", "Only ever false: no test got through them"),
    ("both", "Decided both ways"),
)
_CLAUSES: Final = {"using": "USING", "check": "WITH CHECK"}


def sentence(found: PolicyCoverage) -> str:
    """`41 of 156 policies decided something (26 %), 12 of 210 clauses both ways.`"""
    both = sum(one.state == "both" for one in found.clauses)
    return (
        f"{found.exercised} of {found.policies} policies decided something ({found.percent:.0f} %), "
        f"{both} of {len(found.clauses)} clauses both ways."
    )


def _hints(found: PolicyCoverage) -> Iterable[str]:
    if not found.exercised:
        yield (
            "Nothing was counted: do the tests connect as an owner or a superuser, whom policies do not bind?"
        )
    if found.sessions:
        yield (
            f"{found.sessions} other session{'' if found.sessions == 1 else 's'} open: what they did in the "
            "last ten seconds may not be counted yet."
        )
    if found.gone:
        yield f"{found.gone} clauses belong to policies that were dropped or made anew since the start."


def text(found: PolicyCoverage) -> str:
    """For a terminal: a table's clauses on its line."""
    lines = [f"Policies of {found.target}", "", sentence(found), *_hints(found)]
    for state, title in GROUPS:
        chosen = [one for one in found.clauses if one.state == state]
        if not chosen:
            continue
        lines += ["", f"{title} ({len(chosen)})"]
        if state == "both":
            lines.append(f"  {len({one.relation for one in chosen})} tables; --format json lists them")
            continue
        lines += [f"  {relation}: {', '.join(map(_label, of))}" for relation, of in _by_table(chosen)]
    return "\n".join(lines)


def markdown(found: PolicyCoverage) -> str:
    """For a pull request."""
    lines = ["# Policies that the tests exercised", "", sentence(found), ""]
    lines += [f"{hint}\n" for hint in _hints(found)]
    for state, title in GROUPS[:3]:
        chosen = [one for one in found.clauses if one.state == state]
        if chosen:
            lines += [f"## {title}", ""]
            lines += [
                f"- {plain(table)}: {plain(', '.join(map(_label, of)))}" for table, of in _by_table(chosen)
            ]
            lines.append("")
    return "\n".join(lines).rstrip()


def document(found: PolicyCoverage) -> str:
    """For a program."""
    fields = {
        "target": found.target,
        "policies": found.policies,
        "exercised": found.exercised,
        "percent": round(found.percent, 1),
        "clauses": [one.model_dump() | {"state": one.state} for one in found.clauses],
        "gone": found.gone,
        "sessions": found.sessions,
    }
    return json.dumps(fields, indent=2, ensure_ascii=False)


def _label(one: Clauses) -> str:
    return f"{one.policy} ({one.command} {_CLAUSES[one.clause]})"


def _by_table(chosen: Iterable[Clauses]) -> Iterable[tuple[str, list[Clauses]]]:
    tables: dict[str, list[Clauses]] = {}
    for one in chosen:
        tables.setdefault(one.relation, []).append(one)
    return tables.items()
