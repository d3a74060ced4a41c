-- title: A revoke from PUBLIC left the grant to anon
-- class: grant
-- story: The migration says revoke ... from public, as every guide does; the default privileges had granted anon by name.
-- rule: anon_security_definer_function_executable
-- level: ERROR
-- object: public.export_profile(uuid)
create function public.export_profile(wanted_profile uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  result jsonb;
begin
  select jsonb_build_object('profile', to_jsonb(p), 'conditions', (
    select jsonb_agg(to_jsonb(c)) from public.conditions c where c.profile_id = p.id
  )) into result
  from public.profiles p
  where p.id = wanted_profile;
  return result;
end
$$;
grant execute on function public.export_profile(uuid) to anon, authenticated;
revoke execute on function public.export_profile(uuid) from public;

-- +undo
drop function public.export_profile(uuid);
