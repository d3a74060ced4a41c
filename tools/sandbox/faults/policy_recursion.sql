-- title: Household members cannot be read at all
-- class: RLS
-- story: The helper function was inlined into the policy to save a call.
-- rule: policy_recursion
-- level: ERROR
-- object: policy household_members_select on public.household_members
alter policy household_members_select on public.household_members using (household_id in (
  select m.household_id from public.household_members m
  where m.account_id = (select auth.uid()) and m.status = 'active'
));

-- +undo
alter policy household_members_select on public.household_members using (household_id = any (array(select private.my_households())));
