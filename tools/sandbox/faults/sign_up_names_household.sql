-- title: Whoever signs up names the household to belong to
-- class: trust
-- story: The link in the invitation put the household into the metadata, and the trigger took it from there.
-- rule: rls_references_user_metadata
-- level: ERROR
-- object: private.create_account()
create or replace function private.create_account() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  invited_to uuid := (new.raw_user_meta_data ->> 'household')::uuid;
begin
  insert into public.accounts (id, display_name, email, phone)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'display_name', 'New member'), new.email, new.phone);
  if invited_to is not null then
    insert into public.household_members (household_id, account_id) values (invited_to, new.id);
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
