-- Healthcare journey.
create table public.episodes (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  title text not null,
  status text not null default 'active' check (status in ('planned', 'active', 'finished')),
  condition_id uuid,
  started_on date not null,
  ended_on date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (profile_id, condition_id) references public.conditions (profile_id, id) on delete set null (condition_id)
);
create index episodes_profile_id_condition_id_idx on public.episodes (profile_id, condition_id);
comment on table public.episodes is 'FHIR EpisodeOfCare: what belongs together, from the first visit to the last.';

create table public.encounters (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  episode_id uuid,
  provider_id uuid references public.providers (id),
  class text not null check (class in ('ambulatory', 'emergency', 'inpatient', 'virtual', 'home')),
  reason text,
  summary text,
  started_at timestamptz not null,
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (profile_id, episode_id) references public.episodes (profile_id, id) on delete set null (episode_id)
);
create index encounters_profile_id_episode_id_idx on public.encounters (profile_id, episode_id);
create index encounters_profile_id_started_at_idx on public.encounters (profile_id, started_at desc);
create index encounters_provider_id_idx on public.encounters (provider_id);
comment on table public.encounters is 'FHIR Encounter: a visit.';
comment on column public.encounters.class is 'FHIR Encounter.class.';
comment on column public.encounters.summary is 'Free text; PHI.';

create table public.appointments (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  encounter_id uuid,
  provider_id uuid references public.providers (id),
  status text not null default 'booked' check (status in ('proposed', 'booked', 'fulfilled', 'cancelled', 'noshow')),
  starts_at timestamptz not null,
  minutes integer not null default 20 check (minutes > 0),
  location text,
  reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (profile_id, encounter_id) references public.encounters (profile_id, id) on delete set null (encounter_id)
);
create index appointments_profile_id_encounter_id_idx on public.appointments (profile_id, encounter_id);
create index appointments_profile_id_starts_at_idx on public.appointments (profile_id, starts_at);
create index appointments_provider_id_idx on public.appointments (provider_id);
comment on table public.appointments is 'FHIR Appointment.';

create table public.reminders (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  appointment_id uuid,
  medication_id uuid,
  due_at timestamptz not null,
  message text not null,
  sent_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (profile_id, appointment_id) references public.appointments (profile_id, id) on delete cascade,
  foreign key (profile_id, medication_id) references public.medications (profile_id, id) on delete cascade
);
create index reminders_profile_id_appointment_id_idx on public.reminders (profile_id, appointment_id);
create index reminders_profile_id_medication_id_idx on public.reminders (profile_id, medication_id);
create index reminders_due_at_idx on public.reminders (due_at) where sent_at is null;
comment on table public.reminders is 'What to remind the people around a profile of.';

