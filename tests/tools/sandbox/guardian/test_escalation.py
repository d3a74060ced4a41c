"""Steps that would open a profile to somebody: each one is tried, each one is refused."""

from __future__ import annotations

import uuid
from typing import Any, LiteralString

import psycopg
import pytest

from tests.tools.sandbox.guardian.conftest import Act, Connection, Denied, Guarded, attempt, one

GRANT_TO_STRANGER: LiteralString = """
    insert into public.profile_grants (profile_id, grantee_account_id, level, consent_id, granted_by)
    values (%(subject)s, %(stranger)s, 'read', %(consent)s, %(me)s)
"""


@pytest.mark.parametrize(
    "role", ["stranger", "read_delegate", "write_delegate", "revoked_delegate", "provider"]
)
def test_only_managers_share_a_profile(act: Act, names: dict[str, Any], role: str) -> None:
    with act(role) as connection, pytest.raises(Denied):
        attempt(connection, GRANT_TO_STRANGER, names | {"me": names[role]})


@pytest.mark.parametrize("role", ["owner", "manage_delegate"])
def test_managers_do_share_it_and_the_grant_begins_pending(
    act: Act, names: dict[str, Any], role: str
) -> None:
    with act(role) as connection:
        assert attempt(connection, GRANT_TO_STRANGER, names | {"me": names[role]}) == 1
    with act("stranger") as connection:
        assert one(connection, "select status from public.shared_with_me") == "pending"
        assert (
            one(
                connection,
                "select count(*) from public.clinical_events where profile_id = %(subject)s",
                names,
            )
            == 0
        )
        connection.execute("select public.accept_profile_grant(grant_id) from public.shared_with_me")
        assert (
            one(
                connection,
                "select count(*) from public.clinical_events where profile_id = %(subject)s",
                names,
            )
            > 0
        )


def test_policies_and_guards_hold_even_when_a_migration_grants_every_column(
    act: Act, admin: Connection, names: dict[str, Any]
) -> None:
    admin.execute(
        "grant all on all tables in schema public to authenticated"
    )  # what Supabase does by default
    active: LiteralString = """insert into public.profile_grants
        (profile_id, grantee_account_id, level, consent_id, granted_by, status)
        values (%(subject)s, %(to)s, 'read', %(consent)s, %(owner)s, %(status)s)"""
    with act("owner") as connection:
        for to, status in (("stranger", "active"), ("owner", "pending")):
            with pytest.raises(Denied):
                attempt(connection, active, names | {"to": names[to], "status": status})
        with pytest.raises(Denied):
            attempt(connection, "update public.profiles set owner_account_id = %(stranger)s", names)
    with act("stranger") as connection:
        assert attempt(connection, "update public.staff_members set role = 'reviewer'", {}) == 0
        with pytest.raises(Denied):
            staff: LiteralString = "insert into public.staff_members (account_id, role) "
            attempt(connection, staff + "values (%(stranger)s, 'reviewer')", names)


def test_a_manager_cannot_make_managers_or_lengthen_the_own_grant(act: Act, names: dict[str, Any]) -> None:
    with act("manage_delegate") as connection:
        with pytest.raises(Denied):
            attempt(
                connection,
                GRANT_TO_STRANGER.replace("'read'", "'manage'"),
                names | {"me": names["manage_delegate"]},
            )
        own: LiteralString = """update public.profile_grants set expires_at = null
            where grantee_account_id = %(manage_delegate)s"""
        assert attempt(connection, own, names) == 0
        with pytest.raises(Denied):
            raised = """update public.profile_grants set level = 'manage'
                        where profile_id = %(subject)s and grantee_account_id = %(read_delegate)s"""
            attempt(connection, raised, names)


@pytest.mark.parametrize(
    "role", ["read_delegate", "pending_delegate", "revoked_delegate", "expired_delegate"]
)
def test_a_grantee_cannot_change_the_own_grant(act: Act, names: dict[str, Any], role: str) -> None:
    with act(role) as connection:
        for change in ("status = 'active'", "level = 'manage'", "expires_at = null"):
            assert connection.execute(f"update public.profile_grants set {change}").rowcount == 0
        with pytest.raises(Denied):
            attempt(connection, "update public.profile_grants set grantee_account_id = %(stranger)s", names)


@pytest.mark.parametrize("role", ["revoked_delegate", "expired_delegate", "withdrawn_delegate", "stranger"])
def test_only_a_living_pending_grant_can_be_accepted(
    act: Act, admin: Connection, names: dict[str, Any], role: str
) -> None:
    query = "select id from public.profile_grants where grantee_account_id = %s or %s order by id limit 1"
    grant = one(admin, query, [names[role], role == "stranger"])
    with act(role) as connection, pytest.raises(psycopg.errors.NoDataFound), connection.transaction():
        connection.execute("select public.accept_profile_grant(%s)", [grant])


