-- Boolean helpers: may the caller do this with that row?
create function app.is_member(p_org uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.members m
    join public.organisations o on o.id = m.org_id
    where m.org_id = p_org
      and m.user_id = (select auth.uid())
      and m.starts_at <= now()
      and (m.ends_at is null or m.ends_at > now())
      and m.deleted_at is null
      and o.deleted_at is null
  )
$$;

create function app.has_role(p_org uuid, p_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.members m
    join public.organisations o on o.id = m.org_id
    where m.org_id = p_org
      and m.user_id = (select auth.uid())
      and (m.role = p_role or (m.role = 'owner' and p_role = 'admin'))
      and m.starts_at <= now()
      and (m.ends_at is null or m.ends_at > now())
      and m.deleted_at is null
      and o.deleted_at is null
  )
$$;

-- The organisation the session works in, if its claim still agrees with a living membership.
create function app.current_org() returns uuid
language sql stable security definer set search_path = '' as $$
  select m.org_id from public.members m
  join public.organisations o on o.id = m.org_id
  where m.org_id::text = (select auth.jwt()) -> 'app_metadata' ->> 'org_id'
    and m.user_id = (select auth.uid())
    and m.starts_at <= now()
    and (m.ends_at is null or m.ends_at > now())
    and m.deleted_at is null
    and o.deleted_at is null
$$;

create function app.is_patient(p_patient uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.patients p
    join public.organisations o on o.id = p.org_id
    where p.id = p_patient and p.user_id = (select auth.uid()) and p.deleted_at is null and o.deleted_at is null
  )
$$;

-- Teams in which the caller works at this moment.
create function app.my_teams() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select t.id
  from public.care_teams t
  join public.team_members tm on tm.team_id = t.id
  join public.members m on m.id = tm.member_id
  join public.organisations o on o.id = t.org_id
  where m.user_id = (select auth.uid())
    and m.starts_at <= now()
    and (m.ends_at is null or m.ends_at > now())
    and m.deleted_at is null
    and tm.starts_at <= now()
    and (tm.ends_at is null or tm.ends_at > now())
    and t.deleted_at is null
    and o.deleted_at is null
$$;

create function app.can_access(p_patient uuid, p_level text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare
  caller uuid := (select auth.uid());
  patient record;
begin
  if caller is null or p_level not in ('read', 'write') then
    return false;
  end if;
  select p.id, p.user_id, p.org_id into patient
  from public.patients p
  join public.organisations o on o.id = p.org_id
  where p.id = p_patient
    and p.deleted_at is null
    and o.deleted_at is null;
  if not found then
    return false;
  end if;
  -- The person reads the own record; the organisation writes it.
  if patient.user_id = caller and p_level = 'read' then
    return true;
  end if;
  if exists (
    select from public.proxies x
    where x.patient_id = p_patient
      and x.user_id = caller
      and (p_level = 'read' or x.can_write)
      and x.starts_at <= now()
      and (x.ends_at is null or x.ends_at > now())
      and x.deleted_at is null
  ) then
    return true;
  end if;
  if exists (
    select from public.patient_teams pt
    where pt.patient_id = p_patient
      and pt.team_id in (select app.my_teams())
      and (p_level = 'read' or pt.access = 'write')
      and pt.starts_at <= now()
      and (pt.ends_at is null or pt.ends_at > now())
  ) then
    return true;
  end if;
  if p_level = 'read' and exists (
    select from public.referrals r
    where r.patient_id = p_patient
      and app.has_role(r.to_org_id, 'clinician')
      and r.status = 'accepted'
      and r.starts_at <= now()
      and (r.ends_at is null or r.ends_at > now())
  ) then
    return true;
  end if;
  return p_level = 'read' and exists (
    select from public.break_glass b
    where b.patient_id = p_patient
      and b.user_id = caller
      and app.has_role(patient.org_id, 'clinician')
      and b.starts_at <= now()
      and b.ends_at > now()
      and b.closed_at is null
  );
end
$$;

-- What may be sent and joined: `patient:{id}`. Anything else is nobody's.
create function app.named_patient(said text) returns uuid
language sql immutable set search_path = '' as $$
  select case
    when said ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then said::uuid
  end
$$;

create function app.file_patient(file text) returns uuid
language sql stable security definer set search_path = '' as $$
  select p.id
  from public.patients p
  where p.id = app.named_patient((storage.foldername(file))[2])
    and p.org_id::text = (storage.foldername(file))[1]
    and cardinality(storage.foldername(file)) = 2
$$;

-- Guards.
create function app.keep_author() returns trigger
language plpgsql set search_path = '' as $$
begin
  if (new.patient_id, new.author_id, new.encounter_id) is distinct from (old.patient_id, old.author_id, old.encounter_id) then
    raise exception 'a note stays with its author, its patient and its encounter' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
create trigger notes_keep before update on public.notes for each row execute function app.keep_author();

create function app.keep_patient() returns trigger
language plpgsql set search_path = '' as $$
begin
  if to_jsonb(new) ->> 'patient_id' is distinct from to_jsonb(old) ->> 'patient_id' then
    raise exception 'a row of one patient cannot be moved to another' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
create trigger encounters_keep before update on public.encounters for each row execute function app.keep_patient();
create trigger prescriptions_keep before update on public.prescriptions for each row execute function app.keep_patient();
create trigger appointments_keep before update on public.appointments for each row execute function app.keep_patient();
create trigger lab_orders_keep before update on public.lab_orders for each row execute function app.keep_patient();

-- The last owner stays, and only an owner makes owners.
create function app.guard_member() returns trigger
language plpgsql set search_path = '' as $$
begin
  if (new.org_id, new.user_id) is distinct from (old.org_id, old.user_id) then
    raise exception 'a membership cannot be moved' using errcode = 'integrity_constraint_violation';
  end if;
  if old.deleted_at is not null and new.deleted_at is null then
    raise exception 'a removed member is invited again' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
create trigger members_guard before update on public.members for each row execute function app.guard_member();

create function app.found_organisation() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.org_settings (org_id) values (new.id);
  return null;
end
$$;
create trigger organisations_settings after insert on public.organisations for each row execute function app.found_organisation();
revoke execute on all functions in schema app from public;
grant execute on function
  app.is_member(uuid), app.has_role(uuid, text), app.current_org(), app.is_patient(uuid), app.my_teams(),
  app.can_access(uuid, text), app.named_patient(text), app.file_patient(text)
to authenticated;
