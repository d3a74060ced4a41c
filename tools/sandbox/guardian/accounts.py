"""People who can sign in: accounts, staff, households."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime

from tools.sandbox.guardian.rows import FUTURE, START, TODAY, Account, Census, Row
from tools.sandbox.guardian.words import CITIES, FAMILY_NAMES, GIVEN_NAMES


def add_account(
    census: Census, family: str | None = None, *, staff_role: str | None = None, status: str = "active"
) -> Account:
    """A person with a sign-in, an e-mail address and a phone number of their own."""
    census.people += 1
    given = census.rng.choice(GIVEN_NAMES)
    family = family or census.rng.choice(FAMILY_NAMES)
    account = Account(census.new_id(), given, family, f"{given}.{family}.{census.people}@example.org".lower())
    phone = f"+9995{census.people:07d}"
    created = census.moment()
    app: Row = {"provider": "email", "providers": ["email"]}
    if staff_role:
        app["staff_role"] = staff_role
    census.add(
        "auth.users",
        id=account.id,
        aud="authenticated",
        role="authenticated",
        email=account.email,
        phone=phone,
        email_confirmed_at=created,
        raw_app_meta_data=json.dumps(app),
        raw_user_meta_data=json.dumps({"display_name": account.name}),
        created_at=created,
        updated_at=created,
        last_sign_in_at=TODAY,
    )
    census.add(
        "auth.identities",
        id=census.new_id(),
        provider_id=str(account.id),
        user_id=account.id,
        provider="email",
        identity_data=json.dumps({"sub": str(account.id), "email": account.email}),
        created_at=created,
        updated_at=created,
    )
    census.add(
        "public.accounts",
        id=account.id,
        display_name=account.name,
        email=account.email,
        phone=phone,
        region_code="IE",
        status=status,
        onboarded_at=created,
        created_at=created,
        updated_at=created,
    )
    census.add(
        "auth.sessions",
        id=census.new_id(),
        user_id=account.id,
        aal="aal2" if staff_role else "aal1",
        user_agent="synthetic",
        refreshed_at=TODAY.replace(tzinfo=None),
        created_at=created,
        updated_at=TODAY,
    )
    _belongings(census, account, created)
    return account


def _belongings(census: Census, account: Account, created: datetime) -> None:
    census.add(
        "public.devices",
        id=census.new_id(),
        account_id=account.id,
        platform=census.rng.choice(("ios", "android", "web")),
        push_token=f"push-{census.new_id().hex}",
        last_seen_at=TODAY,
        created_at=created,
    )
    census.add(
        "public.notification_preferences",
        account_id=account.id,
        channel="push",
        topic="timeline",
        updated_at=created,
    )
    census.add(
        "public.subscriptions",
        id=census.new_id(),
        account_id=account.id,
        plan_code=census.rng.choice(("free", "family")),
        status="active",
        current_period_end=FUTURE,
        created_at=created,
        updated_at=created,
    )
    census.add(
        "public.usage_counters",
        account_id=account.id,
        metric="storage_bytes",
        period_start=date(2026, 10, 1),
        amount=census.rng.randrange(10**9),
    )


def add_staff(census: Census, role: str, *, is_active: bool = True) -> Account:
    """An employee with a second factor; inactive ones still carry the role in their token."""
    account = add_account(census, staff_role=role)
    census.add(
        "public.staff_members", account_id=account.id, role=role, is_active=is_active, granted_at=START
    )
    census.add(
        "auth.mfa_factors",
        id=census.new_id(),
        user_id=account.id,
        factor_type="totp",
        status="verified",
        created_at=START,
        updated_at=START,
    )
    return account


def add_household(census: Census, founder: Account, *members: Account) -> uuid.UUID:
    """A household with its founder as admin."""
    household = census.new_id()
    created = census.moment()
    census.add(
        "public.households",
        id=household,
        name=f"{founder.family} home",
        created_by=founder.id,
        city=census.rng.choice(CITIES),
        created_at=created,
        updated_at=created,
    )
    for account in (founder, *members):
        census.add(
            "public.household_members",
            household_id=household,
            account_id=account.id,
            joined_at=created,
            role="admin" if account is founder else "member",
            status="active",
        )
    return household
