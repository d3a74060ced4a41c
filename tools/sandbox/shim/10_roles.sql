-- Roles of a Supabase project. Roles belong to the cluster, not to a database: two databases may be
-- prepared at the same moment, so the whole block runs under a lock on the shared catalog pg_authid.
-- SHARE ROW EXCLUSIVE conflicts with another CREATE ROLE but not with a login (ACCESS SHARE).
lock table pg_catalog.pg_authid in share row exclusive mode;

do $roles$
declare
  wanted record;
  setting record;
  member record;
begin
  for wanted in
    select * from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit'),
      ('dashboard_user', 'nologin createdb createrole replication'),
      ('pgbouncer', 'login'),
      ('postgres', 'login createdb createrole replication bypassrls'),
      ('supabase_admin', 'login superuser createdb createrole replication bypassrls'),
      ('supabase_auth_admin', 'login noinherit createrole'),
      ('supabase_storage_admin', 'login noinherit createrole')
    ) as roles (name, attributes)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.attributes);
    end if;
  end loop;

  for member in
    select * from (values
      ('anon', 'authenticator'), ('authenticated', 'authenticator'), ('service_role', 'authenticator'),
      ('anon', 'postgres'), ('authenticated', 'postgres'), ('service_role', 'postgres'),
      ('supabase_auth_admin', 'postgres'), ('supabase_storage_admin', 'postgres')
    ) as memberships (granted, grantee)
  loop
    if not exists (
      select
      from pg_catalog.pg_auth_members m
      where m.roleid = member.granted::regrole and m.member = member.grantee::regrole
    ) then
      execute format('grant %I to %I', member.granted, member.grantee);
    end if;
  end loop;

  -- Only where nothing is set yet, and never ALTER ROLE for nothing: a concurrent one would fail.
  for setting in
    select * from (values
      ('anon', 'statement_timeout', '3s'),
      ('authenticated', 'statement_timeout', '8s'),
      ('authenticator', 'statement_timeout', '8s'),
      ('authenticator', 'lock_timeout', '8s'),
      ('postgres', 'search_path', '"$user", public, extensions'),
      ('supabase_admin', 'search_path', '"$user", public, extensions'),
      ('authenticator', 'search_path', '"$user", public, extensions'),
      ('supabase_auth_admin', 'search_path', 'auth'),
      ('supabase_storage_admin', 'search_path', 'storage')
    ) as settings (name, parameter, setting)
    union all
    select current_user::text, 'search_path', '"$user", public, extensions'
    where current_user <> 'postgres'
  loop
    if not exists (
      select
      from pg_catalog.pg_db_role_setting s
      cross join unnest(s.setconfig) as entry
      where s.setdatabase = 0
        and s.setrole = (select oid from pg_catalog.pg_roles where rolname = setting.name)
        and entry like setting.parameter || '=%'
    ) then
      if setting.parameter = 'search_path' then
        -- A quoted list would become one strange schema name.
        execute format('alter role %I set search_path to %s', setting.name, setting.setting);
      else
        execute format('alter role %I set %I to %L', setting.name, setting.parameter, setting.setting);
      end if;
    end if;
  end loop;
end
$roles$;
