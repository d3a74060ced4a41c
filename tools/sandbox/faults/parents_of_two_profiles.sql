-- title: A dose can be hung under another profile's medication
-- class: trust
-- story: The composite foreign key was replaced by a simple one to make an import pass.
-- rule: policy_second_parent_unchecked
-- level: WARN
-- object: public.medication_doses
alter table public.medication_doses drop constraint medication_doses_profile_id_medication_id_fkey;
alter table public.medication_doses add constraint medication_doses_medication_id_fkey
  foreign key (medication_id) references public.medications (id) on delete cascade;

-- +undo
alter table public.medication_doses drop constraint medication_doses_medication_id_fkey;
alter table public.medication_doses add constraint medication_doses_profile_id_medication_id_fkey
  foreign key (profile_id, medication_id) references public.medications (profile_id, id) on delete cascade;
