-- title: The partition of a new quarter is open
-- class: RLS
-- story: The cron job was down, and the partition was made by hand without the second statement.
-- rule: partition_without_rls
-- level: ERROR
-- object: public.clinical_events_2027q2
create table public.clinical_events_2027q2 partition of public.clinical_events
  for values from ('2027-04-01 00:00:00+00') to ('2027-07-01 00:00:00+00');
grant all on public.clinical_events_2027q2 to anon, authenticated;

-- +undo
alter table public.clinical_events detach partition public.clinical_events_2027q2;
drop table public.clinical_events_2027q2;
