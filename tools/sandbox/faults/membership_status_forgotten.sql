-- title: Who left a household still sees it
-- class: lifecycle
-- story: The status was added to the table later, and one of the two helpers was never changed.
-- rule: policy_lifecycle_missing
-- level: ERROR
-- object: private.my_households()
create or replace function private.my_households() returns setof uuid
language sql stable security definer set search_path = '' rows 2 as $$
  select m.household_id from public.household_members m where m.account_id = (select auth.uid())
$$;

-- +undo
create or replace function private.my_households() returns setof uuid
language sql stable security definer set search_path = '' rows 2 as $$
  select m.household_id
  from public.household_members m
  where m.account_id = (select auth.uid()) and m.status = 'active'
$$;
