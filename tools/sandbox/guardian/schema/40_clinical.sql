-- Clinical record: one partitioned event stream per profile, and the FHIR resources people maintain by hand.
create table public.clinical_events (
  id uuid not null default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  occurred_at timestamptz not null,
  kind public.clinical_event_kind not null,
  code_system text not null,
  code text not null,
  display text not null,
  status text not null default 'final' check (status in ('preliminary', 'final', 'amended', 'entered_in_error')),
  value_quantity numeric(12, 3),
  value_unit text,
  value_text text,
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, occurred_at),
  unique (profile_id, occurred_at, id),
  foreign key (code_system, code) references public.medical_codes (code_system, code)
) partition by range (occurred_at);
create index clinical_events_code_idx on public.clinical_events (code_system, code);
create index clinical_events_recorded_by_idx on public.clinical_events (recorded_by);
comment on table public.clinical_events is 'Event stream of each profile, partitioned by quarter of occurred_at.';
comment on column public.clinical_events.confidence is '1 for what a person entered, lower for what a document pass read.';
comment on column public.clinical_events.occurred_at is 'When it happened, not when it was recorded; decides the partition.';
comment on column public.clinical_events.recorded_by is 'The account that wrote the row; cannot be changed or forged.';
comment on column public.clinical_events.note is 'Free text; PHI.';

-- A partition is reached through its parent only: it has row level security of its own, no policy and no grant.
create function private.create_event_partition(quarter_start date) returns text
language plpgsql set search_path = '' as $$
declare
  partition_name text := format('clinical_events_%s', to_char(quarter_start, 'YYYY"q"Q'));
begin
  if quarter_start <> date_trunc('quarter', quarter_start)::date then
    raise exception '% is not the first day of a quarter', quarter_start using errcode = 'invalid_parameter_value';
  end if;
  execute format(
    'create table public.%I partition of public.clinical_events for values from (%L) to (%L)',
    partition_name, quarter_start::timestamp at time zone 'UTC',
    (quarter_start + interval '3 months')::timestamp at time zone 'UTC'
  );
  perform private.protect_event_partition(partition_name);
  return partition_name;
end
$$;
comment on function private.create_event_partition(date) is 'Adds and protects the partition of one quarter (UTC); run by a cron job.';

create function private.protect_event_partition(partition_name text) returns void
language plpgsql set search_path = '' as $$
begin
  execute format('alter table public.%I enable row level security', partition_name);
  execute format('revoke all on public.%I from anon, authenticated', partition_name);
  execute format(
    'comment on table public.%I is %L', partition_name,
    'Service only: partition of clinical_events, read through the parent. No policy on purpose.'
  );
end
$$;

create table public.clinical_events_default partition of public.clinical_events default;
select private.protect_event_partition('clinical_events_default');
select private.create_event_partition(quarter::date)
from generate_series(date '2023-01-01', date '2027-01-01', interval '3 months') as quarter;

