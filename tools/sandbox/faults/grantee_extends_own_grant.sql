-- title: A grantee can raise the own level and expiry
-- class: trust
-- story: Carers were to add a note to their grant, so the update policy got a second way in.
-- rule: policy_trusts_writable_rows
-- level: ERROR
-- object: policy profile_grants_update on public.profile_grants
alter policy profile_grants_update on public.profile_grants
  using (grantee_account_id = (select auth.uid()) or profile_id = any (array(select private.owned_profiles())))
  with check (grantee_account_id = (select auth.uid()) or profile_id = any (array(select private.owned_profiles())));

-- +undo
alter policy profile_grants_update on public.profile_grants
  using (profile_id = any (array(select private.owned_profiles()))
    or profile_id = any (array(select private.managed_profiles())) and level <> 'manage' and grantee_account_id <> (select auth.uid()))
  with check (profile_id = any (array(select private.owned_profiles()))
    or profile_id = any (array(select private.managed_profiles())) and level <> 'manage' and grantee_account_id <> (select auth.uid()));
