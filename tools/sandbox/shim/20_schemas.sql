-- Schemas of a Supabase project, with the owners and USAGE grants of a new one.
create schema if not exists extensions authorization postgres;
create schema if not exists auth authorization supabase_admin;
create schema if not exists storage authorization supabase_admin;
create schema if not exists realtime authorization supabase_admin;
create schema if not exists vault authorization supabase_admin;
create schema if not exists graphql authorization supabase_admin;
create schema if not exists graphql_public authorization supabase_admin;
create schema if not exists pgbouncer authorization pgbouncer;
create schema if not exists supabase_migrations authorization postgres;

comment on schema auth is 'Supabase Auth (sandbox stand-in)';
comment on schema storage is 'Supabase Storage (sandbox stand-in)';
comment on schema realtime is 'Supabase Realtime (sandbox stand-in)';
comment on schema vault is 'Supabase Vault (sandbox stand-in: nothing is encrypted)';

grant usage on schema public, extensions, auth, storage, realtime, graphql, graphql_public
  to anon, authenticated, service_role;
grant all on schema public to postgres;
grant all on schema extensions to postgres, dashboard_user;
grant usage on schema auth to postgres, dashboard_user;
grant all on schema auth to supabase_auth_admin;
grant all on schema storage to postgres, dashboard_user, supabase_storage_admin;
grant usage on schema vault to postgres, service_role;
grant usage on schema realtime to postgres;

create table if not exists supabase_migrations.schema_migrations (
  version text primary key,
  statements text[],
  name text
);
alter table supabase_migrations.schema_migrations owner to postgres;

do $publication$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end
$publication$;
