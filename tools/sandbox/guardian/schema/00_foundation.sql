-- Guardian v7: a patient-owned health record for families. Demonstration schema, synthetic people only.
comment on schema public is 'Guardian v7 demonstration: patient-owned health records for families (synthetic people)';

create schema if not exists private;
comment on schema private is
  'Guardian internals: access helpers, trigger functions and definer procedures. Not exposed through the API.';
revoke all on schema private from public;
grant usage on schema private to authenticated, service_role;

create type public.profile_kind as enum ('self', 'child', 'dependant', 'pet');
create type public.grant_level as enum ('read', 'write', 'manage');
create type public.grant_status as enum ('pending', 'active', 'revoked');
create type public.consent_status as enum ('given', 'withdrawn');
create type public.clinical_event_kind as enum (
  'observation', 'intervention', 'encounter', 'medication', 'allergy', 'condition', 'immunisation', 'vital'
);
create type public.record_source as enum ('person', 'provider', 'document', 'device');
create type public.job_status as enum ('queued', 'running', 'succeeded', 'failed', 'dead');

create function public.guardian_version() returns text
language sql immutable set search_path = '' as $$ select '7.0-demo'::text $$;
comment on function public.guardian_version() is 'Version of the Guardian schema; the suffix -demo marks synthetic data.';

-- Sets updated_at; attached to every table that has the column.
create function private.touch_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;

-- BEFORE UPDATE guard against contamination: the columns named in the trigger's arguments may not change,
-- so no row can be moved to another profile, account or author.
create function private.freeze_columns() returns trigger
language plpgsql set search_path = '' as $$
declare
  column_name text;
begin
  foreach column_name in array tg_argv loop
    if to_jsonb(new) -> column_name is distinct from to_jsonb(old) -> column_name then
      raise exception 'column % of % cannot be changed', column_name, tg_table_name
        using errcode = 'integrity_constraint_violation';
    end if;
  end loop;
  return new;
end
$$;

-- Append-only tables: attached to UPDATE, DELETE and TRUNCATE.
create function private.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;
