-- Quality flags and their review.
create table public.quality_flags (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  rule_code text not null references public.quality_rules (code),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  status text not null default 'open' check (status in ('open', 'in_review', 'resolved', 'dismissed')),
  event_id uuid,
  event_occurred_at timestamptz,
  document_id uuid,
  detail text,
  raised_by uuid references public.accounts (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  foreign key (profile_id, event_occurred_at, event_id)
    references public.clinical_events (profile_id, occurred_at, id) on delete cascade,
  foreign key (profile_id, document_id) references public.documents (profile_id, id) on delete cascade
);
create index quality_flags_rule_code_idx on public.quality_flags (rule_code);
create index quality_flags_event_idx on public.quality_flags (profile_id, event_occurred_at, event_id);
create index quality_flags_document_idx on public.quality_flags (profile_id, document_id);
create index quality_flags_raised_by_idx on public.quality_flags (raised_by);
create index quality_flags_open_idx on public.quality_flags (severity, created_at) where status in ('open', 'in_review');
comment on table public.quality_flags is 'Doubts about an event or a document; sent over Realtime.';

create table public.review_queue (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null,
  flag_id uuid not null,
  assigned_to uuid references public.accounts (id) on delete set null,
  priority integer not null default 100,
  due_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (flag_id),
  foreign key (profile_id, flag_id) references public.quality_flags (profile_id, id) on delete cascade
);
create index review_queue_profile_id_flag_id_idx on public.review_queue (profile_id, flag_id);
create index review_queue_assigned_to_idx on public.review_queue (assigned_to);
comment on table public.review_queue is 'Flags that wait for a reviewer. Staff only.';

create table public.flag_resolutions (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null,
  flag_id uuid not null,
  outcome text not null check (outcome in ('confirmed', 'corrected', 'dismissed')),
  explanation text not null,
  resolved_by uuid not null references public.accounts (id),
  resolved_at timestamptz not null default now(),
  foreign key (profile_id, flag_id) references public.quality_flags (profile_id, id) on delete cascade
);
create index flag_resolutions_profile_id_flag_id_idx on public.flag_resolutions (profile_id, flag_id);
create index flag_resolutions_resolved_by_idx on public.flag_resolutions (resolved_by);
comment on table public.flag_resolutions is 'Append-only: how flags were resolved.';

-- Reviewers see the flags of profiles that wait in the queue, and nothing else of them. One array for both
-- kinds of callers keeps the policy an index condition; an OR with a staff check would scan the table.
create function private.flagged_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 100 as $$
  select private.clinical_profiles()
  union
  select q.profile_id from public.review_queue q where (select private.is_staff('reviewer'))
$$;
comment on function private.flagged_profiles() is 'Profiles whose quality flags the caller may read.';

alter table public.quality_flags enable row level security;
alter table public.review_queue enable row level security;
alter table public.flag_resolutions enable row level security;

create policy quality_flags_select on public.quality_flags for select to authenticated
  using (profile_id = any (array(select private.flagged_profiles())));
create policy quality_flags_insert on public.quality_flags for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())) and raised_by = (select auth.uid()) and status = 'open');
create policy quality_flags_update on public.quality_flags for update to authenticated
  using ((select private.is_staff('reviewer')))
  with check ((select private.is_staff('reviewer')));
create policy review_queue_select on public.review_queue for select to authenticated
  using ((select private.is_staff('reviewer')));
create policy review_queue_insert on public.review_queue for insert to authenticated
  with check ((select private.is_staff('reviewer')));
create policy review_queue_update on public.review_queue for update to authenticated
  using ((select private.is_staff('reviewer')))
  with check ((select private.is_staff('reviewer')));
create policy review_queue_delete on public.review_queue for delete to authenticated
  using ((select private.is_staff('reviewer')));
create policy flag_resolutions_select on public.flag_resolutions for select to authenticated
  using (profile_id = any (array(select private.flagged_profiles())));
create policy flag_resolutions_insert on public.flag_resolutions for insert to authenticated
  with check (resolved_by = (select auth.uid()) and (select private.is_staff('reviewer')));

create trigger quality_flags_touch before update on public.quality_flags
  for each row execute function private.touch_updated_at();
create trigger review_queue_touch before update on public.review_queue
  for each row execute function private.touch_updated_at();
create trigger quality_flags_freeze before update on public.quality_flags
  for each row execute function private.freeze_columns('profile_id', 'event_id', 'event_occurred_at', 'document_id', 'raised_by');
create trigger review_queue_freeze before update on public.review_queue
  for each row execute function private.freeze_columns('profile_id', 'flag_id');
create trigger flag_resolutions_append_only before update or delete on public.flag_resolutions
  for each row execute function private.refuse_change();
create trigger flag_resolutions_no_truncate before truncate on public.flag_resolutions
  for each statement execute function private.refuse_change();

create function public.resolve_flag(flag_id uuid, outcome text, explanation text) returns uuid
language sql set search_path = '' as $$
  with flag as (
    update public.quality_flags f
    set status = case $2 when 'dismissed' then 'dismissed' else 'resolved' end
    where f.id = $1 and f.status in ('open', 'in_review')
    returning f.id, f.profile_id
  )
  insert into public.flag_resolutions (profile_id, flag_id, outcome, explanation, resolved_by)
  select flag.profile_id, flag.id, $2, $3, (select auth.uid()) from flag
  returning id
$$;
comment on function public.resolve_flag(uuid, text, text) is 'A reviewer closes a flag. Row level security decides who may.';
