-- Row level security of people, families and providers.
alter table public.accounts enable row level security;
alter table public.staff_members enable row level security;
alter table public.households enable row level security;
alter table public.household_members enable row level security;
alter table public.invitations enable row level security;
alter table public.profiles enable row level security;
alter table public.profile_identifiers enable row level security;
alter table public.profile_contacts enable row level security;
alter table public.consents enable row level security;
alter table public.consent_history enable row level security;
alter table public.profile_grants enable row level security;
alter table public.profile_handovers enable row level security;
alter table public.carer_assignments enable row level security;
alter table public.devices enable row level security;
alter table public.notification_preferences enable row level security;
alter table public.notifications enable row level security;
alter table public.provider_organisations enable row level security;
alter table public.providers enable row level security;
alter table public.provider_verifications enable row level security;
alter table public.provider_access enable row level security;
alter table public.access_log enable row level security;

-- People.
create policy accounts_select on public.accounts for select to authenticated
  using (id = (select auth.uid()));
create policy accounts_update on public.accounts for update to authenticated
  using (id = (select auth.uid()))
  with check (id = (select auth.uid()));
-- created_by is there because INSERT ... RETURNING reads the row before the founder's membership is visible.
create policy households_select on public.households for select to authenticated
  using (created_by = (select auth.uid()) or id = any (array(select private.my_households())));
create policy households_insert on public.households for insert to authenticated
  with check (created_by = (select auth.uid()));
create policy households_update on public.households for update to authenticated
  using (id = any (array(select private.administered_households())))
  with check (id = any (array(select private.administered_households())));
create policy households_delete on public.households for delete to authenticated
  using (id = any (array(select private.administered_households())));
create policy household_members_select on public.household_members for select to authenticated
  using (household_id = any (array(select private.my_households())));
create policy household_members_update on public.household_members for update to authenticated
  using (household_id = any (array(select private.administered_households())))
  with check (household_id = any (array(select private.administered_households())));
create policy household_members_delete on public.household_members for delete to authenticated
  using (account_id = (select auth.uid()) or household_id = any (array(select private.administered_households())));
create policy invitations_select on public.invitations for select to authenticated
  using (household_id = any (array(select private.administered_households())));
create policy invitations_insert on public.invitations for insert to authenticated
  with check (invited_by = (select auth.uid()) and status = 'pending' and household_id = any (array(select private.administered_households())));
create policy invitations_update on public.invitations for update to authenticated
  using (household_id = any (array(select private.administered_households())))
  with check (household_id = any (array(select private.administered_households())));
-- A household is named only by its members; owner_account_id for the same reason as created_by above.
create policy profiles_select on public.profiles for select to authenticated
  using ((owner_account_id = (select auth.uid()) and archived_at is null and (select private.is_active_account()))
    or id = any (array(select private.clinical_profiles())));
create policy profiles_insert on public.profiles for insert to authenticated
  with check (owner_account_id = (select auth.uid())
    and (select private.is_active_account())
    and (household_id is null or household_id = any (array(select private.my_households()))));
create policy profiles_update on public.profiles for update to authenticated
  using (id = any (array(select private.managed_profiles())))
  with check (id = any (array(select private.managed_profiles())) and (household_id is null or household_id = any (array(select private.my_households()))));
create policy profile_identifiers_select on public.profile_identifiers for select to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy profile_identifiers_insert on public.profile_identifiers for insert to authenticated
  with check (profile_id = any (array(select private.managed_profiles())));
create policy profile_identifiers_update on public.profile_identifiers for update to authenticated
  using (profile_id = any (array(select private.managed_profiles())))
  with check (profile_id = any (array(select private.managed_profiles())));
create policy profile_identifiers_delete on public.profile_identifiers for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy profile_contacts_select on public.profile_contacts for select to authenticated
  using (profile_id = any (array(select private.readable_profiles())));
create policy profile_contacts_insert on public.profile_contacts for insert to authenticated
  with check (profile_id = any (array(select private.writable_profiles())));
create policy profile_contacts_update on public.profile_contacts for update to authenticated
  using (profile_id = any (array(select private.writable_profiles())))
  with check (profile_id = any (array(select private.writable_profiles())));
