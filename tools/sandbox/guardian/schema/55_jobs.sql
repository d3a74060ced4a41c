-- Procedures of the job queue, for the background worker (service_role) alone.
create function public.enqueue_processing_job(document_id uuid, kind text, priority integer default 100) returns uuid
language sql set search_path = '' as $$
  insert into public.processing_jobs (document_id, kind, priority) values ($1, $2, $3) returning id
$$;
comment on function public.enqueue_processing_job(uuid, text, integer) is 'Queues a further pass over a document.';

create function public.claim_processing_jobs(worker text, job_limit integer default 1)
returns setof public.processing_jobs
language sql set search_path = '' as $$
  update public.processing_jobs j
  set status = 'running', claimed_by = worker, heartbeat_at = now(), attempts = j.attempts + 1
  where j.id in (
    select q.id
    from public.processing_jobs q
    where q.status = 'queued' and q.run_after <= now()
    order by q.priority, q.run_after
    limit job_limit
    for update skip locked
  )
  returning j.*
$$;
comment on function public.claim_processing_jobs(text, integer) is 'Takes jobs that no other worker holds.';

create function public.heartbeat_processing_job(job_id uuid, worker text) returns boolean
language sql set search_path = '' as $$
  update public.processing_jobs j
  set heartbeat_at = now()
  where j.id = job_id and j.claimed_by = worker and j.status = 'running'
  returning true
$$;
comment on function public.heartbeat_processing_job(uuid, text) is 'The worker still works on it; null when the job was taken away.';

create function public.complete_processing_job(job_id uuid, worker text) returns boolean
language sql set search_path = '' as $$
  update public.processing_jobs j
  set status = 'succeeded', finished_at = now(), last_error = null
  where j.id = job_id and j.claimed_by = worker and j.status = 'running'
  returning true
$$;
comment on function public.complete_processing_job(uuid, text) is 'Marks a job of this worker as done.';

create function public.fail_processing_job(job_id uuid, worker text, error text) returns public.job_status
language sql set search_path = '' as $$
  update public.processing_jobs j
  set status = case when j.attempts >= j.max_attempts then 'dead'::public.job_status else 'queued'::public.job_status end,
      run_after = now() + interval '30 seconds' * power(2, least(j.attempts, 10)),
      claimed_by = null,
      heartbeat_at = null,
      finished_at = case when j.attempts >= j.max_attempts then now() end,
      last_error = left(error, 500)
  where j.id = job_id and j.claimed_by = worker and j.status = 'running'
  returning j.status
$$;
comment on function public.fail_processing_job(uuid, text, text) is 'Queues the job again with a growing delay, or buries it.';

create function public.retry_processing_job(job_id uuid) returns boolean
language sql set search_path = '' as $$
  update public.processing_jobs j
  set status = 'queued', attempts = 0, run_after = now(), claimed_by = null, heartbeat_at = null, finished_at = null
  where j.id = job_id and j.status in ('failed', 'dead')
  returning true
$$;
comment on function public.retry_processing_job(uuid) is 'Gives a dead job another life.';

create function public.requeue_stalled_jobs(silence interval default interval '5 minutes') returns integer
language sql set search_path = '' as $$
  with stalled as (
    update public.processing_jobs j
    set status = case when j.attempts >= j.max_attempts then 'dead'::public.job_status else 'queued'::public.job_status end,
        claimed_by = null,
        heartbeat_at = null,
        last_error = 'no heartbeat'
    where j.status = 'running' and j.heartbeat_at < now() - silence
    returning 1
  )
  select count(*)::integer from stalled
$$;
comment on function public.requeue_stalled_jobs(interval) is 'Frees jobs whose worker went silent; run by a cron job.';

create function public.record_processing_pass(
  job_id uuid, pass_number integer, model text, input_tokens integer, output_tokens integer,
  cost_microcents bigint, duration_ms integer, outcome text
) returns uuid
language sql set search_path = '' as $$
  insert into public.processing_passes
    (job_id, document_id, pass_number, model, input_tokens, output_tokens, cost_microcents, duration_ms, outcome)
  select j.id, j.document_id, $2, $3, $4, $5, $6, $7, $8 from public.processing_jobs j where j.id = $1
  returning id
$$;
comment on function public.record_processing_pass(uuid, integer, text, integer, integer, bigint, integer, text)
  is 'Cost of one pass.';
