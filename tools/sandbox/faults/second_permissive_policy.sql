-- title: Two permissive policies for the same command
-- class: performance
-- story: Staff got a policy of their own instead of a second condition.
-- rule: multiple_permissive_policies
-- level: WARN
-- object: public.timeline_entries
create policy timeline_entries_staff on public.timeline_entries for select to authenticated
  using ((select private.is_staff('reviewer')));

-- +undo
drop policy timeline_entries_staff on public.timeline_entries;