create policy profile_contacts_delete on public.profile_contacts for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));

-- Trust: consents, grants and what follows from them. Only the owner consents.
create policy consents_select on public.consents for select to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy consents_insert on public.consents for insert to authenticated
  with check (profile_id = any (array(select private.owned_profiles())) and given_by = (select auth.uid()) and status = 'given');
create policy consents_update on public.consents for update to authenticated
  using (profile_id = any (array(select private.owned_profiles())))
  with check (profile_id = any (array(select private.owned_profiles())));
create policy consent_history_select on public.consent_history for select to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
-- A delegate who manages may open the profile to others for reading and writing, never to himself and never for managing.
create policy profile_grants_select on public.profile_grants for select to authenticated
  using (grantee_account_id = (select auth.uid()) or profile_id = any (array(select private.managed_profiles())));
create policy profile_grants_insert on public.profile_grants for insert to authenticated
  with check (granted_by = (select auth.uid())
    and status = 'pending'
    and grantee_account_id <> (select auth.uid())
    and (profile_id = any (array(select private.owned_profiles())) or (profile_id = any (array(select private.managed_profiles())) and level <> 'manage')));
create policy profile_grants_update on public.profile_grants for update to authenticated
  using (profile_id = any (array(select private.owned_profiles()))
    or (profile_id = any (array(select private.managed_profiles())) and level <> 'manage' and grantee_account_id <> (select auth.uid())))
  with check (profile_id = any (array(select private.owned_profiles()))
    or (profile_id = any (array(select private.managed_profiles())) and level <> 'manage' and grantee_account_id <> (select auth.uid())));
create policy profile_handovers_select on public.profile_handovers for select to authenticated
  using (from_account_id = (select auth.uid()) or to_account_id = (select auth.uid()));
create policy carer_assignments_select on public.carer_assignments for select to authenticated
  using (profile_id = any (array(select private.readable_profiles())));
create policy carer_assignments_insert on public.carer_assignments for insert to authenticated
  with check (profile_id = any (array(select private.managed_profiles())));
create policy carer_assignments_update on public.carer_assignments for update to authenticated
  using (profile_id = any (array(select private.managed_profiles())))
  with check (profile_id = any (array(select private.managed_profiles())));
create policy carer_assignments_delete on public.carer_assignments for delete to authenticated
  using (profile_id = any (array(select private.managed_profiles())));

-- Devices and messages.
create policy devices_select on public.devices for select to authenticated
  using (account_id = (select auth.uid()));
create policy devices_insert on public.devices for insert to authenticated
  with check (account_id = (select auth.uid()));
create policy devices_update on public.devices for update to authenticated
  using (account_id = (select auth.uid()))
  with check (account_id = (select auth.uid()));
create policy devices_delete on public.devices for delete to authenticated
  using (account_id = (select auth.uid()));
create policy notification_preferences_select on public.notification_preferences for select to authenticated
  using (account_id = (select auth.uid()));
create policy notification_preferences_insert on public.notification_preferences for insert to authenticated
  with check (account_id = (select auth.uid()));
create policy notification_preferences_update on public.notification_preferences for update to authenticated
  using (account_id = (select auth.uid()))
  with check (account_id = (select auth.uid()));
create policy notification_preferences_delete on public.notification_preferences for delete to authenticated
  using (account_id = (select auth.uid()));
create policy notifications_select on public.notifications for select to authenticated
  using (account_id = (select auth.uid())
    and (profile_id is null or profile_id = any (array(select private.clinical_profiles()))));
create policy notifications_update on public.notifications for update to authenticated
  using (account_id = (select auth.uid()))
  with check (account_id = (select auth.uid()));
create policy notifications_delete on public.notifications for delete to authenticated
  using (account_id = (select auth.uid()));

-- Providers.
create policy provider_organisations_select on public.provider_organisations for select to authenticated
  using (is_listed);
create policy providers_select on public.providers for select to authenticated
  using (status = 'verified' or account_id = (select auth.uid()) or (select private.is_staff('verifier')));
