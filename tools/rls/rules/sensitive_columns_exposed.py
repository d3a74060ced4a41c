"""A column with a secret is readable by everybody.

What it finds
    Columns whose name speaks of a secret or a number that identifies a person (password, secret, token,
    api_key, invite_code, ssn, card_number, ...) in a relation that anon, or anybody signed in, can read
    without being the owner: a SELECT policy that compares no identity, on a table that is otherwise
    reference data. Hashes of secrets count.

Why it matters
    SELECT on a table is SELECT on all of its columns. A key that was added to a public price list is public.

Fix
    Move the column to a table of its own for service_role, or grant SELECT column by column.

When to ignore
    A name that only sounds like a secret, such as token_count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import listed, on_table, personal, quoted, rank, table_name

_SECRET = re.compile(
    r"(^|_)(passwords?|passwd|pwd|passphrase|secrets?|api_?keys?|access_?keys?|(private|secret|auth|signing|pgp|ssh|"
    r"license|activation|session)_?key|tokens?|jwt|otp|totp|mfa_secret|pin_code|session_id|"
    r"(invite|invitation|join|access|share|auth|recovery|backup|verification|2fa|mfa)_codes?|"
    r"ssn|social_security(_number)?|national_id|passport_(number|id)|drivers?_licen[cs]e|tax_id|"
    r"(insurance|account|routing|card)_number|credit_card|bank_account|cvv|cvc|cvn|iban|imei|mac_address)"
    r"(_(hash|sha256|md5|bcrypt))?$"
)


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table."""
    for table in snapshot.tables:
        if not table.rls or personal(snapshot, table):
            continue
        secret = [name for name in table.columns if _SECRET.search(name)]
        readers = _readers(snapshot, table) if secret else []
        named = [c for c in secret if any(_reads(snapshot, role, table, c) for role in readers)]
        if named:
            kept = [quoted(name) for name in table.columns if name not in named]
            roles = ", ".join(quoted(role) for role in readers)
            yield on_table(
                "sensitive_columns_exposed", Level.ERROR, table,
                f"{listed(readers)} can read {listed(named)} of {table.title} in every row that its"
                " policies show to all.",
                evidence="; ".join(p.name for p in table.policies if p.permissive and p.covers("SELECT")),
                fix=f"revoke select on {table_name(table)} from {roles};\n"  # noqa: S608  a suggestion for people, never executed here
                f"grant select ({', '.join(kept)}) on {table_name(table)} to {roles};",
                rank=rank(snapshot, table, readers),
            )  # fmt: skip


def _readers(snapshot: Snapshot, table: Relation) -> list[str]:
    """Callers that some SELECT policy lets through without asking who they are."""
    found: set[str] = set()
    for policy in table.policies:
        facts = policy.using
        if policy.permissive and policy.covers("SELECT") and facts and not reach(snapshot).identifies(facts):
            found.update(snapshot.addressed(policy))
    return [name for name in snapshot.exposure(table) if name in found]


def _reads(snapshot: Snapshot, role: str, table: Relation, column: str) -> bool:
    return snapshot.may_column(snapshot.roles[role], table, column, "SELECT")


RULE = Rule(
    name="sensitive_columns_exposed",
    title="A column with a secret is readable by everybody",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
