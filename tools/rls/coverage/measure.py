"""The tools behind `sergei rls coverage`: start, read and stop the counting of policies in a test database.

They are not in the catalogue: a test run is a matter of a command line. Like every change, starting and
stopping run through the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict

from tools.errors import Conflict, NotFound, Refused, SergeiError
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources
from tools.rls.coverage.instrument import (
    CLAUSES,
    POLICIES,
    STANDING,
    Clause,
    Return,
    clauses,
    returning,
    script,
    starting,
    stopping,
)  # fmt: skip

if TYPE_CHECKING:
    from tools.database.connection import Database, Session

COMMANDS: Final = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
State = Literal["never", "only true", "only false", "both"]


class NoArguments(Params):
    """These tools take the connected database and nothing else."""


class Clauses(BaseModel):
    """One clause of a policy and how often it came out true and false."""

    model_config = ConfigDict(frozen=True)

    relation: str
    policy: str
    command: str
    clause: Literal["using", "check"]
    true: int
    false: int

    @property
    def state(self) -> State:
        """What the tests saw of it."""
        if not self.true and not self.false:
            return "never"
        return "both" if self.true and self.false else "only true" if self.true else "only false"


class ScriptCoverage(Params):
    """Arguments of script_coverage."""

    step: Literal["start", "stop"]


class Script(Result):
    """A change as a file for psql."""

    target: str
    text: str

    def redacted(self, redactor: Redactor) -> Self:
        """As it is, or psql could not run it: policies' own texts."""
        return self


class PolicyCoverage(Result):
    """What was counted since the start. A policy of two clauses is two entries."""

    target: str
    clauses: tuple[Clauses, ...]
    gone: int
    sessions: int
    """Sessions of others that are open now: what they did last may not be counted for ten seconds."""

    @property
    def policies(self) -> int:
        """How many policies are counted."""
        return len({(one.relation, one.policy) for one in self.clauses})

    @property
    def exercised(self) -> int:
        """How many policies decided anything."""
        return len({(one.relation, one.policy) for one in self.clauses if one.state != "never"})

    @property
    def percent(self) -> float:
        """The share of policies that decided anything; 100 where there are none."""
        return 100.0 * self.exercised / self.policies if self.policies else 100.0


class Measured(Result):
    """What starting or stopping did."""

    target: str
    clauses: int
    left: tuple[str, ...] = ()


async def _starting(database: Database) -> list[Clause]:
    """What will be wrapped. Raises Refused for a target that is not known to be for tests."""
    environment = database.target.environment
    if environment == "production" or (environment == "unknown" and not database.target.local):
        raise Refused(
            f"Policies of {database.target.label} are not changed to count.",
            hint='Measure on a test database: [target] environment = "development" or "staging".',
        )
    standing, rows = await database.fetch_many([(STANDING, None), (POLICIES, None)])
    if standing[0]["started"]:
        raise Conflict("The policies are being counted already.", hint="sergei rls coverage report, or stop.")
    if not standing[0]["super"]:
        raise Refused(
            f"The login {database.target.user} cannot make functions that count.",
            hint="Connect to the test database as a superuser (a local Supabase has supabase_admin).",
        )
    found = clauses(rows)
    if not found:
        raise NotFound(f"There is no policy in {database.target.label}.")
    return found


async def read_clauses(database: Database) -> list[dict[str, Any]]:
    """The clauses and their counts. Raises NotFound when nothing is being counted."""
    (standing,) = await database.fetch(STANDING)
    if not standing["started"]:
        raise NotFound(
            "Nothing is being counted here.", hint="sergei rls coverage start, then run the tests."
        )
    return await database.fetch(CLAUSES)


def _way_back(rows: list[dict[str, Any]]) -> Return:
    back = returning(rows)
    if back.mixed:
        raise Conflict(
            f"{', '.join(back.mixed)} was changed while it was counted and still calls our functions.",
            hint="Give it the text that it should have, then stop again.",
        )
    return back


