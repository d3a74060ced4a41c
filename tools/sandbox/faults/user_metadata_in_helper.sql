-- title: The staff helper believes user_metadata
-- class: trust
-- story: While moving roles between claims one helper was given the wrong one; no policy changed.
-- rule: rls_references_user_metadata
-- level: ERROR
-- object: private.is_staff(text)
create or replace function private.is_staff(wanted_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce((select auth.jwt()) -> 'user_metadata' ->> 'staff_role' = wanted_role, false)
$$;

-- +undo
create or replace function private.is_staff(wanted_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (select auth.jwt()) -> 'app_metadata' ->> 'staff_role' = wanted_role
    and (select auth.jwt()) ->> 'aal' = 'aal2'
    and exists (
      select
      from public.staff_members s
      join public.accounts a on a.id = s.account_id
      where s.account_id = (select auth.uid())
        and s.role = wanted_role
        and s.is_active
        and a.status = 'active'
    ),
    false
  )
$$;