create policy providers_insert on public.providers for insert to authenticated
  with check (account_id = (select auth.uid()) and status = 'unverified' and verified_until is null);
create policy providers_update on public.providers for update to authenticated
  using (account_id = (select auth.uid()))
  with check (account_id = (select auth.uid()));
create policy provider_verifications_select on public.provider_verifications for select to authenticated
  using (provider_id = any (array(select private.my_providers())) or (select private.is_staff('verifier')));
-- Nobody opens a profile to the own registry row: a delegate's access must end with the grant.
create policy provider_access_select on public.provider_access for select to authenticated
  using (profile_id = any (array(select private.managed_profiles())) or provider_id = any (array(select private.my_providers())));
create policy provider_access_insert on public.provider_access for insert to authenticated
  with check (profile_id = any (array(select private.managed_profiles()))
    and granted_by = (select auth.uid())
    and status = 'active'
    and provider_id <> all (array(select private.my_providers())));
create policy provider_access_update on public.provider_access for update to authenticated
  using (profile_id = any (array(select private.managed_profiles()))
    and provider_id <> all (array(select private.my_providers())))
  with check (profile_id = any (array(select private.managed_profiles()))
    and provider_id <> all (array(select private.my_providers())));
create policy access_log_select on public.access_log for select to authenticated
  using (profile_id = any (array(select private.managed_profiles())));
create policy access_log_insert on public.access_log for insert to authenticated
  with check (account_id = (select auth.uid()) and profile_id = any (array(select private.clinical_profiles()))
    and (provider_id is null or provider_id = any (array(select private.my_providers()))));

-- Guards.
create trigger accounts_touch before update on public.accounts
  for each row execute function private.touch_updated_at();
create trigger households_touch before update on public.households
  for each row execute function private.touch_updated_at();
create trigger profiles_touch before update on public.profiles
  for each row execute function private.touch_updated_at();
create trigger profile_contacts_touch before update on public.profile_contacts
  for each row execute function private.touch_updated_at();
create trigger consents_touch before update on public.consents
  for each row execute function private.touch_updated_at();
create trigger profile_grants_touch before update on public.profile_grants
  for each row execute function private.touch_updated_at();
create trigger carer_assignments_touch before update on public.carer_assignments
  for each row execute function private.touch_updated_at();
create trigger notification_preferences_touch before update on public.notification_preferences
  for each row execute function private.touch_updated_at();
create trigger providers_touch before update on public.providers
  for each row execute function private.touch_updated_at();
create trigger provider_access_touch before update on public.provider_access
  for each row execute function private.touch_updated_at();
create trigger households_freeze before update on public.households
  for each row execute function private.freeze_columns('created_by');
create trigger household_members_freeze before update on public.household_members
  for each row execute function private.freeze_columns('household_id', 'account_id');
create trigger invitations_freeze before update on public.invitations
  for each row execute function private.freeze_columns('household_id', 'invited_by', 'invited_email', 'token_sha256');
create trigger profile_identifiers_freeze before update on public.profile_identifiers
  for each row execute function private.freeze_columns('profile_id');
create trigger profile_contacts_freeze before update on public.profile_contacts
  for each row execute function private.freeze_columns('profile_id');
create trigger consents_freeze before update on public.consents
  for each row execute function private.freeze_columns('profile_id', 'purpose_code', 'given_by', 'given_at');
create trigger profile_grants_freeze before update on public.profile_grants
  for each row execute function private.freeze_columns('profile_id', 'grantee_account_id', 'consent_id', 'granted_by');
create trigger carer_assignments_freeze before update on public.carer_assignments
  for each row execute function private.freeze_columns('profile_id', 'grant_id');
create trigger devices_freeze before update on public.devices
  for each row execute function private.freeze_columns('account_id');
create trigger notification_preferences_freeze before update on public.notification_preferences
  for each row execute function private.freeze_columns('account_id');
create trigger notifications_freeze before update on public.notifications
  for each row execute function private.freeze_columns('account_id', 'profile_id');
create trigger providers_freeze before update on public.providers
  for each row execute function private.freeze_columns('account_id', 'registration_number');
