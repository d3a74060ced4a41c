"""What an explanation says of one command: the sum of the policies' values, as PostgreSQL forms it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from tools.rls.matrix.access import Access, Extent


class PolicyAnswer(BaseModel):
    """One policy: what its condition was for this row and caller, and the tree of its parts as lines."""

    model_config = ConfigDict(frozen=True)

    title: str
    permissive: bool
    value: str
    lines: tuple[str, ...] = Field(default=())


class CommandAnswer(BaseModel):
    """`verdict` is yes, no or not known."""

    model_config = ConfigDict(frozen=True)

    command: str
    verdict: str
    why: str
    policies: tuple[PolicyAnswer, ...] = ()


def summed(command: str, access: Access, policies: Sequence[PolicyAnswer]) -> CommandAnswer:
    """Permissive policies are OR-ed, restrictive ones AND-ed to them; NULL does not let through."""
    if access.extent is Extent.NONE:
        return CommandAnswer(command=command, verdict="no", why=f"No privilege: {access.why}.")
    if not policies:
        if access.extent is Extent.EVERY:
            return CommandAnswer(
                command=command, verdict="yes", why=f"Row level security does not decide: {access.why}."
            )
        if access.extent is Extent.DENIED:
            return CommandAnswer(
                command=command, verdict="no", why=f"{access.why[:1].upper()}{access.why[1:]}."
            )
        return CommandAnswer(command=command, verdict="not known", why=f"{access.why}.")
    opening = [policy for policy in policies if policy.permissive]
    limits = [policy for policy in policies if not policy.permissive]
    failed = [policy for policy in policies if policy.value not in ("true", "false", "null")]
    through = [policy for policy in opening if policy.value == "true"]
    stopped = [policy for policy in limits if policy.value in ("false", "null")]
    verdict, why = "no", "No permissive policy is true"
    if stopped:
        why = f"{_first(stopped[0])} is {stopped[0].value}"
    elif through and all(policy.value == "true" for policy in limits):
        verdict, why = "yes", f"{_first(through[0])} is true"
    if failed and not stopped and verdict == "no":
        verdict, why = (
            "not known",
            f"{_first(failed[0])} was not evaluated: {failed[0].value}",
        )
    columns = f"; the privilege covers only {', '.join(access.columns)}" if access.columns else ""
    notes = "".join(f"; {note}" for note in access.notes)
    return CommandAnswer(
        command=command, verdict=verdict, why=f"{why}{columns}{notes}.", policies=tuple(policies)
    )


def _first(policy: PolicyAnswer) -> str:
    """The policy at the beginning of a sentence."""
    return policy.title[:1].upper() + policy.title[1:]
