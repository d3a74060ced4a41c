-- title: A new table was created without row level security
-- class: RLS
-- story: The feature symptom diary was made in the dashboard; default privileges granted the table to anon at once.
-- rule: rls_disabled_in_public
-- level: ERROR
-- object: public.symptom_diary
create table public.symptom_diary (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  entered_at timestamptz not null default now(),
  symptoms text not null
);
create index symptom_diary_profile_id_idx on public.symptom_diary (profile_id);
grant all on public.symptom_diary to anon, authenticated;

-- +undo
drop table public.symptom_diary;
