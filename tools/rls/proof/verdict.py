"""What a proof says: leaks with the statements that show them, denials, what was covered and what was not."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.findings import Level
from tools.review import Gap


class Answer(StrEnum):
    """Can anyone reach, or write into, a record that was not opened to them?"""

    YES = "YES"
    NO = "NO"
    NOT_EXAMINED = "NOT EXAMINED"


class Kind(StrEnum):
    """What an attack achieved, or what was wrongly refused."""

    READ = "read"
    WRITE = "write"
    ESCALATION = "escalation"
    CALL = "call"
    DENIED = "denied"
    ORACLE = "oracle"


class Leak(BaseModel):
    """One thing that happened in the scratch database and should not have (or should have and did not).

    `object` is where to mend it, named as findings name theirs: `policy x on public.t`,
    `private.readable_profiles()`, `public.t`. `relations` are all relations reached through the same cause.
    `replay` is a whole script: seed rows, role, claims, statements, rollback. `actor` says who did it.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    level: Level
    object: str
    sentence: str
    actor: str
    command: str
    relations: tuple[str, ...]
    policy: str = ""
    function: str = ""
    replay: str = ""
    seed: tuple[str, ...] = Field(
        default=(), description="Statements that make the rows, run by the owner of the scratch database."
    )
    acting: tuple[str, ...] = Field(
        default=(), description="Statements that turn the session into the actor: role and claims, LOCAL."
    )
    attack: tuple[str, ...] = Field(
        default=(),
        description=(
            "What the actor does, in order. The last statement is the one that reaches the record and "
            "nothing else: it names the row. Those before it are permitted writes; a switch of role may "
            "stand among them."
        ),
    )
    expect: Literal["rows", "value", "witness"] = Field(
        default="rows",
        description=(
            "How success shows. rows: the last statement returns or changes at least one row. value: its "
            "first column is neither null nor false (a function called). witness: the witness returns a row."
        ),
    )
    witness: str = Field(
        default="",
        description="A query for the owner of the scratch database, after the attack: it sees the harm done.",
    )
    times: int = Field(default=1, description="How many probes showed the same cause.")


class Condition(BaseModel):
    """One atomic condition of a policy or helper: whether it decided an outcome both ways."""

    model_config = ConfigDict(frozen=True)

    where: str
    text: str
    decided_true: bool
    decided_false: bool
    unmeasured: str = Field(default="", description="Why it could not be measured; empty where it was.")


class Proof(BaseModel):
    """The verdict on one schema. `answer` is YES when a leak was executed, NO when everything was examined
    and none was, NOT EXAMINED otherwise. `gaps` are what could not be examined, and why."""

    model_config = ConfigDict(frozen=True)

    target: str
    answer: Answer
    leaks: tuple[Leak, ...]
    denied: tuple[Leak, ...]
    notes: tuple[Leak, ...]
    gaps: tuple[Gap, ...]
    conditions: tuple[Condition, ...]
    model: tuple[str, ...]
    doubts: tuple[str, ...]
    examined: tuple[str, ...]
    actors: tuple[str, ...]
    probes: int
    seed: int
    seconds: float
    world: Literal["complete", "out of time"] = "complete"
    inputs: str = Field(default="", description="SHA-256 over the schema and the model: what was proven.")
