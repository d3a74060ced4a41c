-- Provider registry and access of providers to profiles.
create table public.provider_organisations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  kind text not null check (kind in ('practice', 'hospital', 'laboratory', 'pharmacy', 'veterinary', 'home_care')),
  region_code text not null references public.regions (code),
  city text,
  phone text,
  is_listed boolean not null default true,
  created_at timestamptz not null default now()
);
create index provider_organisations_region_code_idx on public.provider_organisations (region_code);
comment on table public.provider_organisations is 'FHIR Organization.';

create table public.providers (
  id uuid primary key default gen_random_uuid(),
  account_id uuid unique references public.accounts (id),
  organisation_id uuid references public.provider_organisations (id),
  display_name text not null,
  speciality text not null,
  registration_number text not null unique,
  contact_phone text,
  status text not null default 'unverified' check (status in ('unverified', 'verified', 'suspended')),
  verified_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (status <> 'verified' or verified_until is not null)
);
create index providers_status_idx on public.providers (status);
create index providers_organisation_id_idx on public.providers (organisation_id);
comment on table public.providers is 'FHIR Practitioner. The status is set by staff only, through verify_provider().';
comment on column public.providers.verified_until is 'A verification lapses by itself at this moment.';

create table public.provider_verifications (
  id uuid primary key default gen_random_uuid(),
  provider_id uuid not null references public.providers (id) on delete cascade,
  decision text not null check (decision in ('verified', 'rejected', 'suspended')),
  evidence text not null,
  decided_by uuid not null references public.accounts (id),
  valid_until timestamptz,
  decided_at timestamptz not null default now()
);
create index provider_verifications_provider_id_idx on public.provider_verifications (provider_id);
create index provider_verifications_decided_by_idx on public.provider_verifications (decided_by);
comment on table public.provider_verifications is 'Append-only: decisions of verifiers about providers.';

create table public.provider_access (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  provider_id uuid not null references public.providers (id),
  purpose text not null check (purpose in ('treatment', 'second_opinion', 'emergency')),
  can_contribute boolean not null default false,
  include_documents boolean not null default false,
  status text not null default 'active' check (status in ('active', 'revoked')),
  consent_id uuid not null,
  granted_by uuid not null references public.accounts (id),
  starts_at timestamptz not null default now(),
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (profile_id, consent_id) references public.consents (profile_id, id),
  check (expires_at > starts_at)
);
create index provider_access_profile_id_consent_id_idx on public.provider_access (profile_id, consent_id);
create index provider_access_provider_id_idx on public.provider_access (provider_id);
create index provider_access_granted_by_idx on public.provider_access (granted_by);
comment on table public.provider_access is
  'Opens a profile to a provider for a purpose and a time. Counts only while the provider is verified and the consent given.';
comment on column public.provider_access.can_contribute is 'The provider may add clinical rows, never change existing ones.';
comment on column public.provider_access.include_documents is 'Also opens documents, their pages and files.';
comment on column public.provider_access.expires_at is 'Never null: access of a provider always ends.';

create table public.access_log (
  id bigint generated always as identity primary key,
  profile_id uuid not null references public.profiles (id) on delete cascade,
  account_id uuid not null references public.accounts (id),
  provider_id uuid references public.providers (id),
  purpose text not null,
  resource text not null,
  accessed_at timestamptz not null default now()
);
create index access_log_profile_id_accessed_at_idx on public.access_log (profile_id, accessed_at desc);
create index access_log_accessed_at_idx on public.access_log (accessed_at);
create index access_log_account_id_idx on public.access_log (account_id);
create index access_log_provider_id_idx on public.access_log (provider_id);
comment on table public.access_log is 'Append-only: who looked at which record and why (45 CFR 164.312(b)).';
