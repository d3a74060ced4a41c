-- Clinical rows for everybody. roll(), make_id() and the tables roster, notes and codes are made by generate.py.
insert into public.clinical_events (
  id, profile_id, occurred_at, kind, code_system, code, display, value_quantity, value_unit, source, confidence,
  recorded_by, note, created_at, updated_at
)
select
  pg_temp.make_id('event', e.n), r.profile_id, e.occurred_at, c.kind, c.code_system, c.code, c.display,
  case when c.unit is not null then 40 + pg_temp.roll(2, e.n, 900) / 10.0 end,
  c.unit,
  (array['person', 'provider', 'document', 'device']::public.record_source[])[1 + pg_temp.roll(3, e.n, 4)],
  1 - pg_temp.roll(4, e.n, 40) / 100.0,
  r.owner_id,
  case when pg_temp.roll(5, e.n, 5) = 0 then
    (select replace(w.body, '{name}', r.given_name) from pg_temp.notes w where w.i = pg_temp.roll(6, e.n, 10))
  end,
  e.occurred_at, e.occurred_at
from pg_temp.roster r
cross join lateral (
  select r.n * 100000 + k as n, pg_temp.event_time(r.n, k, r.events) as occurred_at
  from generate_series(1, r.events) as k
) as e
join pg_temp.codes c on c.i = pg_temp.roll(7, e.n, 34);

insert into public.conditions (
  id, profile_id, code_system, code, display, clinical_status, onset_on, abated_on, recorded_by, note, created_at, updated_at
)
select
  pg_temp.make_id('condition', r.n * 10 + k), r.profile_id, c.code_system, c.code, c.display,
  case when k = 1 then 'active' else 'resolved' end,
  date '2019-03-01' + pg_temp.roll(11, r.n * 10 + k, 1400),
  case when k = 2 then date '2024-03-01' + pg_temp.roll(12, r.n, 300) end,
  r.owner_id, replace(w.body, '{name}', r.given_name), timestamptz '2023-02-01Z', timestamptz '2023-02-01Z'
from pg_temp.roster r
cross join generate_series(1, 2) as k
join pg_temp.codes_by_kind c on c.kind = 'condition' and c.i = pg_temp.roll(13, r.n * 10 + k, c.total)
join pg_temp.notes w on w.i = pg_temp.roll(14, r.n * 10 + k, 10);

insert into public.medications (
  id, profile_id, code_system, code, display, status, dosage, started_on, condition_id, recorded_by, created_at, updated_at
)
select
  pg_temp.make_id('medication', r.n), r.profile_id, c.code_system, c.code, c.display,
  case when pg_temp.roll(21, r.n, 4) = 0 then 'stopped' else 'active' end,
  (1 + pg_temp.roll(22, r.n, 3)) || ' x daily', date '2023-02-02' + pg_temp.roll(23, r.n, 900),
  pg_temp.make_id('condition', r.n * 10 + 1), r.owner_id, timestamptz '2023-02-02Z', timestamptz '2023-02-02Z'
from pg_temp.roster r
join pg_temp.codes_by_kind c on c.kind = 'medication' and c.i = pg_temp.roll(24, r.n, c.total);

insert into public.medication_doses (id, profile_id, medication_id, due_at, taken_at, recorded_by, created_at)
select
  pg_temp.make_id('dose', r.n * 10 + k), r.profile_id, pg_temp.make_id('medication', r.n),
  timestamptz '2026-10-20 08:00Z' + make_interval(days => k),
  case when k < 3 then timestamptz '2026-10-20 08:10Z' + make_interval(days => k) end,
  case when k < 3 then r.owner_id end, timestamptz '2026-10-01Z'
from pg_temp.roster r
cross join generate_series(1, 3) as k;

insert into public.allergies (
  id, profile_id, code_system, code, display, criticality, reaction, recorded_by, created_at, updated_at
)
select
  pg_temp.make_id('allergy', r.n), r.profile_id, c.code_system, c.code, c.display,
  case when pg_temp.roll(31, r.n, 3) = 0 then 'high' else 'low' end, 'itching and a rash', r.owner_id,
  timestamptz '2023-02-03Z', timestamptz '2023-02-03Z'
from pg_temp.roster r
join pg_temp.codes_by_kind c on c.kind = 'allergy' and c.i = pg_temp.roll(32, r.n, c.total);

insert into public.immunisations (
  id, profile_id, code_system, code, display, given_on, lot_number, provider_id, recorded_by, created_at, updated_at
)
select
  pg_temp.make_id('immunisation', r.n), r.profile_id, c.code_system, c.code, c.display,
  date '2023-09-01' + pg_temp.roll(41, r.n, 700), 'LOT-' || pg_temp.roll(42, r.n, 9000), d.id, r.owner_id,
  timestamptz '2023-09-01Z', timestamptz '2023-09-01Z'
from pg_temp.roster r
join pg_temp.codes_by_kind c on c.kind = 'immunisation' and c.i = pg_temp.roll(43, r.n, c.total)
join pg_temp.doctors d on d.i = pg_temp.roll(44, r.n, d.total);

insert into public.vitals (
  id, profile_id, code_system, code, display, measured_at, value, unit, source, recorded_by, created_at, updated_at
)
select
  pg_temp.make_id('vital', r.n * 10 + k), r.profile_id, c.code_system, c.code, c.display,
  timestamptz '2026-06-01 07:00Z' + make_interval(days => k * 20, mins => pg_temp.roll(51, r.n * 10 + k, 90)),
  50 + pg_temp.roll(52, r.n * 10 + k, 900) / 10.0, c.unit, 'device', r.owner_id,
  timestamptz '2026-06-01Z', timestamptz '2026-06-01Z'
from pg_temp.roster r
cross join generate_series(1, 4) as k
join pg_temp.codes_by_kind c on c.kind = 'vital' and c.i = pg_temp.roll(53, r.n * 10 + k, c.total);

insert into public.diagnostic_reports (
  id, profile_id, code_system, code, display, issued_at, conclusion, provider_id, source, recorded_by, created_at, updated_at
)
select
  pg_temp.make_id('report', r.n), r.profile_id, 'LOINC', '58410-2', 'Complete blood count panel',
  timestamptz '2026-04-01 10:00Z' + make_interval(days => pg_temp.roll(61, r.n, 120)),
  replace(w.body, '{name}', r.given_name), d.id, 'provider', r.owner_id, timestamptz '2026-04-01Z', timestamptz '2026-04-01Z'
from pg_temp.roster r
join pg_temp.doctors d on d.i = pg_temp.roll(62, r.n, d.total)
join pg_temp.notes w on w.i = pg_temp.roll(63, r.n, 10);

insert into public.observations (
  id, profile_id, report_id, code_system, code, display, observed_at, value, unit, interpretation, source, recorded_by,
  created_at, updated_at
)
select
  pg_temp.make_id('observation', r.n * 10 + k), r.profile_id, pg_temp.make_id('report', r.n), c.code_system, c.code,
  c.display, timestamptz '2026-04-01 10:00Z' + make_interval(days => pg_temp.roll(61, r.n, 120)),
  4 + pg_temp.roll(71, r.n * 10 + k, 1600) / 10.0, c.unit,
  (array['low', 'normal', 'normal', 'high'])[1 + pg_temp.roll(72, r.n * 10 + k, 4)], 'provider', r.owner_id,
  timestamptz '2026-04-01Z', timestamptz '2026-04-01Z'
from pg_temp.roster r
cross join generate_series(1, 3) as k
join pg_temp.codes_by_kind c on c.kind = 'observation' and c.i = pg_temp.roll(73, r.n * 10 + k, c.total);
