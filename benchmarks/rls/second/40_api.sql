-- Views read as the caller; procedures check the caller first.
create view public.my_patients with (security_invoker = true) as
select p.id, p.org_id, p.full_name, (select max(e.started_at) from public.encounters e where e.patient_id = p.id) as last_seen
from public.patients p;
create view public.open_orders with (security_invoker = true) as
select o.id, o.patient_id, o.status, e.started_at
from public.lab_orders o left join public.encounters e on e.id = o.encounter_id
where o.status = 'ordered';
create view public.team_roster with (security_invoker = true) as
select t.id as team_id, t.name, m.user_id, m.role
from public.care_teams t
join public.team_members tm on tm.team_id = t.id
join public.members m on m.id = tm.member_id;
revoke all on public.my_patients, public.open_orders, public.team_roster from anon, authenticated;
grant select on public.my_patients, public.open_orders, public.team_roster to authenticated;
create materialized view app.org_load as
select e.org_id, count(*) as encounters from public.encounters e group by e.org_id;

create function app.accept_invite(token text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  invite public.invites;
begin
  update public.invites i
  set accepted_at = now()
  where i.token_hash = encode(sha256(convert_to(token, 'UTF8')), 'hex')
    and lower(i.email) = lower((select u.email from auth.users u where u.id = (select auth.uid())))
    and i.expires_at > now()
    and i.accepted_at is null
    and i.cancelled_at is null
  returning i.* into invite;
  if invite.id is null then
    raise exception 'the invitation is not valid for you' using errcode = 'no_data_found';
  end if;
  insert into public.members (org_id, user_id, role)
  values (invite.org_id, (select auth.uid()), invite.role)
  on conflict (org_id, user_id) do nothing;
  return invite.org_id;
end
$$;

create function app.accept_referral(wanted uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.referrals r
  set status = 'accepted', starts_at = now()
  where r.id = wanted
    and r.status = 'offered'
    and (r.ends_at is null or r.ends_at > now())
    and app.has_role(r.to_org_id, 'admin');
  if not found then
    raise exception 'there is no offered referral for you' using errcode = 'no_data_found';
  end if;
end
$$;

create function app.open_emergency(wanted uuid, why text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  opened uuid;
begin
  if not exists (
    select from public.patients p
    where p.id = wanted
      and p.deleted_at is null
      and app.has_role(p.org_id, 'clinician')
  ) then
    raise exception 'only clinicians of the organisation break the glass' using errcode = 'insufficient_privilege';
  end if;
  insert into public.break_glass (patient_id, user_id, reason, ends_at)
  values (wanted, (select auth.uid()), why, now() + interval '1 hour')
  returning id into opened;
  insert into public.audit_events (org_id, actor_id, action)
  select p.org_id, (select auth.uid()), 'break glass' from public.patients p where p.id = wanted;
  return opened;
end
$$;

create function app.leave_proxy(wanted uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.proxies x set deleted_at = now()
  where x.id = wanted
    and x.user_id = (select auth.uid())
    and x.deleted_at is null;
  if not found then
    raise exception 'you are no proxy here' using errcode = 'no_data_found';
  end if;
end
$$;

create function app.transfer_patient(wanted uuid, new_org uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (
    select from public.patients p
    where p.id = wanted
      and p.user_id = (select auth.uid())
      and p.deleted_at is null
  ) then
    raise exception 'only the patient changes the organisation' using errcode = 'insufficient_privilege';
  end if;
  update public.proxies set deleted_at = now() where patient_id = wanted and deleted_at is null;
  update public.referrals set status = 'withdrawn' where patient_id = wanted and status in ('offered', 'accepted');
  update public.break_glass set closed_at = now() where patient_id = wanted and closed_at is null;
  update public.patient_teams set ends_at = now() where patient_id = wanted and (ends_at is null or ends_at > now());
end
$$;

create function public.accept_invite(token text) returns uuid
language sql set search_path = '' as $$ select app.accept_invite(token) $$;
create function public.accept_referral(referral_id uuid) returns void
language sql set search_path = '' as $$ select app.accept_referral(referral_id) $$;
create function public.open_emergency(patient_id uuid, reason text) returns uuid
language sql set search_path = '' as $$ select app.open_emergency(patient_id, reason) $$;
create function public.leave_proxy(proxy_id uuid) returns void
language sql set search_path = '' as $$ select app.leave_proxy(proxy_id) $$;
create function public.end_all_access(patient_id uuid) returns void
language sql set search_path = '' as $$ select app.transfer_patient(patient_id, null) $$;
create function public.patient_results(patient_id uuid) returns setof public.lab_results
language sql stable set search_path = '' as $$ select r.* from public.lab_results r where r.patient_id = $1 order by r.resulted_at $$;

revoke execute on all functions in schema public from public, anon, authenticated;
revoke execute on function app.accept_invite(text), app.accept_referral(uuid), app.open_emergency(uuid, text),
  app.leave_proxy(uuid), app.transfer_patient(uuid, uuid) from public;
grant execute on function app.accept_invite(text), app.accept_referral(uuid), app.open_emergency(uuid, text),
  app.leave_proxy(uuid), app.transfer_patient(uuid, uuid) to authenticated;
grant execute on function public.accept_invite(text), public.accept_referral(uuid), public.open_emergency(uuid, text),
  public.leave_proxy(uuid), public.end_all_access(uuid), public.patient_results(uuid) to authenticated;
