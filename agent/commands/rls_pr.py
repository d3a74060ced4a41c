"""`sergei rls pr`: one verdict on a change: what is new in the head side, and who can do more than before."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.progress import progress_line
from agent.commands.side import Applied, applied
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from agent.settings import Settings
from tools.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from agent.reports.pull_request import Pull
    from tools.review import Gap, Review
    from tools.rls.proof.verdict import Proof
    from tools.rls.snapshot import Snapshot

_EPILOG: Final = """\
a side is one of:
  target                the connected database (--database-url, --demo, sergei.toml)
  demo                  the Guardian demo
  postgresql://...      another database
  FILE.json             a snapshot that `sergei rls diff --save` wrote
  FOLDER, REV:FOLDER    SQL migrations, as they lie there or at a git revision; or a dump FILE.sql

examples:
  sergei rls pr --base main:supabase/migrations --head supabase/migrations --prove
  sergei rls pr --base before.json --comment comment.md --sarif rls.sarif
  sergei rls pr --print-workflow > .github/workflows/rls.yml

exit codes: 0 nothing new and nothing wider, 1 a new finding at --fail-on or wider access, 2 usage,
3 could not run"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("--base", metavar="SIDE", help="the state before")
    parser.add_argument(
        "--head", metavar="SIDE", default="target", help="the state after (default: the connected database)"
    )
    add_target(parser)
    parser.add_argument("--prove", action="store_true", help="attack a scratch copy of the head side as well")
    parser.add_argument(
        "--fail-on",
        choices=("error", "warn", "info", "never"),
        default="error",
        help="the level from which new findings mean exit code 1 (default: error)",
    )
    parser.add_argument(
        "--allow-wider", action="store_true", help="a person looked: wider access does not fail"
    )
    parser.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    parser.add_argument("--output", metavar="FILE", help="write the verdict to a file (- is the terminal)")
    parser.add_argument("--comment", metavar="FILE", help="also write Markdown for the pull request")
    parser.add_argument("--sarif", metavar="FILE", help="also write SARIF 2.1.0 for code scanning")
    parser.add_argument(
        "--print-workflow", action="store_true", help="print a GitHub workflow file, ready to copy"
    )


@dataclass(frozen=True, slots=True)
class Place:
    """One side before it is read: a database, a scratch copy, or a snapshot that was saved."""

    label: str
    choice: Choice | None = None
    snapshot: Snapshot | None = None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """One side: its snapshot, what the rules say of it, and where it can be attacked."""

    place: Place
    snapshot: Snapshot
    review: Review


def run(args: argparse.Namespace) -> int:
    """Exit 1 when the change fails."""
    if args.print_workflow:
        from agent.reports.pull_request import workflow

        print(workflow(), end="")
        return 0
    if not args.base:
        raise InvalidInput("Which state was before?", hint="--base SIDE; `sergei rls pr --help` lists them.")
    output = writable(args.output)
    comment, sarif = writable(args.comment, "--comment"), writable(args.sarif, "--sarif")
    settings = settings_module.load()
    with ExitStack() as stack:
        progress = stack.enter_context(progress_line())
        chosen = Choice(args.database_url, args.demo)
        words = (args.base, args.head)
        places = [_place(settings, word, words, chosen, stack, progress) for word in words]
        pull = _judge(settings, places[0], places[1], args, progress)
    _write(pull, comment, sarif)
    deliver(_render(pull, args.format, settings, plain=output is not None), output, pull.verdict())
    return 1 if pull.fails else 0


def _is_sql(word: str) -> bool:
    """Whether a side is migrations or a dump."""
    return word not in ("target", "demo") and "://" not in word and not word.endswith(".json")


def _place(
    settings: Settings,
    word: str,
    both: tuple[str, str],
    chosen: Choice,
    stack: ExitStack,
    progress: Callable[[str], None],
) -> Place:
    """One side from its words. Raises NotFound or InvalidInput for what is none."""
    if word == "target":
        return Place(word, chosen)
    if word == "demo":
        return Place(word, Choice(demo=True))
    if "://" in word:
        return Place("", Choice(word))
    if word.endswith(".json"):
        return _saved(Path(word))
    beside = [one for one in both if _is_sql(one)]
    side: Applied = stack.enter_context(applied(settings, word, progress, beside=beside))
    return Place(side.label, Choice(side.dsn), gaps=side.gaps)


