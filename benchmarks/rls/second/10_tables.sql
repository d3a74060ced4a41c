-- Northlight: care organisations, their teams, their patients and the patients' families. Synthetic people only.
create schema app;
comment on schema app is 'Helpers of the policies. Not exposed.';
revoke all on schema app from public;
grant usage on schema app to authenticated, service_role;
revoke all on all tables in schema public from anon;
alter default privileges in schema public revoke all on tables from anon;
alter default privileges in schema public revoke all on functions from anon;
alter default privileges in schema public revoke all on functions from authenticated;

create table public.organisations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  city text,
  deleted_at timestamptz,
  created_at timestamptz not null default now()
);
comment on table public.organisations is 'A clinic or a home care service: the tenant.';
comment on column public.organisations.deleted_at is 'A deleted organisation is closed to everybody.';

create table public.members (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organisations (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role text not null check (role in ('owner', 'admin', 'clinician', 'assistant', 'billing')),
  starts_at timestamptz not null default now(),
  ends_at timestamptz,
  deleted_at timestamptz,
  unique (org_id, user_id),
  unique (id, org_id)
);
create index members_user_id_idx on public.members (user_id);
comment on table public.members is 'Who works for an organisation, from starts_at to ends_at.';

create table public.invites (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organisations (id) on delete cascade,
  email text not null,
  role text not null check (role in ('admin', 'clinician', 'assistant', 'billing')),
  token_hash text not null unique,
  invited_by uuid not null references auth.users (id),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  cancelled_at timestamptz
);
create index invites_org_id_idx on public.invites (org_id);
create index invites_invited_by_idx on public.invites (invited_by);

create table public.patients (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organisations (id),
  user_id uuid unique references auth.users (id) on delete set null,
  full_name text not null,
  birth_date date not null,
  national_number text,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  unique (id, org_id)
);
create index patients_org_id_idx on public.patients (org_id);
comment on table public.patients is 'One record per person and organisation; user_id is the portal account of the person.';
comment on column public.patients.national_number is 'PHI: read by services only.';

create table public.care_teams (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organisations (id) on delete cascade,
  name text not null,
  deleted_at timestamptz,
  unique (id, org_id)
);
create index care_teams_org_id_idx on public.care_teams (org_id);

create table public.team_members (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  team_id uuid not null,
  member_id uuid not null,
  starts_at timestamptz not null default now(),
  ends_at timestamptz,
  foreign key (team_id, org_id) references public.care_teams (id, org_id) on delete cascade,
  foreign key (member_id, org_id) references public.members (id, org_id) on delete cascade
);
create index team_members_team_idx on public.team_members (team_id, org_id);
create index team_members_member_idx on public.team_members (member_id, org_id);

create table public.patient_teams (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  patient_id uuid not null,
  team_id uuid not null,
  access text not null default 'read' check (access in ('read', 'write')),
  starts_at timestamptz not null default now(),
  ends_at timestamptz,
  foreign key (patient_id, org_id) references public.patients (id, org_id) on delete cascade,
  foreign key (team_id, org_id) references public.care_teams (id, org_id) on delete cascade
);
create index patient_teams_patient_idx on public.patient_teams (patient_id, org_id);
create index patient_teams_team_idx on public.patient_teams (team_id, org_id);
comment on table public.patient_teams is 'Opens a patient to a care team, for a time and at a level.';

create table public.proxies (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  relation text not null,
  can_write boolean not null default false,
  starts_at timestamptz not null default now(),
  ends_at timestamptz,
  deleted_at timestamptz,
  unique (patient_id, user_id)
);
create index proxies_user_id_idx on public.proxies (user_id);
comment on table public.proxies is 'Relatives whom the patient lets see the record.';

create table public.referrals (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null,
  org_id uuid not null,
  to_org_id uuid not null references public.organisations (id),
  status text not null default 'offered' check (status in ('offered', 'accepted', 'declined', 'withdrawn')),
  requested_by uuid not null references auth.users (id),
  starts_at timestamptz not null default now(),
  ends_at timestamptz,
  foreign key (patient_id, org_id) references public.patients (id, org_id) on delete cascade,
  check (org_id <> to_org_id)
);
create index referrals_patient_idx on public.referrals (patient_id, org_id);
create index referrals_to_org_id_idx on public.referrals (to_org_id);
create index referrals_requested_by_idx on public.referrals (requested_by);
comment on table public.referrals is 'An accepted referral lets clinicians of another organisation read.';

create table public.break_glass (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  user_id uuid not null references auth.users (id),
  reason text not null,
  starts_at timestamptz not null default now(),
  ends_at timestamptz not null,
  closed_at timestamptz
);
create index break_glass_patient_id_idx on public.break_glass (patient_id);
create index break_glass_user_id_idx on public.break_glass (user_id);
comment on table public.break_glass is 'Emergency access of one clinician, for an hour. Written by a procedure only.';

create table public.encounters (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null,
  org_id uuid not null,
  clinician_id uuid not null references auth.users (id),
  started_at timestamptz not null,
  summary text,
  deleted_at timestamptz,
  unique (id, patient_id),
  foreign key (patient_id, org_id) references public.patients (id, org_id) on delete cascade
);
create index encounters_patient_idx on public.encounters (patient_id, org_id);
create index encounters_clinician_id_idx on public.encounters (clinician_id);

create table public.notes (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  encounter_id uuid not null,
  author_id uuid not null references auth.users (id),
  visibility text not null default 'team' check (visibility in ('team', 'private')),
  body text not null,
  deleted_at timestamptz,
  foreign key (encounter_id, patient_id) references public.encounters (id, patient_id) on delete cascade
);
create index notes_encounter_idx on public.notes (encounter_id, patient_id);
create index notes_patient_id_idx on public.notes (patient_id);
create index notes_author_id_idx on public.notes (author_id);
comment on column public.notes.visibility is 'A private note is read by its author alone.';

create table public.prescriptions (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  prescriber_id uuid not null references auth.users (id),
  drug_code text not null,
  dosage text not null,
  ends_on date
);
create index prescriptions_patient_id_idx on public.prescriptions (patient_id);
create index prescriptions_prescriber_id_idx on public.prescriptions (prescriber_id);

create table public.lab_orders (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  encounter_id uuid,
  ordered_by uuid not null references auth.users (id),
  status text not null default 'ordered' check (status in ('ordered', 'resulted', 'cancelled')),
  unique (id, patient_id),
  foreign key (encounter_id, patient_id) references public.encounters (id, patient_id)
);
create index lab_orders_patient_id_idx on public.lab_orders (patient_id);
create index lab_orders_encounter_idx on public.lab_orders (encounter_id, patient_id);
create index lab_orders_ordered_by_idx on public.lab_orders (ordered_by);

create table public.lab_results (
  id uuid not null default gen_random_uuid(),
  patient_id uuid not null,
  order_id uuid not null,
  resulted_at timestamptz not null,
  analyte text not null,
  value numeric,
  primary key (id, resulted_at),
  foreign key (order_id, patient_id) references public.lab_orders (id, patient_id) on delete cascade
) partition by range (resulted_at);
create index lab_results_order_idx on public.lab_results (order_id, patient_id);
create index lab_results_patient_id_idx on public.lab_results (patient_id);
create table public.lab_results_2024 partition of public.lab_results for values from ('2024-01-01Z') to ('2025-01-01Z');
create table public.lab_results_2025 partition of public.lab_results for values from ('2025-01-01Z') to ('2026-01-01Z');
create table public.lab_results_2026 partition of public.lab_results for values from ('2026-01-01Z') to ('2027-01-01Z');
create table public.lab_results_default partition of public.lab_results default;

create table public.appointments (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  patient_id uuid not null,
  starts_at timestamptz not null,
  reason text,
  status text not null default 'booked' check (status in ('booked', 'done', 'cancelled')),
  foreign key (patient_id, org_id) references public.patients (id, org_id) on delete cascade
);
create index appointments_patient_idx on public.appointments (patient_id, org_id);
create index appointments_org_id_idx on public.appointments (org_id);

create table public.threads (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  subject text not null,
  closed_at timestamptz
);
create index threads_patient_id_idx on public.threads (patient_id);

create table public.posts (
  id uuid primary key default gen_random_uuid(),
  thread_id uuid not null references public.threads (id) on delete cascade,
  author_id uuid not null references auth.users (id),
  body text not null,
  sent_at timestamptz not null default now()
);
create index posts_thread_id_idx on public.posts (thread_id);
create index posts_author_id_idx on public.posts (author_id);

create table public.attachments (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  uploaded_by uuid not null references auth.users (id),
  path text not null unique
);
create index attachments_patient_id_idx on public.attachments (patient_id);
create index attachments_uploaded_by_idx on public.attachments (uploaded_by);

create table public.invoices (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  patient_id uuid not null,
  amount_cents integer not null,
  status text not null default 'draft' check (status in ('draft', 'sent', 'paid')),
  foreign key (patient_id, org_id) references public.patients (id, org_id)
);
create index invoices_patient_idx on public.invoices (patient_id, org_id);
create index invoices_org_id_idx on public.invoices (org_id);

create table public.org_settings (
  org_id uuid primary key references public.organisations (id) on delete cascade,
  portal_enabled boolean not null default true,
  billing_email text
);

create table public.user_profiles (
  user_id uuid primary key references auth.users (id) on delete cascade,
  display_name text not null,
  locale text not null default 'en'
);

create table public.research_consents (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.patients (id) on delete cascade,
  study text not null,
  given_at timestamptz not null default now(),
  withdrawn_at timestamptz
);
create index research_consents_patient_id_idx on public.research_consents (patient_id);

create table public.audit_events (
  id bigint generated always as identity primary key,
  org_id uuid not null references public.organisations (id),
  actor_id uuid,
  action text not null,
  happened_at timestamptz not null default now()
);
create index audit_events_org_id_idx on public.audit_events (org_id);
comment on table public.audit_events is 'Append-only; read by owners and admins.';

create table public.drugs (
  code text primary key,
  name text not null
);
comment on table public.drugs is 'Reference data: the same for everybody.';
alter table public.prescriptions add foreign key (drug_code) references public.drugs (code);
create index prescriptions_drug_code_idx on public.prescriptions (drug_code);
