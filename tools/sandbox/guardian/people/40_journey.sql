-- One episode with a visit, an appointment ahead, reminders, a care plan; a quarter of the events on the timeline.
insert into public.episodes (id, profile_id, title, status, condition_id, started_on, created_at, updated_at)
select
  pg_temp.make_id('episode', r.n), r.profile_id, 'Follow-up of ' || r.given_name, 'active',
  pg_temp.make_id('condition', r.n * 10 + 1), date '2026-01-10' + pg_temp.roll(201, r.n, 90),
  timestamptz '2026-01-10Z', timestamptz '2026-01-10Z'
from pg_temp.roster r;

insert into public.encounters (
  id, profile_id, episode_id, provider_id, class, reason, summary, started_at, ended_at, created_at, updated_at
)
select
  pg_temp.make_id('encounter', r.n * 10 + k), r.profile_id, pg_temp.make_id('episode', r.n), d.id,
  (array['ambulatory', 'virtual', 'emergency'])[1 + pg_temp.roll(211, r.n * 10 + k, 3)], 'follow-up visit',
  replace(w.body, '{name}', r.given_name), timestamptz '2026-02-01 09:00Z' + make_interval(days => k * 40),
  timestamptz '2026-02-01 09:20Z' + make_interval(days => k * 40), timestamptz '2026-02-01Z', timestamptz '2026-02-01Z'
from pg_temp.roster r
cross join generate_series(1, 2) as k
join pg_temp.doctors d on d.i = pg_temp.roll(212, r.n * 10 + k, d.total)
join pg_temp.notes w on w.i = pg_temp.roll(213, r.n * 10 + k, 10);

insert into public.appointments (
  id, profile_id, encounter_id, provider_id, status, starts_at, location, reason, created_at, updated_at
)
select
  pg_temp.make_id('appointment', r.n * 10 + k), r.profile_id,
  case when k = 1 then pg_temp.make_id('encounter', r.n * 10 + 1) end, d.id,
  case when k = 1 then 'fulfilled' else 'booked' end,
  case when k = 1 then timestamptz '2026-03-13 09:00Z'
    else timestamptz '2039-01-10 09:00Z' + make_interval(days => pg_temp.roll(221, r.n, 200)) end,
  'Lanternbury Family Practice', 'check-up', timestamptz '2026-02-01Z', timestamptz '2026-02-01Z'
from pg_temp.roster r
cross join generate_series(1, 2) as k
join pg_temp.doctors d on d.i = pg_temp.roll(222, r.n * 10 + k, d.total);

insert into public.reminders (id, profile_id, appointment_id, due_at, message, created_at, updated_at)
select
  pg_temp.make_id('reminder', r.n), r.profile_id, pg_temp.make_id('appointment', r.n * 10 + 2),
  timestamptz '2039-01-09Z', 'Bring the vaccination card of ' || r.given_name, timestamptz '2026-02-01Z',
  timestamptz '2026-02-01Z'
from pg_temp.roster r;

insert into public.care_plans (id, profile_id, episode_id, title, created_at, updated_at)
select
  pg_temp.make_id('plan', r.n), r.profile_id, pg_temp.make_id('episode', r.n), 'Daily routine',
  timestamptz '2026-02-02Z', timestamptz '2026-02-02Z'
from pg_temp.roster r;

insert into public.care_plan_tasks (id, profile_id, care_plan_id, description, due_on, created_at, updated_at)
select
  pg_temp.make_id('task', r.n * 10 + k), r.profile_id, pg_temp.make_id('plan', r.n),
  (array['measure blood pressure', 'walk for half an hour'])[k], date '2026-11-01' + k, timestamptz '2026-02-02Z',
  timestamptz '2026-02-02Z'
from pg_temp.roster r
cross join generate_series(1, 2) as k;

insert into public.timeline_entries (
  id, profile_id, occurred_at, kind, title, summary, event_id, event_occurred_at, created_by, created_at, updated_at
)
select
  pg_temp.make_id('timeline', e.n), r.profile_id, c.occurred_at, 'event', c.display, c.note, c.id, c.occurred_at,
  r.owner_id, c.occurred_at, c.occurred_at
from pg_temp.roster r
cross join lateral (
  select r.n * 100000 + k as n, pg_temp.event_time(r.n, k, r.events) as occurred_at
  from generate_series(1, r.events, 4) as k
) as e
join public.clinical_events c
  on c.profile_id = r.profile_id and c.occurred_at = e.occurred_at and c.id = pg_temp.make_id('event', e.n);
