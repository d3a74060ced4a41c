-- Who may reach what. Every policy goes through these; the conditions of life (status, expiry, consent,
-- verification) are written down once, in the three views.
create view private.live_consents with (security_invoker = true) as
select c.id, c.profile_id, c.purpose_code
from public.consents c
where c.status = 'given' and (c.expires_at is null or c.expires_at > now());
comment on view private.live_consents is 'Consents that are given, not withdrawn and not expired.';

create view private.live_grants with (security_invoker = true) as
select g.id, g.profile_id, g.grantee_account_id, g.level
from public.profile_grants g
join private.live_consents c on c.profile_id = g.profile_id and c.id = g.consent_id
join public.profiles p on p.id = g.profile_id
join public.accounts a on a.id = g.grantee_account_id
where g.status = 'active'
  and g.revoked_at is null
  and (g.expires_at is null or g.expires_at > now())
  and c.purpose_code = 'family_sharing'
  and p.archived_at is null
  and a.status = 'active';
comment on view private.live_grants is 'Grants that open a profile at this moment.';

create view private.live_provider_access with (security_invoker = true) as
select x.id, x.profile_id, x.provider_id, d.account_id, x.can_contribute, x.include_documents
from public.provider_access x
join public.providers d on d.id = x.provider_id
join private.live_consents c on c.profile_id = x.profile_id and c.id = x.consent_id
join public.profiles p on p.id = x.profile_id
join public.accounts a on a.id = d.account_id
where x.status = 'active'
  and x.starts_at <= now()
  and x.expires_at > now()
  and d.status = 'verified'
  and d.verified_until > now()
  and c.purpose_code = 'provider_access'
  and p.archived_at is null
  and a.status = 'active';
comment on view private.live_provider_access is 'Provider access that opens a profile at this moment.';

create function private.is_active_account() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from public.accounts a where a.id = (select auth.uid()) and a.status = 'active')
$$;
comment on function private.is_active_account() is 'False for suspended and closed accounts, and for anonymous sign-ins.';

create function private.owned_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select p.id
  from public.profiles p
  join public.accounts a on a.id = p.owner_account_id
  where p.owner_account_id = (select auth.uid()) and p.archived_at is null and a.status = 'active'
$$;
comment on function private.owned_profiles() is 'Profiles that the caller owns.';

create function private.readable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id from private.live_grants g where g.grantee_account_id = (select auth.uid())
$$;
comment on function private.readable_profiles() is 'Profiles that the caller owns or was given at any level.';

create function private.writable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id
  from private.live_grants g
  where g.grantee_account_id = (select auth.uid()) and g.level in ('write', 'manage')
$$;
comment on function private.writable_profiles() is 'Profiles that the caller owns or may write.';

create function private.managed_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id
  from private.live_grants g
  where g.grantee_account_id = (select auth.uid()) and g.level = 'manage'
$$;
comment on function private.managed_profiles() is 'Profiles that the caller owns or manages for somebody.';

create function private.provider_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 100 as $$
  select x.profile_id from private.live_provider_access x where x.account_id = (select auth.uid())
$$;
comment on function private.provider_profiles() is 'Profiles open to the caller as a verified provider.';

create function private.clinical_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 100 as $$
  select private.readable_profiles()
  union
  select private.provider_profiles()
$$;
comment on function private.clinical_profiles() is 'Profiles whose clinical record the caller may read.';

create function private.recordable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 100 as $$
  select private.writable_profiles()
  union
  select x.profile_id
  from private.live_provider_access x
  where x.account_id = (select auth.uid()) and x.can_contribute
$$;
comment on function private.recordable_profiles() is 'Profiles to which the caller may add clinical rows.';

create function private.document_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 100 as $$
  select private.readable_profiles()
  union
  select x.profile_id
  from private.live_provider_access x
  where x.account_id = (select auth.uid()) and x.include_documents
$$;
comment on function private.document_profiles() is 'Profiles whose documents the caller may read.';

create function private.my_providers() returns setof uuid
language sql stable security definer set search_path = '' rows 1 as $$
  select d.id from public.providers d where d.account_id = (select auth.uid())
$$;
comment on function private.my_providers() is 'Registry rows of the caller, verified or not.';

create function private.my_households() returns setof uuid
language sql stable security definer set search_path = '' rows 2 as $$
  select m.household_id
  from public.household_members m
  where m.account_id = (select auth.uid()) and m.status = 'active'
$$;
comment on function private.my_households() is 'Households the caller belongs to.';

create function private.administered_households() returns setof uuid
language sql stable security definer set search_path = '' rows 2 as $$
  select m.household_id
  from public.household_members m
  where m.account_id = (select auth.uid()) and m.status = 'active' and m.role = 'admin'
$$;
comment on function private.administered_households() is 'Households the caller administers.';

-- app_metadata is written by services only; the table makes a revocation count before the token expires,
-- and aal2 means that a second factor was used in this session.
create function private.is_staff(wanted_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (select auth.jwt()) -> 'app_metadata' ->> 'staff_role' = wanted_role
    and (select auth.jwt()) ->> 'aal' = 'aal2'
    and exists (
      select
      from public.staff_members s
      join public.accounts a on a.id = s.account_id
      where s.account_id = (select auth.uid())
        and s.role = wanted_role
        and s.is_active
        and a.status = 'active'
    ),
    false
  )
$$;
comment on function private.is_staff(text) is 'Whether the caller works in this staff role, signed in with two factors.';
