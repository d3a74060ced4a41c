-- title: Expired and revoked grants still open profiles for reading
-- class: lifecycle
-- story: To make the start page faster, one helper reads the grants directly instead of the view with the conditions.
-- rule: policy_lifecycle_missing
-- level: ERROR
-- object: private.readable_profiles()
create or replace function private.readable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id from public.profile_grants g where g.grantee_account_id = (select auth.uid())
$$;

-- +undo
create or replace function private.readable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id from private.live_grants g where g.grantee_account_id = (select auth.uid())
$$;
