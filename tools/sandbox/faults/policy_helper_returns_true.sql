-- title: A switch for demonstrations opens allergies
-- class: RLS
-- story: A helper for trade fairs returns true; it was forgotten in one policy.
-- rule: rls_policy_always_true
-- level: ERROR
-- object: policy allergies_select on public.allergies
create function private.demonstration() returns boolean
language sql stable set search_path = '' as $$ select true $$;
grant execute on function private.demonstration() to authenticated;
alter policy allergies_select on public.allergies
  using (profile_id = any (array(select private.clinical_profiles())) or (select private.demonstration()));

-- +undo
alter policy allergies_select on public.allergies using (profile_id = any (array(select private.clinical_profiles())));
drop function private.demonstration();
