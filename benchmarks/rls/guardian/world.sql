-- The demo's named people, without the unnamed families, and with every state in which a thing that opens a
-- profile can be. `named` (name, id) holds the people and the profiles; triggers and foreign keys are off.
do $prune$
declare
  linked record;
  removed bigint;
  touched_rows bigint;
begin
  delete from public.profiles p where p.id not in (select id from pg_temp.named);
  for linked in
    select c.oid::regclass as relation
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'profile_id'
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  loop
    execute format(
      'delete from %s t where t.profile_id is not null and not exists (select from public.profiles p where p.id = t.profile_id)',
      linked.relation
    );
  end loop;
  for linked in
    select unnest(array['clinical_events', 'timeline_entries', 'observations', 'vitals', 'medication_doses', 'audit_log']) as relation
  loop
    execute format(
      'delete from public.%1$I t using (select id, row_number() over (partition by profile_id order by id) as n from public.%1$I) k
       where k.id = t.id and k.n > 2', linked.relation
    );
  end loop;
  loop
    removed := 0;
    for linked in
      select k.conrelid::regclass as child, k.confrelid::regclass as parent,
             string_agg(format('p.%I = c.%I', pa.attname, ca.attname), ' and ') as same,
             string_agg(format('c.%I is not null', ca.attname), ' and ') as filled
      from pg_constraint k
      cross join unnest(k.conkey, k.confkey) as pair (mine, theirs)
      join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = pair.mine
      join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = pair.theirs
      where k.contype = 'f' and k.conparentid = 0 and k.connamespace = 'public'::regnamespace
      group by k.oid, k.conrelid, k.confrelid
    loop
      execute format('delete from %s c where %s and not exists (select from %s p where %s)', linked.child, linked.filled, linked.parent, linked.same);
      get diagnostics touched_rows = row_count;
      removed := removed + touched_rows;
    end loop;
    exit when removed = 0;
  end loop;
end
$prune$;

delete from storage.objects o
where not exists (select from public.profiles p where p.id::text = split_part(o.name, '/', 2));
delete from public.accounts a
where a.id not in (select id from pg_temp.named)
  and not exists (select from public.profiles p where p.owner_account_id = a.id)
  and not exists (select from public.providers d where d.account_id = a.id);
delete from auth.users u where not exists (select from public.accounts a where a.id = u.id);
delete from auth.identities i where not exists (select from auth.users u where u.id = i.user_id);
delete from auth.sessions i where not exists (select from auth.users u where u.id = i.user_id);
delete from auth.mfa_factors i where not exists (select from auth.users u where u.id = i.user_id);
delete from public.devices i where not exists (select from public.accounts u where u.id = i.account_id);
delete from public.notification_preferences i where not exists (select from public.accounts u where u.id = i.account_id);
delete from public.notifications i where not exists (select from public.accounts u where u.id = i.account_id);
delete from public.subscriptions i where not exists (select from public.accounts u where u.id = i.account_id);
delete from public.usage_counters i where not exists (select from public.accounts u where u.id = i.account_id);
delete from public.household_members i where not exists (select from public.accounts u where u.id = i.account_id);
delete from public.profile_grants g where not exists (select from public.accounts u where u.id = g.grantee_account_id);

create function pg_temp.of(wanted text) returns uuid language sql stable as $$
  select id from pg_temp.named where name = wanted
$$;
create function pg_temp.made(wanted text) returns uuid language sql immutable as $$
  select md5('bench:' || wanted)::uuid
$$;

-- More people. Their ids are md5('bench:' || name).
insert into auth.users (id, aud, role, email, raw_app_meta_data, raw_user_meta_data)
select pg_temp.made(name), 'authenticated', 'authenticated', name || '@example.org', '{}', '{}'
from unnest(array[
  'consent_lapsed', 'revoked_at_set', 'other_purpose', 'closed', 'closed_owner', 'purpose_provider', 'suspended_account_provider',
  'consent_lapsed_provider', 'archived_provider', 'left_member', 'left_admin', 'housemate', 'suspended_reviewer', 'mislabelled',
  'cancelled_child', 'invited', 'late_invited', 'cancelled_invited', 'handover_target', 'family_provider'
]) as name;
insert into public.accounts (id, display_name, email, status)
select u.id, split_part(u.email, '@', 1), u.email,
  case when u.id in (pg_temp.made('closed'), pg_temp.made('closed_owner')) then 'closed'
       when u.id in (pg_temp.made('suspended_account_provider'), pg_temp.made('suspended_reviewer')) then 'suspended'
       else 'active' end
