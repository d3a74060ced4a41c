"""Providers and their access, in every state."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal

from tools.sandbox.guardian.accounts import add_account
from tools.sandbox.guardian.records import add_consent
from tools.sandbox.guardian.rows import FUTURE, PAST, START, Account, Census, Profile
from tools.sandbox.guardian.words import CITIES, ORGANISATIONS, SPECIALITIES

Standing = Literal["verified", "unverified", "lapsed", "suspended"]
AccessState = Literal["active", "revoked", "expired", "withdrawn", "future"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A registry row and the account behind it."""

    id: uuid.UUID
    account: Account


def add_organisations(census: Census) -> list[uuid.UUID]:
    """The organisations that providers work for."""
    ids = [census.new_id() for _ in ORGANISATIONS]
    for number, (organisation, (name, kind)) in enumerate(zip(ids, ORGANISATIONS, strict=True)):
        census.add(
            "public.provider_organisations",
            id=organisation,
            name=name,
            kind=kind,
            region_code="IE",
            city=CITIES[number % len(CITIES)],
            phone=f"+9997{number:07d}",
            created_at=START,
        )
    return ids


def add_provider(census: Census, organisation: uuid.UUID, standing: Standing, verifier: Account) -> Provider:
    """A practitioner; `lapsed` was verified once and the date has passed."""
    provider = Provider(census.new_id(), add_account(census))
    status = {"lapsed": "verified"}.get(standing, standing)
    until = {"verified": FUTURE, "lapsed": PAST}.get(standing)
    census.add(
        "public.providers",
        id=provider.id,
        account_id=provider.account.id,
        organisation_id=organisation,
        display_name=f"Dr {provider.account.name}",
        speciality=census.rng.choice(SPECIALITIES),
        registration_number=f"SYN-REG-{len(census.rows['public.providers']):06d}",
        contact_phone=f"+9998{len(census.rows['public.providers']):07d}",
        status=status,
        verified_until=until,
        created_at=START,
        updated_at=START,
    )
    if standing != "unverified":
        census.add(
            "public.provider_verifications",
            id=census.new_id(),
            provider_id=provider.id,
            evidence="registration checked",
            decision="suspended" if standing == "suspended" else "verified",
            decided_by=verifier.id,
            valid_until=until,
            decided_at=START,
        )
    return provider


def add_access(
    census: Census, profile: Profile, provider: Provider, state: AccessState, *,
    contribute: bool = False, documents: bool = False,
) -> None:  # fmt: skip
    """Opens a profile to a provider; `future` has not begun."""
    census.add(
        "public.provider_access",
        id=census.new_id(),
        profile_id=profile.id,
        provider_id=provider.id,
        purpose="treatment",
        can_contribute=contribute,
        include_documents=documents,
        status="revoked" if state == "revoked" else "active",
        granted_by=profile.owner.id,
        consent_id=add_consent(census, profile, "provider_access", withdrawn=state == "withdrawn"),
        starts_at=FUTURE.replace(year=2039) if state == "future" else START,
        expires_at=PAST if state == "expired" else FUTURE,
        created_at=START,
        updated_at=START,
    )
    if state == "active":
        census.add(
            "public.access_log",
            profile_id=profile.id,
            account_id=provider.account.id,
            provider_id=provider.id,
            purpose="treatment",
            resource="clinical_events",
            accessed_at=PAST,
        )
