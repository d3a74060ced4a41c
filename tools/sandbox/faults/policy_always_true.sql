-- title: Medications can be read by everybody who is signed in
-- class: RLS
-- story: The list stayed empty in a demo, so the condition was replaced by true until Monday.
-- rule: rls_policy_always_true
-- level: ERROR
-- object: policy medications_select on public.medications
alter policy medications_select on public.medications using (true);

-- +undo
alter policy medications_select on public.medications using (profile_id = any (array(select private.clinical_profiles())));
