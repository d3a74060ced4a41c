"""The model of the demo, in detail; and that no planted fault talks it out of what is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.tools.rls.proof.models import essence, model_of, opening_words, paths_of, ranks_of
from tools.rls.proof.model import STAFF, Kind, Model
from tools.sandbox import faults

# What a fault makes anew, or makes a table lack: nothing that it is meant to hide.
CHANGED = {
    "partition_without_rls": {"rows public.clinical_events_2027q2"},
    "table_without_rls": {"rows public.symptom_diary"},
    # The key that made both parents agree is gone, so the second one is a path of its own.
    "parents_of_two_profiles": {"rows public.medication_doses"},
    # The only helper that asks for a second factor and an active account is the one that was rewritten.
    "user_metadata_in_helper": {
        "opening public.staff_members -> * to account_id",
        *(f"staff {name}" for name in ("compliance", "operations", "reviewer", "verifier")),
    },
    "user_metadata_in_policy": {"staff operations"},
}


@pytest.fixture(scope="module")
def model(demo_dsn: str) -> Model:
    """The clean demo's model."""
    return model_of(demo_dsn)


@pytest.fixture(scope="module")
def clean(model: Model) -> Iterator[dict[str, object]]:
    """Its essence."""
    yield essence(model)


def test_the_records_and_their_owners(model: Model):
    assert model.accounts == "auth.users"
    assert [one.name for one in model.identities] == [
        "auth.uid()",
        "auth.jwt() aal",
        "auth.jwt() app_metadata.staff_role",
    ]
    owners = {title: [way.text() for way in anchor.owners] for title, anchor in model.anchors.items()}
    assert owners == {
        "public.households": ["created_by"],
        "public.profiles": ["owner_account_id"],
        "public.providers": ["account_id"],
    }
    profiles = model.anchors["public.profiles"]
    assert [one.text() for one in profiles.conditions] == ["archived_at is null", "accounts.status is active"]
    assert all(anchor.parents == () for anchor in model.anchors.values())


def test_grants_open_profiles_while_consent_and_account_live(model: Model):
    assert opening_words(model, "public.profile_grants") == [
        "status is active",
        "expires_at not past",
        "revoked_at is null",
        "accounts.status is active",
        "consents.status is given",
        "consents.expires_at not past",
        "consents.withdrawn_at is null (nothing tests it)",
        "consents.purpose_code is family_sharing",
        "profiles.archived_at is null",
    ]
    assert ranks_of(model, "public.profile_grants") == {"read": "r", "write": "rw", "manage": "rwm"}
    (grant,) = [one for one in model.openings if one.table == "public.profile_grants"]
    assert grant.accepts == (("status", "pending", "active"),)
    assert grant.name == "profile_grants.grantee_account_id"


def test_provider_access_needs_a_verified_provider(model: Model):
    words = opening_words(model, "public.provider_access")
    assert {"starts_at not in the future", "expires_at not past", "status is active"} < set(words)
    assert {"providers.status is verified", "providers.verified_until not past"} < set(words)
    assert "consents.purpose_code is provider_access" in words
    (access,) = [one for one in model.openings if one.table == "public.provider_access"]
    assert access.account.text() == "provider_id -> providers.account_id"
    assert access.accepts == ()
    assert ranks_of(model, "public.provider_access") == {"false": "r", "true": "rw"}


def test_household_members_and_staff(model: Model):
    assert opening_words(model, "public.household_members") == ["status is active"]
    assert ranks_of(model, "public.household_members") == {"admin": "rwm", "member": "r"}
    assert opening_words(model, "public.staff_members") == ["is_active is true", "accounts.status is active"]
    assert {one.anchor for one in model.openings} == {"public.households", "public.profiles", STAFF}
    assert [role.name for role in model.staff] == ["compliance", "operations", "reviewer", "verifier"]
    assert all(
        role.claims == {"app_metadata.staff_role": role.name, "aal": "aal2"}
        and role.opening == "public.staff_members"
        for role in model.staff
    )
    assert model.claim_values[("app_metadata", "staff_role")]
    assert set(model.constants[("public.profile_grants", "level")]) == {"write", "manage"}


def test_every_table_has_its_place(model: Model):
    own = [one for one in model.tables.values() if not one.why.startswith("a partition of")]
    assert len(own) == 60  # storage.objects among them
    assert Counter(one.kind for one in own) == {
        Kind.SCOPED: 41,
        Kind.REFERENCE: 8,
        Kind.OWN: 5,
        Kind.SERVICE: 4,
        Kind.STAFF: 2,
    }
    assert model.doubts == ()
    partition = model.tables["public.clinical_events_default"]
    assert (partition.kind, paths_of(model, partition.table)) == (
        Kind.SCOPED,
        ["profile_id > public.profiles"],
    )


def test_tables_further_away_and_with_two_kinds_of_accounts(model: Model):
    assert paths_of(model, "public.document_pages") == [
        "document_id -> documents.profile_id > public.profiles"
    ]
    assert paths_of(model, "public.audit_log") == ["profile_id > public.profiles"]  # without a foreign key
    assert paths_of(model, "public.medication_doses") == ["profile_id > public.profiles"]
    assert paths_of(model, "public.provider_verifications") == ["provider_id > public.providers"]
    documents, access_log = model.tables["public.documents"], model.tables["public.access_log"]
    assert ([way.column for way in documents.authors], documents.parties) == (["uploaded_by"], ())
    assert ([way.column for way in access_log.authors], access_log.parties) == (["account_id"], ())
    handovers = model.tables["public.profile_handovers"]
    assert [way.column for way in handovers.parties] == ["from_account_id", "to_account_id"]
    notices = model.tables["public.notifications"]
    assert [way.column for way in notices.parties] == ["account_id"]
    assert "owner+party" in notices.expect["SELECT"] and "owner" not in notices.expect["SELECT"]
    providers = model.tables["public.providers"].open_rows
    assert providers is not None and providers.text() == "status is verified"


@pytest.mark.parametrize("name", [fault.name for fault in faults.faults()])
def test_a_planted_fault_changes_nothing_of_what_is_meant(
    name: str, plant: Callable[..., str], clean: dict[str, object]
):
    now = essence(model_of(plant(name)))
    changed = {key for key in {*clean, *now} if clean.get(key) != now.get(key)}
    assert changed == CHANGED.get(name, set())
