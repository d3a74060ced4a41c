"""`sergei review`: run the reviewers of the chosen domains and print or write one report."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent import baseline as baselines
from agent import settings as settings_module
from agent.baseline import Baseline, Known
from agent.commands.progress import progress_line
from agent.commands.side import Applied, applied
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, House, open_house
from agent.executor import Outcome
from agent.reports.dossier import Dossier, Scope, dossier_json, now
from agent.reports.dossier_text import dossier_text
from agent.reports.text import Paper
from agent.settings import Settings
from tools.errors import ConfigurationError, InvalidInput, RemoteError
from tools.findings import Finding, Level, Rule
from tools.review import Gap, Review
from tools.rls.proof.findings import INCOMPLETE, PROOF_RULES, with_proof
from tools.rls.proof.verdict import Answer, Proof

if TYPE_CHECKING:
    from tools.rls.access_matrix import Matrix

Progress = Callable[[str], None]

DOMAINS: Final = {"rls": "review_rls", "render": "review_render"}
"""What can be reviewed, and the tool that does it. Without a word it is the database."""


def run(args: argparse.Namespace) -> int:
    """Exit 1 when a finding is at or above --fail-on, or when a proof is not whole."""
    domains = domains_of(args.domains)
    _check(args, domains)
    output = writable(args.output)
    known = baselines.read(Path(args.baseline)) if args.baseline else None
    writable(args.write_baseline, "--write-baseline")
    settings = settings_module.load()
    _check_suppressions(settings)
    with ExitStack() as stack:
        progress = stack.enter_context(progress_line())
        choice = Choice(args.database_url, args.demo)
        where = (
            stack.enter_context(applied(settings, args.migrations, progress)) if args.migrations else choice
        )
        dossier = examine(settings, where, _wanted(args, domains), progress)
    if known:
        dossier = _compared(dossier, known, args.baseline)
    if args.write_baseline:
        return _accept(dossier, Path(args.write_baseline))
    to_terminal = output is None and sys.stdout.isatty()
    paper = Paper(width(), to_terminal and settings.color)
    report = emitted(dossier, args.emit) if args.emit else render(dossier, args.format, paper)
    summary = dossier.standing.sentence() if dossier.standing else dossier.review.summary.sentence()
    if dossier.proof and (output or args.emit):
        summary = f"{dossier.proof.answer}: {dossier.verdict()} {summary}"
    deliver(report, output, summary)
    if args.emit and output is None:
        print(summary, file=sys.stderr)
    return 1 if fails(dossier, args.fail_on) else 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to hold."""

    domains: tuple[str, ...]
    scope: Scope
    budget: float | None = None
    matrix: bool = False


def _wanted(args: argparse.Namespace, domains: list[str]) -> Wanted:
    scope = Scope(tuple(args.only), tuple(args.skip), tuple(args.schemas), args.prove, tuple(domains))
    matrix = args.format == "html" and not args.emit and "rls" in domains
    return Wanted(tuple(domains), scope, args.budget, matrix)


def examine(settings: Settings, where: Choice | Applied, wanted: Wanted, progress: Progress) -> Dossier:
    """The report on a database, or on migrations that were applied to a scratch copy."""
    if isinstance(where, Choice):
        return asyncio.run(_examine(settings, where, wanted, progress, ()))
    found = asyncio.run(_examine(settings, Choice(where.dsn), wanted, progress, where.gaps))
    proof = found.proof and found.proof.model_copy(update={"target": where.label})
    return replace(found, review=found.review.model_copy(update={"target": where.label}), proof=proof)


