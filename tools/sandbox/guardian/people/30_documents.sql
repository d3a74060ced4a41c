-- Two documents each, two pages each, three extracted facts per page. After a handover the first document
-- still lies in the folder of the former owner.
insert into public.documents (
  id, profile_id, uploaded_by, storage_path, title, kind, mime_type, size_bytes, sha256, status, page_count,
  created_at, updated_at
)
select
  pg_temp.make_id('document', r.n * 10 + k), r.profile_id, r.owner_id,
  coalesce(case when k = 1 then h.from_account_id end, r.owner_id) || '/' || r.profile_id || '/scan-' || k || '.pdf',
  (array['Laboratory report', 'Discharge letter'])[k] || ' ' || r.given_name,
  (array['lab_report', 'discharge_letter'])[k], 'application/pdf', 20000 + pg_temp.roll(101, r.n * 10 + k, 900000),
  encode(sha256(convert_to('document' || r.n * 10 + k, 'UTF8')), 'hex'),
  case when k = 2 and pg_temp.roll(102, r.n, 10) = 0 then 'failed' else 'ready' end, 2,
  timestamptz '2026-04-02Z' + make_interval(days => k), timestamptz '2026-04-02Z' + make_interval(days => k)
from pg_temp.roster r
cross join generate_series(1, 2) as k
left join public.profile_handovers h on h.profile_id = r.profile_id and h.status = 'completed';

insert into storage.objects (
  id, bucket_id, name, owner, owner_id, metadata, created_at, updated_at, last_accessed_at
)
select
  pg_temp.make_id('object', r.n * 10 + k), 'documents', d.storage_path, d.uploaded_by, d.uploaded_by::text,
  jsonb_build_object('mimetype', d.mime_type, 'size', d.size_bytes), d.created_at, d.created_at, d.created_at
from pg_temp.roster r
cross join generate_series(1, 2) as k
join public.documents d on d.id = pg_temp.make_id('document', r.n * 10 + k);

insert into public.document_pages (id, document_id, page_number, ocr_text, ocr_confidence, created_at)
select
  pg_temp.make_id('page', r.n * 100 + k * 10 + page), pg_temp.make_id('document', r.n * 10 + k), page,
  'Patient: ' || r.given_name || ' ' || r.family_name || '. ' || replace(w.body, '{name}', r.given_name) || '.',
  0.6 + pg_temp.roll(111, r.n * 100 + k * 10 + page, 40) / 100.0, timestamptz '2026-04-05Z'
from pg_temp.roster r
cross join generate_series(1, 2) as k
cross join generate_series(1, 2) as page
join pg_temp.notes w on w.i = pg_temp.roll(112, r.n * 100 + k * 10 + page, 10);

insert into public.extracted_entities (
  id, document_id, page_id, kind, raw_text, code_system, code, confidence, confirmed_by, confirmed_at, created_at
)
select
  pg_temp.make_id('entity', e.n), pg_temp.make_id('document', r.n * 10 + e.k),
  pg_temp.make_id('page', r.n * 100 + e.k * 10 + e.page), c.kind, lower(c.display) || ' of ' || r.given_name,
  c.code_system, c.code, 0.5 + pg_temp.roll(122, e.n, 50) / 100.0,
  case when pg_temp.roll(123, e.n, 3) = 0 then r.owner_id end,
  case when pg_temp.roll(123, e.n, 3) = 0 then timestamptz '2026-04-07Z' end, timestamptz '2026-04-06Z'
from pg_temp.roster r
cross join lateral (
  select r.n * 1000 + k * 100 + page * 10 + item as n, k, page
  from generate_series(1, 2) as k, generate_series(1, 2) as page, generate_series(1, 3) as item
) as e
join pg_temp.codes c on c.i = pg_temp.roll(121, e.n, 34);

insert into public.event_documents (profile_id, event_id, event_occurred_at, document_id, created_at)
select e.profile_id, e.id, e.occurred_at, pg_temp.make_id('document', r.n * 10 + 1), timestamptz '2026-04-07Z'
from pg_temp.roster r
cross join generate_series(1, 2) as k
join public.clinical_events e
  on e.profile_id = r.profile_id
  and e.occurred_at = pg_temp.event_time(r.n, k, r.events)
  and e.id = pg_temp.make_id('event', r.n * 100000 + k);

insert into public.processing_jobs (
  id, document_id, kind, status, attempts, run_after, claimed_by, last_error, created_at, updated_at, finished_at
)
select
  pg_temp.make_id('job', r.n * 10 + k), pg_temp.make_id('document', r.n * 10 + k), 'ocr',
  (case when d.status = 'failed' then 'dead' else 'succeeded' end)::public.job_status,
  case when d.status = 'failed' then 5 else 1 end, d.created_at, 'worker-1',
  case when d.status = 'failed' then 'the page is too dark' end, d.created_at, d.created_at, d.created_at
from pg_temp.roster r
cross join generate_series(1, 2) as k
join public.documents d on d.id = pg_temp.make_id('document', r.n * 10 + k);

insert into public.processing_passes (
  id, job_id, document_id, pass_number, model, input_tokens, output_tokens, cost_microcents, duration_ms, outcome, created_at
)
select
  pg_temp.make_id('pass', r.n * 10 + k), pg_temp.make_id('job', r.n * 10 + k),
  pg_temp.make_id('document', r.n * 10 + k), 1, 'ocr-standard', 800 + pg_temp.roll(131, r.n * 10 + k, 900),
  200 + pg_temp.roll(132, r.n * 10 + k, 300), 12000 + pg_temp.roll(133, r.n * 10 + k, 9000),
  900 + pg_temp.roll(134, r.n * 10 + k, 4000), 'ok', timestamptz '2026-04-05Z'
from pg_temp.roster r
cross join generate_series(1, 2) as k;
