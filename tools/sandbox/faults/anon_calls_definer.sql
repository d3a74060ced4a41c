-- title: Anybody can look a profile up by telephone number
-- class: function
-- story: An emergency feature for paramedics: a definer function, granted by default to anon.
-- rule: anon_security_definer_function_executable
-- level: ERROR
-- object: public.find_profile_by_phone(text)
create function public.find_profile_by_phone(wanted_phone text)
returns table (profile_id uuid, given_name text, family_name text, emergency_note text)
language sql stable security definer set search_path = '' as $$
  select p.id, p.given_name, p.family_name, p.emergency_note
  from public.profiles p
  join public.profile_contacts c on c.profile_id = p.id
  where c.phone = wanted_phone
$$;
grant execute on function public.find_profile_by_phone(text) to anon, authenticated;

-- +undo
drop function public.find_profile_by_phone(text);
