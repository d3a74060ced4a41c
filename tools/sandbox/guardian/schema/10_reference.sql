-- Reference data: the same for everybody, maintained by service_role.
create table public.regions (
  code text primary key check (code ~ '^[A-Z]{2}$'),
  name text not null,
  locale text not null,
  storage_region text not null,
  is_active boolean not null default true
);
comment on table public.regions is 'Countries Guardian is offered in.';

create table public.plans (
  code text primary key,
  name text not null,
  monthly_price_cents integer not null check (monthly_price_cents >= 0),
  currency text not null default 'EUR',
  max_profiles integer not null check (max_profiles > 0),
  max_storage_bytes bigint not null,
  is_public boolean not null default true,
  created_at timestamptz not null default now()
);
comment on table public.plans is 'Subscription plans; the public ones are shown on the website without signing in.';

create table public.feature_flags (
  key text primary key,
  description text not null,
  is_enabled boolean not null default false,
  is_public boolean not null default false,
  rollout_percent integer not null default 0 check (rollout_percent between 0 and 100),
  updated_at timestamptz not null default now()
);
comment on table public.feature_flags is 'Switches of the product. Flags that are not public are for services only.';

create table public.consent_purposes (
  code text primary key,
  title text not null,
  legal_basis text not null,
  text_version integer not null default 1,
  is_active boolean not null default true
);
comment on table public.consent_purposes is 'What a person can consent to, with the version of the wording.';

create table public.code_systems (
  code text primary key,
  uri text not null unique,
  name text not null,
  version text not null,
  is_active boolean not null default true
);
comment on table public.code_systems is 'FHIR code systems: LOINC, SNOMED CT, RxNorm, CVX and regional lists.';

create table public.medical_codes (
  code_system text not null references public.code_systems (code),
  code text not null,
  display text not null,
  kind public.clinical_event_kind not null,
  unit text,
  is_active boolean not null default true,
  primary key (code_system, code)
);
create index medical_codes_kind_idx on public.medical_codes (kind);
comment on table public.medical_codes is 'Codes that clinical rows refer to.';
comment on column public.medical_codes.unit is 'UCUM unit for measured values.';

create table public.quality_rules (
  code text primary key,
  title text not null,
  severity text not null check (severity in ('info', 'warning', 'critical')),
  applies_to text not null check (applies_to in ('event', 'document')),
  is_enabled boolean not null default true
);
comment on table public.quality_rules is 'Checks of the edge function quality-guardian.';

alter table public.regions enable row level security;
alter table public.plans enable row level security;
alter table public.feature_flags enable row level security;
alter table public.consent_purposes enable row level security;
alter table public.code_systems enable row level security;
alter table public.medical_codes enable row level security;
alter table public.quality_rules enable row level security;

create policy regions_select on public.regions for select to anon, authenticated using (is_active);
create policy plans_select on public.plans for select to anon, authenticated using (is_public);
create policy feature_flags_select on public.feature_flags for select to authenticated using (is_public);
create policy consent_purposes_select on public.consent_purposes for select to authenticated using (is_active);
create policy code_systems_select on public.code_systems for select to authenticated using (is_active);
create policy medical_codes_select on public.medical_codes for select to authenticated using (is_active);
create policy quality_rules_select on public.quality_rules for select to authenticated using (is_enabled);
