"""Cases for the rules that hold a policy or a guard against its siblings, over the same little schema."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from tests.tools.rls.cases import Case

GUARD = """create function app.keep_profile() returns trigger language plpgsql as $$ begin
  if new.profile_id is distinct from old.profile_id then raise exception 'a note stays with its profile'; end if; return new; end $$;
create trigger keep before update on public.notes for each row execute function app.keep_profile();
"""
FROZEN = """create function app.freeze() returns trigger language plpgsql as $$ declare name text; begin
  foreach name in array tg_argv loop
    if to_jsonb(new) -> name is distinct from to_jsonb(old) -> name then raise exception '% stays', name; end if;
  end loop; return new; end $$;
create table public.weights (id uuid primary key, profile_id uuid not null references public.profiles (id), grams int);
create table public.heights (id uuid primary key, profile_id uuid not null references public.profiles (id), millimetres int);
create index on public.weights (profile_id); create index on public.heights (profile_id);
alter table public.weights enable row level security; alter table public.heights enable row level security;
create policy w on public.weights to authenticated using (profile_id = any (array(select app.owned())));
create policy h on public.heights to authenticated using (profile_id = any (array(select app.owned())));
create trigger hold before update on public.weights for each row execute function app.freeze('profile_id');
create trigger hold before update on public.heights for each row execute function app.freeze('profile_id');
create trigger hold before update on public.grants for each row execute function app.freeze('profile_id', 'grantee_id');
"""
LEVELS = """create table public.helpers (profile_id uuid references public.profiles (id), user_id uuid references auth.users (id), can_write boolean, primary key (profile_id, user_id));
create index on public.helpers (user_id);
alter table public.helpers enable row level security;
create function app.may(profile uuid, level text) returns boolean language plpgsql stable security definer set search_path = '' as $$
begin
  if level not in ('read', 'write') then return false; end if;
  if exists (select from public.profiles p where p.id = profile and p.owner_id = (select auth.uid())) then return true; end if;
  return exists (select from public.helpers h where h.profile_id = profile and h.user_id = (select auth.uid())
    and (level = 'read' or h.can_write));
end $$;
drop policy notes_select on public.notes; drop policy notes_insert on public.notes; drop policy notes_update on public.notes;
create policy notes_update on public.notes for update to authenticated using (app.may(profile_id, 'write'));
"""
_PROMOTE = """create function public.promote(wanted uuid) returns void language plpgsql security definer set search_path = '' as
$$ declare mine text; begin
select g.note into mine from public.grants g where g.grantee_id = auth.uid() and g.profile_id = wanted and g.status = 'active' and g.expires_at > now();
TEST raise exception 'not found'; end if;
update public.profiles set name = 'promoted' where id = wanted; end $$"""

_GUARD = """create function app.may(wanted uuid) returns boolean language plpgsql stable security definer set search_path = '' as
$$ declare it record; begin
select p.id, p.owner_id into it from public.profiles p where p.id = wanted and p.archived_at is null;
CHECK
if it.owner_id = auth.uid() then return true; end if;
return exists (select from public.grants g where g.profile_id = wanted and g.grantee_id = auth.uid() and g.status = 'active' and g.expires_at > now());
end $$"""

RECORDS = (
    LEVELS
    + """
