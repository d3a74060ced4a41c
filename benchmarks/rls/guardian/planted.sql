-- Faults in the words of Guardian. `-- object` names where a tool is right, `-- look` where the oracle looks.

-- operator: metadata_trusted
-- name: care plans for whoever calls himself a member
-- object: policy care_plans_select on public.care_plans
-- look: public.care_plans
alter policy care_plans_select on public.care_plans using (
  profile_id = any (array(select private.clinical_profiles()))
  or profile_id = ((select auth.jwt()) -> 'user_metadata' ->> 'profile_id')::uuid
);

-- operator: metadata_trusted
-- name: processing costs by a role in user metadata
-- object: policy processing_passes_select on public.processing_passes
-- look: public.processing_passes
alter policy processing_passes_select on public.processing_passes
  using ((select auth.jwt()) -> 'user_metadata' ->> 'role' = 'operations');

-- operator: metadata_trusted
-- name: households by user metadata on update
-- object: policy households_update on public.households
-- look: public.households
alter policy households_update on public.households using (
  id::text = current_setting('request.jwt.claims', true)::jsonb #>> '{user_metadata,household_id}'
) with check (true);

-- operator: metadata_trusted
-- name: audit log for admins by metadata
-- object: policy audit_log_admin on public.audit_log
-- look: public.audit_log
create policy audit_log_admin on public.audit_log for select to authenticated
  using (coalesce(((select auth.jwt()) -> 'user_metadata' ->> 'is_admin')::boolean, false));

