"""Access is given also to whom it ended for.

What it finds
    A query block that looks the caller up in a grant, a membership or an account (in a policy, in a function
    that policies call, or in a view behind them) and accepts a word that says that it ended, beside words
    that say that it lives: status in ('active', 'revoked').

Why it matters
    A suspended account, a revoked carer or a member who left keeps all the access that the block opens. The
    condition looks as if somebody had thought of it.

Fix
    Take the word out of the list.

When to ignore
    A block that serves those who left on purpose, such as an export of their own data. Name it in the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Block, Facts
from tools.rls.objects import Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import bare, constant
from tools.rls.trust import Place, Trust, trusts
from tools.rls.wording import body_in_short, listed, on_function, on_policy, on_table, remark

_STATE: Final = re.compile(r"(^|_)(status|state|standing|lifecycle)$")
_ENDED: Final = re.compile(
    r"^(revoked|withdrawn|left|ended|expired|lapsed|suspended|closed|cancell?ed|removed|deleted|inactive"
    r"|disabled|deactivated|rejected|declined|denied|refused|blocked|banned|terminated|former|resigned)$",
    re.IGNORECASE,
)
Accepted = dict[Place, list[str]]


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy, function or view."""
    reached = reach(snapshot)
    said: set[str] = set()
    for trust in trusts(snapshot):
        spared = trust.owners() | _own(trust)
        near = {title for title, _ in trust.caller_places()}
        places = (
            (None, accepted(reached, trust.unit.facts, trust.unit.block, trust.unit.path)),
            *((view, _of_view(reached, view)) for view in trust.views),
        )
        for view, words in places:
            wrong = [
                (place, ended, live)
                for place, every in words.items()
                if place[0] not in spared and (view or place[0] in near) and _STATE.search(place[1])
                for ended, live in [_parted(every)]
                if ended and live
            ]
            where = view.title if view is not None else trust.unit.title
            if wrong and where not in said:
                said.add(where)
                yield _finding(snapshot, trust, view, wrong)


def accepted(reached: Reach, facts: Facts, block: Block, path: tuple[str, ...]) -> Accepted:
    """The words that a block accepts in each column, in order."""
    by_node = {id(column.node): column for column in facts.columns}
    found: Accepted = {}
    for comparison in facts.comparisons:
        column = by_node.get(id(bare(comparison.left)))
        if comparison.operator != "=" or comparison.block is not block or column is None:
            continue
        origin = reached.column(column, path=path)
        origin = reached.base_column(*origin) if origin is not None else None
        words = [constant(node) for node in comparison.right.walk() if node.kind == "A_Const"]
        if origin is not None:
            found.setdefault((origin[0].title, origin[1]), []).extend(w for w in words if isinstance(w, str))
    return found


def _of_view(reached: Reach, view: Relation) -> Accepted:
    found: Accepted = {}
    for facts in reached.view_facts(view):
        for block in facts.blocks:
            found |= accepted(reached, facts, block, ())
    return found


def _own(trust: Trust) -> set[str]:
    """The table itself that a policy is on: who may see an ended row is another question."""
    return {trust.unit.policy.relation} if trust.unit.policy is not None else set()


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    ended = [word for word in words if _ENDED.match(word)]
    return ended, [word for word in words if word not in ended]


def _finding(
    snapshot: Snapshot, trust: Trust, view: Relation | None, wrong: list[tuple[Place, list[str], list[str]]]
) -> Finding:
    told = listed(
        f"{title}.{name} {listed(map(repr, ended))} beside {listed(map(repr, live))}"
        for (title, name), ended, live in wrong
    )
    words = listed(repr(word) for _, ended, _ in wrong for word in ended)
    fix = remark(f"take {words} out of the list, or say in a comment who needs it")
    name, level, unit = "policy_admits_ended", Level.WARN, trust.unit
    if view is not None:
        message = f"View {view.title} accepts {told}: what has ended still opens access."
        return on_table(name, level, view, message, evidence="policies read it", fix=fix, rank=10)
    if unit.policy is not None:
        relation = snapshot.relations[unit.policy.relation]
        who = f"Policy {unit.policy.name} on {relation.title}"
        message = f"{who} accepts {told}: what has ended still opens access."
        return on_policy(name, level, relation, unit.policy, message, fix=fix, rank=10)
    assert unit.function is not None  # a trust stands in a policy, a function or a view's reader
    message = f"{unit.function.title} accepts {told}: what has ended still opens access."
    body = body_in_short(unit.function)
    return on_function(name, level, unit.function, message, evidence=body, fix=fix, rank=10)


RULE = Rule(
    name="policy_admits_ended",
    title="Access is given also to whom it ended for",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
