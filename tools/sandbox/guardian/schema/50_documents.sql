-- Document pipeline: upload, pages, extracted entities, passes.
create table public.documents (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  uploaded_by uuid references public.accounts (id) on delete set null,
  storage_path text not null unique,
  title text not null,
  kind text not null default 'other'
    check (kind in ('lab_report', 'prescription', 'discharge_letter', 'imaging', 'vaccination_card', 'invoice', 'other')),
  mime_type text not null,
  size_bytes bigint not null check (size_bytes >= 0),
  sha256 text,
  status text not null default 'uploaded' check (status in ('uploaded', 'processing', 'ready', 'failed')),
  page_count integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (profile_id, id),
  check (split_part(storage_path, '/', 2) = profile_id::text and split_part(storage_path, '/', 4) = '')
);
create index documents_uploaded_by_idx on public.documents (uploaded_by);
comment on table public.documents is 'FHIR DocumentReference. The file lies at {account}/{profile}/{file} in the bucket documents.';
comment on column public.documents.storage_path is 'Name in storage.objects; its second folder is the profile.';

create table public.document_pages (
  id uuid primary key default gen_random_uuid(),
  document_id uuid not null references public.documents (id) on delete cascade,
  page_number integer not null check (page_number > 0),
  ocr_text text,
  ocr_confidence numeric(4, 3),
  created_at timestamptz not null default now(),
  unique (document_id, page_number),
  unique (document_id, id)
);
comment on table public.document_pages is 'Pages with their recognised text; the profile is that of the document.';
comment on column public.document_pages.ocr_text is 'Recognised text; PHI.';

create table public.extracted_entities (
  id uuid primary key default gen_random_uuid(),
  document_id uuid not null,
  page_id uuid not null,
  kind public.clinical_event_kind not null,
  raw_text text not null,
  code_system text,
  code text,
  confidence numeric(4, 3) not null,
  confirmed_by uuid references public.accounts (id) on delete set null,
  confirmed_at timestamptz,
  corrected_text text,
  created_at timestamptz not null default now(),
  foreign key (document_id, page_id) references public.document_pages (document_id, id) on delete cascade,
  foreign key (code_system, code) references public.medical_codes (code_system, code)
);
create index extracted_entities_document_id_page_id_idx on public.extracted_entities (document_id, page_id);
create index extracted_entities_code_idx on public.extracted_entities (code_system, code);
create index extracted_entities_confirmed_by_idx on public.extracted_entities (confirmed_by);
comment on table public.extracted_entities is 'Clinical facts read from a page, confirmed or corrected by a person.';
comment on column public.extracted_entities.raw_text is 'As it stands on the page; PHI.';

create table public.event_documents (
  profile_id uuid not null,
  event_id uuid not null,
  event_occurred_at timestamptz not null,
  document_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (profile_id, event_id, document_id),
  foreign key (profile_id, event_occurred_at, event_id)
    references public.clinical_events (profile_id, occurred_at, id) on delete cascade,
  foreign key (profile_id, document_id) references public.documents (profile_id, id) on delete cascade
);
create index event_documents_event_idx on public.event_documents (profile_id, event_occurred_at, event_id);
create index event_documents_document_idx on public.event_documents (profile_id, document_id);
comment on table public.event_documents is 'Which document an event was read from; both belong to the same profile.';

create table public.processing_jobs (
  id uuid primary key default gen_random_uuid(),
  document_id uuid not null references public.documents (id) on delete cascade,
  kind text not null check (kind in ('ocr', 'vision', 'normalise', 'validate')),
  status public.job_status not null default 'queued',
  priority integer not null default 100,
  attempts integer not null default 0,
  max_attempts integer not null default 5,
  run_after timestamptz not null default now(),
  claimed_by text,
  heartbeat_at timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finished_at timestamptz
);
create index processing_jobs_document_id_idx on public.processing_jobs (document_id);
create index processing_jobs_queue_idx on public.processing_jobs (priority, run_after) where status = 'queued';
create index processing_jobs_running_idx on public.processing_jobs (heartbeat_at) where status = 'running';
comment on table public.processing_jobs is
  'Service only: queue of the background worker on Render. No policy on purpose.';

create table public.processing_passes (
  id uuid primary key default gen_random_uuid(),
  job_id uuid not null references public.processing_jobs (id) on delete cascade,
  document_id uuid not null references public.documents (id) on delete cascade,
  pass_number integer not null,
  model text not null,
  input_tokens integer not null default 0,
  output_tokens integer not null default 0,
  cost_microcents bigint not null default 0 check (cost_microcents >= 0),
  duration_ms integer not null default 0,
  outcome text not null check (outcome in ('ok', 'partial', 'error')),
  created_at timestamptz not null default now(),
  unique (job_id, pass_number)
);
create index processing_passes_document_id_idx on public.processing_passes (document_id);
comment on table public.processing_passes is 'One OCR or vision pass with its cost, for operations.';

create function private.readable_documents() returns setof uuid
language sql stable security definer set search_path = '' rows 100 as $$
  select d.id from public.documents d where d.profile_id = any (array(select private.document_profiles()))
$$;
comment on function private.readable_documents() is 'Documents the caller may read.';

create function private.writable_documents() returns setof uuid
language sql stable security definer set search_path = '' rows 100 as $$
  select d.id from public.documents d where d.profile_id = any (array(select private.writable_profiles()))
$$;
comment on function private.writable_documents() is 'Documents whose extracted facts the caller may confirm or correct.';

alter table public.documents enable row level security;
alter table public.document_pages enable row level security;
alter table public.extracted_entities enable row level security;
alter table public.event_documents enable row level security;
alter table public.processing_jobs enable row level security;
alter table public.processing_passes enable row level security;

create policy documents_select on public.documents for select to authenticated
  using (profile_id = any (array(select private.document_profiles())));
create policy documents_insert on public.documents for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())) and uploaded_by = (select auth.uid()) and status = 'uploaded');
create policy documents_update on public.documents for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy documents_delete on public.documents for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy document_pages_select on public.document_pages for select to authenticated
  using (document_id = any (array(select private.readable_documents())));
create policy extracted_entities_select on public.extracted_entities for select to authenticated
  using (document_id = any (array(select private.readable_documents())));
create policy extracted_entities_update on public.extracted_entities for update to authenticated
  using (document_id = any (array(select private.writable_documents())))
  with check (document_id = any (array(select private.writable_documents()))
    and (confirmed_by is null or confirmed_by = (select auth.uid())));
create policy event_documents_select on public.event_documents for select to authenticated
  using (profile_id = any (array(select private.document_profiles())));
create policy event_documents_insert on public.event_documents for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy event_documents_delete on public.event_documents for delete to authenticated
  using (profile_id = any (array(select private.writable_profiles())));
create policy processing_passes_select on public.processing_passes for select to authenticated
  using ((select private.is_staff('operations')));

create trigger documents_touch before update on public.documents
  for each row execute function private.touch_updated_at();
create trigger processing_jobs_touch before update on public.processing_jobs
  for each row execute function private.touch_updated_at();
create trigger documents_freeze before update on public.documents
  for each row execute function private.freeze_columns('profile_id', 'uploaded_by', 'storage_path');
create trigger extracted_entities_freeze before update on public.extracted_entities
  for each row execute function private.freeze_columns('document_id', 'page_id');

-- Every upload is read: the first job is queued with the row itself.
create function private.queue_document() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.processing_jobs (document_id, kind) values (new.id, 'ocr');
  return null;
end
$$;
create trigger documents_queue after insert on public.documents
  for each row execute function private.queue_document();