async def _examine(
    settings: Settings, choice: Choice, wanted: Wanted, progress: Progress, gaps: tuple[Gap, ...]
) -> Dossier:
    """Everything that is asked of the target, through the gate. `gaps` are what the copy lacks already."""
    scope, at = wanted.scope, now()
    async with open_house(settings, choice, face="cli", progress=progress) as house:
        found = await review(house, wanted.domains, only=scope.only, skip=scope.skip, schemas=scope.schemas)
        proof = await prove(house, wanted.budget) if scope.proved else None
        if proof:
            proof = with_gaps(proof, gaps)
            found = with_proof(found, proof, settings.suppressions, at.date())
        else:
            not_examined = [*gaps, *found.coverage.not_examined]
            coverage = found.coverage.model_copy(update={"not_examined": not_examined})
            found = found.model_copy(update={"coverage": coverage})
        matrix = await _matrix(house, scope) if wanted.matrix else None
    return Dossier(found, at, proof=proof, matrix=matrix, scope=scope)


def with_gaps(proof: Proof, gaps: tuple[Gap, ...]) -> Proof:
    """A proof of a copy that lacked something from the start: NO is no answer then."""
    answer = Answer.NOT_EXAMINED if gaps and proof.answer is Answer.NO else proof.answer
    return proof.model_copy(update={"gaps": (*gaps, *proof.gaps), "answer": answer})


async def _matrix(house: House, scope: Scope) -> Matrix:
    from tools.rls.access_matrix import Matrix

    asked = {"schemas": list(scope.schemas)} if scope.schemas else {}
    return expect(await house.executor.call("access_matrix", asked), Matrix)


def _check(args: argparse.Namespace, domains: list[str]) -> None:
    """Refuse what would mislead: tests without a proof, and a baseline of part of the findings."""
    if args.migrations and (args.database_url or args.demo):
        raise InvalidInput("--migrations takes the place of a database.", hint="Leave out the other one.")
    if args.emit and not args.prove:
        raise InvalidInput("--emit writes tests from a proof.", hint="Add --prove.")
    if args.budget is not None and not args.prove:
        raise InvalidInput("--budget is the time of a proof.", hint="Add --prove.")
    if args.prove and "rls" not in domains:
        raise InvalidInput("--prove is about row level security.", hint="sergei review rls --prove")
    if args.write_baseline and (args.only or args.skip or args.schemas):
        raise InvalidInput(
            "A baseline is of all findings.", hint="Leave out --only, --skip and --schemas to write it."
        )


def _check_suppressions(settings: Settings) -> None:
    """A suppression of a rule that does not exist suppresses nothing, and nobody would notice."""
    names = [rule.name for rule in every_rule()]
    for one in settings.suppressions:
        if one.rule not in names:
            near = get_close_matches(one.rule, names, n=1)
            raise ConfigurationError(
                f"sergei.toml suppresses the rule {one.rule}, which does not exist.",
                hint=f"Did you mean {near[0]}?" if near else "`sergei rules` lists them.",
            )


def every_rule(*domains: str, proved: bool = True) -> tuple[Rule[Any], ...]:
    """What a review of these domains (or of any) can report: what a proof executed, then what rules read."""
    chosen = domains or tuple(DOMAINS)
    proofs = PROOF_RULES if proved and "rls" in chosen else ()
    return (*proofs, *(rule for domain in chosen for rule in rules_of(domain)))


def rules_of(domain: str) -> tuple[Rule[Any], ...]:
    """The rules of one domain, gravest first."""
    if domain == "render":
        from tools.render.rules import RULES as RENDER_RULES

        return RENDER_RULES
    from tools.rls.rules import RULES

    return RULES


def domains_of(words: list[str]) -> list[str]:
    """The named domains; the database's where none is named."""
    for word in words:
        if word not in DOMAINS:
            raise InvalidInput(
                f"There is nothing to review called {word!r}.", hint=f"Known: {', '.join(DOMAINS)}."
            )
    return list(dict.fromkeys(words)) or ["rls"]


async def review(
    house: House,
    domains: Sequence[str],
    *,
    only: Sequence[str],
    skip: Sequence[str],
    schemas: Sequence[str],
) -> Review:
    """The findings of the domains. With several, they become one report."""
    outcomes: list[Outcome] = []
    for name, own in _shares(domains, only, skip):
        within: dict[str, Any] = {"schemas": list(schemas)} if schemas and name == "rls" else {}
        outcomes.append(await house.executor.call(DOMAINS[name], own | within))
    return Review.together([expect(outcome, Review) for outcome in outcomes])


