"""Small schemas in other manners than the demo's: what a model must be read from."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import Final, LiteralString

BOOLEAN_HELPERS: Final[LiteralString] = """
create schema app;
grant usage on schema app to authenticated;
create table public.profiles (id uuid primary key, owner_id uuid not null references auth.users (id), name text, deleted_at timestamptz);
create table public.profile_shares (
  id uuid primary key, profile_id uuid not null references public.profiles (id), user_id uuid not null references auth.users (id),
  permission text not null check (permission in ('view', 'edit', 'admin')),
  state text not null default 'invited' check (state in ('invited', 'accepted', 'declined', 'removed')),
  valid_from date, valid_until date, created_by uuid references auth.users (id)
);
create table public.visits (id uuid primary key, profile_id uuid not null references public.profiles (id), author_id uuid references auth.users (id), note text);
create table public.visit_files (id uuid primary key, visit_id uuid not null references public.visits (id), path text);
create function app.has_access(p_profile uuid, p_needed text) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare
  caller uuid := auth.uid();
  held text;
begin
  if caller is null then
    return false;
  end if;
  if exists (select 1 from public.profiles p where p.id = p_profile and p.owner_id = caller and p.deleted_at is null) then
    return true;
  end if;
  select s.permission into held from public.profile_shares s
  where s.profile_id = p_profile and s.user_id = caller and s.state = 'accepted' and s.valid_from <= current_date
    and (s.valid_until is null or s.valid_until >= current_date);
  if p_needed = 'edit' then
    return held in ('edit', 'admin');
  end if;
  return held is not null;
end
$$;
create function app.visit_profile(p_visit uuid) returns uuid language sql stable security definer set search_path = '' as
$$ select v.profile_id from public.visits v where v.id = p_visit $$;
alter table public.profiles enable row level security;
alter table public.profile_shares enable row level security;
alter table public.visits enable row level security;
alter table public.visit_files enable row level security;
create policy a on public.profiles for select to authenticated using (app.has_access(id, 'view'));
create policy b on public.profiles for insert to authenticated with check (owner_id = auth.uid());
create policy c on public.profiles for update to authenticated using (app.has_access(id, 'edit'));
create policy a on public.profile_shares for select to authenticated using (user_id = auth.uid() or app.has_access(profile_id, 'edit'));
create policy b on public.profile_shares for insert to authenticated with check (app.has_access(profile_id, 'edit') and created_by = auth.uid());
create policy a on public.visits for select to authenticated using (app.has_access(profile_id, 'view'));
create policy b on public.visits for insert to authenticated with check (app.has_access(profile_id, 'edit') and author_id = auth.uid());
create policy a on public.visit_files for all to authenticated using (app.has_access(app.visit_profile(visit_id), 'edit'));
"""

INLINE_EXISTS: Final[LiteralString] = """
create table public.families (id uuid primary key, name text, created_by uuid references auth.users (id));
create table public.family_members (
  family_id uuid not null references public.families (id), user_id uuid not null references auth.users (id),
  role text not null default 'child', is_active boolean not null default true, left_at timestamptz, primary key (family_id, user_id)
);
create table public.appointments (id uuid primary key, family_id uuid not null references public.families (id), title text);
create table public.appointment_notes (id uuid primary key, appointment_id uuid not null references public.appointments (id), body text);
create table public.vaccines (code text primary key, title text);
alter table public.families enable row level security;
alter table public.family_members enable row level security;
alter table public.appointments enable row level security;
alter table public.appointment_notes enable row level security;
alter table public.vaccines enable row level security;
create policy a on public.families for select using (exists (
  select 1 from family_members fm where fm.family_id = families.id and fm.user_id = (select auth.uid()) and fm.is_active));
create policy a on public.family_members for select using (user_id = (select auth.uid()));
create policy a on public.appointments for select using (exists (
  select 1 from family_members where family_members.family_id = appointments.family_id and family_members.user_id = auth.uid() and family_members.is_active));
create policy b on public.appointments for insert with check (family_id in (
  select fm.family_id from family_members fm where fm.user_id = auth.uid() and fm.is_active and fm.role in ('parent', 'admin')));
create policy a on public.appointment_notes for select using (exists (
  select 1 from appointments a where a.id = appointment_notes.appointment_id));