create table public.weights (id uuid primary key, profile_id uuid not null references public.profiles (id), grams int);
create table public.heights (id uuid primary key, profile_id uuid not null references public.profiles (id), millimetres int);
create table public.moods (id uuid primary key, profile_id uuid not null references public.profiles (id), word text, author_id uuid references auth.users (id));
create index on public.weights (profile_id); create index on public.heights (profile_id); create index on public.moods (profile_id); create index on public.moods (author_id);
alter table public.weights enable row level security; alter table public.heights enable row level security; alter table public.moods enable row level security;
create policy w on public.weights to authenticated using (app.may(profile_id, 'write'));
create policy h on public.heights to authenticated using (app.may(profile_id, 'write'));
create policy m on public.moods for select to authenticated using (app.may(profile_id, 'read'));
"""
)

SIBLINGS = (
    Case(
        # Tested on two of three tables that are joined.
        "policy_lifecycle_missing",
        "app.granted()",
        """create table public.teams (id uuid primary key, deleted_at timestamptz);
        alter table public.grants add deleted_at timestamptz, add team_id uuid references public.teams (id);
        alter table public.profiles add deleted_at timestamptz;
        create or replace function app.granted() returns setof uuid language sql stable security definer
        set search_path = '' as $$ select g.profile_id from public.grants g join public.teams t on t.id = g.team_id
        join public.profiles p on p.id = g.profile_id where g.grantee_id = (select auth.uid())
        and g.status = 'active' and g.expires_at > now() and g.deleted_at is null and p.deleted_at is null $$""",
        (
            """create table public.teams (id uuid primary key, deleted_at timestamptz);
        alter table public.grants add deleted_at timestamptz, add team_id uuid references public.teams (id);
        alter table public.profiles add deleted_at timestamptz;
        create or replace function app.granted() returns setof uuid language sql stable security definer
        set search_path = '' as $$ select g.profile_id from public.grants g join public.teams t on t.id = g.team_id
        join public.profiles p on p.id = g.profile_id where g.grantee_id = (select auth.uid())
        and g.status = 'active' and g.expires_at > now() and g.deleted_at is null and p.deleted_at is null and t.deleted_at is null $$""",
        ),
    ),
    Case(
        # Brackets lost before an alternative about another role.
        "policy_lookup_caller_optional",
        "app.has(uuid, text)",
        """create function app.has(profile uuid, word text) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = profile
        and g.grantee_id = (select auth.uid()) and g.status = 'active' and g.expires_at > now() and g.note = word or g.note = 'owner' and word = 'carer') $$;
        alter policy notes_select on public.notes using (app.has(profile_id, 'carer'))""",
        (
            """create function app.has(profile uuid, word text) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = profile
        and g.grantee_id = (select auth.uid()) and g.status = 'active' and g.expires_at > now() and (g.note = word or g.note = 'owner' and word = 'carer')) $$;
        alter policy notes_select on public.notes using (app.has(profile_id, 'carer'))""",
        ),
    ),
    Case(
        "policy_name_contradicts_word",
        "policy admins add notes on public.notes",
        """create function app.has(profile uuid, word text) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = profile
        and g.grantee_id = (select auth.uid()) and g.note = word and g.status = 'active' and g.expires_at > now()) $$;
        alter policy grants_select on public.grants using (app.has(profile_id, 'admin'));
        alter policy grants_update on public.grants using (app.has(profile_id, 'admin'));
        create policy "admins add notes" on public.notes for insert to authenticated with check (app.has(profile_id, 'guest'))""",
        (
            """create function app.has(profile uuid, word text) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = profile
        and g.grantee_id = (select auth.uid()) and g.note = word and g.status = 'active' and g.expires_at > now()) $$;
        alter policy grants_select on public.grants using (app.has(profile_id, 'admin'));
        alter policy grants_update on public.grants using (app.has(profile_id, 'admin'));
        create policy "admins add notes" on public.notes for insert to authenticated with check (app.has(profile_id, 'admin'))""",
            """create function app.has(profile uuid, word text) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = profile
        and g.grantee_id = (select auth.uid()) and g.note = word and g.status = 'active' and g.expires_at > now()) $$;
        alter policy grants_select on public.grants using (app.has(profile_id, 'admin'));
        alter policy grants_update on public.grants using (app.has(profile_id, 'admin'));
        create policy "guests add notes to what admins share" on public.notes for insert to authenticated with check (app.has(profile_id, 'guest'))""",
        ),
    ),
    Case(
        "storage_insert_ignores_path",
        "policy files_put on storage.objects",
        """create policy files_read on storage.objects for select to authenticated
        using (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text);
        create policy files_put on storage.objects for insert to authenticated
        with check (bucket_id = 'files' and owner_id = (select auth.uid())::text)""",
        (
            """create policy files_read on storage.objects for select to authenticated
        using (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text);
        create policy files_put on storage.objects for insert to authenticated
        with check (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text)""",
            # Another bucket, of which no path is read.
            """create policy files_read on storage.objects for select to authenticated
        using (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text);
        create policy files_put on storage.objects for insert to authenticated
        with check (bucket_id = 'inbox' and owner_id = (select auth.uid())::text)""",
        ),
    ),
    Case(
        # Brackets lost inside the subquery: one alternative looks through the grants of every profile.
        "policy_subquery_uncorrelated",
        "policy notes_insert on public.notes",
        """alter policy notes_insert on public.notes with check (exists (select from public.grants g
        where g.profile_id = notes.profile_id and g.status = 'active' and g.grantee_id = (select auth.uid())
        or g.profile_id = any (array(select app.owned()))))""",
        (
            """alter policy notes_insert on public.notes with check (exists (select from public.grants g
            where g.profile_id = notes.profile_id and (g.grantee_id = (select auth.uid()) and g.status = 'active'
            or g.profile_id = any (array(select app.owned())))))""",
            # An alternative that looks through nothing.
            """create function app.staff() returns boolean language sql stable set search_path = ''
            as $$ select (select auth.jwt()) ->> 'aal' = 'aal2' $$;
            alter policy notes_insert on public.notes with check (exists (select from public.grants g
            where g.profile_id = notes.profile_id and g.grantee_id = (select auth.uid()) or (select app.staff())))""",
        ),
    ),
    Case(
        "policy_author_keeps_access",
        "policy notes_update on public.notes",
        """alter policy notes_insert on public.notes
        with check (written_by = (select auth.uid()) and profile_id = any (array(select app.granted())));
        alter policy notes_update on public.notes using (profile_id = any (array(select app.owned())) or written_by = (select auth.uid()))""",
        (
            """alter policy notes_insert on public.notes
        with check (written_by = (select auth.uid()) and profile_id = any (array(select app.granted())));
        alter policy notes_update on public.notes using (profile_id = any (array(select app.owned())) or (written_by = (select auth.uid())
        and profile_id = any (array(select app.granted()))))""",
            # Writing asks for no right to the record that could end.
            """alter policy notes_insert on public.notes with check (written_by = (select auth.uid()));
            alter policy notes_update on public.notes using (written_by = (select auth.uid()))""",
        ),
    ),
    Case(
        "guard_trigger_disabled",
        "public.notes",
        GUARD + "alter table public.notes disable trigger keep",
        (
            GUARD,
            GUARD
            + "alter table public.notes disable trigger keep; revoke update on public.notes from anon, authenticated",
            GUARD + "alter table public.notes disable trigger keep; drop policy notes_update on public.notes",
            GUARD + "alter table public.notes enable always trigger keep",
            """alter table public.notes add column updated_at timestamptz;
            create function app.touch() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$;
            create trigger touch before update on public.notes for each row execute function app.touch();
            alter table public.notes disable trigger touch""",
            """create function app.tell() returns trigger language plpgsql as $$ begin perform pg_notify('notes', new.id::text); return null; end $$;
            create trigger tell after update on public.notes for each row execute function app.tell();
            alter table public.notes disable trigger tell""",
            """create function app.keep_copy() returns trigger language plpgsql as $$ begin
            if tg_op = 'DELETE' then return old; end if; return new; end $$;
            create trigger copy before update or delete on public.notes for each row execute function app.keep_copy();
            alter table public.notes disable trigger copy""",
        ),
    ),
    Case(
        "guard_trigger_missing",
        "public.notes",
        FROZEN,
        (
            FROZEN
            + "create trigger hold before update on public.notes for each row execute function app.freeze('profile_id')",
            FROZEN
            + "revoke update on public.notes from anon, authenticated; grant update (body) on public.notes to authenticated",
            FROZEN + "drop policy notes_update on public.notes",
            FROZEN + "drop trigger hold on public.heights",
            GUARD,
        ),
    ),
    Case(
        "guard_function_unused",
        "app.keep_rows()",
        """create function app.keep_rows() returns trigger language plpgsql as $$ begin
        if new.profile_id <> old.profile_id then raise exception 'no'; end if; return new; end $$""",
        (
            GUARD,
            GUARD + "alter table public.notes disable trigger keep",
            """create function app.guard_notes() returns trigger language plpgsql as $$ begin
            if new.body is null then raise notice 'empty'; end if; return new; end $$""",
            GUARD
            + """create function app.guard_note() returns trigger language plpgsql as $$ begin
            if new.profile_id <> old.profile_id then raise exception 'no'; end if; return new; end $$""",
            """create function app.keep_note() returns trigger language plpgsql as $$ begin
            if new.profile_id <> old.profile_id then raise exception 'no'; end if; return new; end $$;
            revoke update on public.notes from anon, authenticated""",
        ),
    ),
    Case(
        "policy_alternative_absorbed",
        "policy notes_select on public.notes",
        """alter policy notes_select on public.notes using (
          (written_by = (select auth.uid()) and profile_id in (select app.granted())) or written_by = (select auth.uid()))""",
        (
            "alter policy notes_select on public.notes using (written_by = (select auth.uid()) or profile_id in (select app.granted()))",
            """alter policy notes_select on public.notes using (
              (written_by = (select auth.uid()) and body <> '') or (profile_id in (select app.granted()) and body <> ''))""",
            """create function app.visible() returns setof uuid language sql stable security definer set search_path = '' as
            $$ select app.owned() union select app.granted() $$;
            alter policy notes_select on public.notes using (profile_id in (select app.owned()) or profile_id in (select app.visible()))""",
            "create policy second on public.notes for select to authenticated using (written_by = (select auth.uid()))",
            """create policy wide on public.notes for select to anon using (profile_id in (select app.granted()));
            alter policy notes_select on public.notes using (profile_id in (select app.granted()) and body <> '')""",
            # The wider one asks for the state as well: nothing that was to be held back is open.
            """create policy wide on public.notes for select to authenticated using (body <> ''
              and (written_by = (select auth.uid()) or profile_id in (select app.owned())));
            alter policy notes_select on public.notes using (written_by = (select auth.uid()) and body <> '')""",
        ),
    ),
    Case(
        "policy_all_wider_than_siblings",
        "policy open on public.notes",
        LEVELS
        + "create policy open on public.notes for all to authenticated using (app.may(profile_id, 'read'))",
        (
            LEVELS
            + "create policy open on public.notes for select to authenticated using (app.may(profile_id, 'read'))",
            LEVELS
            + "create policy open on public.notes for all to authenticated using (app.may(profile_id, 'write'))",
            LEVELS
            + "create policy open on public.notes for all to authenticated using (written_by = (select auth.uid()))",
            LEVELS
            + "create policy open on public.notes for all to authenticated using (app.may(profile_id, 'read')); revoke update on public.notes from authenticated",
            "create policy open on public.notes for all to authenticated using (profile_id = any (array(select app.owned())))",
            """create policy open on public.profiles for all to authenticated using (owner_id = (select auth.uid()));
            create policy change on public.profiles for update to authenticated using (owner_id = (select auth.uid()) and (select auth.role()) = 'authenticated')""",
        ),
    ),
    Case(
        "policy_weaker_than_siblings",
        "policy change on public.moods",
        RECORDS
        + "create policy change on public.moods for update to authenticated using (app.may(profile_id, 'read'))",
        (
            RECORDS
            + "create policy change on public.moods for update to authenticated using (app.may(profile_id, 'write'))",
            RECORDS
            + "create policy add on public.moods for insert to authenticated with check (app.may(profile_id, 'read') and author_id = (select auth.uid()))",
            RECORDS
            + """create policy add on public.moods for insert to authenticated with check (app.may(profile_id, 'read'));
            create policy change on public.moods for update to authenticated using (app.may(profile_id, 'read'))""",
            RECORDS
            + """alter policy m on public.moods using (app.may(profile_id, 'write'));
            create policy add on public.moods for insert to authenticated with check (app.may(profile_id, 'read'))""",
            RECORDS
            + """create policy change on public.moods for update to authenticated using (app.may(profile_id, 'read'));
            drop policy h on public.heights""",
            RECORDS
            + """create policy change on public.moods for update to authenticated using (app.may(profile_id, 'read'));
            revoke update on public.moods from authenticated, anon""",
            RECORDS
            + """create policy change on public.moods for update to authenticated using (app.may(profile_id, 'write'));
            create policy remove on public.moods for delete to authenticated using (app.may(profile_id, 'read') and author_id = (select auth.uid()))""",
        ),
    ),
    Case(
        "policy_membership_negated",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using (profile_id <> all (array(select app.granted())))",
        (
            "alter policy notes_select on public.notes using (not (profile_id <> all (array(select app.granted()))))",
            "alter policy notes_select on public.notes using (body = 'public' and profile_id <> all (array(select app.granted())))",
            """create function app.blocked() returns setof uuid language sql stable security definer set search_path = '' as
            $$ select g.profile_id from public.grants g where g.grantee_id = (select auth.uid()) and g.status = 'blocked' and g.expires_at > now() $$;
            alter policy notes_select on public.notes using (profile_id <> all (array(select app.blocked())))""",
        ),
    ),
    Case(
        "policy_lookup_caller_optional",
        "app.granted()",
        """create or replace function app.granted() returns setof uuid language sql stable security definer set search_path = '' as
        $$ select g.profile_id from public.grants g where g.grantee_id = (select auth.uid()) or g.status = 'active' and g.expires_at > now() $$""",
        (
            """create or replace function app.granted() returns setof uuid language sql stable security definer set search_path = '' as
            $$ select g.profile_id from public.grants g where g.grantee_id = (select auth.uid()) and (g.status = 'active' or g.status = 'trial') and g.expires_at > now() $$""",
            """alter table public.profiles add column is_public boolean; alter table public.grants add column is_public boolean;
            create or replace function app.owned() returns setof uuid language sql stable security definer set search_path = '' as
            $$ select p.id from public.profiles p where p.owner_id = (select auth.uid()) or p.archived_at is not null $$;
            create or replace function app.granted() returns setof uuid language sql stable security definer set search_path = '' as
            $$ select g.profile_id from public.grants g where (g.grantee_id = (select auth.uid()) or g.is_public) and g.status = 'active' and g.expires_at > now() $$""",
            """create or replace function app.granted() returns setof uuid language sql stable security definer set search_path = '' as
            $$ select g.profile_id from public.grants g where g.status = 'active' and g.expires_at > now()
               and (g.grantee_id = (select auth.uid()) or g.note = (select auth.jwt()) ->> 'email') $$""",
            """create function app.invited(token text) returns boolean language sql stable security definer set search_path = '' as
            $$ select exists (select from public.grants g where g.status = 'active' and g.expires_at > now() and (g.grantee_id = (select auth.uid()) or g.note = token)) $$;
            alter policy notes_select on public.notes using (app.invited(body))""",
        ),
    ),
    Case(
        "function_caller_overridable",
        "public.notes_of(uuid)",
        """create function public.notes_of(p_user_id uuid) returns setof public.notes language sql stable security definer set search_path = '' as
        $$ select n.* from public.notes n join public.profiles p on p.id = n.profile_id where p.owner_id = coalesce(p_user_id, (select auth.uid())) $$;
        revoke execute on function public.notes_of(uuid) from public, anon""",
        (
            # Signed in, the identity always comes first; anon may not call it.
            """create function public.notes_of(p_user_id uuid) returns setof public.notes language sql stable security definer set search_path = '' as
            $$ select n.* from public.notes n join public.profiles p on p.id = n.profile_id where p.owner_id = coalesce((select auth.uid()), p_user_id) $$;
            revoke execute on function public.notes_of(uuid) from public, anon""",
            """create function public.notes_of(p_user_id uuid) returns setof public.notes language plpgsql stable security definer set search_path = '' as
            $$ begin if p_user_id <> auth.uid() then raise exception 'not you'; end if;
            return query select n.* from public.notes n join public.profiles p on p.id = n.profile_id where p.owner_id = coalesce(p_user_id, auth.uid()); end $$;
            revoke execute on function public.notes_of(uuid) from public, anon""",
            """create function public.notes_of(p_user_id uuid) returns setof public.notes language sql stable set search_path = '' as
            $$ select n.* from public.notes n join public.profiles p on p.id = n.profile_id where p.owner_id = coalesce(p_user_id, (select auth.uid())) $$""",
            """create function public.notes_of(p_user_id uuid) returns setof public.notes language sql stable security definer set search_path = '' as
            $$ select n.* from public.notes n where n.profile_id in (select app.owned()) and n.written_by = coalesce(p_user_id, (select auth.uid())) $$;
            revoke execute on function public.notes_of(uuid) from public, anon""",
        ),
    ),
    Case(
        "function_caller_overridable",
        "public.notes_of(uuid)",
        """create function public.notes_of(p_user_id uuid) returns setof public.notes language plpgsql stable security definer set search_path = '' as
        $$ declare v uuid := case when p_user_id is null then auth.uid() else p_user_id end; begin
        return query select n.* from public.notes n join public.profiles p on p.id = n.profile_id where p.owner_id = v; end $$;
        revoke execute on function public.notes_of(uuid) from public, anon""",
    ),
    Case(
        "function_caller_overridable",
        "public.notes_of(uuid)",
        # Anon has no identity: for anon the argument counts, although it comes second.
        """create function public.notes_of(p_user_id uuid) returns setof public.notes language sql stable security definer set search_path = '' as
        $$ select n.* from public.notes n join public.profiles p on p.id = n.profile_id where p.owner_id = coalesce((select auth.uid()), p_user_id) $$""",
    ),
    Case(
        "guard_passes_on_null",
        "public.promote(uuid)",
        _PROMOTE.replace("TEST", "if mine <> 'lead' then"),
        (
            _PROMOTE.replace("TEST", "if mine is distinct from 'lead' then"),
            _PROMOTE.replace("TEST", "if mine is null or mine <> 'lead' then"),
            _PROMOTE.replace("TEST", "if not found or mine <> 'lead' then"),
            _PROMOTE.replace("TEST", "if coalesce(mine, '') <> 'lead' then"),
            _PROMOTE.replace("TEST", "if mine <> 'lead' then").replace(
                "select g.note", "select max(coalesce(g.note, ''))"
            ),
            _PROMOTE.replace("TEST", "if mine <> 'lead' then").replace("security definer", ""),
            # The variable is about the row that is changed, not about the caller.
            _PROMOTE.replace("TEST", "if mine <> 'lead' then").replace(
                "g.grantee_id = auth.uid()", "g.id = wanted"
            ),
        ),
    ),
    Case(
        "guard_passes_on_null",
        "public.promote(uuid)",
        _PROMOTE.replace("TEST", "if mine not in ('lead', 'owner') then"),
    ),
    Case(
        "guard_passes_on_null",
        "public.promote(uuid)",
        _PROMOTE.replace("TEST", "if not mine then")
        .replace("mine text", "mine boolean")
        .replace("select g.note", "select g.note = 'lead'"),
    ),
    Case(
        "guard_row_unchecked",
        "app.may(uuid)",
        _GUARD.replace("CHECK", ""),
        (
            _GUARD.replace("CHECK", "if not found then return false; end if;"),
            _GUARD.replace("CHECK", "if it.id is null then return false; end if;"),
            _GUARD.replace("into it", "into strict it").replace("CHECK", ""),
            _GUARD.replace("CHECK", "").replace("and p.archived_at is null", ""),
            # Every answer depends on the row.
            _GUARD.replace("CHECK", "").replace("g.profile_id = wanted", "g.profile_id = it.id"),
            # What answers without the row stands before it is looked up.
            """create function app.may(wanted uuid) returns boolean language plpgsql stable security definer set search_path = '' as
            $$ declare it record; begin
            if exists (select from public.grants g where g.profile_id = wanted and g.grantee_id = auth.uid() and g.status = 'active' and g.expires_at > now())
            then return true; end if;
            select p.id, p.owner_id into it from public.profiles p where p.id = wanted and p.archived_at is null;
            return it.owner_id = auth.uid(); end $$""",
        ),
    ),
    Case(
        # What a restrictive policy asks of the row alone keeps nobody apart.
        "rls_policy_always_true",
        "policy notes_select on public.notes",
        """create policy written on public.notes as restrictive for select to authenticated using (body is not null);
        alter policy notes_select on public.notes using (true)""",
    ),
    Case(
        "policy_ignores_caller",
        "policy notes_select on public.notes",
        """create policy written on public.notes as restrictive for select to authenticated using (body is not null);
        alter policy notes_select on public.notes using (body <> '')""",
        (
            """create policy bound on public.notes as restrictive for select to authenticated using (profile_id = any (array(select app.owned())));
            alter policy notes_select on public.notes using (body <> '')""",
        ),
    ),
)
