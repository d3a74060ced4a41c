-- title: Visitors without an account read every account
-- class: RLS
-- story: A background job had no user, so the policy got a clause for it, and the job was given the anon key.
-- rule: rls_policy_null_auth_disjunct
-- level: ERROR
-- object: policy accounts_select on public.accounts
grant select on public.accounts to anon;
alter policy accounts_select on public.accounts to anon, authenticated
  using ((select auth.uid()) is null or id = (select auth.uid()));

-- +undo
alter policy accounts_select on public.accounts to authenticated using (id = (select auth.uid()));
revoke select on public.accounts from anon;
