-- title: Usage counters answer nobody
-- class: RLS
-- story: A migration dropped the policy to write it anew, and the second half failed.
-- rule: rls_enabled_no_policy
-- level: INFO
-- object: public.usage_counters
drop policy usage_counters_select on public.usage_counters;

-- +undo
create policy usage_counters_select on public.usage_counters for select to authenticated
  using (account_id = (select auth.uid()));
