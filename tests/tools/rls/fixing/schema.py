"""A schema whose policies ask everything once per row, in five ways, and one that cannot be turned."""

from __future__ import annotations

from typing import Final

SLOW: Final = """
create schema private;
grant usage on schema private to authenticated;
create table public.profiles (id uuid primary key, owner_id uuid not null references auth.users (id));
create table public.members (
  profile_id uuid not null references public.profiles (id), user_id uuid not null references auth.users (id),
  role text not null default 'read' check (role in ('read', 'write')),
  status text not null default 'active' check (status in ('active', 'revoked')),
  primary key (profile_id, user_id)
);
create table public.notes (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id), body text
);
create index notes_profile_id_idx on public.notes (profile_id);
create function private.has_access(p_profile uuid, p_role text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.profiles p where p.id = p_profile and p.owner_id = auth.uid())
    or exists (
      select 1 from public.members m
      where m.profile_id = has_access.p_profile and m.user_id = auth.uid() and m.status = 'active'
        and (p_role = 'read' or m.role = p_role)
    )
$$;
create function private.is_owner(uuid) returns boolean
language plpgsql stable security definer set search_path = '' as
$$ begin return exists (select 1 from public.profiles where id = $1 and owner_id = auth.uid()); end $$;
create function private.counted(p uuid) returns boolean
language plpgsql stable security definer set search_path = '' as
$$ declare n integer; begin
  select count(*) into n from public.members m where m.profile_id = p; return n > 0;
end $$;
revoke execute on all functions in schema private from public, anon;
grant execute on all functions in schema private to authenticated;
alter table public.profiles enable row level security;
alter table public.members enable row level security;
alter table public.notes enable row level security;
create policy profiles_select on public.profiles for select to authenticated using (
  owner_id = auth.uid() or exists (
    select 1 from public.members m
    where m.profile_id = profiles.id and m.user_id = auth.uid() and m.status = 'active'));
create policy members_select on public.members for select to authenticated using (user_id = auth.uid());
create policy notes_select on public.notes for select to authenticated
  using (private.has_access(profile_id, 'read'));
create policy notes_insert on public.notes for insert to authenticated
  with check (private.has_access(profile_id, 'write'));
create policy notes_update on public.notes for update to authenticated
  using (profile_id in (select p.id from public.profiles p where p.owner_id = auth.uid()));
create policy notes_delete on public.notes for delete to authenticated using (private.is_owner(profile_id));
"""
