"""A clean little schema for families, and for each rule what breaks it and what only looks like it.

A case that should be found is `broken`; every entry of `fine` must leave the rule silent.
"""

# ruff: noqa: E501, ISC004  SQL reads better when its lines are not broken

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

FAMILY = """
create schema app;
grant usage on schema app to authenticated;
create table public.profiles (
  id uuid primary key, owner_id uuid not null references auth.users (id), name text, archived_at timestamptz
);
create index on public.profiles (owner_id);
create table public.grants (
  id uuid primary key, profile_id uuid not null references public.profiles (id),
  grantee_id uuid not null references auth.users (id), status text not null default 'active',
  expires_at timestamptz, note text
);
create index on public.grants (profile_id);
create index on public.grants (grantee_id);
create table public.notes (
  id uuid primary key, profile_id uuid not null references public.profiles (id), body text,
  written_by uuid references auth.users (id)
);
create index on public.notes (profile_id);
create table public.codes (code text primary key, title text);
alter table public.profiles enable row level security;
alter table public.grants enable row level security;
alter table public.notes enable row level security;
alter table public.codes enable row level security;
create function app.owned() returns setof uuid language sql stable security definer set search_path = '' as
$$ select p.id from public.profiles p where p.owner_id = (select auth.uid()) $$;
create function app.granted() returns setof uuid language sql stable security definer set search_path = '' as
$$ select g.profile_id from public.grants g
   where g.grantee_id = (select auth.uid()) and g.status = 'active' and g.expires_at > now() $$;
create policy profiles_select on public.profiles for select to authenticated
  using (owner_id = (select auth.uid()) or id = any (array(select app.granted())));
create policy profiles_insert on public.profiles for insert to authenticated
  with check (owner_id = (select auth.uid()));
create policy grants_select on public.grants for select to authenticated
  using (grantee_id = (select auth.uid()) or profile_id = any (array(select app.owned())));
create policy grants_insert on public.grants for insert to authenticated
  with check (profile_id = any (array(select app.owned())));
create policy grants_update on public.grants for update to authenticated
  using (profile_id = any (array(select app.owned())));
create policy notes_select on public.notes for select to authenticated
  using (profile_id = any (array(select app.granted())));
create policy notes_insert on public.notes for insert to authenticated
  with check (profile_id = any (array(select app.owned())));
create policy notes_update on public.notes for update to authenticated
  using (profile_id = any (array(select app.owned())));
create policy codes_select on public.codes for select to anon, authenticated using (true);
"""


@dataclass(frozen=True)
class Case:
    """One rule's case: the object that must be found, the SQL that breaks it, and the look-alikes."""

    rule: str
    object: str
    broken: LiteralString
    fine: tuple[LiteralString, ...] = ()
    exposed: tuple[str, ...] = ("public", "graphql_public")
    extensions: tuple[str, ...] = ()
    """Extensions that this server does not have and that the snapshot is to name all the same."""