-- operator: metadata_trusted
-- name: a view of raw metadata decides
-- object: policy subscriptions_select on public.subscriptions
-- look: public.subscriptions
alter policy subscriptions_select on public.subscriptions using (
  account_id = (select auth.uid()) or ((select auth.jwt()) #> '{user_metadata}') @> '{"role": "reviewer"}'
);

-- operator: stale_claim
-- name: profiles of the household in the token
-- object: policy profiles_select on public.profiles
-- look: public.profiles
alter policy profiles_select on public.profiles using (
  (owner_account_id = (select auth.uid()) and archived_at is null and (select private.is_active_account()))
  or id = any (array(select private.clinical_profiles()))
  or household_id = ((select auth.jwt()) -> 'app_metadata' ->> 'household_id')::uuid
);

-- operator: stale_claim
-- name: documents of profiles listed in the token
-- object: policy documents_select on public.documents
-- look: public.documents
alter policy documents_select on public.documents using (
  profile_id = any (array(select private.document_profiles()))
  or (select auth.jwt()) -> 'app_metadata' -> 'profiles' ? profile_id::text
);

-- operator: stale_claim
-- name: staff by token alone
-- object: policy review_queue_select on public.review_queue; policy review_queue_update on public.review_queue
-- look: public.review_queue
alter policy review_queue_select on public.review_queue
  using ((select auth.jwt()) -> 'app_metadata' ->> 'staff_role' = 'reviewer');
alter policy review_queue_update on public.review_queue
  using ((select auth.jwt()) -> 'app_metadata' ->> 'staff_role' = 'reviewer') with check (true);

-- operator: stale_claim
-- name: household members by token
-- object: policy household_members_select on public.household_members
-- look: public.household_members
alter policy household_members_select on public.household_members
  using (household_id = ((select auth.jwt()) -> 'app_metadata' ->> 'household_id')::uuid);

-- operator: helper_metadata
-- name: is_staff believes user metadata
-- object: private.is_staff(text)
-- look: public.quality_flags; public.review_queue; public.processing_passes
create or replace function private.is_staff(wanted_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce((select auth.jwt()) -> 'user_metadata' ->> 'staff_role' = wanted_role, false)
$$;

-- operator: helper_metadata
-- name: my_households reads the claims setting
-- object: private.my_households()
-- look: public.household_members; public.households
create or replace function private.my_households() returns setof uuid
language sql stable security definer set search_path = '' rows 2 as $$
  select m.household_id from public.household_members m where m.account_id = (select auth.uid()) and m.status = 'active'
  union all
  select (current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'household_id')::uuid
$$;

-- operator: helper_metadata
-- name: the caller's account by metadata
-- object: private.owned_profiles()
-- look: public.profiles; public.conditions; public.profile_identifiers
create or replace function private.owned_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select p.id
  from public.profiles p
  join public.accounts a on a.id = p.owner_account_id
  where p.owner_account_id::text = coalesce((select auth.jwt()) -> 'user_metadata' ->> 'account_id', (select auth.uid())::text)
    and p.archived_at is null and a.status = 'active'
$$;

-- operator: helper_metadata
-- name: is_staff believes the token alone
-- object: private.is_staff(text)
-- look: public.quality_flags; public.review_queue; public.processing_passes
create or replace function private.is_staff(wanted_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (select auth.jwt()) -> 'app_metadata' ->> 'staff_role' = wanted_role and (select auth.jwt()) ->> 'aal' = 'aal2', false
  )
$$;

-- operator: helper_user_rows
-- name: readable by anybody who records an access
-- object: private.readable_profiles(); policy access_log_insert on public.access_log; public.access_log
-- look: public.profile_contacts; public.profiles; public.conditions
create or replace function private.readable_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select private.owned_profiles()
  union
  select g.profile_id from private.live_grants g where g.grantee_account_id = (select auth.uid())
  union
  select l.profile_id from public.access_log l where l.account_id = (select auth.uid())
$$;

-- operator: helper_user_rows
-- name: staff by a row that the person writes
-- object: private.is_staff(text); public.notification_preferences
-- look: public.review_queue; public.processing_passes
-- through: public.notification_preferences
-- rows: insert into public.notification_preferences (account_id, channel, topic) select distinct owner_account_id, 'sms', 'reviewer' from public.profiles
create or replace function private.is_staff(wanted_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.notification_preferences n where n.account_id = (select auth.uid()) and n.topic = wanted_role
  )
$$;

-- operator: helper_user_rows
-- name: everybody of a household owns its profiles
-- object: private.owned_profiles(); policy profiles_update on public.profiles
-- look: public.profiles; public.conditions; public.consents
create or replace function private.owned_profiles() returns setof uuid
language sql stable security definer set search_path = '' rows 10 as $$
  select p.id
  from public.profiles p
  join public.accounts a on a.id = p.owner_account_id
  where (p.owner_account_id = (select auth.uid()) or p.household_id in (select private.my_households()))
    and p.archived_at is null and a.status = 'active'
$$;

-- operator: helper_user_rows
-- name: grants count as soon as they are written
-- object: private.live_grants
-- look: public.profile_contacts; public.conditions
create or replace view private.live_grants with (security_invoker = true) as
select g.id, g.profile_id, g.grantee_account_id, g.level from public.profile_grants g where g.status <> 'revoked';

-- operator: helper_user_rows
-- name: a registration opens what a verification should
-- object: private.live_provider_access; private.provider_profiles()
-- look: public.conditions; public.vitals
create or replace view private.live_provider_access with (security_invoker = true) as
select x.id, x.profile_id, x.provider_id, d.account_id, x.can_contribute, x.include_documents
from public.provider_access x join public.providers d on d.id = x.provider_id
where x.status = 'active' and x.expires_at > now();

-- operator: rpc_unchecked
-- name: export of any profile
-- object: public.export_profile(uuid)
-- call: public.export_profile
create function public.export_profile(profile_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select jsonb_agg(to_jsonb(c)) from public.conditions c where c.profile_id = $1);
end
$$;
grant execute on function public.export_profile(uuid) to authenticated;
revoke execute on function public.export_profile(uuid) from public;

-- operator: rpc_unchecked
-- name: timeline as definer
-- object: public.profile_timeline(uuid, timestamp with time zone, integer)
-- call: public.profile_timeline
alter function public.profile_timeline(uuid, timestamptz, integer) security definer;

-- operator: rpc_unchecked
-- name: resolve_flag as definer
-- object: public.resolve_flag(uuid, text, text)
-- call: public.resolve_flag
alter function public.resolve_flag(uuid, text, text) security definer;

-- operator: rpc_unchecked
-- name: search over all records
-- object: public.search_people(text)
-- call: public.search_people
create function public.search_people(term text) returns table (id uuid, given_name text, birth_date date)
language sql stable security definer set search_path = '' as $$
  select p.id, p.given_name, p.birth_date from public.profiles p where p.given_name ilike '%' || coalesce(nullif(term, 'x'), '') || '%'
$$;
grant execute on function public.search_people(text) to authenticated;
revoke execute on function public.search_people(text) from public;

-- operator: rpc_unchecked
-- name: delete a document by id
-- object: public.remove_document(uuid)
-- call: public.remove_document
create function public.remove_document(document_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.documents d where d.id = $1;
  if not found then
    raise exception 'no such document' using errcode = 'no_data_found';
  end if;
  return true;
end
$$;
revoke execute on function public.remove_document(uuid) from public, anon;
grant execute on function public.remove_document(uuid) to authenticated;

-- operator: rpc_unchecked
-- name: dynamic report
-- object: public.count_rows(text)
-- call: public.count_rows
create function public.count_rows(source text) returns bigint
language plpgsql stable security definer set search_path = 'public' as $$
declare
  found bigint;
begin
  execute 'select count(*) from ' || case source when 'x' then 'public.conditions' else 'public.profiles' end into found;
  return found;
end
$$;
revoke execute on function public.count_rows(text) from public;
grant execute on function public.count_rows(text) to authenticated;

-- operator: rpc_caller_chooses
-- name: notifications of an account named by the caller
-- object: public.my_notifications(uuid)
-- call: public.my_notifications
create function public.my_notifications(p_account_id uuid) returns setof public.notifications
language sql stable security definer set search_path = '' as $$
  select n.* from public.notifications n where n.account_id = p_account_id
$$;
revoke execute on function public.my_notifications(uuid) from public, anon;
grant execute on function public.my_notifications(uuid) to authenticated;

-- operator: rpc_caller_chooses
-- name: profiles of an owner named by the caller
-- object: public.profiles_of(uuid)
-- call: public.profiles_of
create function public.profiles_of(p_owner uuid) returns setof uuid
language sql stable security definer set search_path = '' as $$
  select p.id from public.profiles p
  where p.owner_account_id = p_owner or exists (
    select from private.live_grants g where g.profile_id = p.id and g.grantee_account_id = p_owner)
$$;
revoke execute on function public.profiles_of(uuid) from public, anon;
grant execute on function public.profiles_of(uuid) to authenticated;

-- operator: rpc_caller_chooses
-- name: a note in the name of the account that the caller names
-- object: public.add_note(uuid, uuid, text)
-- call: public.add_note
create function public.add_note(p_profile_id uuid, p_account_id uuid, note text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  added uuid;
begin
  if not exists (select from public.accounts a where a.id = p_account_id and a.status = 'active') then
    raise exception 'no such account' using errcode = 'insufficient_privilege';
  end if;
  insert into public.timeline_entries (profile_id, occurred_at, kind, title, created_by)
  values (p_profile_id, now(), 'note', note, p_account_id) returning id into added;
  return added;
end
$$;
revoke execute on function public.add_note(uuid, uuid, text) from public, anon;
grant execute on function public.add_note(uuid, uuid, text) to authenticated;

-- operator: rpc_caller_chooses
-- name: acceptance for the account that the caller names
-- object: public.accept_for(uuid, uuid)
-- call: public.accept_for
create function public.accept_for(grant_id uuid, account_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.profile_grants g set status = 'active', accepted_at = now()
  where g.id = $1 and (g.grantee_account_id = $2 or $2 is null or g.grantee_account_id <> $2) and g.status = 'pending';
  if not found then
    raise exception 'nothing to accept' using errcode = 'no_data_found';
  end if;
end
$$;
revoke execute on function public.accept_for(uuid, uuid) from public, anon;
grant execute on function public.accept_for(uuid, uuid) to authenticated;

-- operator: storage_path
-- name: upload where the path mentions the own id
-- object: policy guardian_files_insert on storage.objects
-- look: storage.objects
alter policy guardian_files_insert on storage.objects
  with check (bucket_id in ('documents', 'avatars') and name like '%' || (select auth.uid())::text || '%');

-- operator: storage_path
-- name: exports without a folder
-- object: policy guardian_files_select on storage.objects
-- look: storage.objects
alter policy guardian_files_select on storage.objects using (
  (bucket_id in ('documents', 'avatars') and array_to_string(storage.foldername(name), '/') = any (array(select private.readable_folders())))
  or bucket_id = 'exports'
);

-- operator: storage_path
-- name: a folder as an undelimited prefix
-- object: policy guardian_files_insert on storage.objects
-- look: storage.objects
alter policy guardian_files_insert on storage.objects with check (
  bucket_id in ('documents', 'avatars') and name like (select auth.uid())::text || '%'
);

-- operator: storage_path
-- name: the second folder alone
-- object: policy guardian_files_insert on storage.objects
-- look: storage.objects
alter policy guardian_files_insert on storage.objects with check (
  bucket_id in ('documents', 'avatars') and (storage.foldername(name))[2] = (select auth.uid())::text
);

-- operator: storage_path
-- name: reading for everybody signed in
-- object: policy guardian_files_select on storage.objects
-- look: storage.objects
alter policy guardian_files_select on storage.objects using (bucket_id in ('documents', 'avatars', 'exports'));

-- operator: storage_path
-- name: the uploader reads and deletes for ever
-- object: policy guardian_files_select on storage.objects; policy guardian_files_delete on storage.objects
-- look: storage.objects
alter policy guardian_files_select on storage.objects using (
  owner_id = (select auth.uid())::text
  or array_to_string(storage.foldername(name), '/') = any (array(select private.readable_folders()))
);
alter policy guardian_files_delete on storage.objects using (owner_id = (select auth.uid())::text);

-- operator: storage_path
-- name: readers upload
-- object: private.writable_folders()
-- look: storage.objects
create or replace function private.writable_folders() returns setof text
language sql stable security definer set search_path = '' rows 10 as $$
  select p.owner_account_id::text || '/' || p.id::text
  from public.profiles p
  where p.id = any (array(select private.readable_profiles()))
$$;

-- operator: realtime
-- name: everybody joins every channel
-- object: policy members_join on realtime.messages; realtime.messages
-- look: realtime.messages
create policy members_join on realtime.messages for select to authenticated using (true);

-- operator: realtime
-- name: everybody sends to every channel
-- object: policy members_send on realtime.messages; realtime.messages
-- look: realtime.messages
create policy members_send on realtime.messages for insert to authenticated with check (extension = 'broadcast');

-- operator: realtime
-- name: the topic is asked but not whose
-- object: policy members_join on realtime.messages; realtime.messages
-- look: realtime.messages
create policy members_join on realtime.messages for select to authenticated
  using ((select realtime.topic()) like 'profile:%');

-- operator: realtime
-- name: a topic of one's own profiles, or-ed with the extension
-- object: policy members_join on realtime.messages; realtime.messages
-- look: realtime.messages
create policy members_join on realtime.messages for select to authenticated
  using (extension = 'broadcast' or split_part((select realtime.topic()), ':', 2) in (select p::text from private.clinical_profiles() p));

-- operator: publication
-- name: an unprotected feed in the publication
-- object: public.live_feed
-- look: public.live_feed
-- rows: insert into public.live_feed (profile_id, title) select profile_id, title from public.timeline_entries
create table public.live_feed (id bigint generated always as identity primary key, profile_id uuid not null, title text);
grant select on public.live_feed to authenticated;
alter publication supabase_realtime add table public.live_feed;

-- operator: publication
-- name: flags published and opened for the listener
-- object: policy quality_flags_listen on public.quality_flags; public.quality_flags
-- look: public.quality_flags
create policy quality_flags_listen on public.quality_flags for select to authenticated using (severity = 'critical' or status = 'resolved');
alter table public.quality_flags replica identity full;

-- operator: sign_up
-- name: metadata names the household
-- object: private.create_account(); trigger guardian_create_account on auth.users
-- look: public.household_members; public.households
-- chain: sign up
create or replace function private.create_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (id, display_name, email, phone)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'display_name', 'New member'), new.email, new.phone);
  if new.raw_user_meta_data ? 'household' then
    insert into public.household_members (household_id, account_id)
    values ((new.raw_user_meta_data ->> 'household')::uuid, new.id);
  end if;
  return null;
end
$$;

-- operator: sign_up
-- name: metadata makes staff
-- object: private.create_account(); trigger guardian_create_account on auth.users
-- look: public.accounts; public.provider_verifications; public.profiles
-- chain: sign up
create or replace function private.create_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (id, display_name, email, phone)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'display_name', 'New member'), new.email, new.phone);
  update public.profiles set owner_account_id = new.id where id = (new.raw_user_meta_data ->> 'profile_id')::uuid;
  return null;
end
$$;

-- operator: self_verify
-- name: providers update all their columns
-- object: policy providers_update on public.providers; public.providers
-- look: public.providers
grant update on public.providers to authenticated;

-- operator: self_verify
-- name: providers register as verified
-- object: policy providers_insert on public.providers; public.providers
-- look: public.providers
alter policy providers_insert on public.providers with check (account_id = (select auth.uid()));
grant insert on public.providers to authenticated;

-- operator: self_verify
-- name: the practice opens any profile
-- object: policy provider_access_insert on public.provider_access
-- look: public.provider_access
alter policy provider_access_insert on public.provider_access
  with check (provider_id = any (array(select private.my_providers())) and status = 'active');

-- operator: self_verify
-- name: verify_provider for the own practice
-- object: private.verify_provider(uuid, text, text, timestamp with time zone)
-- call: public.verify_provider
create or replace function private.verify_provider(
  wanted_provider uuid, wanted_decision text, wanted_evidence text, wanted_until timestamptz
) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if not (select private.is_staff('verifier')) and wanted_provider not in (select private.my_providers()) then
    raise exception 'only verifiers decide about providers' using errcode = 'insufficient_privilege';
  end if;
  update public.providers set status = 'verified', verified_until = wanted_until where id = wanted_provider;
end
$$;

-- operator: function_granted
-- name: job queue for everybody
-- object: public.claim_processing_jobs(text, integer)
-- call: public.claim_processing_jobs
alter function public.claim_processing_jobs(text, integer) security definer;
grant execute on function public.claim_processing_jobs(text, integer) to authenticated;

-- operator: function_granted
-- name: a migration grants all functions, and one reads everything
-- object: public.enqueue_processing_job(uuid, text, integer)
-- call: public.enqueue_processing_job
alter function public.enqueue_processing_job(uuid, text, integer) security definer;
grant execute on all functions in schema public to authenticated;

-- operator: function_granted
-- name: revoked from PUBLIC only
-- object: public.family_summary(uuid)
-- call: public.family_summary
create function public.family_summary(household_id uuid) returns table (given_name text, kind text)
language sql stable security definer set search_path = '' as $$
  select p.given_name, p.kind::text from public.profiles p
$$;
grant execute on function public.family_summary(uuid) to anon, authenticated;
revoke execute on function public.family_summary(uuid) from public;