create table public.timeline_entries (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  occurred_at timestamptz not null,
  kind text not null check (kind in ('event', 'encounter', 'document', 'note')),
  title text not null,
  summary text,
  event_id uuid,
  event_occurred_at timestamptz,
  encounter_id uuid,
  document_id uuid,
  created_by uuid references public.accounts (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (profile_id, event_occurred_at, event_id)
    references public.clinical_events (profile_id, occurred_at, id) on delete cascade,
  foreign key (profile_id, encounter_id) references public.encounters (profile_id, id) on delete cascade,
  foreign key (profile_id, document_id) references public.documents (profile_id, id) on delete cascade
);
create index timeline_entries_profile_id_occurred_at_idx on public.timeline_entries (profile_id, occurred_at desc);
create index timeline_entries_event_idx on public.timeline_entries (profile_id, event_occurred_at, event_id);
create index timeline_entries_encounter_idx on public.timeline_entries (profile_id, encounter_id);
create index timeline_entries_document_idx on public.timeline_entries (profile_id, document_id);
create index timeline_entries_created_by_idx on public.timeline_entries (created_by);
comment on table public.timeline_entries is 'What the app shows, newest first; sent over Realtime.';

create table public.care_plans (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  episode_id uuid,
  title text not null,
  status text not null default 'active' check (status in ('draft', 'active', 'completed', 'revoked')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (profile_id, episode_id) references public.episodes (profile_id, id) on delete set null (episode_id)
);
create index care_plans_profile_id_episode_id_idx on public.care_plans (profile_id, episode_id);
comment on table public.care_plans is 'FHIR CarePlan.';

create table public.care_plan_tasks (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null,
  care_plan_id uuid not null,
  description text not null,
  due_on date,
  done_at timestamptz,
  done_by uuid references public.accounts (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (profile_id, care_plan_id) references public.care_plans (profile_id, id) on delete cascade
);
create index care_plan_tasks_profile_id_care_plan_id_idx on public.care_plan_tasks (profile_id, care_plan_id);
create index care_plan_tasks_done_by_idx on public.care_plan_tasks (done_by);
comment on table public.care_plan_tasks is 'FHIR Task: steps of a care plan.';

alter table public.episodes enable row level security;
alter table public.encounters enable row level security;
alter table public.appointments enable row level security;
alter table public.reminders enable row level security;
alter table public.timeline_entries enable row level security;
alter table public.care_plans enable row level security;
alter table public.care_plan_tasks enable row level security;

create policy episodes_select on public.episodes for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy episodes_insert on public.episodes for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy episodes_update on public.episodes for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy episodes_delete on public.episodes for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy encounters_select on public.encounters for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy encounters_insert on public.encounters for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy encounters_update on public.encounters for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy encounters_delete on public.encounters for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy appointments_select on public.appointments for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy appointments_insert on public.appointments for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy appointments_update on public.appointments for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy appointments_delete on public.appointments for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy reminders_select on public.reminders for select to authenticated
  using (profile_id = any (array(select private.readable_profiles())));
create policy reminders_insert on public.reminders for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy reminders_update on public.reminders for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy reminders_delete on public.reminders for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy timeline_entries_select on public.timeline_entries for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy timeline_entries_insert on public.timeline_entries for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())) and created_by = (select auth.uid()));
create policy timeline_entries_update on public.timeline_entries for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy timeline_entries_delete on public.timeline_entries for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy care_plans_select on public.care_plans for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy care_plans_insert on public.care_plans for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy care_plans_update on public.care_plans for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy care_plans_delete on public.care_plans for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy care_plan_tasks_select on public.care_plan_tasks for select to authenticated
  using (profile_id = any (array(select private.clinical_profiles())));
create policy care_plan_tasks_insert on public.care_plan_tasks for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy care_plan_tasks_update on public.care_plan_tasks for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy care_plan_tasks_delete on public.care_plan_tasks for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));

create trigger episodes_touch before update on public.episodes
  for each row execute function private.touch_updated_at();
create trigger encounters_touch before update on public.encounters
  for each row execute function private.touch_updated_at();
create trigger appointments_touch before update on public.appointments
  for each row execute function private.touch_updated_at();
create trigger reminders_touch before update on public.reminders
  for each row execute function private.touch_updated_at();
create trigger timeline_entries_touch before update on public.timeline_entries
  for each row execute function private.touch_updated_at();
create trigger care_plans_touch before update on public.care_plans
  for each row execute function private.touch_updated_at();
create trigger care_plan_tasks_touch before update on public.care_plan_tasks
  for each row execute function private.touch_updated_at();
create trigger episodes_freeze before update on public.episodes
  for each row execute function private.freeze_columns('profile_id');
create trigger encounters_freeze before update on public.encounters
  for each row execute function private.freeze_columns('profile_id');
create trigger appointments_freeze before update on public.appointments
  for each row execute function private.freeze_columns('profile_id');
create trigger reminders_freeze before update on public.reminders
  for each row execute function private.freeze_columns('profile_id');
create trigger care_plans_freeze before update on public.care_plans
  for each row execute function private.freeze_columns('profile_id');
create trigger timeline_entries_freeze before update on public.timeline_entries
  for each row execute function private.freeze_columns('profile_id', 'created_by');
create trigger care_plan_tasks_freeze before update on public.care_plan_tasks
  for each row execute function private.freeze_columns('profile_id', 'care_plan_id');

-- A new event appears on the timeline by itself.
create function private.show_event() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.timeline_entries
    (profile_id, occurred_at, kind, title, event_id, event_occurred_at, created_by)
  values (new.profile_id, new.occurred_at, 'event', new.display, new.id, new.occurred_at, new.recorded_by);
  return null;
end
$$;
create trigger clinical_events_show after insert on public.clinical_events
  for each row execute function private.show_event();
