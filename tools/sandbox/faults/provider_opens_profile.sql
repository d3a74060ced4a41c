-- title: A provider can open any profile to the own practice
-- class: trust
-- story: Practices asked to "request access"; the request is the access.
-- rule: policy_trusts_writable_rows
-- level: ERROR
-- object: policy provider_access_insert on public.provider_access
alter policy provider_access_insert on public.provider_access
  with check (provider_id = any (array(select private.my_providers())) and status = 'active');

-- +undo
alter policy provider_access_insert on public.provider_access
   with check (profile_id = any (array(select private.managed_profiles()))
     and granted_by = (select auth.uid())
     and status = 'active'
     and provider_id <> all (array(select private.my_providers())));
