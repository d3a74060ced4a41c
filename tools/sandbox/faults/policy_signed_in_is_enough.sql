-- title: Being signed in is enough to read diagnostic reports
-- class: RLS
-- story: Somebody read that policies must check auth.uid() and did exactly that.
-- rule: rls_policy_always_true
-- level: ERROR
-- object: policy diagnostic_reports_select on public.diagnostic_reports
alter policy diagnostic_reports_select on public.diagnostic_reports using ((select auth.uid()) is not null);

-- +undo
alter policy diagnostic_reports_select on public.diagnostic_reports using (profile_id = any (array(select private.clinical_profiles())));
