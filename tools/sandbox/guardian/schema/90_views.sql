-- Views of the API: they read with the rights of whoever asks.
create view public.profile_overview with (security_invoker = true) as
select
  p.id,
  p.kind,
  p.given_name,
  p.family_name,
  p.birth_date,
  (select count(*) from public.conditions c where c.profile_id = p.id and c.clinical_status = 'active') as active_conditions,
  (select count(*) from public.medications m where m.profile_id = p.id and m.status = 'active') as active_medications,
  (select min(a.starts_at) from public.appointments a where a.profile_id = p.id and a.status = 'booked' and a.starts_at > now())
    as next_appointment_at
from public.profiles p;
comment on view public.profile_overview is 'Start page of the app: one row per profile the caller may see.';

create view public.current_medications with (security_invoker = true) as
select m.id, m.profile_id, m.display, m.dosage, m.started_on, c.display as condition_display
from public.medications m
left join public.conditions c on c.profile_id = m.profile_id and c.id = m.condition_id
where m.status = 'active';
comment on view public.current_medications is 'What a person takes today.';

create view public.upcoming_appointments with (security_invoker = true) as
select a.id, a.profile_id, a.starts_at, a.minutes, a.location, a.reason, d.display_name as provider_name
from public.appointments a
left join public.providers d on d.id = a.provider_id
where a.status = 'booked' and a.starts_at > now();
comment on view public.upcoming_appointments is 'Booked appointments that lie ahead.';

create view public.document_status with (security_invoker = true) as
select
  d.id, d.profile_id, d.title, d.kind, d.status, d.page_count,
  (select count(*) from public.extracted_entities e where e.document_id = d.id) as entities,
  (select count(*) from public.extracted_entities e where e.document_id = d.id and e.confirmed_at is null) as unconfirmed
from public.documents d;
comment on view public.document_status is 'How far the reading of each document is.';

create view public.open_quality_flags with (security_invoker = true) as
select f.id, f.profile_id, f.severity, f.detail, f.created_at, r.title as rule_title
from public.quality_flags f
join public.quality_rules r on r.code = f.rule_code
where f.status in ('open', 'in_review');
comment on view public.open_quality_flags is 'Doubts that nobody has settled yet.';

create view public.shared_with_me with (security_invoker = true) as
select g.id as grant_id, g.profile_id, g.level, g.status, g.expires_at
from public.profile_grants g
where g.grantee_account_id = (select auth.uid());
comment on view public.shared_with_me is 'Grants to the caller in every state.';

create materialized view private.profile_activity as
select e.profile_id, e.kind, count(*) as events, max(e.occurred_at) as last_event_at
from public.clinical_events e
group by e.profile_id, e.kind
with no data;
create unique index profile_activity_key on private.profile_activity (profile_id, kind);
comment on materialized view private.profile_activity is 'For operations; refreshed at night. Outside the API because it has no row level security.';

create function public.search_medical_codes(search text, code_kind public.clinical_event_kind default null)
returns setof public.medical_codes
language sql stable set search_path = '' as $$
  select c.*
  from public.medical_codes c
  where c.display ilike '%' || search || '%' and (code_kind is null or c.kind = code_kind)
  order by c.display
  limit 50
$$;
comment on function public.search_medical_codes(text, public.clinical_event_kind) is 'Codes whose name contains the words.';

create function public.profile_timeline(profile_id uuid, before timestamptz default now(), page_size integer default 50)
returns setof public.timeline_entries
language sql stable set search_path = '' as $$
  select t.*
  from public.timeline_entries t
  where t.profile_id = $1 and t.occurred_at < $2
  order by t.occurred_at desc
  limit least($3, 200)
$$;
comment on function public.profile_timeline(uuid, timestamptz, integer) is 'One page of the timeline, newest first.';
