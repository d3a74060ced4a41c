"""A proof's leaks as findings: suppressions, baselines, trends and code scanning hold for them too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Final

from tools.findings import Finding, Level, Rule, ranked
from tools.resources import Suppression
from tools.review import Coverage, Review, Summary
from tools.rls.proof.verdict import Kind, Leak, Proof
from tools.rls.wording import shown
from tools.suppressions import sift

DOMAIN: Final = "rls"
INCOMPLETE: Final = "proof_incomplete"
FIX: Final = "`sergei rls fix` looks for a change that closes it and keeps legitimate access."
"""Steps, not SQL: a fix is offered only after it was proven."""
_BEFORE: Final = 100_000
"""What was executed stands before what was read, in the order of the proof."""


def with_proof(
    review: Review, proof: Proof, suppressions: Sequence[Suppression], today: date | None
) -> Review:
    """A review together with the findings and the coverage of a proof of the same target."""
    proven = (finding for rule in PROOF_RULES for finding in rule.check(proof))
    kept, suppressed = sift(proven, suppressions, today)
    findings = ranked([*review.findings, *kept])
    coverage = review.coverage
    probed = f"{proof.probes:,} probes by {len(proof.actors)} actors in a scratch copy"
    return review.model_copy(
        update={
            "findings": findings,
            "summary": Summary.of(findings, review.summary.suppressed + suppressed),
            "coverage": Coverage(examined=[*coverage.examined, probed], not_examined=coverage.not_examined),
        }
    )


def _leaks(kind: Kind, proof: Proof) -> Iterator[Finding]:
    """One finding per object: what else happened through the same object is said in its evidence."""
    by_object: dict[str, list[Leak]] = {}
    order: dict[str, int] = {}
    for number, leak in enumerate((*proof.leaks, *proof.denied, *proof.notes)):
        if leak.kind is kind:
            by_object.setdefault(leak.object, []).append(leak)
            order.setdefault(leak.object, number)
    for name, leaks in by_object.items():
        first = min(leaks, key=lambda leak: leak.level.rank)
        schema, _, table = (first.relations[0] if first.relations else "").partition(".")
        seen = [_evidence(leak) for leak in leaks]
        others = [leak.sentence for leak in leaks if leak is not first]
        yield Finding(
            rule=f"proven_{kind}",
            level=first.level,
            domain=DOMAIN,
            schema=schema or None,
            table=table or None,
            policy=first.policy or None,
            function=first.function or None,
            object=shown(name),
            message=shown(" ".join([first.sentence, *dict.fromkeys(others)])),
            evidence="\n".join(shown(line) for line in dict.fromkeys(seen)),
            fix=FIX if first.level is Level.ERROR else "",
            rank=order[name] - _BEFORE,
        )


def _evidence(leak: Leak) -> str:
    reached = ", ".join(leak.relations)
    times = f" ({leak.times} probes)" if leak.times > 1 else ""
    verb = "refused" if leak.kind is Kind.DENIED else "executed"
    return f"{verb} in a scratch copy as {leak.actor}: {leak.command} on {reached or leak.object}{times}"


def _gaps(proof: Proof) -> Iterator[Finding]:
    reasons: dict[str, list[str]] = {}
    for gap in proof.gaps:
        reasons.setdefault(gap.what, []).append(gap.why.rstrip("."))
    for what, why in reasons.items():
        yield Finding(
            rule=INCOMPLETE,
            level=Level.WARN,
            domain=DOMAIN,
            object=shown(what),
            message=shown(f"Nothing is proven about {what}: {'; '.join(dict.fromkeys(why))}."),
            evidence="no probe reached it",
            rank=0,
        )


def _rule(
    name: str, title: str, level: Level, check: Callable[[Proof], Iterator[Finding]], doc: str
) -> Rule[Proof]:
    return Rule(name=name, title=title, level=level, domain=DOMAIN, check=check, doc=f"{title}.\n{doc}")


PROOF_RULES: Final[tuple[Rule[Proof], ...]] = (
    _rule(
        "proven_read",
        "Somebody read a record that was not opened to them",
        Level.ERROR,
        partial(_leaks, Kind.READ),
        """
