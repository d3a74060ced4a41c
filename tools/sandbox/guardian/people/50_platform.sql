-- Quality flags, exports, inboxes and the audit log.
insert into public.quality_flags (
  id, profile_id, rule_code, severity, status, event_id, event_occurred_at, document_id, detail, created_at, updated_at
)
select
  pg_temp.make_id('flag', r.n * 10 + 1), r.profile_id, 'value_out_of_range', 'critical', 'open', e.id, e.occurred_at,
  null, 'a value of ' || r.given_name || ' looks impossible', timestamptz '2026-05-01Z', timestamptz '2026-05-01Z'
from pg_temp.roster r
join public.clinical_events e
  on e.profile_id = r.profile_id
  and e.occurred_at = pg_temp.event_time(r.n, 1, r.events)
  and e.id = pg_temp.make_id('event', r.n * 100000 + 1)
union all
select
  pg_temp.make_id('flag', r.n * 10 + 2), r.profile_id, 'low_confidence', 'warning', 'resolved', null, null,
  pg_temp.make_id('document', r.n * 10 + 2), 'page 2 is hard to read', timestamptz '2026-05-01Z', timestamptz '2026-05-03Z'
from pg_temp.roster r;

insert into public.review_queue (id, profile_id, flag_id, priority, due_at, created_at, updated_at)
select
  pg_temp.make_id('review', r.n), r.profile_id, pg_temp.make_id('flag', r.n * 10 + 1), 100, timestamptz '2039-01-01Z',
  timestamptz '2026-05-01Z', timestamptz '2026-05-01Z'
from pg_temp.roster r;

insert into public.flag_resolutions (id, profile_id, flag_id, outcome, explanation, resolved_by, resolved_at)
select
  pg_temp.make_id('resolution', r.n), r.profile_id, pg_temp.make_id('flag', r.n * 10 + 2), 'corrected',
  'read again by a person', s.account_id, timestamptz '2026-05-03Z'
from pg_temp.roster r
cross join (select account_id from public.staff_members where role = 'reviewer' and is_active) as s;

insert into public.data_exports (id, profile_id, requested_by, status, storage_path, expires_at, created_at)
select
  pg_temp.make_id('export', r.n), r.profile_id, r.owner_id, 'expired',
  r.owner_id || '/' || r.profile_id || '/export.zip', timestamptz '2026-06-08Z', timestamptz '2026-06-01Z'
from pg_temp.roster r
where r.is_named or pg_temp.roll(311, r.n, 10) = 0;

insert into public.access_log (profile_id, account_id, purpose, resource, accessed_at)
select r.profile_id, r.owner_id, 'own record', 'timeline_entries', timestamptz '2026-10-01Z'
from pg_temp.roster r
order by r.n;

insert into public.webhooks_inbox (id, source, external_id, payload, received_at, processed_at)
select
  pg_temp.make_id('webhook', r.n), 'storage', 'evt_' || r.n,
  jsonb_build_object('type', 'INSERT', 'record', jsonb_build_object('name', d.storage_path)), d.created_at, d.created_at
from pg_temp.roster r
join public.documents d on d.id = pg_temp.make_id('document', r.n * 10 + 1);

insert into public.outbox_messages (topic, payload, created_at, sent_at)
select 'document.ready', jsonb_build_object('document_id', pg_temp.make_id('document', r.n * 10 + 1)),
  timestamptz '2026-04-08Z', timestamptz '2026-04-08Z'
from pg_temp.roster r
order by r.n;

-- Triggers run again from here on: the audit rows are sealed by their own.
set local session_replication_role = origin;
insert into public.audit_log (
  occurred_at, account_id, actor_role, action, table_name, row_id, profile_id, changed_columns
)
select
  p.created_at, p.owner_account_id, 'authenticated', 'insert', 'profiles', p.id::text, p.id,
  array['birth_date', 'family_name', 'given_name', 'kind', 'owner_account_id']
from public.profiles p
order by p.id;
