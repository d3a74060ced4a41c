-- Billing, exports, inboxes of services.
create table public.subscriptions (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references public.accounts (id) on delete cascade,
  plan_code text not null references public.plans (code),
  status text not null check (status in ('trialing', 'active', 'past_due', 'cancelled')),
  current_period_end timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index subscriptions_account_id_idx on public.subscriptions (account_id);
create index subscriptions_plan_code_idx on public.subscriptions (plan_code);
comment on table public.subscriptions is 'Written by the billing service; read by the account.';

create table public.usage_counters (
  account_id uuid not null references public.accounts (id) on delete cascade,
  metric text not null,
  period_start date not null,
  amount bigint not null default 0,
  primary key (account_id, metric, period_start)
);
comment on table public.usage_counters is 'Storage and processing used per month.';

create table public.data_exports (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  requested_by uuid not null references public.accounts (id),
  format text not null default 'fhir_bundle' check (format in ('fhir_bundle', 'pdf')),
  status text not null default 'requested' check (status in ('requested', 'ready', 'expired')),
  storage_path text,
  expires_at timestamptz,
  created_at timestamptz not null default now()
);
create index data_exports_profile_id_idx on public.data_exports (profile_id);
create index data_exports_requested_by_idx on public.data_exports (requested_by);
comment on table public.data_exports is 'Exports asked for by those who manage a profile.';

create table public.webhooks_inbox (
  id uuid primary key default gen_random_uuid(),
  source text not null check (source in ('storage', 'auth', 'billing')),
  external_id text not null,
  payload jsonb not null,
  received_at timestamptz not null default now(),
  processed_at timestamptz,
  unique (source, external_id)
);
create index webhooks_inbox_open_idx on public.webhooks_inbox (received_at) where processed_at is null;
comment on table public.webhooks_inbox is 'Service only: webhooks from storage, auth and billing. No policy on purpose.';
comment on column public.webhooks_inbox.payload is 'As received; may carry file names of people.';

create table public.outbox_messages (
  id bigint generated always as identity primary key,
  topic text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz
);
create index outbox_messages_open_idx on public.outbox_messages (created_at) where sent_at is null;
comment on table public.outbox_messages is 'Service only: messages for edge functions, sent at least once. No policy on purpose.';

alter table public.subscriptions enable row level security;
alter table public.usage_counters enable row level security;
alter table public.data_exports enable row level security;
alter table public.webhooks_inbox enable row level security;
alter table public.outbox_messages enable row level security;

create policy subscriptions_select on public.subscriptions for select to authenticated
  using (account_id = (select auth.uid()));
create policy usage_counters_select on public.usage_counters for select to authenticated
  using (account_id = (select auth.uid()));
create policy data_exports_select on public.data_exports for select to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy data_exports_insert on public.data_exports for insert to authenticated
  with check (profile_id = any (array(select private.managed_profiles())) and requested_by = (select auth.uid()) and status = 'requested' and storage_path is null);
create trigger subscriptions_touch before update on public.subscriptions
  for each row execute function private.touch_updated_at();
create trigger feature_flags_touch before update on public.feature_flags
  for each row execute function private.touch_updated_at();