async def _preview_start(params: NoArguments, resources: Resources) -> Preview:
    database = resources.database
    found = await _starting(database)
    tables = sorted({f"{clause.schema}.{clause.relation}" for clause in found})
    return Preview(
        action=script(starting(found)),
        target=database.target.label,
        touches=(
            f"{len(found)} policy clauses of {len(tables)} tables (ACCESS EXCLUSIVE, an instant)",
            *tables,
        ),
        consequence="Policies decide as before, but without indexes on their conditions, and count how.",
        undo="sergei rls coverage stop",
        evidence=await _rehearse(database, list(starting(found))) if resources.dry_runs else "",
    )


async def _preview_stop(params: NoArguments, resources: Resources) -> Preview:
    database = resources.database
    back = _way_back(await read_clauses(database))
    return Preview(
        action=script(stopping(back)),
        target=database.target.label,
        touches=(f"{len(back.restored)} policy clauses get their own text back",),
        consequence="The counts are gone: report first.",
        undo="sergei rls coverage start",
    )


@tool(Effect.WRITE, preview=_preview_start)
async def start_coverage(params: NoArguments, resources: Resources) -> Measured:
    """Make every policy of a test database count how often it decides true and false.

    Only `sergei rls coverage` calls it.
    """
    database = resources.database
    found = await _starting(database)
    async with database.session(read_only=False) as session:
        await _run(session, list(starting(found)))
    return Measured(target=database.target.label, clauses=len(found))


@tool(Effect.READ)
async def script_coverage(params: ScriptCoverage, resources: Resources) -> Script:
    """Write the change that starts or stops the counting as SQL; nothing is changed.

    Only `sergei rls coverage` calls it.
    """
    database = resources.database
    if params.step == "start":
        statements = starting(await _starting(database))
    else:
        statements = stopping(_way_back(await read_clauses(database)))
    return Script(target=database.target.label, text=script(statements))


@tool(Effect.READ)
async def report_coverage(params: NoArguments, resources: Resources) -> PolicyCoverage:
    """Say which policies decided since the start, and which way.

    Only `sergei rls coverage` calls it.
    """
    (standing,) = await resources.database.fetch(STANDING)
    rows = await read_clauses(resources.database)
    return PolicyCoverage(
        target=resources.database.target.label,
        clauses=tuple(
            Clauses(
                relation=f"{row['schema']}.{row['relation']}",
                policy=row["policy"],
                command=COMMANDS[row["command"]],
                clause=row["clause"],
                true=row["trues"],
                false=row["falses"],
            )
            for row in rows
            if row["policy"] is not None
        ),
        gone=sum(row["policy"] is None for row in rows),
        sessions=standing["sessions"],
    )


@tool(Effect.WRITE, preview=_preview_stop)
async def stop_coverage(params: NoArguments, resources: Resources) -> Measured:
    """Put every policy back word for word and remove what counted.

    Only `sergei rls coverage` calls it.
    """
    database = resources.database
    back = _way_back(await read_clauses(database))
    async with database.session(read_only=False) as session:
        await _run(session, list(stopping(back)))
        await _require_exact(session, back)
    return Measured(target=database.target.label, clauses=len(back.restored), left=back.changed)


async def _require_exact(session: Session, back: Return) -> None:
    """Raise Conflict, which undoes everything, unless each clause reads as it did before the start."""
    now = {
        (clause.schema, clause.relation, clause.policy, clause.kind): clause.text
        for clause in clauses(await session.fetch(POLICIES))
    }
    for one in back.restored:
        if now.get((one.schema, one.relation, one.policy, one.kind)) != one.text:
            raise Conflict(f"Policy {one.policy} on {one.schema}.{one.relation} would not be as it was.")


async def _rehearse(database: Database, statements: list[str]) -> str:
    try:
        async with database.session(read_only=False, keep=False) as session:
            await _run(session, statements)
    except SergeiError as error:
        return f"The dry run FAILED: {error}"
    return f"Dry run (rolled back): all {len(statements)} statements work."


async def _run(session: Session, statements: list[str]) -> None:
    for statement in statements:
        await session.plain(statement, utility=True)


TOOLS: Final = (start_coverage, report_coverage, stop_coverage, script_coverage)
"""What `sergei rls coverage` offers to the gate."""
