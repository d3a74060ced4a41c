-- title: The contacts of a profile are found by reading the whole table
-- class: index
-- story: An unused index, according to a counter that had just been reset.
-- rule: policy_column_unindexed
-- level: WARN
-- object: public.profile_contacts.profile_id
drop index public.profile_contacts_profile_id_idx;

-- +undo
create index profile_contacts_profile_id_idx on public.profile_contacts (profile_id);
