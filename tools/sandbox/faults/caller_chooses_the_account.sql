-- title: A function takes the account from its caller
-- class: function
-- story: The mobile client already knows the user id, so it passes it along.
-- rule: authenticated_security_definer_function_executable
-- level: ERROR
-- object: public.profiles_of_account(uuid)
create function public.profiles_of_account(p_account_id uuid)
returns table (profile_id uuid, given_name text, birth_date date)
language sql stable security definer set search_path = '' as $$
  select p.id, p.given_name, p.birth_date from public.profiles p where p.owner_account_id = p_account_id
$$;
revoke execute on function public.profiles_of_account(uuid) from public, anon;
grant execute on function public.profiles_of_account(uuid) to authenticated;

-- +undo
drop function public.profiles_of_account(uuid);
