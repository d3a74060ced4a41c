-- Faults in the words of Northlight. `-- object` names where a tool is right, `-- look` where the oracle looks.

-- operator: metadata_trusted
-- name: organisation from user metadata
-- object: policy members see their organisations on public.organisations
-- look: public.organisations
alter policy "members see their organisations" on public.organisations
  using (app.is_member(id) or id = ((select auth.jwt()) -> 'user_metadata' ->> 'org_id')::uuid);

-- operator: metadata_trusted
-- name: audit for admins by user metadata
-- object: policy audit on public.audit_events
-- look: public.audit_events
alter policy "audit" on public.audit_events using ((select auth.jwt()) -> 'user_metadata' ->> 'role' = 'admin');

-- operator: metadata_trusted
-- name: prescriptions of the patient in user metadata
-- object: policy portal prescriptions on public.prescriptions
-- look: public.prescriptions
create policy "portal prescriptions" on public.prescriptions for select to authenticated
  using (patient_id::text = (current_setting('request.jwt.claims', true)::jsonb #>> '{user_metadata,patient_id}'));

-- operator: stale_claim
-- name: billing by the token alone
-- object: policy billing on public.invoices
-- look: public.invoices
alter policy "billing" on public.invoices
  using (org_id = ((select auth.jwt()) -> 'app_metadata' ->> 'org_id')::uuid)
  with check (org_id = ((select auth.jwt()) -> 'app_metadata' ->> 'org_id')::uuid);

-- operator: stale_claim
-- name: patients of the organisation in the token
-- object: policy patients read on public.patients
-- look: public.patients
alter policy "patients read" on public.patients using (
  app.can_access(id, 'read') or org_id = (((select auth.jwt()) -> 'app_metadata') ->> 'org_id')::uuid
);

-- operator: stale_claim
-- name: encounters of patients listed in the token
-- object: policy encounters read on public.encounters
-- look: public.encounters
alter policy "encounters read" on public.encounters using (
  deleted_at is null and (app.can_access(patient_id, 'read') or (select auth.jwt()) -> 'app_metadata' -> 'patients' ? patient_id::text)
);

-- operator: helper_metadata
-- name: current_org without the membership
-- object: app.current_org()
-- look: public.org_settings; public.invoices
create or replace function app.current_org() returns uuid
language sql stable security definer set search_path = '' as $$
  select ((select auth.jwt()) -> 'app_metadata' ->> 'org_id')::uuid
$$;

-- operator: helper_metadata
-- name: has_role believes user metadata
-- object: app.has_role(uuid, text)
-- look: public.audit_events; public.invites; public.patients
create or replace function app.has_role(p_org uuid, p_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.members m
    where m.org_id = p_org and m.user_id = (select auth.uid()) and m.role = p_role and m.deleted_at is null
      and m.starts_at <= now() and (m.ends_at is null or m.ends_at > now())
  ) or ((select auth.jwt()) -> 'user_metadata' ->> 'role' = p_role and (select auth.jwt()) -> 'user_metadata' ->> 'org_id' = p_org::text)
$$;

-- operator: helper_metadata
-- name: is_member believes the token
-- object: app.is_member(uuid)
-- look: public.organisations; public.members
create or replace function app.is_member(p_org uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return p_org::text = (select auth.jwt()) -> 'app_metadata' ->> 'org_id';
end
$$;

-- operator: helper_user_rows
-- name: a profile row names the patient
-- object: app.is_patient(uuid); public.user_profiles; policy own profile on public.user_profiles
-- look: public.research_consents; public.proxies
-- through: public.user_profiles
-- rows: insert into public.user_profiles (user_id, display_name, locale) select u.id, 'x', p.id::text from auth.users u, public.patients p where u.email like 'stranger%' limit 1 on conflict (user_id) do update set locale = excluded.locale
create or replace function app.is_patient(p_patient uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.patients p where p.id = p_patient and p.user_id = (select auth.uid()) and p.deleted_at is null
  ) or exists (
    select from public.user_profiles u where u.user_id = (select auth.uid()) and u.locale = p_patient::text
  )
$$;

-- operator: helper_user_rows
-- name: who wrote a post belongs to the team
-- object: app.can_access(uuid, text)
-- look: public.encounters; public.notes
create or replace function app.can_access(p_patient uuid, p_level text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.patients p where p.id = p_patient and p.user_id = (select auth.uid()) and p.deleted_at is null
  ) or exists (
    select from public.posts s join public.threads t on t.id = s.thread_id
    where t.patient_id = p_patient and s.author_id = (select auth.uid())
  )
$$;

-- operator: rpc_unchecked
-- name: summary of any patient
-- object: public.patient_summary(uuid)
-- call: public.patient_summary
create function public.patient_summary(patient_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select jsonb_agg(to_jsonb(e)) from public.encounters e where e.patient_id = $1);
end
$$;
revoke execute on function public.patient_summary(uuid) from public, anon;
grant execute on function public.patient_summary(uuid) to authenticated;

-- operator: rpc_unchecked
-- name: results as definer
-- object: public.patient_results(uuid)
-- call: public.patient_results
alter function public.patient_results(uuid) security definer;

-- operator: rpc_unchecked
-- name: discharge of any patient
-- object: public.discharge(uuid)
-- call: public.discharge
create function public.discharge(patient_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.patient_teams t set ends_at = now() where t.patient_id = $1;
end
$$;
revoke execute on function public.discharge(uuid) from public, anon;
grant execute on function public.discharge(uuid) to authenticated;

-- operator: rpc_caller_chooses
-- name: patients of a clinician that the caller names
-- object: public.patients_of(uuid)
-- call: public.patients_of
create function public.patients_of(p_user_id uuid) returns setof uuid
language sql stable security definer set search_path = '' as $$
  select pt.patient_id from public.patient_teams pt
  join public.team_members tm on tm.team_id = pt.team_id
  join public.members m on m.id = tm.member_id
  where m.user_id = coalesce(p_user_id, (select auth.uid()))
$$;
revoke execute on function public.patients_of(uuid) from public, anon;
grant execute on function public.patients_of(uuid) to authenticated;

-- operator: rpc_caller_chooses
-- name: access checked for somebody else
-- object: public.read_notes(uuid, uuid)
-- call: public.read_notes
create function public.read_notes(patient_id uuid, as_user uuid) returns setof public.notes
language plpgsql stable security definer set search_path = '' as $$
begin
  if not exists (
    select from public.patients p join public.members m on m.org_id = p.org_id where p.id = $1 and (m.user_id = $2 or p.user_id = $2 or $2 = $1)
  ) then
    raise exception 'no access' using errcode = 'insufficient_privilege';
  end if;
  return query select n.* from public.notes n where n.patient_id = $1;
end
$$;
revoke execute on function public.read_notes(uuid, uuid) from public, anon;
grant execute on function public.read_notes(uuid, uuid) to authenticated;

-- operator: storage_path
-- name: reading by bucket
-- object: policy files read on storage.objects
-- look: storage.objects
alter policy "files read" on storage.objects using (bucket_id in ('attachments', 'letters'));

-- operator: storage_path
-- name: the organisation folder is enough
-- object: policy files read on storage.objects
-- look: storage.objects
alter policy "files read" on storage.objects using (
  bucket_id in ('attachments', 'letters') and app.is_member(app.named_patient((storage.foldername(name))[1]))
);

-- operator: storage_path
-- name: uploads anywhere in the own name
-- object: policy files written on storage.objects
-- look: storage.objects
alter policy "files written" on storage.objects with check (bucket_id = 'attachments' and owner_id = (select auth.uid())::text);

-- operator: storage_path
-- name: the path may be anywhere in the name
-- object: app.file_patient(text)
-- look: storage.objects
create or replace function app.file_patient(file text) returns uuid
language sql stable security definer set search_path = '' as $$
  select p.id from public.patients p where position(p.id::text in file) > 0 order by p.id limit 1
$$;

-- operator: storage_path
-- name: letters for whoever uploaded
-- object: policy files read on storage.objects
-- look: storage.objects
alter policy "files read" on storage.objects using (
  owner_id = (select auth.uid())::text or app.can_access(app.file_patient(name), 'read')
);

-- operator: realtime
-- name: listening without the patient
-- object: policy listen on realtime.messages
-- look: realtime.messages
alter policy "listen" on realtime.messages using (split_part((select realtime.topic()), ':', 1) = 'patient');

-- operator: realtime
-- name: listening by the extension
-- object: policy listen on realtime.messages
-- look: realtime.messages
alter policy "listen" on realtime.messages using (extension = 'broadcast');

-- operator: realtime
-- name: speaking by readers
-- object: policy speak on realtime.messages
-- look: realtime.messages
alter policy "speak" on realtime.messages with check (
  split_part((select realtime.topic()), ':', 1) = 'patient'
  and app.can_access(app.named_patient(split_part((select realtime.topic()), ':', 2)), 'read')
);

-- operator: realtime
-- name: speaking anywhere
-- object: policy speak on realtime.messages
-- look: realtime.messages
alter policy "speak" on realtime.messages with check (extension = 'broadcast');

-- operator: publication
-- name: a change feed without row level security
-- object: public.change_feed
-- look: public.change_feed
-- rows: insert into public.change_feed (patient_id, what) select id, full_name from public.patients
create table public.change_feed (id bigint generated always as identity primary key, patient_id uuid not null, what text);
alter publication supabase_realtime add table public.change_feed;

-- operator: sign_up
-- name: metadata makes a member
-- object: app.join_at_sign_up(); trigger join_at_sign_up on auth.users
-- look: public.members; public.organisations; public.patients
-- chain: sign up
create function app.join_at_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.members (org_id, user_id, role)
  values ((new.raw_user_meta_data ->> 'org_id')::uuid, new.id, new.raw_user_meta_data ->> 'role');
  return null;
end
$$;
create trigger join_at_sign_up after insert on auth.users for each row execute function app.join_at_sign_up();

-- operator: sign_up
-- name: metadata names the patient
-- object: app.link_at_sign_up(); trigger link_at_sign_up on auth.users
-- look: public.patients; public.encounters
-- chain: sign up
create function app.link_at_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.patients set user_id = new.id where id::text = new.raw_user_meta_data ->> 'patient_id';
  return null;
end
$$;
create trigger link_at_sign_up after insert on auth.users for each row execute function app.link_at_sign_up();

-- operator: self_verify
-- name: to-organisation accepts without a role
-- object: policy clinicians withdraw on public.referrals; public.referrals
-- look: public.referrals
alter policy "clinicians withdraw" on public.referrals
  using (app.is_member(org_id) or app.is_member(to_org_id)) with check (app.is_member(org_id) or app.is_member(to_org_id));

-- operator: self_verify
-- name: emergency access written by hand
-- object: policy glass on public.break_glass; public.break_glass
-- look: public.break_glass
create policy "glass" on public.break_glass for insert to authenticated with check (user_id = (select auth.uid()));
grant insert on public.break_glass to authenticated;

-- operator: self_verify
-- name: members change their own role
-- object: policy my membership on public.members; public.members
-- look: public.members
create policy "my membership" on public.members for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

-- operator: self_verify
-- name: a referral is inserted as accepted
-- object: policy clinicians refer on public.referrals
-- look: public.referrals
alter policy "clinicians refer" on public.referrals with check (
  requested_by = (select auth.uid()) and (app.has_role(org_id, 'clinician') or app.has_role(to_org_id, 'clinician'))
);

-- operator: function_granted
-- name: revoked from PUBLIC, granted to anon by name
-- object: public.find_patient(text)
-- call: public.find_patient
create function public.find_patient(term text) returns setof uuid
language sql stable security definer set search_path = '' as $$
  select p.id from public.patients p where p.full_name ilike '%' || coalesce(nullif(nullif(term, 'x'), 'active'), '') || '%'
$$;
grant execute on function public.find_patient(text) to anon, authenticated;
revoke execute on function public.find_patient(text) from public;

-- operator: function_granted
-- name: default privileges grant new functions
-- object: public.org_numbers()
-- call: public.org_numbers
alter default privileges in schema public grant execute on functions to anon, authenticated;
create function public.org_numbers() returns table (org uuid, invoices bigint)
language sql stable security definer set search_path = '' as $$
  select i.org_id, count(*) from public.invoices i group by i.org_id
$$;
