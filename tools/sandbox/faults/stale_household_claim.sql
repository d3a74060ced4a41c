-- title: Care plans follow the household in the token
-- class: trust
-- story: The household id was put into app_metadata to save a join; who leaves keeps it until the token expires.
-- rule: policy_trusts_token_claim
-- level: WARN
-- object: policy care_plans_select on public.care_plans
alter table public.care_plans add column household_id uuid references public.households (id);
create index care_plans_household_id_idx on public.care_plans (household_id);
alter policy care_plans_select on public.care_plans
  using (household_id = ((select auth.jwt()) -> 'app_metadata' ->> 'household_id')::uuid);

-- +undo
alter policy care_plans_select on public.care_plans using (profile_id = any (array(select private.clinical_profiles())));
alter table public.care_plans drop column household_id;
