-- Default privileges gave authenticated everything; rows are decided here, columns at the end.
do $on$
declare
  relation regclass;
begin
  for relation in select oid::regclass from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') loop
    execute format('alter table %s enable row level security', relation);
    execute format('revoke all on %s from anon', relation);
  end loop;
end
$on$;
revoke all on public.lab_results_2024, public.lab_results_2025, public.lab_results_2026, public.lab_results_default from authenticated;

create policy "members see their organisations" on public.organisations for select to authenticated
  using (app.is_member(id));
create policy "admins rename" on public.organisations for update to authenticated
  using (app.has_role(id, 'admin')) with check (app.has_role(id, 'admin'));

create policy "colleagues" on public.members for select to authenticated
  using (user_id = (select auth.uid()) or app.is_member(org_id));
create policy "admins end memberships" on public.members for update to authenticated
  using (app.has_role(org_id, 'admin') and role <> 'owner')
  with check (app.has_role(org_id, 'admin') and role <> 'owner' and (role <> 'admin' or app.has_role(org_id, 'owner')));
create policy "admins remove" on public.members for delete to authenticated
  using (app.has_role(org_id, 'admin') and role <> 'owner' and user_id <> (select auth.uid()));

create policy "admins see invites" on public.invites for select to authenticated
  using (app.has_role(org_id, 'admin'));
create policy "admins invite" on public.invites for insert to authenticated
  with check (invited_by = (select auth.uid()) and app.has_role(org_id, 'admin') and accepted_at is null
    and (role <> 'admin' or app.has_role(org_id, 'owner')));
create policy "admins cancel" on public.invites for update to authenticated
  using (app.has_role(org_id, 'admin')) with check (app.has_role(org_id, 'admin') and cancelled_at is not null);

create policy "patients read" on public.patients for select to authenticated
  using (app.can_access(id, 'read') or app.has_role(org_id, 'admin') or app.has_role(org_id, 'assistant'));
create policy "assistants register" on public.patients for insert to authenticated
  with check ((app.has_role(org_id, 'assistant') or app.has_role(org_id, 'admin')) and user_id is null);
create policy "patients corrected" on public.patients for update to authenticated
  using (app.can_access(id, 'write') or app.has_role(org_id, 'admin'))
  with check (app.can_access(id, 'write') or app.has_role(org_id, 'admin'));
create policy "deleted patients are gone" on public.patients as restrictive for all to authenticated
  using (deleted_at is null);

create policy "teams of my organisations" on public.care_teams for select to authenticated
  using (app.is_member(org_id) and deleted_at is null);
create policy "admins shape teams" on public.care_teams for all to authenticated
  using (app.has_role(org_id, 'admin')) with check (app.has_role(org_id, 'admin'));
create policy "who is in a team" on public.team_members for select to authenticated
  using (exists (select from public.care_teams t where t.id = team_members.team_id and app.is_member(t.org_id)));
create policy "admins staff teams" on public.team_members for all to authenticated
  using (app.has_role(org_id, 'admin')) with check (app.has_role(org_id, 'admin'));
create policy "whose patients" on public.patient_teams for select to authenticated
  using (team_id in (select app.my_teams()) or app.is_patient(patient_id) or app.has_role(org_id, 'admin'));
create policy "admins assign" on public.patient_teams for all to authenticated
  using (app.has_role(org_id, 'admin')) with check (app.has_role(org_id, 'admin'));

create policy "proxies of mine and me as proxy" on public.proxies for select to authenticated
  using (user_id = (select auth.uid()) or app.is_patient(patient_id));
create policy "the patient names proxies" on public.proxies for insert to authenticated
  with check (app.is_patient(patient_id) and user_id <> (select auth.uid()));
create policy "the patient ends them" on public.proxies for update to authenticated
  using (app.is_patient(patient_id)) with check (app.is_patient(patient_id));
create policy "the patient removes them" on public.proxies for delete to authenticated
  using (app.is_patient(patient_id));

create policy "referrals of both sides" on public.referrals for select to authenticated
  using (app.can_access(patient_id, 'read') or app.has_role(org_id, 'admin') or app.has_role(to_org_id, 'admin')
    or app.has_role(to_org_id, 'clinician'));
create policy "clinicians refer" on public.referrals for insert to authenticated
  with check (requested_by = (select auth.uid()) and status = 'offered' and app.has_role(org_id, 'clinician')
    and app.can_access(patient_id, 'write'));
