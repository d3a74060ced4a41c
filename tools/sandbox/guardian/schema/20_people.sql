-- Accounts, families, profiles and what opens a profile to another account.
create table public.accounts (
  id uuid primary key references auth.users (id) on delete cascade,
  display_name text not null,
  email text not null,
  phone text,
  locale text not null default 'en',
  region_code text not null default 'IE' references public.regions (code),
  status text not null default 'active' check (status in ('active', 'suspended', 'closed')),
  onboarded_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index accounts_region_code_idx on public.accounts (region_code);
comment on table public.accounts is 'One row per person who can sign in; mirrors auth.users.';
comment on column public.accounts.status is 'A suspended or closed account reaches no profile at all.';
comment on column public.accounts.email is 'Mirrors auth.users; decides whom an invitation is for.';

create table public.staff_members (
  account_id uuid primary key references public.accounts (id) on delete cascade,
  role text not null check (role in ('reviewer', 'verifier', 'compliance', 'operations')),
  is_active boolean not null default true,
  granted_at timestamptz not null default now(),
  granted_by uuid references public.accounts (id)
);
create index staff_members_granted_by_idx on public.staff_members (granted_by);
comment on table public.staff_members is
  'Service only: no API role reads or writes it. A staff role in a token counts only while it is active here.';

create table public.households (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  created_by uuid not null references public.accounts (id),
  city text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index households_created_by_idx on public.households (created_by);
comment on table public.households is 'A family as it lives together. Membership alone opens no health record.';

create table public.household_members (
  household_id uuid not null references public.households (id) on delete cascade,
  account_id uuid not null references public.accounts (id) on delete cascade,
  role text not null default 'member' check (role in ('admin', 'member')),
  status text not null default 'active' check (status in ('active', 'left')),
  joined_at timestamptz not null default now(),
  primary key (household_id, account_id)
);
create index household_members_account_id_idx on public.household_members (account_id);
comment on table public.household_members is 'Who belongs to a household. Rows are added by accepting an invitation.';

create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  household_id uuid not null references public.households (id) on delete cascade,
  invited_by uuid not null references public.accounts (id),
  invited_email text not null,
  token_sha256 text not null unique,
  status text not null default 'pending' check (status in ('pending', 'accepted', 'cancelled')),
  expires_at timestamptz not null,
  accepted_by uuid references public.accounts (id),
  created_at timestamptz not null default now()
);
create index invitations_household_id_idx on public.invitations (household_id);
create index invitations_invited_by_idx on public.invitations (invited_by);
create index invitations_accepted_by_idx on public.invitations (accepted_by);
comment on table public.invitations is 'Invitations into a household; only the hash of the mailed token is kept.';
comment on column public.invitations.token_sha256 is 'Hex SHA-256 of the token; the token itself is only in the mail.';

create table public.profiles (
  id uuid primary key default gen_random_uuid(),
  owner_account_id uuid not null references public.accounts (id),
  household_id uuid references public.households (id) on delete set null,
  kind public.profile_kind not null,
  given_name text not null,
  family_name text not null,
  preferred_name text,
  birth_date date not null,
  sex text not null check (sex in ('female', 'male', 'other', 'unknown')),
  species text,
  blood_group text,
  avatar_path text,
  emergency_note text,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((kind = 'pet') = (species is not null))
);
create index profiles_owner_account_id_idx on public.profiles (owner_account_id);
create index profiles_household_id_idx on public.profiles (household_id);
create unique index profiles_one_self_per_account on public.profiles (owner_account_id) where kind = 'self';
comment on table public.profiles is 'FHIR Patient: one health record. Everything clinical hangs from it.';
comment on column public.profiles.owner_account_id is
  'The account that owns the record. Changes only when an adult child takes the profile over.';
comment on column public.profiles.archived_at is 'An archived profile is closed to everybody.';
comment on column public.profiles.household_id is 'Where the person lives; opens nothing.';
comment on column public.profiles.species is 'Set for pets only.';
comment on column public.profiles.emergency_note is 'What first responders should know; PHI.';
comment on column public.profiles.birth_date is 'PHI; decides whether a child may take the profile over.';

create table public.profile_identifiers (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  system text not null check (system in ('national_id', 'insurance', 'passport', 'microchip')),
  value text not null,
  issuer text,
  created_at timestamptz not null default now(),
  unique (profile_id, system, value)
);
comment on table public.profile_identifiers is 'FHIR Identifier: national and insurance numbers.';
comment on column public.profile_identifiers.value is 'PHI: seen by those who manage the profile, never by providers.';

create table public.profile_contacts (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  relationship text not null,
  name text not null,
  phone text,
  email text,
  address_line text,
  postal_code text,
  city text,
  is_emergency boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index profile_contacts_profile_id_idx on public.profile_contacts (profile_id);
comment on table public.profile_contacts is 'FHIR Patient.contact: next of kin and emergency contacts.';

create table public.consents (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  purpose_code text not null references public.consent_purposes (code),
  status public.consent_status not null default 'given',
  text_version integer not null default 1,
  given_by uuid not null references public.accounts (id),
  given_at timestamptz not null default now(),
  expires_at timestamptz,
  withdrawn_at timestamptz,
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  check ((status = 'withdrawn') = (withdrawn_at is not null))
);
create index consents_purpose_code_idx on public.consents (purpose_code);
create index consents_given_by_idx on public.consents (given_by);
comment on table public.consents is 'FHIR Consent. Withdrawal is final: a new consent is a new row.';
comment on column public.consents.text_version is 'Version of the wording that was agreed to.';

create table public.consent_history (
  id bigint generated always as identity primary key,
  profile_id uuid not null,
  consent_id uuid not null,
  status public.consent_status not null,
  changed_by uuid,
  changed_at timestamptz not null default now(),
  foreign key (profile_id, consent_id) references public.consents (profile_id, id) on delete cascade
);
create index consent_history_profile_id_consent_id_idx on public.consent_history (profile_id, consent_id);
comment on table public.consent_history is 'Append-only: every state a consent has had. Written by a trigger.';

create table public.profile_grants (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  grantee_account_id uuid not null references public.accounts (id) on delete cascade,
  level public.grant_level not null default 'read',
  status public.grant_status not null default 'pending',
  consent_id uuid not null,
  granted_by uuid not null references public.accounts (id),
  note text,
  expires_at timestamptz,
  accepted_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (profile_id, consent_id) references public.consents (profile_id, id)
);
create index profile_grants_profile_id_consent_id_idx on public.profile_grants (profile_id, consent_id);
create index profile_grants_grantee_account_id_idx on public.profile_grants (grantee_account_id);
create index profile_grants_granted_by_idx on public.profile_grants (granted_by);
create unique index profile_grants_one_live on public.profile_grants (profile_id, grantee_account_id)
  where status in ('pending', 'active');
comment on table public.profile_grants is
  'Opens a profile to another account. Counts only while active, unexpired and its consent is not withdrawn.';
comment on column public.profile_grants.status is 'pending -> active (by the grantee) -> revoked (final).';
comment on column public.profile_grants.level is 'read, write (add and correct), manage (also share and delete).';
comment on column public.profile_grants.consent_id is 'The consent this grant lives by; withdrawing it ends the grant at once.';
comment on column public.profile_grants.expires_at is 'Null means until revoked.';

create table public.profile_handovers (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  from_account_id uuid not null references public.accounts (id),
  to_account_id uuid not null references public.accounts (id),
  status text not null default 'requested' check (status in ('requested', 'confirmed', 'completed', 'cancelled')),
  requested_at timestamptz not null default now(),
  confirmed_at timestamptz,
  completed_at timestamptz,
  check (from_account_id <> to_account_id)
);
create index profile_handovers_profile_id_idx on public.profile_handovers (profile_id);
create index profile_handovers_from_account_id_idx on public.profile_handovers (from_account_id);
create index profile_handovers_to_account_id_idx on public.profile_handovers (to_account_id);
comment on table public.profile_handovers is 'An adult child takes the own profile over. Written by procedures only.';

create table public.carer_assignments (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  grant_id uuid not null,
  agency_name text,
  tasks text[] not null default '{}',
  starts_on date not null,
  ends_on date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (profile_id, grant_id) references public.profile_grants (profile_id, id) on delete cascade
);
create index carer_assignments_profile_id_grant_id_idx on public.carer_assignments (profile_id, grant_id);
comment on table public.carer_assignments is 'What a carer does for a profile. Access always comes from the grant.';

create table public.devices (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references public.accounts (id) on delete cascade,
  platform text not null check (platform in ('ios', 'android', 'web')),
  push_token text unique,
  last_seen_at timestamptz,
  created_at timestamptz not null default now()
);
create index devices_account_id_idx on public.devices (account_id);
comment on table public.devices is 'Phones and browsers that receive push messages.';

create table public.notification_preferences (
  account_id uuid not null references public.accounts (id) on delete cascade,
  channel text not null check (channel in ('push', 'email', 'sms')),
  topic text not null,
  is_enabled boolean not null default true,
  updated_at timestamptz not null default now(),
  primary key (account_id, channel, topic)
);
comment on table public.notification_preferences is 'Which messages an account wants, per channel.';

create table public.notifications (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references public.accounts (id) on delete cascade,
  profile_id uuid references public.profiles (id) on delete cascade,
  topic text not null,
  title text not null,
  body text,
  read_at timestamptz,
  created_at timestamptz not null default now()
);
create index notifications_account_id_idx on public.notifications (account_id, created_at desc);
create index notifications_profile_id_idx on public.notifications (profile_id);
comment on table public.notifications is
  'Messages to an account. One about a profile disappears with the access to that profile.';