def _shares(
    domains: Sequence[str], only: Sequence[str], skip: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each domain is asked: its own rules. A name of none goes to the first, which refuses it."""
    names = {domain: {rule.name for rule in rules_of(domain)} for domain in domains}
    known = {name for several in names.values() for name in several}
    names[domains[0]] |= {name for name in (*only, *skip) if name not in known}
    for domain in domains:
        wanted = [name for name in only if name in names[domain]]
        if wanted or not only:
            yield domain, {"only": wanted, "skip": [name for name in skip if name in names[domain]]}


async def prove(house: House, budget: float | None) -> Proof:
    """The proof of the target, through the gate."""
    return proof_of(
        await house.executor.call("prove_isolation", {} if budget is None else {"budget": budget})
    )


def proof_of(outcome: Outcome) -> Proof:
    """The proof inside an outcome; its failure as the error it was."""
    from tools.registry import Result

    result = expect(outcome, Result)
    proof: object = getattr(result, "proof", result)
    if not isinstance(proof, Proof):
        raise RemoteError(f"{outcome.tool} did not return a proof.")
    return proof


def _compared(dossier: Dossier, known: Baseline, file: str) -> Dossier:
    """The report against a baseline, which this run may have looked for in part only."""
    scope = dossier.scope
    proven = {rule.name for rule in PROOF_RULES}
    names = {rule.name for rule in every_rule(*scope.domains)}

    def looked_for(one: Known) -> bool:
        if one.rule in proven:
            return scope.proved
        asked = (
            one.rule in names and (not scope.only or one.rule in scope.only) and one.rule not in scope.skip
        )
        return asked and (not scope.schemas or one.schema_ in scope.schemas)

    return replace(dossier, standing=baselines.compare(dossier.review, known, file, looked_for))


def _accept(dossier: Dossier, file: Path) -> int:
    baselines.write(file, dossier.review, dossier.at.date())
    found = len(dossier.review.findings)
    print(
        f"{found} finding{'' if found == 1 else 's'} accepted in {file}; later ones are new.", file=sys.stderr
    )
    return 0


def fails(dossier: Dossier, fail_on: str) -> bool:
    """Whether the report means exit code 1: a finding at the level, or a proof that is not whole."""
    if fail_on == "never":
        return False
    findings = dossier.shown
    return at_or_above(findings, fail_on) or any(finding.rule == INCOMPLETE for finding in findings)


def at_or_above(findings: Sequence[Finding], fail_on: str) -> bool:
    """Whether a finding reaches the level that fails."""
    if fail_on == "never":
        return False
    return any(finding.level.rank <= Level[fail_on.upper()].rank for finding in findings)


def emitted(dossier: Dossier, form: str) -> str:
    """The proof as regression tests."""
    from tools.rls.proof.emit import emit_pgtap, emit_pytest

    assert dossier.proof is not None  # _check refused --emit without --prove
    return emit_pgtap(dossier.proof) if form == "pgtap" else emit_pytest(dossier.proof)


def render(dossier: Dossier, form: str, paper: Paper) -> str:
    """The report in one of the formats, without a closing newline."""
    match form:
        case "json":
            return dossier_json(dossier)
        case "sarif":
            from agent.reports.sarif import dossier_sarif

            rules = every_rule(*dossier.scope.domains, proved=dossier.proof is not None)
            return dossier_sarif(dossier, rules)
        case "markdown":
            from agent.reports.markdown import dossier_markdown

            return dossier_markdown(dossier)
        case "html":
            from agent.reports.html import html

            return html(dossier).rstrip()
        case _:
            return dossier_text(dossier, paper)


def width() -> int:
    """Columns to write: the terminal's, but no more than reads well."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 110))
