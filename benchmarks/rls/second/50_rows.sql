-- Synthetic people and records. Ids are md5('bench:' || name), so that the same names are the same rows.
create function pg_temp.made(name text) returns uuid language sql immutable as $$ select md5('bench:' || name)::uuid $$;

insert into auth.users (id, aud, role, email, raw_app_meta_data, raw_user_meta_data)
select pg_temp.made(name), 'authenticated', 'authenticated', name || '@example.org', '{}', '{}'
from unnest(array[
  'owner_a', 'admin_a', 'clinician_a', 'reader_a', 'other_team_a', 'teamless_a', 'assistant_a', 'billing_a', 'ended_a', 'future_a',
  'removed_a', 'ended_team_a', 'future_team_a', 'closed_team_a', 'owner_b', 'clinician_b', 'assistant_b', 'dual', 'owner_c', 'clinician_c',
  'portal_a1', 'portal_b1', 'portal_deleted', 'portal_c', 'proxy_read', 'proxy_write', 'proxy_ended', 'proxy_future', 'proxy_deleted',
  'invited', 'late_invited', 'cancelled_invited', 'used_invited', 'glass_live', 'glass_expired', 'glass_closed', 'glass_future',
  'glass_left', 'stranger'
]) as name;

insert into public.organisations (id, name, city, deleted_at)
values (pg_temp.made('org a'), 'North clinic', 'Amberly', null), (pg_temp.made('org b'), 'South clinic', 'Brill', null),
       (pg_temp.made('org c'), 'Closed clinic', 'Cobble', '2025-06-01');
update public.org_settings set billing_email = 'bills@example.org';

insert into public.members (id, org_id, user_id, role, starts_at, ends_at, deleted_at)
select pg_temp.made('member ' || m.who || m.org), pg_temp.made('org ' || m.org), pg_temp.made(m.who), m.role,
  case when m.state = 'future' then timestamptz '2040-01-01' else timestamptz '2023-01-01' end,
  case when m.state = 'ended' then timestamptz '2025-06-01' end,
  case when m.state = 'deleted' then timestamptz '2025-06-01' end
from (values
  ('owner_a', 'a', 'owner', 'live'), ('admin_a', 'a', 'admin', 'live'), ('clinician_a', 'a', 'clinician', 'live'),
  ('reader_a', 'a', 'clinician', 'live'), ('other_team_a', 'a', 'clinician', 'live'), ('teamless_a', 'a', 'clinician', 'live'),
  ('assistant_a', 'a', 'assistant', 'live'), ('billing_a', 'a', 'billing', 'live'), ('ended_a', 'a', 'admin', 'ended'),
  ('future_a', 'a', 'admin', 'future'), ('removed_a', 'a', 'admin', 'deleted'), ('ended_team_a', 'a', 'clinician', 'live'),
  ('future_team_a', 'a', 'clinician', 'live'), ('closed_team_a', 'a', 'clinician', 'live'), ('owner_b', 'b', 'owner', 'live'),
  ('clinician_b', 'b', 'clinician', 'live'), ('assistant_b', 'b', 'assistant', 'live'), ('dual', 'a', 'assistant', 'live'),
  ('dual', 'b', 'clinician', 'live'), ('owner_c', 'c', 'owner', 'live'), ('clinician_c', 'c', 'clinician', 'live'),
  ('glass_live', 'a', 'clinician', 'live'), ('glass_expired', 'a', 'clinician', 'live'), ('glass_closed', 'a', 'clinician', 'live'),
  ('glass_future', 'a', 'clinician', 'live'), ('glass_left', 'a', 'clinician', 'ended')
) as m (who, org, role, state);

insert into public.patients (id, org_id, user_id, full_name, birth_date, national_number, deleted_at)
select pg_temp.made('patient ' || p.name), pg_temp.made('org ' || p.org), case when p.portal <> '' then pg_temp.made(p.portal) end,
  'Patient ' || p.name, date '1950-01-01' + p.n * 1000, 'NN-' || p.n, case when p.gone then timestamptz '2025-06-01' end
from (values
  (1, 'a1', 'a', 'portal_a1', false), (2, 'a2', 'a', '', false), (3, 'a3', 'a', '', false), (4, 'a4', 'a', 'portal_deleted', true),
  (5, 'a5', 'a', '', false), (6, 'b1', 'b', 'portal_b1', false), (7, 'b2', 'b', '', false), (8, 'c1', 'c', 'portal_c', false)
) as p (n, name, org, portal, gone);

insert into public.care_teams (id, org_id, name, deleted_at)
select pg_temp.made('team ' || t.name), pg_temp.made('org ' || t.org), t.name, case when t.closed then timestamptz '2025-06-01' end
from (values ('alpha', 'a', false), ('beta', 'a', false), ('closed', 'a', true), ('sigma', 'b', false), ('omega', 'c', false)) as t (name, org, closed);
insert into public.team_members (id, org_id, team_id, member_id, starts_at, ends_at)
select pg_temp.made('tm ' || t.who || t.team), pg_temp.made('org ' || t.org), pg_temp.made('team ' || t.team),
  pg_temp.made('member ' || t.who || t.org),
  case when t.state = 'future' then timestamptz '2040-01-01' else timestamptz '2023-01-01' end,
  case when t.state = 'ended' then timestamptz '2025-06-01' end
