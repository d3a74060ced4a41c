-- Supabase's default privileges: whatever is created in public later is granted to the API roles at once.
-- They are a property of the *creating* role, hence once for each role that may create.
do $defaults$
declare
  creator text;
  object_kind text;
begin
  for creator in
    select distinct name from unnest(array['postgres', 'supabase_admin', current_user::text]) as name
  loop
    foreach object_kind in array array['tables', 'functions', 'sequences'] loop
      execute format(
        'alter default privileges for role %I in schema public grant all on %s to postgres, anon, authenticated, service_role',
        creator, object_kind
      );
      execute format(
        'alter default privileges for role %I in schema storage grant all on %s to postgres, anon, authenticated, service_role',
        creator, object_kind
      );
      execute format(
        'alter default privileges for role %I in schema graphql_public grant all on %s to postgres, anon, authenticated, service_role',
        creator, object_kind
      );
      execute format(
        'alter default privileges for role %I in schema auth grant all on %s to postgres, dashboard_user',
        creator, object_kind
      );
    end loop;
  end loop;
end
$defaults$;
