"""Callers set what they owe, or what they are worth.

What it finds
    Own rows that callers may write with a column for money or standing in them: a balance or credits,
    is_verified, is_premium, a plan, a role that may be admin on the own account; the price, total or payment
    state of an order, booking or invoice. Columns that the policy says something about, that a trigger
    guards, or that callers hold no privilege for are left out, and so are prices of things that people sell.

Why it matters
    Requests come from the client, and a client can say anything: an order for nothing, a thousand credits,
    a badge.

Fix
    Take the column out of the privileges (grant insert (product_id, quantity) on ...) and let a procedure
    or trigger work it out.

When to ignore
    A column that a service overwrites before anybody relies on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import is_account
from tools.rls.guards import guarded
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.trust import trusts
from tools.rls.wording import listed, on_policy, quoted, signed_in, table_name

_STANDING = re.compile(
    r"^((wallet_|account_|current_|coin_|token_)?balance|credits?|coins|credit_limit|is_paid|paid_at|payment_status|"
    r"is_premium|premium_until|is_pro|subscription_(status|tier|plan)|is_(verified|admin|staff|moderator|banned)|"
    r"banned_(at|until))$"
)
_ROLE = re.compile(r"^((system|app|platform|site|global|user|account)_)?role$")
_STAFF = frozenset({"admin", "administrator", "superadmin", "super_admin", "moderator", "staff", "superuser"})
_PRICE = re.compile(
    r"^((unit_|sub|grand_)?(total|price)(_amount|_price|_cents)?|amount(_paid|_due|_cents)?|discount)$"
)
_SALE = re.compile(
    r"(^|_)(orders?|order_(items?|lines?)|bookings?|invoices?|payments?|purchases?|checkouts?)$"
)


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    deciding = {place for trust in trusts(snapshot) for place in trust.tests}  # policy_trusts_writable_rows
    for relation in snapshot.tables:
        named = {name for name in relation.columns if _STANDING.search(name)}
        named |= {
            name for name, column in relation.columns.items()
            if _ROLE.search(name) and _STAFF & set(column.values) and (relation.title, name) not in deciding
        }  # fmt: skip
        named |= {name for name in relation.columns if _SALE.search(relation.name) and _PRICE.search(name)}
        for policy in relation.policies if relation.rls and named else ():
            columns = _settable(snapshot, reached, relation, policy, named)
            if columns:
                roles = listed(quoted(name) for name in signed_in(snapshot.addressed(policy)))
                yield on_policy(
                    "policy_column_client_set", Level.WARN, relation, policy,
                    f"Policy {policy.name} lets {roles} set {listed(columns)} of their own rows in"
                    f" {relation.title} to anything.",
                    fix=_granted(relation, policy, columns, roles),
                    rank=31,
                )  # fmt: skip


def _settable(
    snapshot: Snapshot, reached: Reach, relation: Relation, policy: Policy, named: set[str]
) -> list[str]:
    new_row = policy.new_row
    if not policy.permissive or new_row is None:
        return []
    mine = {column.name for column, _ in identity_columns(new_row)}
    if not any(is_account(snapshot, relation, name) or name in ("id", "user_id") for name in mine):
        return []
    callers = [snapshot.roles[name] for name in signed_in(snapshot.addressed(policy))]
    kept = {column.name for column in new_row.columns}
    found: set[str] = set()
    for command in ("INSERT", "UPDATE"):
        free = named - kept - guarded(reached, relation, command) if policy.covers(command) else set[str]()
        found |= {
            name for name in free
            if any(snapshot.may_column(role, relation, name, command) for role in callers)
        }  # fmt: skip
    return sorted(found)


def _granted(relation: Relation, policy: Policy, columns: list[str], roles: str) -> str:
    """Privileges on the other columns, in place of those on the table."""
    rest = ", ".join(quoted(name) for name in relation.columns if name not in columns)
    commands = [c for c in ("INSERT", "UPDATE") if policy.covers(c)]
    lines = [f"revoke {', '.join(c.lower() for c in commands)} on {table_name(relation)} from {roles};"]
    lines += [f"grant {c.lower()} ({rest}) on {table_name(relation)} to {roles};" for c in commands]
    return "\n".join(lines).replace(" and ", ", ")


RULE = Rule(
    name="policy_column_client_set",
    title="Callers set what they owe, or what they are worth",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