from (values
  ('clinician_a', 'a', 'alpha', 'live'), ('other_team_a', 'a', 'beta', 'live'), ('reader_a', 'a', 'beta', 'live'),
  ('ended_team_a', 'a', 'alpha', 'ended'), ('future_team_a', 'a', 'alpha', 'future'), ('closed_team_a', 'a', 'closed', 'live'),
  ('ended_a', 'a', 'alpha', 'live'), ('future_a', 'a', 'alpha', 'live'), ('removed_a', 'a', 'alpha', 'live'),
  ('clinician_b', 'b', 'sigma', 'live'), ('dual', 'b', 'sigma', 'live'), ('clinician_c', 'c', 'omega', 'live')
) as t (who, org, team, state);
insert into public.patient_teams (id, org_id, patient_id, team_id, access, starts_at, ends_at)
select pg_temp.made('pt ' || p.patient || p.team), pg_temp.made('org ' || p.org), pg_temp.made('patient ' || p.patient),
  pg_temp.made('team ' || p.team), p.access,
  case when p.state = 'future' then timestamptz '2040-01-01' else timestamptz '2023-01-01' end,
  case when p.state = 'ended' then timestamptz '2025-06-01' end
from (values
  ('a1', 'a', 'alpha', 'write', 'live'), ('a2', 'a', 'beta', 'write', 'live'), ('a3', 'a', 'alpha', 'write', 'ended'),
  ('a4', 'a', 'alpha', 'write', 'live'), ('a5', 'a', 'alpha', 'read', 'live'), ('a2', 'a', 'alpha', 'write', 'future'),
  ('a3', 'a', 'closed', 'write', 'live'), ('b1', 'b', 'sigma', 'write', 'live'), ('b2', 'b', 'sigma', 'read', 'live'), ('c1', 'c', 'omega', 'write', 'live')
) as p (patient, org, team, access, state);

insert into public.proxies (id, patient_id, user_id, relation, can_write, starts_at, ends_at, deleted_at)
select pg_temp.made('proxy ' || x.who), pg_temp.made('patient a1'), pg_temp.made(x.who), 'family', x.writes,
  case when x.state = 'future' then timestamptz '2040-01-01' else timestamptz '2023-01-01' end,
  case when x.state = 'ended' then timestamptz '2025-06-01' end, case when x.state = 'deleted' then timestamptz '2025-06-01' end
from (values ('proxy_read', false, 'live'), ('proxy_write', true, 'live'), ('proxy_ended', true, 'ended'),
             ('proxy_future', true, 'future'), ('proxy_deleted', true, 'deleted')) as x (who, writes, state);
insert into public.referrals (id, patient_id, org_id, to_org_id, status, requested_by, starts_at, ends_at)
select pg_temp.made('referral ' || r.name), pg_temp.made('patient ' || r.patient), pg_temp.made('org a'), pg_temp.made('org b'), r.status,
  pg_temp.made('clinician_a'), r.starts::timestamptz, r.ends::timestamptz
from (values ('live', 'a2', 'accepted', '2023-01-01', null), ('offered', 'a1', 'offered', '2023-01-01', null),
             ('withdrawn', 'a3', 'withdrawn', '2023-01-01', null), ('ended', 'a5', 'accepted', '2023-01-01', '2025-06-01'),
             ('future', 'a1', 'accepted', '2040-01-01', null), ('offered and over', 'a5', 'offered', '2023-01-01', '2025-06-01'),
             ('declined', 'a1', 'declined', '2023-01-01', null)) as r (name, patient, status, starts, ends);
insert into public.break_glass (id, patient_id, user_id, reason, starts_at, ends_at, closed_at)
select pg_temp.made('glass ' || g.who), pg_temp.made('patient a3'), pg_temp.made(g.who), 'emergency', g.starts::timestamptz,
  g.ends::timestamptz, g.closed::timestamptz
from (values ('glass_live', '2023-01-01', '2040-01-01', null), ('glass_expired', '2023-01-01', '2025-06-01', null),
             ('glass_closed', '2023-01-01', '2040-01-01', '2025-06-01'), ('glass_future', '2040-01-01', '2040-02-01', null),
             ('glass_left', '2023-01-01', '2040-01-01', null)) as g (who, starts, ends, closed);
insert into public.invites (id, org_id, email, role, token_hash, invited_by, expires_at, accepted_at, cancelled_at)
select pg_temp.made('invite ' || i.who), pg_temp.made('org a'), i.who || '@example.org', 'clinician',
  encode(sha256(convert_to('token-' || i.who, 'UTF8')), 'hex'), pg_temp.made('admin_a'), i.expires::timestamptz, i.accepted::timestamptz,
  i.cancelled::timestamptz