def test_a_revoked_grant_is_not_revived_not_even_by_the_owner(act: Act, names: dict[str, Any]) -> None:
    where = " where profile_id = %(subject)s and grantee_account_id = %(revoked_delegate)s"
    with act("owner") as connection:
        with pytest.raises(Guarded):
            attempt(connection, "update public.profile_grants set status = 'active'" + where, names)
        waiting = " where profile_id = %(subject)s and grantee_account_id = %(pending_delegate)s"
        with pytest.raises(Denied):
            attempt(connection, "update public.profile_grants set status = 'active'" + waiting, names)


def test_a_withdrawn_consent_ends_access_at_once_and_stays_withdrawn(act: Act, names: dict[str, Any]) -> None:
    count: LiteralString = "select count(*) from public.conditions where profile_id = %(subject)s"
    of_delegate: LiteralString = """where id = (select consent_id from public.profile_grants
        where profile_id = %(subject)s and grantee_account_id = %(read_delegate)s)"""
    withdraw: LiteralString = "update public.consents set status = 'withdrawn' "
    with act("read_delegate") as connection:
        assert one(connection, count, names) == 2
        assert attempt(connection, withdraw + of_delegate, names) == 0
    with act("manage_delegate") as connection:
        assert attempt(connection, withdraw + of_delegate, names) == 0
    with act("owner") as connection:
        assert attempt(connection, withdraw + of_delegate, names) == 1
        with pytest.raises(Guarded):
            attempt(connection, "update public.consents set status = 'given' " + of_delegate, names)
    with act("read_delegate") as connection:
        assert one(connection, count, names) == 0


def test_delegates_do_not_consent(act: Act, names: dict[str, Any]) -> None:
    query: LiteralString = """insert into public.consents (profile_id, purpose_code, given_by)
        values (%(subject)s, 'research', %(me)s)"""
    for role in ("manage_delegate", "write_delegate", "stranger"):
        with act(role) as connection, pytest.raises(Denied):
            attempt(connection, query, names | {"me": names[role]})


def test_providers_do_not_verify_themselves(act: Act, names: dict[str, Any]) -> None:
    with act("unverified_provider") as connection:
        with pytest.raises(Denied):
            attempt(
                connection, "update public.providers set status = 'verified', verified_until = 'infinity'", {}
            )
        with pytest.raises(Denied):
            provider = one(connection, "select id from public.providers where account_id = auth.uid()")
            decide: LiteralString = "select public.verify_provider(%(p)s, 'verified', 'me', 'infinity')"
            attempt(connection, decide, {"p": provider})
    with act("stranger") as connection, pytest.raises(Denied):
        query: LiteralString = """insert into public.providers
            (account_id, display_name, speciality, registration_number, status, verified_until)
            values (%(stranger)s, 'x', 'x', 'x', 'verified', 'infinity')"""
        attempt(connection, query, names)


def test_a_verifier_opens_the_waiting_access(act: Act, admin: Connection, names: dict[str, Any]) -> None:
    provider = one(admin, "select id from public.providers where account_id = %(unverified_provider)s", names)
    count: LiteralString = "select count(*) from public.conditions where profile_id = %(subject)s"
    with act("unverified_provider") as connection:
        assert one(connection, count, names) == 0
    with act("verifier") as connection:
        connection.execute("select public.verify_provider(%s, 'verified', 'seen', '2040-01-01')", [provider])
    with act("unverified_provider") as connection:
        assert one(connection, count, names) == 2
    with act("verifier") as connection:
        connection.execute("select public.verify_provider(%s, 'suspended', 'complaint')", [provider])
    with act("unverified_provider") as connection:
        assert one(connection, count, names) == 0


def test_a_delegate_cannot_open_the_profile_to_the_own_practice(
    act: Act, admin: Connection, names: dict[str, Any]
) -> None:
    practice = one(
        admin,
        """insert into public.providers
           (account_id, display_name, speciality, registration_number, status, verified_until)
           values (%(manage_delegate)s, 'x', 'x', 'SYN-REG-X', 'verified', '2040-01-01') returning id""",
        names,
    )
    query: LiteralString = """insert into public.provider_access
        (profile_id, provider_id, purpose, consent_id, granted_by, expires_at)
        values (%(subject)s, %(practice)s, 'treatment', %(consent)s, %(manage_delegate)s, '2040-01-01')"""
    with act("manage_delegate") as connection, pytest.raises(Denied):
        attempt(connection, query, names | {"practice": practice})


