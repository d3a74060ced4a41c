"""Health records and what opens them: profiles, consents, grants, carers."""

from __future__ import annotations

import uuid
from datetime import date

from tools.sandbox.guardian.rows import FUTURE, PAST, START, Account, Census, Kind, Level, Profile, State
from tools.sandbox.guardian.words import CITIES, GIVEN_NAMES, STREETS


def add_profile(
    census: Census,
    owner: Account,
    kind: Kind,
    *,
    given: str | None = None,
    household: uuid.UUID | None = None,
    species: str | None = None,
    age: int | None = None,
    archived: bool = False,
) -> Profile:
    """A health record with its identifier and its emergency contact."""
    given = given or (owner.given if kind == "self" else census.rng.choice(GIVEN_NAMES))
    profile = Profile(census.new_id(), owner, given, owner.family)
    years = age if age is not None else {"self": 41, "child": 9, "dependant": 79, "pet": 5}[kind]
    created = census.moment()
    census.add(
        "public.profiles",
        id=profile.id,
        owner_account_id=owner.id,
        household_id=household,
        kind=kind,
        given_name=given,
        family_name=owner.family,
        species=species,
        birth_date=date(2026 - years, census.rng.randrange(1, 10), census.rng.randrange(1, 29)),
        sex=census.rng.choice(("female", "male")),
        archived_at=PAST if archived else None,
        blood_group=census.rng.choice(("A+", "0+", "B-", None)),
        created_at=created,
        updated_at=created,
    )
    system = "microchip" if kind == "pet" else "national_id"
    number = census.rng.randrange(10**9)
    census.add(
        "public.profile_identifiers",
        id=census.new_id(),
        profile_id=profile.id,
        system=system,
        value=f"SYN-{number:09d}",
        issuer="Registry of Nowhere",
        created_at=created,
    )
    census.add(
        "public.profile_contacts",
        id=census.new_id(),
        profile_id=profile.id,
        relationship="family",
        is_emergency=True,
        name=f"{census.rng.choice(GIVEN_NAMES)} {owner.family}",
        phone=f"+9996{number:09d}",
        address_line=f"{census.rng.randrange(1, 180)} {census.rng.choice(STREETS)}",
        postal_code=f"ZZ{census.rng.randrange(10, 99)} {census.rng.randrange(9)}QX",
        city=census.rng.choice(CITIES),
        created_at=created,
        updated_at=created,
    )
    return profile


def add_consent(census: Census, profile: Profile, purpose: str, *, withdrawn: bool = False) -> uuid.UUID:
    """A consent of the owner and its history."""
    consent = census.new_id()
    given = census.moment()
    census.add(
        "public.consents",
        id=consent,
        profile_id=profile.id,
        purpose_code=purpose,
        given_by=profile.owner.id,
        status="withdrawn" if withdrawn else "given",
        given_at=given,
        withdrawn_at=PAST if withdrawn else None,
        updated_at=PAST if withdrawn else given,
    )
    steps = [("given", given)] + ([("withdrawn", PAST)] if withdrawn else [])
    for status, when in steps:
        census.add(
            "public.consent_history",
            profile_id=profile.id,
            consent_id=consent,
            status=status,
            changed_by=profile.owner.id,
            changed_at=when,
        )
    return consent


def add_grant(census: Census, profile: Profile, grantee: Account, level: Level, state: State) -> uuid.UUID:
    """Opens a profile to another account; `expired` and `withdrawn` still say active in their status."""
    grant = census.new_id()
    created = census.moment()
    status = state if state in ("pending", "revoked") else "active"
    census.add(
        "public.profile_grants",
        id=grant,
        profile_id=profile.id,
        grantee_account_id=grantee.id,
        level=level,
        status=status,
        granted_by=profile.owner.id,
        consent_id=add_consent(census, profile, "family_sharing", withdrawn=state == "withdrawn"),
        expires_at=PAST if state == "expired" else census.rng.choice((None, FUTURE)),
        accepted_at=None if state == "pending" else created,
        revoked_at=PAST if state == "revoked" else None,
        created_at=created,
        updated_at=created,
    )
    if state == "active":
        census.add(
            "public.notifications",
            id=census.new_id(),
            account_id=grantee.id,
            profile_id=profile.id,
            topic="sharing",
            title=f"{profile.given} {profile.family} shares a record with you",
            created_at=created,
        )
    return grant


def add_carer(census: Census, profile: Profile, grant: uuid.UUID, *, ended: bool = False) -> None:
    """What a professional carer does."""
    census.add(
        "public.carer_assignments",
        id=census.new_id(),
        profile_id=profile.id,
        grant_id=grant,
        agency_name="Amberly Home Care",
        tasks=["medication", "mobility"],
        starts_on=START.date(),
        ends_on=PAST.date() if ended else None,
        created_at=START,
        updated_at=START,
    )