from (values ('invited', '2040-01-01', null, null), ('late_invited', '2025-01-01', null, null),
             ('cancelled_invited', '2040-01-01', null, '2025-01-01'), ('used_invited', '2040-01-01', '2025-01-01', null)) as i (who, expires, accepted, cancelled);

insert into public.drugs values ('A10', 'Metformin'), ('C09', 'Ramipril');
insert into public.encounters (id, patient_id, org_id, clinician_id, started_at, summary, deleted_at)
select pg_temp.made('encounter ' || p.id || n), p.id, p.org_id,
  pg_temp.made(case n when 1 then 'clinician_a' when 2 then 'ended_team_a' else 'teamless_a' end), timestamptz '2026-01-01Z' + n * interval '1 day',
  'seen', case when n = 3 then timestamptz '2026-02-01' end
from public.patients p cross join generate_series(1, 3) as n;
insert into public.notes (id, patient_id, encounter_id, author_id, visibility, body, deleted_at)
select pg_temp.made('note ' || e.id || n), e.patient_id, e.id,
  pg_temp.made(case n when 1 then 'clinician_a' when 2 then 'ended_team_a' else 'proxy_write' end),
  case n when 2 then 'private' else 'team' end, 'text', case when n = 3 then timestamptz '2026-02-01' end
from public.encounters e cross join generate_series(1, 3) as n where e.deleted_at is null;
insert into public.notes (id, patient_id, encounter_id, author_id, visibility, body)
select pg_temp.made('private note'), e.patient_id, e.id, pg_temp.made('proxy_write'), 'private', 'text'
from public.encounters e where e.patient_id = pg_temp.made('patient a1') and e.deleted_at is null limit 1;
insert into public.prescriptions (id, patient_id, prescriber_id, drug_code, dosage)
select pg_temp.made('rx ' || p.id || n), p.id, pg_temp.made(case n when 1 then 'clinician_a' else 'ended_team_a' end), 'A10', '1-0-1'
from public.patients p cross join generate_series(1, 2) as n;
insert into public.lab_orders (id, patient_id, encounter_id, ordered_by, status)
select pg_temp.made('order ' || e.id), e.patient_id, e.id, e.clinician_id, case when e.started_at < '2026-01-02 12:00Z' then 'ordered' else 'resulted' end
from public.encounters e where e.deleted_at is null;
insert into public.lab_results (id, patient_id, order_id, resulted_at, analyte, value)
select pg_temp.made('result ' || o.id || year), o.patient_id, o.id, (year || '-03-01Z')::timestamptz, 'HbA1c', 6.1
from public.lab_orders o cross join generate_series(2024, 2027) as year;
insert into public.appointments (id, org_id, patient_id, starts_at, reason)
select pg_temp.made('appointment ' || p.id), p.org_id, p.id, timestamptz '2039-01-01Z', 'check' from public.patients p;
insert into public.threads (id, patient_id, subject, closed_at)
select pg_temp.made('thread ' || p.id || n), p.id, 'question', case n when 2 then timestamptz '2026-02-01' end
from public.patients p cross join generate_series(1, 2) as n;
insert into public.posts (id, thread_id, author_id, body)
select pg_temp.made('post ' || t.id || who), t.id, pg_temp.made(who), 'hello' from public.threads t cross join unnest(array['clinician_a', 'ended_team_a']) as who;
insert into public.attachments (id, patient_id, uploaded_by, path)
select pg_temp.made('attachment ' || p.id || who), p.id, pg_temp.made(who), p.org_id || '/' || p.id || '/' || who || '.pdf'
from public.patients p cross join unnest(array['clinician_a', 'ended_team_a']) as who;
insert into storage.objects (id, bucket_id, name, owner_id)
select pg_temp.made('object ' || a.id || bucket), bucket, a.path, a.uploaded_by::text from public.attachments a cross join unnest(array['attachments', 'letters']) as bucket;
insert into public.invoices (id, org_id, patient_id, amount_cents, status)
select pg_temp.made('invoice ' || p.id), p.org_id, p.id, 1000, 'draft' from public.patients p;
insert into public.user_profiles (user_id, display_name) select u.id, split_part(u.email, '@', 1) from auth.users u;
insert into public.research_consents (id, patient_id, study, withdrawn_at)
select pg_temp.made('consent ' || p.id || n), p.id, 'study ' || n, case n when 2 then timestamptz '2026-02-01' end
from public.patients p cross join generate_series(1, 2) as n;
insert into public.audit_events (org_id, actor_id, action)
select o.id, pg_temp.made('clinician_a'), 'signed in' from public.organisations o;
insert into realtime.messages (id, topic, extension, payload, inserted_at)
select pg_temp.made('message ' || p.id), 'patient:' || p.id, 'broadcast', '{}', '2026-01-01' from public.patients p;
refresh materialized view app.org_load;
