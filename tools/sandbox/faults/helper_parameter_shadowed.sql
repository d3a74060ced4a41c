-- title: A membership helper compares a column with itself
-- class: function
-- story: The parameter was named like the column, as the style guide asked.
-- rule: function_parameter_shadowed
-- level: ERROR
-- object: private.is_member(uuid)
create function private.is_member(household_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.household_members m
    where m.household_id = household_id and m.account_id = (select auth.uid()) and m.status = 'active'
  )
$$;
grant execute on function private.is_member(uuid) to authenticated;
alter policy invitations_select on public.invitations using (private.is_member(household_id));

-- +undo
alter policy invitations_select on public.invitations
  using (household_id = any (array(select private.administered_households())));
drop function private.is_member(uuid);