create policy a on public.vaccines for select using (true);
revoke insert, update, delete on public.vaccines from anon, authenticated;
"""

TOKEN_TENANTS: Final[LiteralString] = """
create table public.organizations (id uuid primary key, name text);
create table public.patients (id uuid primary key, org_id uuid not null references public.organizations (id), name text);
create table public.encounters (id uuid primary key, patient_id uuid not null references public.patients (id), reason text);
create table public.invoices (id uuid primary key, organization uuid not null references public.organizations (id), amount numeric);
create function public.current_org() returns uuid language sql stable set search_path = '' as
$$ select nullif((select auth.jwt()) -> 'app_metadata' ->> 'org_id', '')::uuid $$;
alter table public.organizations enable row level security;
alter table public.patients enable row level security;
alter table public.encounters enable row level security;
alter table public.invoices enable row level security;
create policy a on public.organizations for select to authenticated using (id = public.current_org());
create policy a on public.patients for all to authenticated using (org_id = public.current_org());
create policy a on public.encounters for all to authenticated using (
  patient_id in (select p.id from public.patients p where p.org_id = public.current_org()));
create policy a on public.invoices for select to authenticated using (
  organization = public.current_org() and auth.jwt() -> 'app_metadata' ->> 'role' in ('billing', 'admin'));
"""

SETTING_TENANTS: Final[LiteralString] = """
create table public.accounts (id bigint primary key, tenant_id uuid not null, login text, status text not null default 'active');
create table public.charts (id bigint primary key, tenant_id uuid not null, body text);
create table public.chart_lines (id bigint primary key, chart_id bigint not null references public.charts (id), tenant_id uuid not null, body text);
create table public.todos (id bigint primary key, tenant_id uuid not null, account_id bigint not null references public.accounts (id), body text);
alter table public.accounts enable row level security;
alter table public.charts enable row level security;
alter table public.chart_lines enable row level security;
alter table public.todos enable row level security;
create policy t on public.accounts using (tenant_id = current_setting('app.tenant_id')::uuid);
create policy t on public.charts using (tenant_id = current_setting('app.tenant_id')::uuid);
create policy t on public.chart_lines using (tenant_id = current_setting('app.tenant_id')::uuid);
create policy t on public.todos using (tenant_id = current_setting('app.tenant_id')::uuid and account_id = current_setting('app.user_id', true)::bigint);
"""

NO_KEYS: Final[LiteralString] = """
create table public.patients (id uuid, owner uuid, name text);
create table public.patient_access (patient_id uuid, user_id uuid, access_level text, expires_at timestamptz, revoked boolean default false);
create table public.lab_results (id uuid, patient_id uuid, value numeric);
create table public.lab_comments (id uuid, lab_result_id uuid, user_id uuid, body text);
create table public.metrics (id uuid, payload jsonb);
alter table public.patients enable row level security;
alter table public.patient_access enable row level security;
alter table public.lab_results enable row level security;
alter table public.lab_comments enable row level security;
create policy a on public.patients for select to authenticated using (
  owner = auth.uid() or id in (select patient_id from patient_access where user_id = auth.uid() and not revoked and expires_at > now()));
create policy a on public.patient_access for select to authenticated using (user_id = auth.uid());
create policy a on public.lab_results for select to authenticated using (
  patient_id in (select id from patients where owner = auth.uid())
  or patient_id in (select patient_id from patient_access where user_id = auth.uid() and not revoked and expires_at > now()));
create policy b on public.lab_results for update to authenticated using (
  patient_id in (select patient_id from patient_access where user_id = auth.uid() and access_level = 'write' and not revoked and expires_at > now()));
create policy a on public.lab_comments for select to authenticated using (
  lab_result_id in (select l.id from lab_results l join patient_access pa on pa.patient_id = l.patient_id where pa.user_id = auth.uid() and not pa.revoked));