What it finds
    A row of a scratch copy that an actor of the proof read although the model opens it to others only.

Why it matters
    It happened in PostgreSQL with your policies and privileges; the replay shows it again.

Fix
    Mend the object named: `sergei rls fix` looks for a change that closes it and keeps legitimate access.

When to ignore
    Never, while the model is right. Where the row is meant for that caller, correct `[rls]` in sergei.toml.
""",
    ),
    _rule(
        "proven_write",
        "Somebody wrote into a record that was not opened to them",
        Level.ERROR,
        partial(_leaks, Kind.WRITE),
        """
What it finds
    A row that an actor inserted, changed, moved or deleted in a record that the model opens to others only.

Why it matters
    Rows of one record inside another are what a health platform must never have.

Fix
    Mend the object named: `sergei rls fix` looks for a change that closes it and keeps legitimate access.

When to ignore
    Never, while the model is right. Where the write is meant, correct `[rls]` in sergei.toml.
""",
    ),
    _rule(
        "proven_escalation",
        "Somebody gave themselves access by permitted writes",
        Level.ERROR,
        partial(_leaks, Kind.ESCALATION),
        """
What it finds
    One or two writes that are permitted, after which the same actor reached what was closed before.

Why it matters
    Each policy alone looks right; together they let a caller decide about his own access.

Fix
    Keep the rows that decide about access out of the reach of those whom they are about: narrower WITH CHECK,
    column privileges, or a trigger that guards the column.

When to ignore
    Never, while the model is right. Where self-service is meant, say so with `accepts` in `[rls]`.
""",
    ),
    _rule(
        "proven_call",
        "A function gave somebody what their policies refuse",
        Level.ERROR,
        partial(_leaks, Kind.CALL),
        """
What it finds
    A function call that returned or changed rows which the same caller cannot reach directly.

Why it matters
    PostgREST serves every executable function of an exposed schema to whoever holds EXECUTE.

Fix
    Ask inside the function who calls, or revoke EXECUTE from PUBLIC, anon and authenticated by name.

When to ignore
    Where the function is meant to tell just that; then declare it in `[rls]`.
""",
    ),
    _rule(
        "proven_denied",
        "Somebody cannot reach what is theirs",
        Level.ERROR,
        partial(_leaks, Kind.DENIED),
        """
What it finds
    A command that the model opens to an actor and that PostgreSQL refused, or that found no row.

Why it matters
    People are locked out of their own records, and the next hurried fix tends to open too much.

Fix
    Mend the object named, then prove again.

When to ignore
    Where nobody is meant to do it through the API: say so with `[rls.expect]` in sergei.toml.
""",
    ),
    _rule(
        "proven_oracle",
        "A refusal tells whether a row exists",
        Level.INFO,
        partial(_leaks, Kind.ORACLE),
        """
What it finds
    Foreign keys and unique keys whose violation answers differently for rows that the caller cannot see.

Why it matters
    A caller who tries values learns which of them exist: an e-mail address, a record's number.

Fix
    Keys that cannot be guessed, or a unique key that includes the owner.

When to ignore
    Where the values are random or no secret.
""",
    ),
    _rule(
        INCOMPLETE,
        "Something could not be proven",
        Level.WARN,
        _gaps,
        """
What it finds
    Tables, functions and policies that no probe could reach, with the reason.

Why it matters
    What was not examined is not safe, it is unknown; `--prove` fails while there is such a thing.

Fix
    Remove the reason: an extension for the sandbox, a declaration in `[rls]`, a larger budget.

When to ignore
    Where you have looked yourself: suppress it with the reason, best with an `until`.
""",
    ),
)  # fmt: skip
