-- title: A renamed column breaks the handover
-- class: function
-- story: completed_at became finished_at; the function that writes it was in another file.
-- rule: function_body_broken
-- level: ERROR
-- object: private.complete_handover(uuid)
alter table public.profile_handovers rename column completed_at to finished_at;

-- +undo
alter table public.profile_handovers rename column finished_at to completed_at;
