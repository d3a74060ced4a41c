"""Models of small schemas in other manners than the demo's."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

import pytest

from tests.tools.rls.proof import styles
from tests.tools.rls.proof.models import model_of, opening_words, paths_of, ranks_of
from tools.rls.proof.model import STAFF, Kind, Model


@pytest.fixture(scope="module")
def clinic(shim_dsn: str) -> Model:
    """Clinics with memberships and care teams."""
    return model_of(shim_dsn, styles.CLINIC)


def test_boolean_helpers_with_variables_and_levels(shim_dsn: str):
    model = model_of(shim_dsn, styles.BOOLEAN_HELPERS)
    assert list(model.anchors) == ["public.profiles"]
    assert [way.text() for way in model.anchors["public.profiles"].owners] == ["owner_id"]
    assert [one.text() for one in model.anchors["public.profiles"].conditions] == ["deleted_at is null"]
    assert opening_words(model, "public.profile_shares") == [
        "state is accepted",
        "valid_from not in the future",
        "valid_until not past",
        "profiles.deleted_at is null",
    ]
    assert ranks_of(model, "public.profile_shares") == {"view": "r", "edit": "rw", "admin": "rwm"}
    assert model.openings[0].accepts == (("state", "invited", "accepted"),)
    assert paths_of(model, "public.visit_files") == ["visit_id -> visits.profile_id > public.profiles"]
    assert [way.column for way in model.tables["public.visits"].authors] == ["author_id"]


def test_exists_written_out_in_policies(shim_dsn: str):
    model = model_of(shim_dsn, styles.INLINE_EXISTS)
    assert list(model.anchors) == ["public.families"]
    assert opening_words(model, "public.family_members") == [
        "is_active is true",
        "left_at is null (nothing tests it)",
    ]
    # The notes' policy asks nobody itself: the appointments' own policy decides.
    assert paths_of(model, "public.appointment_notes") == [
        "appointment_id -> appointments.family_id > public.families"
    ]
    assert model.tables["public.vaccines"].kind is Kind.REFERENCE


def test_tenants_named_by_a_claim(shim_dsn: str):
    model = model_of(shim_dsn, styles.TOKEN_TENANTS)
    organizations = model.anchors["public.organizations"]
    assert [one.name for one in organizations.claims] == ["auth.jwt() app_metadata.org_id"]
    assert model.openings == ()
    assert paths_of(model, "public.encounters") == ["patient_id -> patients.org_id > public.organizations"]
    assert paths_of(model, "public.invoices") == ["organization > public.organizations"]
    assert {role.name: role.claims for role in model.staff} == {
        "admin": {"app_metadata.role": "admin"},
        "billing": {"app_metadata.role": "billing"},
    }


def test_tenants_in_a_setting_without_supabase(plain_database: str):
    model = model_of(plain_database, styles.SETTING_TENANTS)
    assert model.accounts == "public.accounts"
    assert [one.name for one in model.identities] == [
        "current_setting(app.tenant_id)",
        "current_setting(app.user_id)",
    ]
    (tenant,) = model.anchors.values()
    assert (tenant.table, tenant.key) == ("(tenant_id)", "tenant_id")
    assert [one.name for one in tenant.claims] == ["current_setting(app.tenant_id)"]
    assert paths_of(model, "public.chart_lines") == ["tenant_id > (tenant_id)"]
    todos = model.tables["public.todos"]
    assert [(way.column, way.identity.name) for way in todos.parties] == [
        ("account_id", "current_setting(app.user_id)")
    ]


def test_no_keys_at_all(shim_dsn: str):
    model = model_of(shim_dsn, styles.NO_KEYS)
    assert [way.text() for way in model.anchors["public.patients"].owners] == ["owner"]
    # One of the lookups forgets expires_at: the others, and its meaning, keep the condition.
    assert opening_words(model, "public.patient_access") == ["expires_at not past", "revoked is false"]
    assert paths_of(model, "public.lab_comments") == [
        "lab_result_id -> lab_results.patient_id > public.patients"
    ]
    assert model.tables["public.metrics"].kind is Kind.UNCLASSIFIED
    assert model.doubts == ("What are the rows of public.metrics? Nothing tells whose they are.",)


def test_patients_who_are_accounts(shim_dsn: str):
    model = model_of(shim_dsn, styles.PATIENTS_ARE_ACCOUNTS)
    assert [way.text() for way in model.anchors["public.profiles"].owners] == ["id"]
    (caregivers,) = [one for one in model.openings if one.anchor == "public.profiles"]
    assert (caregivers.table, caregivers.account.text()) == ("public.patient_caregivers", "caregiver_id")
    assert caregivers.accepts == (("status", "pending", "approved"),)
    assert ranks_of(model, "public.patient_caregivers") == {"false": "r", "true": "rw"}
    assert paths_of(model, "public.medications") == ["patient_id > public.profiles"]
    assert paths_of(model, "public.patient_caregivers") == ["patient_id > public.profiles"]
    assert model.tables["public.journal"].kind is Kind.OWN
    assert model.tables["public.audit"].kind is Kind.STAFF
    (admin,) = [one for one in model.openings if one.anchor == STAFF]
    assert (admin.table, admin.level, [rank.value for rank in admin.ranks]) == (
        "public.profiles",
        "role",
        ["admin"],
    )


def test_a_to_do_app_belongs_to_accounts(shim_dsn: str):
    model = model_of(shim_dsn, styles.TODO)
    assert (model.anchors, model.openings, model.doubts) == ({}, (), ())
    assert {one.kind for one in model.tables.values()} == {Kind.OWN}
    assert [way.column for way in model.tables["public.todos"].parties] == ["user_id"]
    posts, comments = model.tables["public.posts"], model.tables["public.comments"]
    assert posts.open_rows is not None and posts.open_rows.text() == "is_published is true"
    assert comments.expect == {"SELECT": frozenset({"anyone"})}


def test_clinics_and_care_teams(clinic: Model):
    assert list(clinic.anchors) == ["public.clinics", "public.patients"]
    assert opening_words(clinic, "public.memberships") == [
        "starts_at not in the future",
        "ends_at not past",
        "deleted_at is null",
    ]
    (team,) = [one for one in clinic.openings if one.table == "public.care_teams"]
    assert team.account.text() == "member_id -> memberships.user_id"
    assert opening_words(clinic, "public.care_teams") == [
        "removed_at is null",
        "memberships.starts_at not in the future",
        "memberships.ends_at not past",
        "memberships.deleted_at is null",
    ]
    assert paths_of(clinic, "public.prescriptions") == ["patient_id > public.patients"]


def test_who_sees_a_record_need_not_see_what_hangs_from_it(clinic: Model):
    assert paths_of(clinic, "public.patients") == ["itself", "clinic_id > public.clinics"]
    assert clinic.anchors["public.patients"].parents == ()


def test_insiders_of_a_parent_where_most_policies_let_them_in(shim_dsn: str):
    wide = """
    alter policy a on public.prescriptions using (public.on_team(patient_id) or exists (
      select from public.patients p where p.id = patient_id and public.has_role(p.clinic_id, array['doctor'])));
    alter policy a on public.care_teams using (public.on_team(patient_id) or exists (
      select from public.patients p where p.id = patient_id and public.has_role(p.clinic_id, array['doctor'])));
    """
    model = model_of(shim_dsn, styles.CLINIC + wide)
    (parent,) = model.anchors["public.patients"].parents
    assert [(hop.columns, hop.target) for hop in parent] == [(("clinic_id",), "public.clinics")]


def test_the_only_test_of_an_end_was_dropped(shim_dsn: str):
    script = """
    create or replace function public.has_role(p_clinic uuid, p_roles text[]) returns boolean language sql stable
      security definer set search_path = '' as $$
      select exists (select 1 from public.memberships m where m.clinic_id = p_clinic
        and m.user_id = (select auth.uid()) and m.role = any (p_roles) and m.deleted_at is null) $$;
    create or replace function public.on_team(p_patient uuid) returns boolean language sql stable
      security definer set search_path = '' as $$
      select exists (select 1 from public.care_teams t join public.memberships m on m.id = t.member_id
        where t.patient_id = p_patient and m.user_id = (select auth.uid()) and m.deleted_at is null) $$;
    """
    model = model_of(shim_dsn, styles.CLINIC + script)
    assert opening_words(model, "public.memberships") == [
        "starts_at not in the future (nothing tests it)",
        "ends_at not past (nothing tests it)",
        "deleted_at is null",
    ]
    assert "removed_at is null (nothing tests it)" in opening_words(model, "public.care_teams")


def test_a_claim_beside_memberships_is_a_question(shim_dsn: str):
    script = """
    create policy z on public.appointments for delete using (
      family_id = ((auth.jwt() -> 'app_metadata') ->> 'family_id')::uuid);
    """
    model = model_of(shim_dsn, styles.INLINE_EXISTS + script)
    assert model.anchors["public.families"].claims == ()
    (doubt,) = model.doubts
    assert doubt.startswith("auth.jwt() app_metadata.family_id names a row of public.families")


def test_a_record_is_opened_to_a_group(shim_dsn: str):
    model = model_of(shim_dsn, styles.GROUPS)
    assert list(model.anchors) == ["public.patients", "public.teams"]
    (opened,) = [one for one in model.openings if one.anchor == "public.patients"]
    assert (opened.table, opened.account.text()) == (
        "public.patient_teams",
        "team_id -> team_members.user_id",
    )
    assert set(opening_words(model, "public.patient_teams")) == {
        "ends_at not past",
        "team_members.ends_at not past",
        "teams.closed_at is null",
    }
    assert ranks_of(model, "public.patient_teams") == {"read": "r", "write": "rw"}
    assert paths_of(model, "public.notes") == ["patient_id > public.patients"]
    assert [way.text() for way in model.anchors["public.patients"].owners] == ["user_id"]


def test_colleagues_see_one_another(shim_dsn: str):
    model = model_of(shim_dsn, styles.COLLEAGUES)
    (seen,) = [one for one in model.openings if one.anchor == "public.profiles"]
    assert (seen.table, seen.account.text()) == ("public.memberships", "org_id -> memberships.user_id")
    words = [one.text() for one in seen.conditions]
    assert words == ["is_active is true", "memberships.is_active is true"]


def test_a_second_demand_beside_a_lookup_opens_nothing_by_itself(shim_dsn: str):
    script = """
    create table public.break_glass (patient_id uuid not null references public.patients (id), user_id uuid not null references auth.users (id), ends_at timestamptz not null);
    create or replace function public.on_team(p_patient uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
    declare clinic uuid;
    begin
      select p.clinic_id into clinic from public.patients p where p.id = p_patient;
      if exists (select from public.break_glass b where b.patient_id = p_patient and b.user_id = auth.uid()
        and b.ends_at > now() and public.has_role(clinic, array['doctor'])) then
        return true;
      end if;
      return exists (select 1 from public.care_teams t join public.memberships m on m.id = t.member_id
        where t.patient_id = p_patient and m.user_id = (select auth.uid()) and t.removed_at is null);
    end $$;
    """
    model = model_of(shim_dsn, styles.CLINIC + script)
    assert "public.break_glass" in {one.table for one in model.openings}
    assert model.anchors["public.patients"].parents == ()
    assert paths_of(model, "public.prescriptions") == ["patient_id > public.patients"]