create table public.conditions (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  code_system text not null,
  code text not null,
  display text not null,
  clinical_status text not null default 'active' check (clinical_status in ('active', 'remission', 'resolved')),
  onset_on date,
  abated_on date,
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index conditions_code_idx on public.conditions (code_system, code);
create index conditions_recorded_by_idx on public.conditions (recorded_by);
comment on table public.conditions is 'FHIR Condition.';

create table public.medications (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  code_system text not null,
  code text not null,
  display text not null,
  status text not null default 'active' check (status in ('active', 'completed', 'stopped')),
  dosage text,
  started_on date not null,
  ended_on date,
  condition_id uuid,
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (profile_id, condition_id) references public.conditions (profile_id, id) on delete set null (condition_id),
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index medications_code_idx on public.medications (code_system, code);
create index medications_recorded_by_idx on public.medications (recorded_by);
create index medications_profile_id_condition_id_idx on public.medications (profile_id, condition_id);
comment on table public.medications is 'FHIR MedicationStatement. The condition it treats belongs to the same profile.';

create table public.medication_doses (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null,
  medication_id uuid not null,
  due_at timestamptz not null,
  taken_at timestamptz,
  recorded_by uuid references public.accounts (id) on delete set null,
  created_at timestamptz not null default now(),
  foreign key (profile_id, medication_id) references public.medications (profile_id, id) on delete cascade
);
create index medication_doses_profile_id_medication_id_idx on public.medication_doses (profile_id, medication_id);
create index medication_doses_recorded_by_idx on public.medication_doses (recorded_by);
comment on table public.medication_doses is 'FHIR MedicationAdministration: doses due and taken.';

create table public.allergies (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  code_system text not null,
  code text not null,
  display text not null,
  criticality text not null default 'low' check (criticality in ('low', 'high', 'unable_to_assess')),
  reaction text,
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index allergies_code_idx on public.allergies (code_system, code);
create index allergies_recorded_by_idx on public.allergies (recorded_by);
comment on table public.allergies is 'FHIR AllergyIntolerance.';

create table public.immunisations (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  code_system text not null,
  code text not null,
  display text not null,
  given_on date not null,
  lot_number text,
  provider_id uuid references public.providers (id),
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index immunisations_code_idx on public.immunisations (code_system, code);
create index immunisations_recorded_by_idx on public.immunisations (recorded_by);
create index immunisations_provider_id_idx on public.immunisations (provider_id);
comment on table public.immunisations is 'FHIR Immunization.';

create table public.vitals (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  code_system text not null,
  code text not null,
  display text not null,
  measured_at timestamptz not null,
  value numeric(10, 2) not null,
  unit text not null,
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index vitals_code_idx on public.vitals (code_system, code);
create index vitals_recorded_by_idx on public.vitals (recorded_by);
create index vitals_profile_id_measured_at_idx on public.vitals (profile_id, measured_at desc);
comment on table public.vitals is 'FHIR Observation, category vital-signs: from home devices and visits.';

create table public.diagnostic_reports (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  code_system text not null,
  code text not null,
  display text not null,
  issued_at timestamptz not null,
  conclusion text,
  provider_id uuid references public.providers (id),
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index diagnostic_reports_code_idx on public.diagnostic_reports (code_system, code);
create index diagnostic_reports_recorded_by_idx on public.diagnostic_reports (recorded_by);
create index diagnostic_reports_provider_id_idx on public.diagnostic_reports (provider_id);
comment on table public.diagnostic_reports is 'FHIR DiagnosticReport.';

create table public.observations (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  report_id uuid,
  code_system text not null,
  code text not null,
  display text not null,
  observed_at timestamptz not null,
  value numeric(12, 3),
  unit text,
  interpretation text check (interpretation in ('low', 'normal', 'high', 'critical')),
  source public.record_source not null default 'person',
  confidence numeric(4, 3) not null default 1 check (confidence between 0 and 1),
  recorded_by uuid references public.accounts (id) on delete set null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (profile_id, report_id) references public.diagnostic_reports (profile_id, id) on delete cascade,
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index observations_code_idx on public.observations (code_system, code);
create index observations_recorded_by_idx on public.observations (recorded_by);
create index observations_profile_id_report_id_idx on public.observations (profile_id, report_id);
comment on table public.observations is 'FHIR Observation: single results, usually of a report of the same profile.';

alter table public.clinical_events enable row level security;
alter table public.conditions enable row level security;
alter table public.medications enable row level security;
alter table public.medication_doses enable row level security;
alter table public.allergies enable row level security;
alter table public.immunisations enable row level security;
alter table public.vitals enable row level security;
alter table public.diagnostic_reports enable row level security;
alter table public.observations enable row level security;

create policy clinical_events_select on public.clinical_events for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy clinical_events_insert on public.clinical_events for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy clinical_events_update on public.clinical_events for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy clinical_events_delete on public.clinical_events for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy conditions_select on public.conditions for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy conditions_insert on public.conditions for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy conditions_update on public.conditions for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy conditions_delete on public.conditions for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy medications_select on public.medications for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy medications_insert on public.medications for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy medications_update on public.medications for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy medications_delete on public.medications for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy medication_doses_select on public.medication_doses for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy medication_doses_insert on public.medication_doses for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy medication_doses_update on public.medication_doses for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy medication_doses_delete on public.medication_doses for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy allergies_select on public.allergies for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy allergies_insert on public.allergies for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy allergies_update on public.allergies for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy allergies_delete on public.allergies for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy immunisations_select on public.immunisations for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy immunisations_insert on public.immunisations for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy immunisations_update on public.immunisations for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy immunisations_delete on public.immunisations for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy vitals_select on public.vitals for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy vitals_insert on public.vitals for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy vitals_update on public.vitals for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy vitals_delete on public.vitals for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy diagnostic_reports_select on public.diagnostic_reports for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy diagnostic_reports_insert on public.diagnostic_reports for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy diagnostic_reports_update on public.diagnostic_reports for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy diagnostic_reports_delete on public.diagnostic_reports for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy observations_select on public.observations for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy observations_insert on public.observations for insert to authenticated
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
create policy observations_update on public.observations for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy observations_delete on public.observations for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));

create trigger clinical_events_touch before update on public.clinical_events
  for each row execute function private.touch_updated_at();
create trigger conditions_touch before update on public.conditions
  for each row execute function private.touch_updated_at();
create trigger medications_touch before update on public.medications
  for each row execute function private.touch_updated_at();
create trigger allergies_touch before update on public.allergies
  for each row execute function private.touch_updated_at();
create trigger immunisations_touch before update on public.immunisations
  for each row execute function private.touch_updated_at();
create trigger vitals_touch before update on public.vitals
  for each row execute function private.touch_updated_at();
create trigger diagnostic_reports_touch before update on public.diagnostic_reports
  for each row execute function private.touch_updated_at();
create trigger observations_touch before update on public.observations
  for each row execute function private.touch_updated_at();
create trigger clinical_events_freeze before update on public.clinical_events
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger conditions_freeze before update on public.conditions
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger medications_freeze before update on public.medications
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger medication_doses_freeze before update on public.medication_doses
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger allergies_freeze before update on public.allergies
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger immunisations_freeze before update on public.immunisations
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger vitals_freeze before update on public.vitals
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger diagnostic_reports_freeze before update on public.diagnostic_reports
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
create trigger observations_freeze before update on public.observations
  for each row execute function private.freeze_columns('profile_id', 'recorded_by');