"""

PATIENTS_ARE_ACCOUNTS: Final[LiteralString] = """
create table public.profiles (id uuid primary key references auth.users (id), full_name text, role text not null default 'patient');
create table public.patient_caregivers (
  id uuid primary key, patient_id uuid not null references public.profiles (id), caregiver_id uuid not null references public.profiles (id),
  status text not null default 'pending' check (status in ('pending', 'approved', 'rejected')), can_edit boolean not null default false
);
create table public.medications (id uuid primary key, patient_id uuid not null references public.profiles (id), name text);
create table public.journal (id uuid primary key, user_id uuid not null references auth.users (id), body text);
create table public.audit (id uuid primary key, actor_id uuid references auth.users (id), event text);
alter table public.profiles enable row level security;
alter table public.patient_caregivers enable row level security;
alter table public.medications enable row level security;
alter table public.journal enable row level security;
alter table public.audit enable row level security;
create policy a on public.profiles for select to authenticated using (
  id = auth.uid() or exists (select 1 from public.patient_caregivers pc where pc.patient_id = profiles.id and pc.caregiver_id = auth.uid() and pc.status = 'approved'));
create policy b on public.profiles for update to authenticated using (auth.uid() = id);
create policy a on public.patient_caregivers for select to authenticated using (auth.uid() in (patient_id, caregiver_id));
create policy b on public.patient_caregivers for insert to authenticated with check (patient_id = auth.uid());
create policy a on public.medications for select to authenticated using (
  patient_id = auth.uid() or exists (select 1 from public.patient_caregivers pc where pc.patient_id = medications.patient_id and pc.caregiver_id = auth.uid() and pc.status = 'approved'));
create policy a on public.journal for all to authenticated using (user_id = auth.uid());
create policy a on public.audit for select to authenticated using (
  exists (select 1 from public.profiles p where p.id = auth.uid() and p.role = 'admin'));
"""

TODO: Final[LiteralString] = """
create table public.lists (id bigint generated always as identity primary key, user_id uuid not null references auth.users (id), title text);
create table public.todos (
  id bigint generated always as identity primary key, user_id uuid not null references auth.users (id),
  list_id bigint references public.lists (id), task text, is_complete boolean default false
);
create table public.posts (id uuid primary key, author_id uuid not null references auth.users (id), title text, is_published boolean not null default false);
create table public.comments (id uuid primary key, post_id uuid not null references public.posts (id), user_id uuid not null references auth.users (id), body text);
alter table public.lists enable row level security;
alter table public.todos enable row level security;
alter table public.posts enable row level security;
alter table public.comments enable row level security;
create policy a on public.lists for all using (auth.uid() = user_id) with check (auth.uid() = user_id);
create policy a on public.todos for all using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
create policy a on public.posts for select using (is_published or author_id = auth.uid());
create policy b on public.posts for insert with check (author_id = auth.uid());
create policy a on public.comments for select using (true);
create policy b on public.comments for insert with check (user_id = auth.uid());
"""

CLINIC: Final[LiteralString] = """
create table public.clinics (id uuid primary key, name text);
create table public.memberships (
  id uuid primary key, clinic_id uuid not null references public.clinics (id), user_id uuid not null references auth.users (id),
  role text not null check (role in ('owner', 'doctor', 'nurse', 'reception')), starts_at timestamptz not null default now(), ends_at timestamptz, deleted_at timestamptz
);
create table public.patients (id uuid primary key, clinic_id uuid not null references public.clinics (id), name text);
create table public.care_teams (
  patient_id uuid not null references public.patients (id), member_id uuid not null references public.memberships (id),
  removed_at timestamptz, primary key (patient_id, member_id)
);
create table public.prescriptions (id uuid primary key, patient_id uuid not null references public.patients (id), prescribed_by uuid references auth.users (id), drug text);
create function public.has_role(p_clinic uuid, p_roles text[]) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.memberships m where m.clinic_id = p_clinic and m.user_id = (select auth.uid()) and m.role = any (p_roles)
    and m.deleted_at is null and m.starts_at <= now() and (m.ends_at is null or m.ends_at > now()))
$$;
create function public.on_team(p_patient uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.care_teams t join public.memberships m on m.id = t.member_id
    where t.patient_id = p_patient and m.user_id = (select auth.uid()) and t.removed_at is null and m.deleted_at is null
      and m.starts_at <= now() and (m.ends_at is null or m.ends_at > now()))
