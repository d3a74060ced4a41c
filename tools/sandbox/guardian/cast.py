"""The named people: a family whose dependant is open to somebody in every state, and those around it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

from tools.sandbox.guardian.accounts import add_account, add_household, add_staff
from tools.sandbox.guardian.providers import Provider, Standing, add_access, add_organisations, add_provider
from tools.sandbox.guardian.records import add_carer, add_grant, add_profile
from tools.sandbox.guardian.rows import FUTURE, PAST, START, Account, Census, Profile


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to act as: `claims()` is what the access token says."""

    role: str
    account_id: uuid.UUID
    name: str
    email: str
    staff_role: str = ""

    def claims(self) -> dict[str, Any]:
        """The value of request.jwt.claims for this person; staff are signed in with two factors."""
        app = {"provider": "email"} | ({"staff_role": self.staff_role} if self.staff_role else {})
        return {
            "sub": str(self.account_id), "role": "authenticated", "email": self.email, "app_metadata": app,
            "user_metadata": {"display_name": self.name}, "aal": "aal2" if self.staff_role else "aal1",
            "is_anonymous": False,
        }  # fmt: skip


@dataclass(slots=True)
class Cast:
    """Named people and named profiles, filled while the stories are told."""

    people: dict[str, Person] = field(default_factory=dict[str, Person])
    profiles: dict[str, uuid.UUID] = field(default_factory=dict[str, uuid.UUID])
    providers: list[Provider] = field(default_factory=list[Provider])
    verifier: Account | None = None

    def name(self, role: str, account: Account, staff_role: str = "") -> Account:
        self.people[role] = Person(role, account.id, account.name, account.email, staff_role)
        return account


def add_cast(census: Census) -> Cast:
    """Tell the fixed stories; they are the same at every scale."""
    cast = Cast()
    _staff(census, cast)
    owner, subject = _family(census, cast)
    _delegates(census, cast, owner, subject)
    _providers(census, cast, subject)
    _handover(census, cast)
    stranger = cast.name("stranger", add_account(census))
    cast.profiles["stranger_self"] = add_profile(census, stranger, "self").id
    suspended = cast.name("suspended", add_account(census, status="suspended"))
    cast.profiles["suspended_self"] = add_profile(census, suspended, "self").id
    add_grant(census, subject, suspended, "read", "active")
    return cast


def _staff(census: Census, cast: Cast) -> None:
    for role in ("reviewer", "verifier", "compliance", "operations"):
        account = cast.name(role, add_staff(census, role), role)
        if role == "verifier":
            cast.verifier = account
    cast.name("former_reviewer", add_staff(census, "reviewer", is_active=False), "reviewer")


def _family(census: Census, cast: Cast) -> tuple[Account, Profile]:
    owner = cast.name("owner", add_account(census))
    partner = cast.name("partner", add_account(census, owner.family))
    household = add_household(census, owner, partner)
    invited = census.new_id()
    census.add(
        "public.invitations",
        id=invited,
        household_id=household,
        invited_by=owner.id,
        expires_at=FUTURE,
        invited_email="someone.new@example.org",
        created_at=START,
        token_sha256=hashlib.sha256(invited.bytes).hexdigest(),
    )
    subject = add_profile(census, owner, "dependant", household=household)
    mine = add_profile(census, owner, "self", household=household)
    child = add_profile(census, owner, "child", household=household)
    pet = add_profile(census, owner, "pet", household=household, given="Fuzzbert", species="dog")
    archived = add_profile(census, owner, "pet", given="Clawdine", species="cat", archived=True)
    add_grant(census, child, partner, "manage", "active")
    add_grant(census, archived, partner, "read", "active")
    cast.profiles |= {
        "subject": subject.id, "owner_self": mine.id, "owner_child": child.id, "owner_pet": pet.id,
        "archived": archived.id, "partner_self": add_profile(census, partner, "self", household=household).id,
    }  # fmt: skip
    return owner, subject


def _delegates(census: Census, cast: Cast, owner: Account, subject: Profile) -> None:
    """Every level and every state, each with an own profile to mix up."""
    for level in ("read", "write", "manage"):
        delegate = cast.name(f"{level}_delegate", add_account(census))
        cast.profiles[f"{level}_delegate_self"] = add_profile(census, delegate, "self").id
        add_grant(census, subject, delegate, level, "active")
    for state in ("pending", "revoked", "expired", "withdrawn"):
        delegate = cast.name(f"{state}_delegate", add_account(census))
        cast.profiles[f"{state}_delegate_self"] = add_profile(census, delegate, "self").id
        add_grant(census, subject, delegate, "manage", state)
    grandparent = cast.name("grandparent", add_account(census, owner.family))
    add_grant(census, subject, grandparent, "write", "active")
    carer = cast.name("carer", add_account(census))
    add_carer(census, subject, add_grant(census, subject, carer, "write", "active"))
    former = cast.name("former_carer", add_account(census))
    add_carer(census, subject, add_grant(census, subject, former, "write", "revoked"), ended=True)


def _providers(census: Census, cast: Cast, subject: Profile) -> None:
    organisations = add_organisations(census)
    if cast.verifier is None:
        raise ValueError("staff comes before providers: a verifier decides about them")

    def provider(role: str, standing: Standing) -> Provider:
        added = add_provider(census, organisations[0], standing, verifier)
        cast.name(role, added.account)
        cast.providers.append(added)
        return added

    verifier = cast.verifier
    add_access(census, subject, provider("provider", "verified"), "active")
    contributor = provider("contributing_provider", "verified")
    add_access(census, subject, contributor, "active", contribute=True, documents=True)
    for state in ("expired", "revoked", "withdrawn", "future"):
        add_access(
            census, subject, provider(f"{state}_provider", "verified"), state, contribute=True, documents=True
        )
    for standing in ("unverified", "lapsed", "suspended"):
        denied = provider(f"{standing}_provider", standing)
        add_access(census, subject, denied, "active", contribute=True, documents=True)


def _handover(census: Census, cast: Cast) -> None:
    """An adult child owns the profile that a parent opened long ago; another one is about to."""
    parent = cast.name("former_parent", add_account(census))
    adult = cast.name("adult_child", add_account(census, parent.family))
    taken = add_profile(census, adult, "self", age=20)
    cast.profiles |= {
        "adult_child_self": taken.id,
        "former_parent_self": add_profile(census, parent, "self").id,
    }
    census.add(
        "public.profile_handovers",
        id=census.new_id(),
        profile_id=taken.id,
        from_account_id=parent.id,
        to_account_id=adult.id,
        status="completed",
        requested_at=START,
        confirmed_at=START,
        completed_at=PAST,
    )
    add_grant(census, taken, parent, "manage", "revoked")
    waiting = cast.name("waiting_child", add_account(census, parent.family))
    child = add_profile(census, parent, "child", given=waiting.given, age=19)
    cast.profiles["waiting_child_profile"] = child.id
    census.add(
        "public.profile_handovers",
        id=census.new_id(),
        profile_id=child.id,
        from_account_id=parent.id,
        to_account_id=waiting.id,
        status="confirmed",
        requested_at=PAST,
        confirmed_at=PAST,
        completed_at=None,
    )