create policy "clinicians withdraw" on public.referrals for update to authenticated
  using (app.has_role(org_id, 'clinician') and app.can_access(patient_id, 'write'))
  with check (app.has_role(org_id, 'clinician') and app.can_access(patient_id, 'write') and status = 'withdrawn');
create policy "emergency access is seen" on public.break_glass for select to authenticated
  using (user_id = (select auth.uid()) or app.is_patient(patient_id)
    or exists (select from public.patients p where p.id = break_glass.patient_id and app.has_role(p.org_id, 'admin')));

create policy "encounters read" on public.encounters for select to authenticated
  using (app.can_access(patient_id, 'read') and deleted_at is null);
create policy "encounters written" on public.encounters for insert to authenticated
  with check (app.can_access(patient_id, 'write') and app.has_role(org_id, 'clinician') and clinician_id = (select auth.uid()));
create policy "encounters corrected" on public.encounters for update to authenticated
  using (app.can_access(patient_id, 'write') and clinician_id = (select auth.uid()))
  with check (app.can_access(patient_id, 'write') and clinician_id = (select auth.uid()));

create policy "notes read" on public.notes for select to authenticated
  using (app.can_access(patient_id, 'read'));
create policy "notes written" on public.notes for insert to authenticated
  with check (author_id = (select auth.uid()) and app.can_access(patient_id, 'write'));
create policy "notes corrected" on public.notes for update to authenticated
  using (author_id = (select auth.uid()) and app.can_access(patient_id, 'write'))
  with check (author_id = (select auth.uid()) and app.can_access(patient_id, 'write'));
create policy "private notes stay private" on public.notes as restrictive for select to authenticated
  using (visibility = 'team' or author_id = (select auth.uid()));
create policy "deleted notes are gone" on public.notes as restrictive for select to authenticated
  using (deleted_at is null);

create policy "prescriptions" on public.prescriptions for select to authenticated
  using (app.can_access(patient_id, 'read'));
create policy "prescribing" on public.prescriptions for insert to authenticated
  with check (app.can_access(patient_id, 'write') and prescriber_id = (select auth.uid())
    and exists (select from public.patients p where p.id = patient_id and app.has_role(p.org_id, 'clinician')));
create policy "prescriptions ended" on public.prescriptions for update to authenticated
  using (app.can_access(patient_id, 'write') and prescriber_id = (select auth.uid()))
  with check (app.can_access(patient_id, 'write') and prescriber_id = (select auth.uid()));

create policy "lab orders" on public.lab_orders for select to authenticated
  using (app.can_access(patient_id, 'read'));
create policy "ordering" on public.lab_orders for insert to authenticated
  with check (app.can_access(patient_id, 'write') and ordered_by = (select auth.uid()) and status = 'ordered');
create policy "orders cancelled" on public.lab_orders for update to authenticated
  using (app.can_access(patient_id, 'write') and status = 'ordered')
  with check (app.can_access(patient_id, 'write') and status = 'cancelled');
-- Inline: results follow the order, whose own policy decides.
create policy "lab results" on public.lab_results for select to authenticated
  using (exists (select from public.lab_orders o where o.id = lab_results.order_id and o.patient_id = lab_results.patient_id));

create policy "appointments" on public.appointments for all to authenticated
  using (app.can_access(patient_id, 'write') or app.has_role(org_id, 'assistant'))
  with check (app.can_access(patient_id, 'write') or app.has_role(org_id, 'assistant'));
create policy "appointments of mine" on public.appointments for select to authenticated
  using (app.can_access(patient_id, 'read'));

create policy "threads" on public.threads for select to authenticated
  using (app.can_access(patient_id, 'read'));
create policy "threads opened" on public.threads for insert to authenticated
  with check (app.can_access(patient_id, 'write') or app.is_patient(patient_id));
create policy "posts" on public.posts for select to authenticated
  using (exists (select from public.threads t where t.id = posts.thread_id));
create policy "posting" on public.posts for insert to authenticated
  with check (author_id = (select auth.uid()) and exists (
    select from public.threads t
    where t.id = posts.thread_id and t.closed_at is null
      and (app.can_access(t.patient_id, 'write') or app.is_patient(t.patient_id))));

create policy "attachments" on public.attachments for select to authenticated
  using (app.can_access(patient_id, 'read'));