from auth.users u where u.email in (select name || '@example.org' from unnest(array[
  'consent_lapsed', 'revoked_at_set', 'other_purpose', 'closed', 'closed_owner', 'purpose_provider', 'suspended_account_provider',
  'consent_lapsed_provider', 'archived_provider', 'left_member', 'left_admin', 'housemate', 'suspended_reviewer', 'mislabelled',
  'cancelled_child', 'invited', 'late_invited', 'cancelled_invited', 'handover_target', 'family_provider'
]) as name);

insert into public.profiles (id, owner_account_id, kind, given_name, family_name, birth_date, sex)
values (pg_temp.made('closed_profile'), pg_temp.made('closed_owner'), 'self', 'Closed', 'Owner', '1980-01-01', 'female'),
       (pg_temp.made('cancelled_profile'), pg_temp.of('former_parent'), 'child', 'Cancelled', 'Child', '2005-01-01', 'male'),
       (pg_temp.made('housemate_self'), pg_temp.made('housemate'), 'self', 'House', 'Mate', '1990-01-01', 'male');
update public.profiles set household_id = (select household_id from public.profiles where id = pg_temp.of('subject'))
where id = pg_temp.made('housemate_self');

insert into public.consents (id, profile_id, purpose_code, given_by, status, expires_at)
select pg_temp.made('consent ' || name), pg_temp.of('subject'), purpose, pg_temp.of('owner'), 'given', expires::timestamptz
from (values ('consent_lapsed', 'family_sharing', '2025-01-01'), ('revoked_at_set', 'family_sharing', null),
             ('other_purpose', 'research', null), ('closed', 'family_sharing', null),
             ('purpose_provider', 'research', null), ('suspended_account_provider', 'provider_access', null),
             ('consent_lapsed_provider', 'provider_access', '2025-01-01')) as c (name, purpose, expires);
insert into public.consents (id, profile_id, purpose_code, given_by)
values (pg_temp.made('consent archived_provider'), pg_temp.of('archived'), 'provider_access', pg_temp.of('owner'));
insert into public.profile_grants (id, profile_id, grantee_account_id, level, status, consent_id, granted_by, revoked_at)
select pg_temp.made('grant ' || name), pg_temp.of('subject'), pg_temp.made(name), 'manage', 'active',
  pg_temp.made('consent ' || name), pg_temp.of('owner'), case name when 'revoked_at_set' then timestamptz '2025-06-01' end
from unnest(array['consent_lapsed', 'revoked_at_set', 'other_purpose', 'closed']) as name;
insert into public.profile_grants (id, profile_id, grantee_account_id, level, status, consent_id, granted_by, expires_at)
select pg_temp.made('pending expired'), pg_temp.of('subject'), pg_temp.made('late_invited'), 'manage'::public.grant_level, 'pending'::public.grant_status,
  pg_temp.made('consent revoked_at_set'), pg_temp.of('owner'), timestamptz '2025-06-01'
union all
select pg_temp.made('pending lapsed'), pg_temp.of('subject'), pg_temp.made('cancelled_invited'), 'manage'::public.grant_level, 'pending'::public.grant_status,
  pg_temp.made('consent consent_lapsed'), pg_temp.of('owner'), null
union all
select pg_temp.made('pending other'), pg_temp.of('subject'), pg_temp.made('invited'), 'manage'::public.grant_level, 'pending'::public.grant_status,
  pg_temp.made('consent other_purpose'), pg_temp.of('owner'), null;

insert into public.providers (id, account_id, display_name, speciality, registration_number, status, verified_until)
select pg_temp.made('registry ' || name), pg_temp.made(name), name, 'general', 'BENCH-' || name, 'verified', '2040-01-01'
from unnest(array['purpose_provider', 'suspended_account_provider', 'consent_lapsed_provider', 'archived_provider', 'family_provider']) as name;
insert into public.providers (id, account_id, display_name, speciality, registration_number, status, verified_until)
values (pg_temp.made('registry manage_delegate'), pg_temp.of('manage_delegate'), 'delegate', 'general', 'BENCH-delegate', 'verified', '2040-01-01');
insert into public.provider_access (id, profile_id, provider_id, purpose, can_contribute, include_documents, consent_id, granted_by, starts_at, expires_at)
select pg_temp.made('access ' || name), case name when 'archived_provider' then pg_temp.of('archived') else pg_temp.of('subject') end,
  pg_temp.made('registry ' || name), 'treatment', true, true, pg_temp.made('consent ' || name), pg_temp.of('owner'), '2024-01-01', '2040-01-01'
