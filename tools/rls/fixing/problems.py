"""What is to be mended: findings and executed leaks, gathered by the object where they are mended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tools.findings import Finding, Level
from tools.rls.objects import Function, Policy, Relation
from tools.rls.proof.verdict import Leak
from tools.rls.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Problem:
    """One object with everything that was found or executed there. `commands` are those that leaked."""

    object: str
    findings: tuple[Finding, ...] = ()
    leaks: tuple[Leak, ...] = ()

    @property
    def commands(self) -> frozenset[str]:
        """SELECT, INSERT, UPDATE, DELETE, CALL, as the leaks say."""
        return frozenset(leak.command for leak in self.leaks)

    @property
    def sentence(self) -> str:
        """What is wrong: what was executed where there is that, else what the rule says."""
        return self.leaks[0].sentence if self.leaks else self.findings[0].message

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules that found it."""
        return tuple(dict.fromkeys(finding.rule for finding in self.findings))


def leak_key(leak: Leak) -> tuple[str, str, str]:
    """What makes two leaks the same one before and after a change."""
    return (leak.kind, leak.object, leak.command)


def gathered(findings: Iterable[Finding], leaks: Iterable[Leak]) -> list[Problem]:
    """One problem per object, gravest first. Findings below ERROR need no fix to be proven."""
    objects: dict[str, tuple[list[Finding], list[Leak]]] = {}
    for leak in leaks:
        objects.setdefault(leak.object, ([], []))[1].append(leak)
    for finding in findings:
        if finding.level is Level.ERROR:
            objects.setdefault(finding.object, ([], []))[0].append(finding)
    return [Problem(name, tuple(found), tuple(several)) for name, (found, several) in objects.items()]


def policy_named(snapshot: Snapshot, title: str) -> tuple[Relation, Policy] | None:
    """The policy whose title (`policy x on public.t`) this is."""
    for policy in snapshot.policies:
        if policy.title == title:
            return snapshot.relations[policy.relation], policy
    return None


def function_named(snapshot: Snapshot, title: str) -> Function | None:
    """The function whose title (`schema.name(types)`) this is."""
    return next((function for function in snapshot.functions if function.title == title), None)
