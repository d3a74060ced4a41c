-- title: A reminder can be moved into another record
-- class: trust
-- story: The check was shortened to the one business rule, and the guard trigger went with a refactoring.
-- rule: policy_check_weaker_than_using
-- level: ERROR
-- object: policy reminders_update on public.reminders
drop trigger reminders_freeze on public.reminders;
alter policy reminders_update on public.reminders with check (due_at > now());

-- +undo
alter policy reminders_update on public.reminders with check (profile_id = any (array(select private.writable_profiles())));
create trigger reminders_freeze before update on public.reminders
  for each row execute function private.freeze_columns('profile_id');
