-- title: A missing pair of brackets shows archived profiles to delegates
-- class: RLS
-- story: a and b or c: the bracket was lost when the lines were reordered.
-- rule: none (needs the prover: both forms are reasonable policies)
-- level: ERROR
-- object: policy notifications_select on public.notifications
alter policy notifications_select on public.notifications
   using (account_id = (select auth.uid()) and profile_id is null or profile_id = any (array(select private.clinical_profiles())));

-- +undo
alter policy notifications_select on public.notifications
   using (account_id = (select auth.uid())
     and (profile_id is null or profile_id = any (array(select private.clinical_profiles()))));
