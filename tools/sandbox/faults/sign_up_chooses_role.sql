-- title: Whoever signs up names the own staff role
-- class: trust
-- story: For a demonstration reviewers had to sign up by themselves; the line stayed in.
-- rule: rls_references_user_metadata
-- level: ERROR
-- object: private.create_account()
create or replace function private.create_account() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  wanted text := new.raw_user_meta_data ->> 'staff_role';
begin
  insert into public.accounts (id, display_name, email, phone)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'display_name', 'New member'), new.email, new.phone);
  if wanted is not null then
    insert into public.staff_members (account_id, role) values (new.id, wanted);
  end if;
  return null;
end
$$;

-- +undo
create or replace function private.create_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (id, display_name, email, phone)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'display_name', 'New member'), new.email, new.phone);
  return null;
end
$$;
