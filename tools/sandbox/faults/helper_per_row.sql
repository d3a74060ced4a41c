-- title: A helper runs its query for every encounter
-- class: performance
-- story: can_read_profile(profile_id) reads so well.
-- rule: policy_function_per_row
-- level: WARN
-- object: private.can_read_profile(uuid)
create function private.can_read_profile(wanted_profile uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select wanted_profile in (select private.clinical_profiles())
$$;
grant execute on function private.can_read_profile(uuid) to authenticated;
alter policy encounters_select on public.encounters using (private.can_read_profile(profile_id));

-- +undo
alter policy encounters_select on public.encounters using (profile_id = any (array(select private.clinical_profiles())));
drop function private.can_read_profile(uuid);
