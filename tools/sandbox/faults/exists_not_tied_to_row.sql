-- title: One grant opens every observation
-- class: RLS
-- story: The outer column was written without its table, so Postgres compared the grant with itself.
-- rule: policy_subquery_uncorrelated
-- level: ERROR
-- object: policy observations_select on public.observations
alter policy observations_select on public.observations using (exists (
  select from private.live_grants g
  where g.profile_id = profile_id and g.grantee_account_id = (select auth.uid())
));

-- +undo
alter policy observations_select on public.observations using (profile_id = any (array(select private.clinical_profiles())));