CASES = (
    Case(
        "rls_disabled_in_public",
        'public.Odd "Table',
        'create table public."Odd ""Table" (id int, profile_id uuid)',
        (
            "create table app.internal (id int, profile_id uuid)",
            "create table public.t (id int); revoke all on public.t from anon, authenticated",
        ),
    ),
    Case(
        "policy_exists_rls_disabled",
        "public.notes",
        "alter table public.notes disable row level security",
        ("alter table public.notes force row level security",),
    ),
    Case(
        "partition_without_rls",
        "public.events_1",
        """create table public.events (id int, profile_id uuid) partition by list (id);
        alter table public.events enable row level security;
        create policy p on public.events to authenticated using (profile_id = (select auth.uid()));
        create table public.events_1 partition of public.events for values in (1)""",
        (
            """create table public.events (id int) partition by list (id);
            alter table public.events enable row level security;
            create table public.events_1 partition of public.events for values in (1);
            revoke all on public.events_1 from anon, authenticated""",
        ),
    ),
    Case(
        "rls_policy_always_true",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using (1 = 1 or body is null)",
        (
            "alter policy notes_select on public.notes using (body is not null and (select auth.uid()) is not null)",
            "create policy r on public.notes as restrictive for select using (profile_id = any (array(select app.owned())));"
            " alter policy notes_select on public.notes using (true)",
            "alter policy notes_select on public.notes to service_role using (true)",
            "create policy p on public.codes for insert to service_role with check (true)",
            "alter policy notes_select on public.notes using (true); revoke all on public.notes from authenticated",
        ),
    ),
    Case(
        # Several policies of one table that say the same are one finding.
        "rls_policy_always_true",
        "public.notes",
        """alter policy notes_select on public.notes using (true);
        alter policy notes_update on public.notes using ((select auth.uid()) is not null)""",
        ("alter policy notes_select on public.notes to service_role using (true)",),
    ),
    Case(
        "rls_policy_null_auth_disjunct",
        "policy notes_select on public.notes",
        """alter policy notes_select on public.notes to public
        using ((select auth.uid()) is null or profile_id = any (array(select app.granted())))""",
        (
            "alter policy notes_select on public.notes using (auth.uid() is null or profile_id in (select app.granted()))",
        ),
    ),
    Case(
        "rls_references_user_metadata",
        "app.admin()",
        """create function app.admin() returns boolean language plpgsql stable security definer set search_path = ''
        as $$ begin return auth.jwt() #>> '{user_metadata,role}' = 'admin'; end $$;
        create function app.staff() returns boolean language sql stable set search_path = ''
        as $$ select app.admin() $$;
        alter policy notes_select on public.notes using ((select app.staff()))""",
        (
            """create function app.greet() returns text language sql stable set search_path = ''
            as $$ select auth.jwt() -> 'user_metadata' ->> 'name' $$""",
            "alter policy notes_select on public.notes using ((select auth.jwt() -> 'app_metadata' ->> 'role') = 'staff')",
            """create function app.hello() returns trigger language plpgsql security definer set search_path = '' as $$
            begin insert into public.profiles (id, owner_id, name) values (gen_random_uuid(), new.id,
            new.raw_user_meta_data ->> 'name'); return new; end $$;
            create trigger hello after insert on auth.users for each row execute function app.hello()""",
        ),
    ),
    Case(
        "policy_trusts_writable_rows",
        "policy grants_insert on public.grants",
        "alter policy grants_insert on public.grants with check (grantee_id = (select auth.uid()))",
        (
            "alter policy grants_insert on public.grants with check (grantee_id = (select auth.uid()) and status = 'pending')",
            """create function app.may_do(p uuid, needed text) returns boolean language sql stable security definer
            set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = p
            and g.grantee_id = (select auth.uid()) and g.note = needed and g.status = 'active' and g.expires_at > now()) $$;
            alter policy notes_select on public.notes using (app.may_do(profile_id, 'read'))""",
            """create policy own on public.grants for update to authenticated
            using (grantee_id = (select auth.uid())) with check (grantee_id = (select auth.uid()));
            revoke update on public.grants from authenticated; grant update (note) on public.grants to authenticated""",
            "create policy closed on public.grants for insert to authenticated with check (false)",
            "create policy served on public.grants for insert with check ((select auth.role()) = 'service_role')",
        ),
    ),
    Case(
        "policy_check_weaker_than_using",
        "policy notes_update on public.notes",
        "alter policy notes_update on public.notes with check (body is not null)",
        (
            """alter policy notes_update on public.notes with check (body is not null);
            create function app.keep() returns trigger language plpgsql as
            $$ begin if new.profile_id <> old.profile_id then raise exception 'no'; end if; return new; end $$;
            create trigger keep before update on public.notes for each row execute function app.keep()""",
            """alter policy notes_update on public.notes with check (body is not null);
            revoke update on public.notes from authenticated, anon; grant update (body) on public.notes to authenticated""",
        ),
    ),
    Case(
        "policy_subquery_uncorrelated",
        "policy notes_select on public.notes",
        """alter policy notes_select on public.notes using (exists (
          select 1 from public.grants g where g.profile_id = profile_id and g.grantee_id = (select auth.uid())
          and g.status = 'active' and g.expires_at > now()))""",
        (
            """alter policy notes_select on public.notes using (exists (
              select 1 from public.grants g where g.profile_id = notes.profile_id and g.grantee_id = (select auth.uid())
              and g.status = 'active' and g.expires_at > now()))""",
            """create table app.staff (account_id uuid primary key references auth.users (id));
            alter policy notes_select on public.notes using (exists (
              select 1 from app.staff s where s.account_id = (select auth.uid())))""",
        ),
    ),
    Case(
        "policy_lifecycle_missing",
        "policy notes_select on public.notes",
        """alter policy notes_select on public.notes using (profile_id in (
          select g.profile_id from public.grants g where g.grantee_id = (select auth.uid())))""",
        (
            """alter policy notes_select on public.notes using (profile_id in (
              select g.profile_id from public.grants g where g.grantee_id = (select auth.uid())
              and g.status = 'active' and (g.expires_at is null or g.expires_at > now())))""",
            """alter table public.grants add revoked_at timestamptz, add check (status in ('active', 'revoked'))""",
        ),
    ),
    Case(
        "policy_parent_unchecked",
        "policy notes_insert on public.notes",
        "alter policy notes_insert on public.notes with check (written_by = (select auth.uid()))",
        (
            """create function app.staff() returns boolean language sql stable set search_path = ''
            as $$ select (select auth.jwt()) ->> 'aal' = 'aal2' $$;
            alter policy notes_insert on public.notes with check (written_by = (select auth.uid()) and (select app.staff()))""",
            """alter policy notes_insert on public.notes with check (written_by = (select auth.uid()));
            create function app.keep() returns trigger language plpgsql as $$ begin
            if new.profile_id not in (select app.owned()) then raise exception 'no'; end if; return new; end $$;
            create trigger keep before insert on public.notes for each row execute function app.keep()""",
            """alter policy notes_update on public.notes using (written_by = (select auth.uid()));
            revoke update on public.notes from authenticated, anon; grant update (body) on public.notes to authenticated""",
            """create table public.letters (id int, sender_id uuid references auth.users (id), receiver_id uuid references auth.users (id));
            alter table public.letters enable row level security;
            create policy r on public.letters for select using ((select auth.uid()) in (sender_id, receiver_id));
            create policy w on public.letters for insert with check (sender_id = (select auth.uid()))""",
            """alter policy notes_insert on public.notes with check (
              (profile_id = any (array(select app.owned())) and written_by = (select auth.uid())) or (select auth.jwt()) ->> 'aal' = 'aal2')""",
            """alter table public.notes alter column profile_id drop not null;
            alter policy notes_insert on public.notes with check (profile_id = any (array(select app.owned())) or written_by = (select auth.uid()))""",
        ),
    ),
    Case(
        "function_parameter_shadowed",
        "app.may(uuid)",
        """create function app.may(profile_id uuid) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = profile_id
        and g.grantee_id = (select auth.uid()) and g.status = 'active' and g.expires_at > now()) $$""",
        (
            """create function app.may(profile_id uuid) returns boolean language sql stable security definer
            set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = may.profile_id
            and g.grantee_id = (select auth.uid())) $$""",
            """create function app.may(p_profile_id uuid) returns boolean language sql stable security definer
            set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = p_profile_id) $$""",
        ),
    ),
    Case(
        "anon_security_definer_function_executable",
        "public.read_notes(uuid)",
        """create function public.read_notes(p_profile uuid) returns setof public.notes language plpgsql
        security definer set search_path = '' as $$
        begin return query select n.* from public.notes n where n.profile_id = p_profile; end $$;
        revoke execute on function public.read_notes(uuid) from public""",
        (
            """create function public.read_notes(p_profile uuid) returns setof public.notes language plpgsql
            security definer set search_path = '' as $$
            begin return query select n.* from public.notes n
            where n.profile_id = p_profile and n.profile_id in (select app.granted()); end $$""",
            """create function public.code_list() returns setof public.codes language sql security definer
            set search_path = '' as $$ select * from public.codes $$""",
            """create function public.read_notes(p_profile uuid) returns setof public.notes language sql
            security definer set search_path = '' as $$ select * from public.notes $$;
            revoke execute on function public.read_notes(uuid) from public, anon, authenticated""",
            """create table app.links (profile_id uuid, token_sha256 text);
            create function public.open_link(token text) returns setof public.notes language sql
            security definer set search_path = '' as $$ select n.* from public.notes n join app.links l
            on l.profile_id = n.profile_id where l.token_sha256 = encode(sha256(token::bytea), 'hex') $$""",
            # The API serves functions, no procedures.
            """create procedure public.tidy() language sql security definer set search_path = ''
            as $$ delete from public.notes where body is null $$""",
        ),
    ),
    Case(
        # No letter box: policies believe the rows.
        "anon_security_definer_function_executable",
        "public.enrol(uuid, text)",
        """create table public.crew (holder uuid, ship text, primary key (holder, ship));
        create table public.cargo (id uuid primary key, ship text);
        alter table public.crew enable row level security;
        alter table public.cargo enable row level security;
        create policy crew_select on public.crew for select to authenticated using (true);
        create policy crew_update on public.crew for update to authenticated using (false);
        create policy cargo_select on public.cargo for select to authenticated
        using (ship in (select c.ship from public.crew c where c.holder = (select auth.uid())));
        create function public.enrol(holder uuid, ship text) returns void language sql security definer set search_path = ''
        as $$ insert into public.crew values (holder, ship) on conflict do nothing $$""",
        (
            """create table public.crew (holder uuid, ship text, primary key (holder, ship));
            alter table public.crew enable row level security;
            create function public.enrol(holder uuid, ship text) returns void language sql security definer set search_path = ''
            as $$ insert into public.crew values (holder, ship) $$""",
        ),
    ),
    Case(
        "authenticated_security_definer_function_executable",
        "app.purge(uuid)",
        """create function app.purge(p_profile uuid) returns void language sql security definer set search_path = ''
        as $$ delete from public.notes where profile_id = p_profile $$;
        create function public.purge(p_profile uuid) returns void language sql set search_path = ''
        as $$ select app.purge(p_profile) $$;
        revoke execute on function public.purge(uuid) from public, anon""",
        (
            """create function app.purge(p_profile uuid) returns void language sql security definer set search_path = ''
            as $$ delete from public.notes where profile_id = p_profile $$""",
        ),
    ),
    Case(
        "function_dynamic_sql",
        "public.sorted(text)",
        """create function public.sorted(by text) returns setof public.notes language plpgsql
        security definer set search_path = '' as $$
        begin
          if auth.uid() is null then raise exception 'no'; end if;
          return query execute format('select * from public.notes order by %s', by);
        end $$""",
        (
            """create function public.sorted(by text) returns setof public.notes language plpgsql
            security definer set search_path = '' as $$
            begin return query execute format('select * from public.notes order by %I', by); end $$""",
        ),
    ),
    Case(
        "security_definer_view",
        "public.all_notes",
        "create view public.all_notes as select * from public.notes",
        (
            "create view public.all_notes with (security_invoker = on) as select * from public.notes",
            "create view app.all_notes as select * from public.notes",
            "create view public.all_notes as select 1 as one",
            "create view public.all_notes as select title from public.codes; revoke insert, update, delete on public.all_notes from anon, authenticated",
            "create view public.all_notes as select * from public.notes; revoke all on public.all_notes from anon, authenticated",
        ),
    ),
    Case(
        "materialized_view_in_api",
        "public.note_counts",
        "create materialized view public.note_counts as select profile_id, count(*) from public.notes group by 1",
        ("create materialized view app.note_counts as select profile_id from public.notes",),
    ),
    Case(
        "auth_users_exposed",
        "public.people",
        "create view public.people as select id, email from auth.users",
        ("create view public.people with (security_invoker = true) as select id, email from auth.users",),
    ),
    Case(
        "foreign_table_in_api",
        "public.remote",
        """create foreign data wrapper w; create server s foreign data wrapper w;
        create foreign table public.remote (patient_id text) server s""",
        (
            """create foreign data wrapper w; create server s foreign data wrapper w;
            create foreign table app.remote (patient_id text) server s""",
        ),
    ),
    Case(
        "sensitive_columns_exposed",
        "public.codes",
        "alter table public.codes add column api_key text",
        (
            "alter table public.codes add column token_count int",
            "alter table public.codes add column api_key text; revoke select on public.codes from anon, authenticated;"
            " grant select (code, title) on public.codes to anon, authenticated",
        ),
    ),
    Case(
        "storage_policy_without_owner",
        "policy files on storage.objects",
        "create policy files on storage.objects for insert to authenticated with check (bucket_id = 'files')",
        (
            """create policy files on storage.objects for insert to authenticated with check (
            bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text)""",
            "create policy files on storage.objects for insert to service_role with check (bucket_id = 'files')",
            """create function app.shared_file(path text) returns boolean language sql stable security definer set search_path = ''
            as $$ select exists (select from public.notes n where n.id::text = split_part(path, '/', 2) and n.body = 'shared') $$;
            create policy files on storage.objects for select using (bucket_id = 'files' and app.shared_file(name))""",
        ),
    ),
    Case(
        "storage_policy_loose_path",
        "policy files on storage.objects",
        """create policy files on storage.objects for select to authenticated
        using (bucket_id = 'files' and position((select auth.uid())::text in name) > 0)""",
        (
            """create policy files on storage.objects for select to authenticated
            using (bucket_id = 'files' and name like (select auth.uid())::text || '/%')""",
        ),
    ),
    Case(
        "storage_bucket_public",
        "bucket files",
        """insert into storage.buckets (id, name, public) values ('files', 'files', true);
        create policy files on storage.objects for select to authenticated
        using (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text)""",
        ("insert into storage.buckets (id, name, public) values ('files', 'files', true)",),
    ),
    Case(
        "public_bucket_allows_listing",
        "policy files on storage.objects",
        """insert into storage.buckets (id, name, public) values ('files', 'files', true);
        create policy files on storage.objects for select to anon using (bucket_id = 'files')""",
        ("insert into storage.buckets (id, name, public) values ('files', 'files', true)",),
    ),
    Case(
        "realtime_policy_without_topic",
        "policy listen on realtime.messages",
        "create policy listen on realtime.messages for select to authenticated using (extension = 'broadcast')",
        (
            """create policy listen on realtime.messages for select to authenticated
            using ((select realtime.topic()) in (select 'p:' || app.granted()))""",
        ),
    ),
    Case(
        "schema_create_granted",
        "schema public",
        "grant create on schema public to public",
        ("grant create on schema app to authenticated",),
    ),
    Case(
        "policy_compares_wrong_id",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using (profile_id = (select auth.uid()))",
        (
            """create table public.accounts (id uuid primary key references auth.users (id));
            create table public.letters (id int, account_id uuid references public.accounts (id));
            create policy p on public.letters using (account_id = (select auth.uid()))""",
            """alter policy notes_select on public.notes
            using (profile_id = ((select auth.jwt()) -> 'app_metadata' ->> 'profile_id')::uuid)""",
            """alter policy notes_select on public.notes
            using (profile_id = (select p.id from public.profiles p where p.owner_id = (select auth.uid())))""",
        ),
    ),
    Case(
        "policy_recursion",
        "policy grants_select on public.grants",
        """alter policy grants_select on public.grants using (exists (
          select from public.profiles p where p.id = grants.profile_id and p.owner_id = (select auth.uid())));
        alter policy profiles_select on public.profiles using (exists (
          select from public.grants g where g.profile_id = profiles.id and g.grantee_id = (select auth.uid())))""",
        (
            """alter policy grants_select on public.grants using (exists (
              select from public.profiles p where p.id = grants.profile_id and p.owner_id = (select auth.uid())))""",
        ),
    ),
    Case(
        "function_body_broken",
        "app.log_it()",
        """create function app.log_it() returns trigger language plpgsql set search_path = '' as $$
        begin insert into public.notes (id, profil_id) values (new.id, new.profile_id); return new; end $$;
        create trigger log_it after insert on public.grants for each row execute function app.log_it()""",
        (
            """create function app.later() returns void language plpgsql set search_path = '' as $$
            declare one record;
            begin
              create temporary table scratch (id int);
              for one in select n.id, n.body from public.notes n loop insert into pg_temp.scratch values (1); end loop;
            end $$""",
            """create function app.up() returns void language plpgsql set search_path = '' as $$
            declare excluded_id uuid;
            begin
              with gone as (delete from public.notes n where n.body = '' returning n.id)
              select gone.id into excluded_id from gone;
              insert into public.codes (code, title) values ('a', 'b')
              on conflict (code) do update set title = excluded.title;
            end $$""",
        ),
    ),
    Case(
        "policy_trusts_token_claim",
        "policy notes_select on public.notes",
        """alter policy notes_select on public.notes
        using (profile_id = ((select auth.jwt()) -> 'app_metadata' ->> 'profile_id')::uuid)""",
        (
            "alter policy notes_select on public.notes using (written_by = (select (auth.jwt() ->> 'sub')::uuid))",
            """create function app.can(what text) returns boolean language sql stable security definer set search_path = ''
            as $$ select exists (select from public.codes c where c.code = what and c.title = auth.jwt() ->> 'user_role') $$;
            alter policy notes_select on public.notes using ((select app.can('read')))""",
        ),
    ),
    Case(
        "function_search_path_mutable",
        "app.owned()",
        "alter function app.owned() reset search_path",
        (
            "create function app.f() returns int language sql as $$ select 1 $$",
            "create function app.f() returns bigint language sql security definer begin atomic select count(*) from public.codes; end",
        ),
    ),
    Case(
        "policy_function_per_row",
        "app.may(uuid)",
        """create function app.may(p uuid) returns boolean language sql stable security definer set search_path = ''
        as $$ select p in (select app.granted()) $$;
        alter policy notes_select on public.notes using (app.may(profile_id));
        alter policy notes_update on public.notes using (app.may(profile_id))""",
        (
            "alter policy notes_select on public.notes using (lower(body) = 'x' and profile_id in (select app.owned()))",
        ),
    ),
    Case(
        "policy_column_unindexed",
        "public.notes.profile_id",
        "drop index public.notes_profile_id_idx",
        (
            "drop index public.notes_profile_id_idx; create index on public.notes (profile_id, body)",
            """drop index public.notes_profile_id_idx; drop policy notes_update on public.notes;
            create function app.staff() returns boolean language sql stable set search_path = ''
            as $$ select (select auth.jwt()) ->> 'aal' = 'aal2' $$;
            alter policy notes_select on public.notes using (profile_id in (select app.owned()) or (select app.staff()))""",
        ),
    ),
    Case(
        "auth_rls_initplan",
        "public.grants",
        """create function app.is(who uuid, what text) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.grantee_id = who) $$;
        alter policy grants_select on public.grants
        using (grantee_id = auth.uid() or app."is"((select auth.uid()), 'a (b')  or app."is"(auth.uid(), 'c'))""",
        (
            "alter policy grants_select on public.grants using (profile_id in (select app.granted()))",
            "create policy more on public.codes for insert to authenticated with check (title = auth.uid()::text)",
        ),
    ),
    Case(
        "multiple_permissive_policies",
        "public.notes",
        "create policy second on public.notes for all to authenticated using (written_by = (select auth.uid()))",
        (
            "create policy second on public.notes as restrictive for select using (body is not null)",
            "create policy second on public.notes for select to service_role using (true)",
        ),
    ),
    Case(
        "rls_enabled_no_policy",
        "public.quiet",
        "create table public.quiet (id int); alter table public.quiet enable row level security",
        (
            """create table public.quiet (id int); alter table public.quiet enable row level security;
            revoke all on public.quiet from anon, authenticated""",
        ),
    ),
)