def _saved(path: Path) -> Place:
    from tools.rls.saving import load

    try:
        saved = load(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise NotFound(
            f"There is no snapshot {path}.", hint="sergei rls diff --save FILE writes one."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{path} cannot be read as UTF-8 text.") from None
    return Place(f"{saved.target} of {saved.taken[:16].replace('T', ' ')}", snapshot=saved.snapshot)


def _judge(
    settings: Settings, base: Place, head: Place, args: argparse.Namespace, progress: Callable[[str], None]
) -> Pull:
    from agent.reports.dossier import Dossier, Scope, now
    from agent.reports.pull_request import judged
    from tools.rls.diffing.difference import difference
    from tools.rls.proof.findings import with_proof

    if args.prove and head.choice is None:
        raise InvalidInput(
            "A saved snapshot cannot be attacked.", hint="Leave out --prove, or name a database."
        )
    progress("reading both sides ...")
    before, after = _read(settings, base), _read(settings, head)
    proof = _proof(settings, after.place, progress) if args.prove else None
    at, known, found = now(), before.review, after.review
    if proof:
        found = with_proof(found, proof, settings.suppressions, at.date())
        if (proof.leaks or proof.denied or proof.gaps) and before.place.choice:
            # Only what the change brought is its fault: the base side is attacked as well.
            old = _proof(settings, before.place, progress)
            known = with_proof(known, old, settings.suppressions, at.date())
    change = difference(before.snapshot, after.snapshot, before.place.label, after.place.label)
    dossier = Dossier(found, at, proof=proof, scope=Scope(proved=args.prove))
    return judged(dossier, known, change, fail_on=args.fail_on, allow_wider=args.allow_wider)


def _read(settings: Settings, place: Place) -> Read:
    """The snapshot of a side, and the findings in it."""
    from agent.reports.dossier import now
    from tools.rls.review import findings_of, review
    from tools.rls.rules import RULES

    label, snapshot = place.label, place.snapshot
    if snapshot is None:
        assert place.choice is not None  # a place is a database or a snapshot
        target, snapshot = asyncio.run(_snapshot(settings, place.choice))
        label = label if label not in ("", "target", "demo") else target
    found = review(label, snapshot, findings_of(snapshot), settings.suppressions, RULES, now().date())
    told = found.coverage.model_copy(update={"not_examined": [*place.gaps, *found.coverage.not_examined]})
    named = Place(label, place.choice, place.snapshot, place.gaps)
    return Read(named, snapshot, found.model_copy(update={"coverage": told}))


async def _snapshot(settings: Settings, choice: Choice) -> tuple[str, Snapshot]:
    """A side read, through the gate."""
    from tools.rls.diff_access import read_side
    from tools.rls.diffing.sides import Side

    async with open_house(settings, choice, face="cli", tools={read_side.name: read_side}) as house:
        side = expect(await house.executor.call(read_side.name, {}), Side)
        return side.name, side.snapshot


def _proof(settings: Settings, place: Place, progress: Callable[[str], None]) -> Proof:
    """A side attacked, through the gate."""
    from agent.commands.review import prove, with_gaps

    async def go() -> Proof:
        assert place.choice is not None  # _judge asked
        async with open_house(settings, place.choice, face="cli", progress=progress) as house:
            return await prove(house, None)

    return with_gaps(asyncio.run(go()), place.gaps).model_copy(update={"target": place.label})


def _write(pull: Pull, comment: Path | None, sarif: Path | None) -> None:
    """The files that a build hands on."""
    if comment:
        from agent.reports import pull_request

        deliver(pull_request.comment(pull), comment, "Comment.")
    if sarif:
        from agent.commands.review import every_rule
        from agent.reports.sarif import dossier_sarif

        deliver(dossier_sarif(pull.dossier, every_rule("rls")), sarif, "SARIF.")


def _render(pull: Pull, form: str, settings: Settings, *, plain: bool) -> str:
    from agent.commands.review import width
    from agent.reports import pull_request
    from agent.reports.text import Paper

    match form:
        case "markdown":
            return pull_request.comment(pull)
        case "json":
            return pull_request.document(pull)
        case _:
            colour = not plain and sys.stdout.isatty() and settings.color
            return pull_request.text(pull, Paper(width(), colour))
