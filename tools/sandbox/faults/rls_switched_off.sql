-- title: Row level security was switched off on conditions
-- class: RLS
-- story: A back-fill was slow, somebody switched row level security off for the night and nobody switched it on again.
-- rule: policy_exists_rls_disabled
-- level: ERROR
-- object: public.conditions
alter table public.conditions disable row level security;

-- +undo
alter table public.conditions enable row level security;
