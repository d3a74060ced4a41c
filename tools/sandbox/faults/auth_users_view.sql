-- title: A people picker lists every account
-- class: view
-- story: For "share with ..." the app needs names and addresses; auth.users has them.
-- rule: auth_users_exposed
-- level: ERROR
-- object: public.people
create view public.people as select u.id, u.email, u.last_sign_in_at from auth.users u;
revoke all on public.people from anon;
grant select on public.people to authenticated;

-- +undo
drop view public.people;
