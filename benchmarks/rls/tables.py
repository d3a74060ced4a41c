"""The tables that `make bench-rls` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.rls.contenders import Answer
from benchmarks.rls.judging import Score, together

PAIRS = (("both", ("rules", "proof")), ("both confirmed", ("rules", "proof confirmed")))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One mutant and what each contender made of it."""

    case: str
    name: str
    operator: str
    scores: Mapping[str, Score]

    def with_pairs(self) -> dict[str, Score]:
        """Rules and proof also as one."""
        found = dict(self.scores)
        for name, parts in PAIRS:
            if all(part in found for part in parts):
                found[name] = together(found[part] for part in parts)
        return found


def print_kills(outcomes: Sequence[Outcome], asked: Sequence[str]) -> None:
    """Kills at the right object by operator, then the totals, then the harmless rewrites."""
    columns = [*asked, *(name for name, parts in PAIRS if all(part in asked for part in parts))]
    order = [
        c
        for c in ("rules", "proof", "both", "proof confirmed", "both confirmed", "pgrls", "splinter")
        if c in columns
    ]
    leaking = [o for o in outcomes if not o.operator.startswith("harmless")]
    harmless = [o for o in outcomes if o.operator.startswith("harmless")]
    print(f"\nkills: a new finding on the object that was changed ({len(leaking)} leaking mutants)")
    print(f"{'operator':27}{'n':>5}" + "".join(f"{name:>17}" for name in order))
    for operator in dict.fromkeys(sorted(o.operator for o in leaking)):
        group = [o for o in leaking if o.operator == operator]
        print(f"{operator:27}{len(group):>5}" + "".join(f"{_right(group, name):>17}" for name in order))
    if leaking:
        print(
            f"{'all':27}{len(leaking):>5}"
            + "".join(f"{_share(leaking, name, 'right'):>17}" for name in order)
        )
        print(
            f"{'  named anywhere':32}" + "".join(f"{_share(leaking, name, 'anywhere'):>17}" for name in order)
        )
        print(f"{'  seconds each':32}" + "".join(f"{_seconds(leaking, name):>17}" for name in order))
        troubles = Counter(
            (name, o.scores[name].trouble) for o in outcomes for name in asked if o.scores[name].trouble
        )
        for (name, trouble), count in troubles.most_common():
            print(f"  {name}, {count} times: {trouble}")
    if harmless:
        print(f"\nfalse alarms: new errors and warnings on {len(harmless)} harmless rewrites")
        print(f"{'':32}" + "".join(f"{name:>17}" for name in order))
        for kind in dict.fromkeys(sorted(o.operator for o in harmless)):
            group = [o for o in harmless if o.operator == kind]
            if any(o.with_pairs()[name].alarms for o in group for name in order):
                print(f"{kind:27}{len(group):>5}" + "".join(f"{_alarms(group, name):>17}" for name in order))
        print(f"{'all':27}{len(harmless):>5}" + "".join(f"{_alarms(harmless, name):>17}" for name in order))


def print_clean(clean: Mapping[tuple[str, str], Answer]) -> None:
    """What each contender says about the correct schemas: every line is one too many, or worth knowing."""
    print("\non the clean schemas: findings by level (findings about speed are left out)")
    for (case, name), answer in clean.items():
        levels = Counter({"warning": "warn"}.get(one.level, one.level) for one in answer.named)
        said = (
            ", ".join(f"{levels[level]} {level}" for level in ("error", "warn", "info") if levels[level])
            or "nothing"
        )
        rules = Counter(one.rule for one in answer.named)
        most = ", ".join(f"{rule} {count}" for rule, count in rules.most_common(6))
        print(
            f"  {case:9} {name:9} {answer.seconds:6.1f} s  {answer.trouble or said}"
            + (f"  ({most})" if most else "")
        )


def _right(group: Sequence[Outcome], name: str) -> str:
    return str(sum(o.with_pairs()[name].right for o in group))


def _alarms(group: Sequence[Outcome], name: str) -> str:
    return str(sum(bool(o.with_pairs()[name].alarms) for o in group))


def _share(group: Sequence[Outcome], name: str, what: str) -> str:
    count = sum(bool(getattr(o.with_pairs()[name], what)) for o in group)
    return f"{count} ({100 * count / len(group):.0f} %)"


def _seconds(group: Sequence[Outcome], name: str) -> str:
    return f"{sum(o.with_pairs()[name].seconds for o in group) / len(group):.2f}"
