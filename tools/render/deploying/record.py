"""What came of a deploy, for the memory bank: one entry for each service, one outcome for each deploy.

Names of services, ids, figures and verdicts only. The bank looks at the text once more before it keeps it.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from memory import BankUnavailable, Draft, MemoryBankError, Source

if TYPE_CHECKING:
    from tools.render.deploying.session import Session

_OUTCOMES: Final[dict[str, Literal["worked", "failed", "partly"]]] = {
    "live_verified": "worked", "live_inconclusive": "partly", "regressed_rolled_back": "failed",
    "regressed_waiting": "failed", "failed_build": "failed", "failed_pre_deploy": "failed",
    "failed_update": "failed", "back_verified": "worked", "back_inconclusive": "partly",
    "no_better": "failed",
}  # fmt: skip
_DEPLOYED: Final = (
    "deploy_service: preflight, a pinned commit, health checks from outside and a bake whose figures are"
    " compared with the quarter of an hour before."
)
_RETURNED: Final = (
    "rollback_service: autodeploy turned off first, then back to the earlier release, followed and verified."
)
_ACTIONS: Final = {
    "deploy_service": ("Deploys of {name} on Render", _DEPLOYED),
    "rollback_service": ("Rollbacks of {name} on Render", _RETURNED),
}


async def record(session: Session, tool: str, verdict: str, said: str, figures: str) -> str:
    """Keep it, and say where; '' where there is no bank, a reason where it was not kept."""
    bank, outcome = session.resources.bank_or_none, _OUTCOMES.get(verdict)
    if bank is None or outcome is None or bank.writable is None:
        return ""
    service, journal = session.service, session.journal
    details = service.service_details
    title, action = _ACTIONS[tool]
    deploy = journal.rollback or journal.deploy
    result = f"{deploy}: {verdict}. {said} {figures}".strip()
    draft = Draft(
        title=title.format(name=service.name),
        category="deployment-patterns",
        context=f"{service.type}, plan {details.plan or 'unknown'}, {details.region or 'unknown region'}.",
        action=action,
        result=result,
        outcome=outcome,
        tags=("render", "deploy"),
        applies_to={"service": (service.name,)},
        confidence="high" if verdict in {"live_verified", "back_verified"} else "medium",
        ref=deploy,
    )
    digest = sha256(journal.model_dump_json().encode()).hexdigest()[:16]
    source = Source(f"{tool} {deploy}, approved by a person", "tool", f"sha256:{digest}")
    try:
        saved = await asyncio.to_thread(bank.add, draft, source=source, now=session.now())
    except (MemoryBankError, BankUnavailable) as error:
        return f"Not kept in the memory bank: {error}"
    return f"Kept in the memory bank: {saved.entry.id} ({saved.entry.category})."
