-- Steps that change trust. The public function is the API and runs as the caller; the private one does the
-- checked work as definer, out of reach of the API because its schema is not exposed.
create function private.accept_profile_grant(wanted_grant uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.profile_grants g
  set status = 'active', accepted_at = now()
  where g.id = wanted_grant
    and g.grantee_account_id = (select auth.uid())
    and g.status = 'pending'
    and (g.expires_at is null or g.expires_at > now())
    and exists (
      select from private.live_consents c
      where c.profile_id = g.profile_id and c.id = g.consent_id and c.purpose_code = 'family_sharing'
    );
  if not found then
    raise exception 'there is no pending grant for you to accept' using errcode = 'no_data_found';
  end if;
end
$$;

create function private.leave_profile(wanted_grant uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.profile_grants g
  set status = 'revoked'
  where g.id = wanted_grant and g.grantee_account_id = (select auth.uid()) and g.status in ('pending', 'active');
  if not found then
    raise exception 'there is no grant of yours to leave' using errcode = 'no_data_found';
  end if;
end
$$;

create function private.accept_invitation(token text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  accepted public.invitations;
begin
  update public.invitations i
  set status = 'accepted', accepted_by = (select auth.uid())
  where i.token_sha256 = encode(sha256(convert_to(token, 'UTF8')), 'hex')
    and i.status = 'pending'
    and i.expires_at > now()
    and lower(i.invited_email) = lower((select a.email from public.accounts a where a.id = (select auth.uid())))
  returning i.* into accepted;
  if accepted.id is null then
    raise exception 'the invitation is not valid for you' using errcode = 'no_data_found';
  end if;
  insert into public.household_members as household_members (household_id, account_id)
  values (accepted.household_id, accepted.accepted_by)
  on conflict (household_id, account_id) do update
  set role = case household_members.status when 'active' then household_members.role else 'member' end,
      status = 'active';
  return accepted.household_id;
end
$$;

create function private.request_handover(wanted_profile uuid, new_owner uuid) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  handover uuid;
begin
  insert into public.profile_handovers (profile_id, from_account_id, to_account_id, status, confirmed_at)
  select p.id, p.owner_account_id, new_owner, 'confirmed', now()
  from public.profiles p
  where p.id = wanted_profile
    and p.id in (select private.owned_profiles())
    and p.kind in ('child', 'dependant')
    and p.birth_date <= current_date - interval '18 years'
  returning id into handover;
  if handover is null then
    raise exception 'only the owner hands over the profile of an adult' using errcode = 'insufficient_privilege';
  end if;
  return handover;
end
$$;

-- The new owner starts alone: every grant, consent and provider access of the old owner ends here.
create function private.complete_handover(wanted_handover uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  handover public.profile_handovers;
begin
  select h.* into handover
  from public.profile_handovers h
  join public.profiles p on p.id = h.profile_id and p.owner_account_id = h.from_account_id
  where h.id = wanted_handover and h.to_account_id = (select auth.uid()) and h.status = 'confirmed'
  for update of h, p;
  if handover.id is null then
    raise exception 'there is no confirmed handover to you' using errcode = 'no_data_found';
  end if;
  update public.profile_grants set status = 'revoked'
  where profile_id = handover.profile_id and status <> 'revoked';
  update public.provider_access set status = 'revoked'
  where profile_id = handover.profile_id and status <> 'revoked';
  update public.consents set status = 'withdrawn'
  where profile_id = handover.profile_id and status = 'given';
  -- A person who already began an own record keeps it as the one of kind self.
  update public.profiles
  set owner_account_id = handover.to_account_id,
      household_id = null,
      kind = case
        when exists (select from public.profiles s where s.owner_account_id = handover.to_account_id and s.kind = 'self')
          then kind
        else 'self'
      end
  where id = handover.profile_id;
  update public.profile_handovers set status = 'completed', completed_at = now() where id = handover.id;
end
$$;

create function private.archive_profile(wanted_profile uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles set archived_at = now()
  where id = wanted_profile and id in (select private.owned_profiles());
  if not found then
    raise exception 'only the owner archives a profile' using errcode = 'insufficient_privilege';
  end if;
end
$$;

create function private.verify_provider(
  wanted_provider uuid, wanted_decision text, wanted_evidence text, wanted_until timestamptz
) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if not (select private.is_staff('verifier')) then
    raise exception 'only verifiers decide about providers' using errcode = 'insufficient_privilege';
  end if;
  if wanted_provider in (select private.my_providers()) then
    raise exception 'nobody verifies himself' using errcode = 'insufficient_privilege';
  end if;
  insert into public.provider_verifications (provider_id, decision, evidence, decided_by, valid_until)
  values (wanted_provider, wanted_decision, wanted_evidence, (select auth.uid()), wanted_until);
  update public.providers
  set status = case wanted_decision when 'verified' then 'verified' when 'suspended' then 'suspended' else 'unverified' end,
      verified_until = case wanted_decision when 'verified' then wanted_until end
  where id = wanted_provider;
end
$$;

create function public.accept_profile_grant(grant_id uuid) returns void
language sql set search_path = '' as $$ select private.accept_profile_grant(grant_id) $$;
comment on function public.accept_profile_grant(uuid) is 'The grantee accepts a pending grant.';

create function public.leave_profile(grant_id uuid) returns void
language sql set search_path = '' as $$ select private.leave_profile(grant_id) $$;
comment on function public.leave_profile(uuid) is 'The grantee gives a grant back.';

create function public.accept_invitation(token text) returns uuid
language sql set search_path = '' as $$ select private.accept_invitation(token) $$;
comment on function public.accept_invitation(text) is 'Joins the household of a mailed invitation.';

create function public.request_handover(profile_id uuid, new_owner_account_id uuid) returns uuid
language sql set search_path = '' as $$ select private.request_handover($1, $2) $$;
comment on function public.request_handover(uuid, uuid) is 'The owner offers the profile of an adult child to its person.';

create function public.complete_handover(handover_id uuid) returns void
language sql set search_path = '' as $$ select private.complete_handover(handover_id) $$;
comment on function public.complete_handover(uuid) is 'The person takes the own profile over; all earlier access ends.';

create function public.archive_profile(profile_id uuid) returns void
language sql set search_path = '' as $$ select private.archive_profile($1) $$;
comment on function public.archive_profile(uuid) is 'The owner closes a profile for everybody.';

create function public.verify_provider(
  provider_id uuid, decision text, evidence text, valid_until timestamptz default null
) returns void
language sql set search_path = '' as $$ select private.verify_provider($1, $2, $3, $4) $$;
comment on function public.verify_provider(uuid, text, text, timestamptz) is 'A verifier decides about a provider.';