create policy "attaching" on public.attachments for insert to authenticated
  with check (app.can_access(patient_id, 'write') and uploaded_by = (select auth.uid()) and app.file_patient(path) = patient_id);
create policy "detaching" on public.attachments for delete to authenticated
  using (app.can_access(patient_id, 'write') and uploaded_by = (select auth.uid()));

create policy "billing" on public.invoices for all to authenticated
  using (org_id = (select app.current_org()) and (app.has_role(org_id, 'billing') or app.has_role(org_id, 'admin')))
  with check (org_id = (select app.current_org()) and (app.has_role(org_id, 'billing') or app.has_role(org_id, 'admin')));
create policy "settings" on public.org_settings for select to authenticated
  using (org_id = (select app.current_org()));
create policy "settings changed" on public.org_settings for update to authenticated
  using (org_id = (select app.current_org()) and app.has_role(org_id, 'admin'))
  with check (org_id = (select app.current_org()) and app.has_role(org_id, 'admin'));

create policy "own profile" on public.user_profiles for all to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy "own consents" on public.research_consents for select to authenticated
  using (app.is_patient(patient_id) or (app.can_access(patient_id, 'read') and withdrawn_at is null));
create policy "the patient consents" on public.research_consents for insert to authenticated
  with check (app.is_patient(patient_id) and withdrawn_at is null);
create policy "the patient withdraws" on public.research_consents for update to authenticated
  using (app.is_patient(patient_id) and withdrawn_at is null)
  with check (app.is_patient(patient_id) and withdrawn_at is not null);
create policy "audit" on public.audit_events for select to authenticated
  using (app.has_role(org_id, 'admin'));
create policy "drugs" on public.drugs for select to authenticated using (true);

-- Files: {organisation}/{patient}/{file}. Realtime: patient:{id}.
insert into storage.buckets (id, name, public) values ('attachments', 'attachments', false), ('letters', 'letters', false);
create policy "files read" on storage.objects for select to authenticated
  using (bucket_id in ('attachments', 'letters') and app.can_access(app.file_patient(name), 'read'));
create policy "files written" on storage.objects for insert to authenticated
  with check (bucket_id = 'attachments' and owner_id = (select auth.uid())::text and app.can_access(app.file_patient(name), 'write'));
create policy "files removed" on storage.objects for delete to authenticated
  using (bucket_id = 'attachments' and owner_id = (select auth.uid())::text and app.can_access(app.file_patient(name), 'write'));
create policy "listen" on realtime.messages for select to authenticated
  using (split_part((select realtime.topic()), ':', 1) = 'patient'
    and app.can_access(app.named_patient(split_part((select realtime.topic()), ':', 2)), 'read'));
create policy "speak" on realtime.messages for insert to authenticated
  with check (extension = 'broadcast' and split_part((select realtime.topic()), ':', 1) = 'patient'
    and app.can_access(app.named_patient(split_part((select realtime.topic()), ':', 2)), 'write'));
alter publication supabase_realtime add table public.posts, public.appointments;

-- Columns and commands that nobody needs through the API.
revoke insert, update, delete on public.drugs, public.audit_events, public.break_glass, public.lab_results from authenticated;
revoke insert, delete on public.organisations, public.org_settings from authenticated;
revoke insert, update on public.members from authenticated;
grant update (role, ends_at, deleted_at) on public.members to authenticated;
revoke update on public.invites, public.organisations, public.referrals, public.proxies, public.lab_orders, public.notes,
  public.prescriptions, public.encounters, public.research_consents, public.patients from authenticated;
grant update (cancelled_at) on public.invites to authenticated;
grant update (name, city) on public.organisations to authenticated;
grant update (status, ends_at) on public.referrals to authenticated;
grant update (can_write, ends_at, relation) on public.proxies to authenticated;
grant update (status) on public.lab_orders to authenticated;
grant update (visibility, body, deleted_at) on public.notes to authenticated;
grant update (dosage, ends_on) on public.prescriptions to authenticated;
grant update (summary, deleted_at) on public.encounters to authenticated;
grant update (withdrawn_at) on public.research_consents to authenticated;
grant update (full_name, birth_date, deleted_at) on public.patients to authenticated;
revoke select, insert on public.patients from authenticated;
grant select (id, org_id, user_id, full_name, birth_date, deleted_at, created_at) on public.patients to authenticated;
grant insert (id, org_id, user_id, full_name, birth_date, national_number) on public.patients to authenticated;