MOVABLE = [
    "conditions", "medications", "allergies", "immunisations", "vitals", "observations", "diagnostic_reports",
    "clinical_events", "episodes", "encounters", "appointments", "reminders", "timeline_entries",
    "care_plans", "care_plan_tasks", "profile_contacts",
]  # fmt: skip


@pytest.mark.parametrize("table", MOVABLE)
def test_a_row_cannot_be_moved_between_two_profiles_one_may_write(
    act: Act, names: dict[str, Any], table: LiteralString
) -> None:
    with act("write_delegate") as connection, pytest.raises(Guarded):
        query = (
            f"update public.{table} set profile_id = %(write_delegate_self)s where profile_id = %(subject)s"
        )
        attempt(connection, query, names)


@pytest.mark.parametrize(
    ("role", "writes"),
    [("write_delegate", True), ("carer", True), ("contributing_provider", True), ("owner", True),
     ("read_delegate", False), ("provider", False), ("stranger", False), ("former_carer", False)],
)  # fmt: skip
def test_clinical_rows_are_added_by_those_who_may_write(
    act: Act, names: dict[str, Any], role: str, writes: bool
) -> None:
    query: LiteralString = """insert into public.allergies
        (profile_id, code_system, code, display, recorded_by)
        values (%(subject)s, 'SNOMED', '91935009', 'Allergy to peanut', %(me)s)"""
    with act(role) as connection:
        if writes:
            assert attempt(connection, query, names | {"me": names[role]}) == 1
            with pytest.raises(Denied):  # in somebody else's name
                attempt(connection, query, names | {"me": names["grandparent"]})
        else:
            with pytest.raises(Denied):
                attempt(connection, query, names | {"me": names[role]})


def test_a_child_row_cannot_have_parents_of_two_profiles(
    act: Act, admin: Connection, names: dict[str, Any]
) -> None:
    foreign = one(admin, "select id from public.conditions where profile_id = %(subject)s limit 1", names)
    query: LiteralString = """insert into public.medications
        (profile_id, code_system, code, display, started_on, condition_id, recorded_by) values
        (%(write_delegate_self)s, 'RXNORM', '5640', 'Ibuprofen', now(), %(foreign)s, %(write_delegate)s)"""
    with act("write_delegate") as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        attempt(connection, query, names | {"foreign": foreign})


def test_the_owner_of_a_profile_changes_by_handover_only(
    act: Act, admin: Connection, names: dict[str, Any]
) -> None:
    for role in ("owner", "manage_delegate"):
        with act(role) as connection, pytest.raises(Denied):
            attempt(connection, "update public.profiles set owner_account_id = %(stranger)s", names)
    handover = one(admin, "select id from public.profile_handovers where status = 'confirmed'")
    with act("stranger") as connection, pytest.raises(psycopg.errors.NoDataFound):
        attempt(connection, "select public.complete_handover(%(handover)s)", {"handover": handover})
    mine: LiteralString = (
        "select count(*) from public.conditions where profile_id = %(waiting_child_profile)s"
    )
    with act("waiting_child") as connection:
        attempt(connection, "select public.complete_handover(%(handover)s)", {"handover": handover})
        assert one(connection, mine, names) == 2
    with act("former_parent") as connection:
        assert one(connection, mine, names) == 0


def test_nobody_joins_a_household_by_knowing_its_id(
    act: Act, admin: Connection, names: dict[str, Any]
) -> None:
    household = one(admin, "select id from public.households where created_by = %(owner)s", names)
    values = names | {"household": household}
    with act("stranger") as connection:
        with pytest.raises(Denied):
            query: LiteralString = "insert into public.household_members (household_id, account_id) "
            attempt(connection, query + "values (%(household)s, %(stranger)s)", values)
        with pytest.raises(Denied):
            profile: LiteralString = """insert into public.profiles
                (owner_account_id, household_id, kind, given_name, family_name, birth_date, sex)
                values (%(stranger)s, %(household)s, 'child', 'x', 'x', '2020-01-01', 'other')"""
            attempt(connection, profile, values)
    with act("partner") as connection:
        assert attempt(connection, "update public.household_members set role = 'admin'", {}) == 0


def test_new_rows_can_be_read_back_in_the_same_statement(act: Act, names: dict[str, Any]) -> None:
    with act("stranger") as connection:
        household = one(
            connection,
            "insert into public.households (name, created_by) values ('x', %(stranger)s) returning id",
            names,
        )
        profile: LiteralString = """insert into public.profiles
            (owner_account_id, household_id, kind, given_name, family_name, birth_date, sex)
            values (%(stranger)s, %(household)s, 'child', 'x', 'x', '2020-01-01', 'other') returning id"""
        assert isinstance(one(connection, profile, names | {"household": household}), uuid.UUID)
