-- Append-only audit log (45 CFR 164.312(b)): who changed what, never the values.
create table public.audit_log (
  id bigint generated always as identity primary key,
  occurred_at timestamptz not null default now(),
  account_id uuid,
  actor_role text not null,
  action text not null check (action in ('insert', 'update', 'delete', 'read')),
  table_name text not null,
  row_id text,
  profile_id uuid,
  changed_columns text[] not null default '{}',
  row_sha256 text not null default ''
);
create index audit_log_profile_id_occurred_at_idx on public.audit_log (profile_id, occurred_at desc);
create index audit_log_occurred_at_idx on public.audit_log (occurred_at);
create index audit_log_account_id_idx on public.audit_log (account_id);
comment on table public.audit_log is 'Append-only. Names the changed columns, never their values. No foreign keys: it outlives what it tells of.';
comment on column public.audit_log.row_sha256 is 'Hash of the row as written, for integrity checks (45 CFR 164.312(c)).';

alter table public.audit_log enable row level security;
create policy audit_log_select on public.audit_log for select to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create trigger audit_log_append_only before update or delete on public.audit_log
  for each row execute function private.refuse_change();
create trigger audit_log_no_truncate before truncate on public.audit_log
  for each statement execute function private.refuse_change();

create function private.seal_audit_row() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.row_sha256 := encode(
    sha256(convert_to(
      concat_ws(
        '|', new.id, extract(epoch from new.occurred_at), new.account_id, new.actor_role, new.action,
        new.table_name, new.row_id, new.profile_id, array_to_string(new.changed_columns, ',')
      ), 'UTF8'
    )), 'hex'
  );
  return new;
end
$$;
create trigger audit_log_seal before insert on public.audit_log
  for each row execute function private.seal_audit_row();

create function private.audit_change() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  before_row jsonb := case when tg_op = 'INSERT' then '{}'::jsonb else to_jsonb(old) end;
  after_row jsonb := case when tg_op = 'DELETE' then '{}'::jsonb else to_jsonb(new) end;
  some_row jsonb := case when tg_op = 'DELETE' then before_row else after_row end;
begin
  insert into public.audit_log (account_id, actor_role, action, table_name, row_id, profile_id, changed_columns)
  values (
    (select auth.uid()),
    coalesce((select auth.role()), session_user::text),
    lower(tg_op),
    tg_table_name,
    some_row ->> 'id',
    case when tg_table_name = 'profiles' then some_row ->> 'id' else some_row ->> 'profile_id' end::uuid,
    array(
      select key from jsonb_each(some_row) as entry (key, value)
      where tg_op <> 'UPDATE' or before_row -> key is distinct from after_row -> key
      order by key
    )
  );
  return null;
end
$$;

create trigger profiles_audit after insert or update or delete on public.profiles
  for each row execute function private.audit_change();
create trigger profile_identifiers_audit after insert or update or delete on public.profile_identifiers
  for each row execute function private.audit_change();
create trigger consents_audit after insert or update or delete on public.consents
  for each row execute function private.audit_change();
create trigger profile_grants_audit after insert or update or delete on public.profile_grants
  for each row execute function private.audit_change();
create trigger profile_handovers_audit after insert or update or delete on public.profile_handovers
  for each row execute function private.audit_change();
create trigger provider_access_audit after insert or update or delete on public.provider_access
  for each row execute function private.audit_change();
create trigger provider_verifications_audit after insert or update or delete on public.provider_verifications
  for each row execute function private.audit_change();
create trigger providers_audit after insert or update or delete on public.providers
  for each row execute function private.audit_change();
create trigger staff_members_audit after insert or update or delete on public.staff_members
  for each row execute function private.audit_change();
create trigger household_members_audit after insert or update or delete on public.household_members
  for each row execute function private.audit_change();
create trigger clinical_events_audit after insert or update or delete on public.clinical_events
  for each row execute function private.audit_change();
create trigger conditions_audit after insert or update or delete on public.conditions
  for each row execute function private.audit_change();
create trigger medications_audit after insert or update or delete on public.medications
  for each row execute function private.audit_change();
create trigger allergies_audit after insert or update or delete on public.allergies
  for each row execute function private.audit_change();
create trigger immunisations_audit after insert or update or delete on public.immunisations
  for each row execute function private.audit_change();
create trigger documents_audit after insert or update or delete on public.documents
  for each row execute function private.audit_change();
create trigger data_exports_audit after insert or update or delete on public.data_exports
  for each row execute function private.audit_change();

-- Compliance reads the logs of everybody through these, not through the policies: those stay an index
-- condition for the people, and every reading leaves a row of its own.
create function private.audit_trail(since timestamptz, until timestamptz, page_size integer)
returns setof public.audit_log
language plpgsql security definer set search_path = '' as $$
begin
  if not (select private.is_staff('compliance')) then
    raise exception 'only compliance reads the audit log of everybody' using errcode = 'insufficient_privilege';
  end if;
  insert into public.audit_log (account_id, actor_role, action, table_name, changed_columns)
  values ((select auth.uid()), 'compliance', 'read', 'audit_log', array[since::text, until::text]);
  return query
    select l.* from public.audit_log l
    where l.occurred_at >= since and l.occurred_at < until
    order by l.occurred_at, l.id
    limit least(page_size, 1000);
end
$$;

create function private.access_trail(since timestamptz, until timestamptz, page_size integer)
returns setof public.access_log
language plpgsql security definer set search_path = '' as $$
begin
  if not (select private.is_staff('compliance')) then
    raise exception 'only compliance reads the access log of everybody' using errcode = 'insufficient_privilege';
  end if;
  insert into public.audit_log (account_id, actor_role, action, table_name, changed_columns)
  values ((select auth.uid()), 'compliance', 'read', 'access_log', array[since::text, until::text]);
  return query
    select l.* from public.access_log l
    where l.accessed_at >= since and l.accessed_at < until
    order by l.accessed_at, l.id
    limit least(page_size, 1000);
end
$$;

create function public.audit_trail(since timestamptz, until timestamptz, page_size integer default 100)
returns setof public.audit_log
language sql set search_path = '' as $$ select * from private.audit_trail($1, $2, $3) $$;
comment on function public.audit_trail(timestamptz, timestamptz, integer) is 'The audit log of a time span, for compliance.';

create function public.access_trail(since timestamptz, until timestamptz, page_size integer default 100)
returns setof public.access_log
language sql set search_path = '' as $$ select * from private.access_trail($1, $2, $3) $$;
comment on function public.access_trail(timestamptz, timestamptz, integer) is 'The access log of a time span, for compliance.';