create trigger provider_access_freeze before update on public.provider_access
  for each row execute function private.freeze_columns('profile_id', 'provider_id', 'consent_id', 'granted_by', 'purpose');
create trigger provider_verifications_append_only before update or delete on public.provider_verifications
  for each row execute function private.refuse_change();
create trigger provider_verifications_no_truncate before truncate on public.provider_verifications
  for each statement execute function private.refuse_change();
create trigger access_log_append_only before update or delete on public.access_log
  for each row execute function private.refuse_change();
create trigger access_log_no_truncate before truncate on public.access_log
  for each statement execute function private.refuse_change();
create trigger consent_history_append_only before update or delete on public.consent_history
  for each row execute function private.refuse_change();
create trigger consent_history_no_truncate before truncate on public.consent_history
  for each statement execute function private.refuse_change();

-- A withdrawn consent stays withdrawn.
create function private.guard_consent() returns trigger
language plpgsql set search_path = '' as $$
begin
  if old.status = 'withdrawn' and new.status <> 'withdrawn' then
    raise exception 'a withdrawn consent cannot be given again: record a new one'
      using errcode = 'integrity_constraint_violation';
  end if;
  if new.status = 'withdrawn' and old.status = 'given' then
    new.withdrawn_at := now();
  end if;
  return new;
end
$$;
create trigger consents_guard before update on public.consents
  for each row execute function private.guard_consent();

create function private.record_consent() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.consent_history (profile_id, consent_id, status, changed_by)
  values (new.profile_id, new.id, new.status, (select auth.uid()));
  return null;
end
$$;
create trigger consents_record_insert after insert on public.consents
  for each row execute function private.record_consent();
create trigger consents_record_update after update on public.consents
  for each row when (old.status is distinct from new.status) execute function private.record_consent();

-- pending -> active -> revoked, in no other order. Only the procedure accept_profile_grant activates:
-- it runs as its owner, a request of the API runs as authenticated.
create function private.guard_grant() returns trigger
language plpgsql set search_path = '' as $$
begin
  if old.status = 'revoked' and new.status <> 'revoked' then
    raise exception 'a revoked grant cannot be revived: make a new one' using errcode = 'integrity_constraint_violation';
  end if;
  if new.status = 'active' and old.status <> 'active' and current_user in ('authenticated', 'anon') then
    raise exception 'a grant becomes active when the grantee accepts it' using errcode = 'insufficient_privilege';
  end if;
  if old.status = 'active' and new.status = 'pending' then
    raise exception 'an active grant cannot become pending' using errcode = 'integrity_constraint_violation';
  end if;
  if new.status = 'revoked' and old.status <> 'revoked' then
    new.revoked_at := now();
  end if;
  return new;
end
$$;
create trigger profile_grants_guard before update on public.profile_grants
  for each row execute function private.guard_grant();

create function private.guard_provider_access() returns trigger
language plpgsql set search_path = '' as $$
begin
  if old.status = 'revoked' and new.status <> 'revoked' then
    raise exception 'revoked access cannot be revived: grant it anew' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
create trigger provider_access_guard before update on public.provider_access
  for each row execute function private.guard_provider_access();

-- Ownership moves by handover only. Column grants say so already; a later GRANT must not undo it.
create function private.guard_profile() returns trigger
language plpgsql set search_path = '' as $$
begin
  if current_user in ('authenticated', 'anon')
    and (new.owner_account_id, new.kind) is distinct from (old.owner_account_id, old.kind) then
    raise exception 'the owner of a profile changes by handover only' using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create trigger profiles_guard before update on public.profiles
  for each row execute function private.guard_profile();

-- A new sign-in gets its account; the values a person may choose come from user metadata and decide nothing.
create function private.create_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (id, display_name, email, phone)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'display_name', 'New member'), new.email, new.phone);
  return null;
end
$$;
create trigger guardian_create_account after insert on auth.users
  for each row when (new.email is not null) execute function private.create_account();

create function private.add_household_founder() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.household_members (household_id, account_id, role) values (new.id, new.created_by, 'admin');
  return null;
end
$$;
create trigger households_add_founder after insert on public.households
  for each row execute function private.add_household_founder();