from unnest(array['purpose_provider', 'suspended_account_provider', 'consent_lapsed_provider', 'archived_provider']) as name;

insert into public.staff_members (account_id, role)
values (pg_temp.made('suspended_reviewer'), 'reviewer'), (pg_temp.made('mislabelled'), 'operations');

insert into public.household_members (household_id, account_id, role, status)
select p.household_id, pg_temp.made(m.name), m.role, m.status
from public.profiles p, (values ('left_member', 'member', 'left'), ('left_admin', 'admin', 'left'), ('housemate', 'member', 'active')) as m (name, role, status)
where p.id = pg_temp.of('subject');
insert into public.invitations (id, household_id, invited_by, invited_email, token_sha256, status, expires_at)
select pg_temp.made('invitation ' || i.name), p.household_id, pg_temp.of('owner'), i.name || '@example.org',
  encode(sha256(convert_to('token-' || i.name, 'UTF8')), 'hex'), i.status, i.expires::timestamptz
from public.profiles p, (values ('invited', 'pending', '2040-01-01'), ('late_invited', 'pending', '2025-01-01'),
  ('cancelled_invited', 'cancelled', '2040-01-01')) as i (name, status, expires)
where p.id = pg_temp.of('subject');
insert into public.profile_handovers (id, profile_id, from_account_id, to_account_id, status)
values (pg_temp.made('handover cancelled'), pg_temp.made('cancelled_profile'), pg_temp.of('former_parent'), pg_temp.made('cancelled_child'), 'cancelled'),
       (pg_temp.made('handover foreign'), pg_temp.of('owner_child'), pg_temp.of('former_parent'), pg_temp.made('handover_target'), 'confirmed');

-- Who no longer has access once wrote rows, uploaded files and asked for exports.
do $authors$
declare
  authored record;
begin
  for authored in
    select c.oid::regclass as relation, a.attname as author
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.attname in ('recorded_by', 'created_by', 'uploaded_by', 'raised_by', 'requested_by', 'done_by')
      and exists (select from pg_attribute p where p.attrelid = c.oid and p.attname = 'profile_id')
  loop
    execute format(
      'update %1$s t set %2$I = k.by from (select id, case row_number() over (order by id) %% 3 when 1 then $1 when 2 then $2 else $3 end as by
         from %1$s where profile_id = $4) k where k.id = t.id', authored.relation, authored.author
    ) using pg_temp.of('revoked_delegate'), pg_temp.of('expired_delegate'), pg_temp.of('owner'), pg_temp.of('subject');
  end loop;
end
$authors$;
update public.extracted_entities e set confirmed_by = pg_temp.of('revoked_delegate')
from public.documents d where d.id = e.document_id and d.profile_id = pg_temp.of('subject');
update public.data_exports set status = 'ready', requested_by = pg_temp.of('revoked_delegate') where profile_id = pg_temp.of('subject');
insert into public.notifications (id, account_id, profile_id, topic, title)
values (pg_temp.made('notice 1'), pg_temp.of('revoked_delegate'), pg_temp.of('subject'), 'sharing', 'was shared'),
       (pg_temp.made('notice 2'), pg_temp.of('revoked_delegate'), null, 'billing', 'thanks'),
       (pg_temp.made('notice 3'), pg_temp.of('owner'), pg_temp.of('subject'), 'sharing', 'you share');
insert into public.access_log (profile_id, account_id, purpose, resource)
values (pg_temp.of('subject'), pg_temp.of('revoked_delegate'), 'own', 'vitals');
update public.audit_log set account_id = pg_temp.of('revoked_delegate') where profile_id = pg_temp.of('subject');
insert into storage.objects (id, bucket_id, name, owner_id)
select pg_temp.made('file ' || bucket || who.name), bucket, p.owner_account_id || '/' || p.id || '/' || bucket || '.pdf', who.id
from unnest(array['exports', 'avatars', 'documents']) as bucket, public.profiles p,
  (values ('owner', pg_temp.of('owner')::text)) as who (name, id)
where p.id = pg_temp.of('subject');
insert into storage.objects (id, bucket_id, name, owner_id)
select pg_temp.made('old file'), 'documents', p.owner_account_id || '/' || p.id || '/old.pdf', pg_temp.of('revoked_delegate')::text
from public.profiles p where p.id = pg_temp.of('subject');
insert into realtime.messages (topic, extension, payload, inserted_at)
values ('profile:' || pg_temp.of('subject'), 'broadcast', '{}', '2026-01-01'), ('profile:' || pg_temp.of('stranger_self'), 'broadcast', '{}', '2026-01-01');
