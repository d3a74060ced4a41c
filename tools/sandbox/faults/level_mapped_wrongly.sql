-- title: Readers may write
-- class: trust
-- story: The list of levels was copied from the helper above it.
-- rule: none (needs the prover: only the meaning of the level decides)
-- level: ERROR
-- object: private.writable_profiles()
create or replace function private.writable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id
  from private.live_grants g
  where g.grantee_account_id = (select auth.uid()) and g.level in ('read', 'write', 'manage')
$$;

-- +undo
create or replace function private.writable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id
  from private.live_grants g
  where g.grantee_account_id = (select auth.uid()) and g.level in ('write', 'manage')
$$;
