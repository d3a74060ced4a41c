"""A member of the workspace signs in with a password alone.

What it finds
    Active members whose account has no second factor.

Why it matters
    One stolen password opens the workspace: its secrets, its logs, its databases' addresses. HIPAA asks that
    people prove who they are (164.312(d)).

Fix
    Ask the member to switch it on, or require it for the whole workspace.

When to ignore
    Members who sign in through an identity provider that asks for the second factor.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import at_workspace


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per member."""
    for member in inventory.members:
        if member.mfa_enabled is False and member.status in ("active", ""):
            role = member.role.lower() or "member"
            yield at_workspace(
                "member_without_mfa",
                Level.WARN,
                f"member {member.user_id}",
                f"{member.name or member.user_id} ({role}) has no second factor.",
                evidence=f"Render's API: mfaEnabled false, role {role}",
                fix="Switch it on in Account Settings, or require it in the workspace's settings.",
                rank=40 if role in ("admin", "owner") else 49,
            )


RULE = Rule(
    name="member_without_mfa",
    title="A member of the workspace signs in with a password alone",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
