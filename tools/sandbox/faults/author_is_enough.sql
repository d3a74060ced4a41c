-- title: Whoever signs an entry may put it into any record
-- class: trust
-- story: The insert was slow, and recorded_by seemed to say enough.
-- rule: policy_parent_unchecked
-- level: ERROR
-- object: policy immunisations_insert on public.immunisations
alter policy immunisations_insert on public.immunisations with check (recorded_by = (select auth.uid()));

-- +undo
alter policy immunisations_insert on public.immunisations
  with check (profile_id = any (array(select private.recordable_profiles())) and recorded_by = (select auth.uid()));
