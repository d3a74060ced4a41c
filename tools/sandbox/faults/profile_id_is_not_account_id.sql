-- title: Vitals compare the profile with the account
-- class: RLS
-- story: Copied from a project in which every user has exactly one profile with the same id.
-- rule: policy_compares_wrong_id
-- level: ERROR
-- object: policy vitals_select on public.vitals
alter policy vitals_select on public.vitals using (profile_id = (select auth.uid()));

-- +undo
alter policy vitals_select on public.vitals using (profile_id = any (array(select private.clinical_profiles())));