$$;
alter table public.clinics enable row level security;
alter table public.memberships enable row level security;
alter table public.patients enable row level security;
alter table public.care_teams enable row level security;
alter table public.prescriptions enable row level security;
create policy a on public.clinics for select to authenticated using (public.has_role(id, array['owner', 'doctor', 'nurse', 'reception']));
create policy a on public.memberships for select to authenticated using (user_id = (select auth.uid()) or public.has_role(clinic_id, array['owner']));
create policy b on public.memberships for insert to authenticated with check (public.has_role(clinic_id, array['owner']));
create policy a on public.patients for select to authenticated using (public.has_role(clinic_id, array['owner', 'doctor', 'nurse', 'reception']) or public.on_team(id));
create policy a on public.care_teams for select to authenticated using (public.on_team(patient_id));
create policy a on public.prescriptions for select to authenticated using (public.on_team(patient_id));
create policy b on public.prescriptions for insert to authenticated with check (public.on_team(patient_id) and prescribed_by = (select auth.uid()));
"""

GROUPS: Final[LiteralString] = """
create table public.teams (id uuid primary key, name text, closed_at timestamptz);
create table public.team_members (team_id uuid not null references public.teams (id), user_id uuid not null references auth.users (id), ends_at timestamptz, primary key (team_id, user_id));
create table public.patients (id uuid primary key, user_id uuid references auth.users (id), name text);
create table public.patient_teams (
  id uuid primary key, patient_id uuid not null references public.patients (id), team_id uuid not null references public.teams (id),
  access text not null check (access in ('read', 'write')), ends_at timestamptz
);
create table public.notes (id uuid primary key, patient_id uuid not null references public.patients (id), body text);
create function public.my_teams() returns setof uuid language sql stable security definer set search_path = '' as $$
  select t.id from public.teams t join public.team_members m on m.team_id = t.id
  where m.user_id = (select auth.uid()) and m.ends_at > now() and t.closed_at is null
$$;
create function public.can_access(p_patient uuid, p_level text) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare
  patient record;
begin
  select p.id, p.user_id into patient from public.patients p where p.id = p_patient;
  if patient.user_id = auth.uid() then
    return true;
  end if;
  return exists (select from public.patient_teams pt where pt.patient_id = p_patient and pt.team_id in (select public.my_teams())
    and (p_level = 'read' or pt.access = 'write') and (pt.ends_at is null or pt.ends_at > now()));
end
$$;
alter table public.teams enable row level security;
alter table public.team_members enable row level security;
alter table public.patients enable row level security;
alter table public.patient_teams enable row level security;
alter table public.notes enable row level security;
create policy a on public.teams for select to authenticated using (id in (select public.my_teams()));
create policy a on public.team_members for select to authenticated using (team_id in (select public.my_teams()));
create policy a on public.patients for select to authenticated using (public.can_access(id, 'read'));
create policy a on public.patient_teams for select to authenticated using (public.can_access(patient_id, 'read'));
create policy a on public.notes for select to authenticated using (public.can_access(patient_id, 'read'));
create policy b on public.notes for insert to authenticated with check (public.can_access(patient_id, 'write'));
"""

COLLEAGUES: Final[LiteralString] = """
create table public.orgs (id uuid primary key, name text);
create table public.profiles (id uuid primary key references auth.users (id), full_name text);
create table public.memberships (org_id uuid not null references public.orgs (id), user_id uuid not null references public.profiles (id), is_active boolean not null default true, primary key (org_id, user_id));
alter table public.orgs enable row level security;
alter table public.profiles enable row level security;
alter table public.memberships enable row level security;
create policy a on public.orgs for select to authenticated using (exists (select from public.memberships m where m.org_id = orgs.id and m.user_id = auth.uid() and m.is_active));
create policy a on public.memberships for select to authenticated using (user_id = auth.uid());
create policy a on public.profiles for select to authenticated using (id = auth.uid() or exists (
  select from public.memberships theirs join public.memberships mine on mine.org_id = theirs.org_id
  where theirs.user_id = profiles.id and mine.user_id = auth.uid() and theirs.is_active and mine.is_active));
"""

STYLES: Final[dict[str, LiteralString]] = {
    "boolean helpers": BOOLEAN_HELPERS,
    "inline exists": INLINE_EXISTS,
    "token tenants": TOKEN_TENANTS,
    "setting tenants": SETTING_TENANTS,
    "no keys": NO_KEYS,
    "patients are accounts": PATIENTS_ARE_ACCOUNTS,
    "to-do": TODO,
    "clinic": CLINIC,
    "groups": GROUPS,
    "colleagues": COLLEAGUES,
}
