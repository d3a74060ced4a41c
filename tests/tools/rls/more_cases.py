"""Further cases for the rules, over the same little schema: what breaks it, and what only looks like it."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from tests.tools.rls.cases import Case

VECTOR_INDEX = """create domain extensions.vector as text; create access method hnsw type index handler hashhandler;
create operator class extensions.nearest default for type text using hnsw as
operator 1 =(text, text), function 1 pg_catalog.hashtext(text);
alter table public.notes add column embedding extensions.vector;
"""

MEMBERS = """create table public.members (family_id uuid, user_id uuid references auth.users (id), role text, nickname text,
  primary key (family_id, user_id));
create index on public.members (user_id);
alter table public.members enable row level security;
create function app.has_role(family uuid, wanted text[]) returns boolean language sql stable security definer set search_path = '' as
$$ select exists (select from public.members m where m.family_id = family and m.user_id = (select auth.uid()) and m.role = any (wanted)) $$;
create policy members_select on public.members for select to authenticated using (user_id = (select auth.uid()));
"""
ROLE_OF = """create table public.families (id uuid primary key);
alter table public.families enable row level security;
create function app.role_of(family uuid) returns text language sql stable security definer set search_path = '' as
$$ select m.role from public.members m where m.family_id = family and m.user_id = (select auth.uid()) $$;
"""
REMARKS = """create table public.remarks (id uuid primary key, profile_id uuid not null references public.profiles (id), note_id uuid, body text);
create index on public.remarks (profile_id);
alter table public.remarks enable row level security;
create policy remarks_select on public.remarks for select to authenticated using (profile_id = any (array(select app.owned())));
create policy remarks_insert on public.remarks for insert to authenticated with check (profile_id = any (array(select app.owned())));
"""

# Three tables that decide about access, of which two are granted by column.
_TEAMS = """create table public.teams (id uuid primary key, profile_id uuid not null references public.profiles (id),
member_id uuid not null references auth.users (id), ended_at timestamptz);
alter table public.teams enable row level security;
create policy teams_update on public.teams for update to authenticated
using (profile_id = any (array(select app.owned())));
create function app.teamed() returns setof uuid language sql stable security definer set search_path = ''
as $$ select t.profile_id from public.teams t where t.member_id = (select auth.uid()) and t.ended_at is null $$;
alter policy notes_select on public.notes using (profile_id = any (array(select app.granted()))
or profile_id = any (array(select app.teamed())));
create policy profiles_update on public.profiles for update to authenticated
using (owner_id = (select auth.uid()));
revoke update on public.profiles, public.teams from authenticated;
grant update (name) on public.profiles to authenticated;
grant update (ended_at) on public.teams to authenticated;
"""

MORE = (
    Case(
        # The caller stands in a variable, as people write it in PL/pgSQL.
        "policy_lifecycle_missing",
        "policy notes_select on public.notes",
        """create or replace function app.granted() returns setof uuid language plpgsql stable security definer
        set search_path = '' as $$ declare me constant uuid := (select auth.uid()); begin
        return query select g.profile_id from public.grants g where g.grantee_id = me and g.status = 'active'
        and g.expires_at > now(); end $$;
        alter policy notes_select on public.notes using (profile_id in (select g.profile_id from public.grants g
        where g.grantee_id = (select auth.uid()) and g.expires_at > now()))""",
        (
            """create or replace function app.granted() returns setof uuid language plpgsql stable security definer
            set search_path = '' as $$ declare me uuid := auth.uid(); begin
            return query select g.profile_id from public.grants g where g.grantee_id = me and g.status = 'active'
            and g.expires_at > now(); end $$""",
        ),
    ),
    Case(
        "function_opens_untested_state",
        "app.accept(uuid)",
        """create function app.accept(wanted uuid) returns void language plpgsql security definer
        set search_path = '' as $$ begin update public.grants g set status = 'active'
        where g.id = wanted and g.grantee_id = (select auth.uid()) and g.expires_at > now(); end $$""",
        (
            """create function app.accept(wanted uuid) returns void language plpgsql security definer
            set search_path = '' as $$ begin update public.grants g set status = 'active'
            where g.id = wanted and g.grantee_id = (select auth.uid()) and g.expires_at > now() and g.status = 'pending'; end $$""",
            """create function app.accept(wanted uuid) returns void language plpgsql security definer
            set search_path = '' as $$ begin update public.grants g set status = 'revoked'
            where g.id = wanted and g.grantee_id = (select auth.uid()); end $$""",
            """create function app.accept(wanted uuid) returns void language plpgsql security definer
            set search_path = '' as $$ declare it public.grants; begin
            select g.* into it from public.grants g where g.id = wanted and g.grantee_id = (select auth.uid());
            if it.status <> 'pending' or it.expires_at < now() then raise exception 'no'; end if;
            update public.grants set status = 'active' where id = wanted; end $$""",
        ),
    ),
    Case(
        "function_opens_untested_state",
        "app.accept(uuid)",
        """create function app.accept(wanted uuid) returns void language plpgsql security definer
        set search_path = '' as $$ begin update public.grants g set status = 'active'
        where g.id = wanted and g.grantee_id = (select auth.uid()) and g.status = 'pending'; end $$""",
        (
            """create function app.accept(wanted uuid) returns void language plpgsql
        set search_path = '' as $$ begin update public.grants g set status = 'active'
        where g.id = wanted and g.grantee_id = (select auth.uid()) and g.status = 'pending'; end $$""",
        ),
    ),
    Case(
        "access_table_update_unlimited",
        "public.grants",
        _TEAMS,
        (
            # Nobody granted by column: that is the schema's way.
            """create policy profiles_update on public.profiles for update to authenticated
            using (owner_id = (select auth.uid()))""",
            _TEAMS
            + """revoke update on public.grants from authenticated;
            grant update (status) on public.grants to authenticated""",
        ),
    ),
    Case(
        "policy_admits_ended",
        "app.granted()",
        """create or replace function app.granted() returns setof uuid language sql stable security definer
        set search_path = '' as $$ select g.profile_id from public.grants g where g.grantee_id = (select auth.uid())
        and g.status in ('active', 'revoked') and g.expires_at > now() $$""",
        (
            """create or replace function app.granted() returns setof uuid language sql stable security definer
            set search_path = '' as $$ select g.profile_id from public.grants g where g.grantee_id = (select auth.uid())
            and g.status in ('active', 'trial') and g.status not in ('revoked') and g.expires_at > now() $$""",
            # A person's own list of grants, past ones as well, opens no profile.
            """alter policy grants_select on public.grants
            using (grantee_id = (select auth.uid()) and status in ('active', 'revoked'))""",
            # What is one's own may be read in every state.
            """alter table public.profiles add status text;
            alter policy notes_insert on public.notes with check (profile_id in (select p.id from public.profiles p
            where p.owner_id = (select auth.uid()) and p.status in ('active', 'closed')))""",
        ),
    ),
    Case(
        "policy_admits_ended",
        "app.live",
        """create view app.live with (security_invoker = true) as select * from public.grants
        where status = 'active' or status = 'suspended';
        create or replace function app.granted() returns setof uuid language sql stable security definer
        set search_path = '' as $$ select g.profile_id from app.live g where g.grantee_id = (select auth.uid())
        and g.expires_at > now() $$""",
        (
            # The word stands for those who are left out.
            """create view app.live with (security_invoker = true) as select * from public.grants
            where status = 'active' and status <> 'suspended';
            create or replace function app.granted() returns setof uuid language sql stable security definer
            set search_path = '' as $$ select g.profile_id from app.live g where g.grantee_id = (select auth.uid())
            and g.expires_at > now() $$""",
        ),
    ),
    Case(
        "policy_ignores_caller",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using ((select auth.uid()) is not null and body <> '')",
        (
            "alter table public.notes add column is_public boolean; alter policy notes_select on public.notes using (is_public)",
            "alter policy notes_select on public.notes using (written_by is null)",
            "alter table public.notes add column sharing text; alter policy notes_select on public.notes using (sharing <> 'private')",
            "alter policy notes_select on public.notes using (body <> '' and profile_id in (select app.granted()))",
            "alter policy codes_select on public.codes using (title <> '')",
            "alter policy notes_select on public.notes using (exists (select 1 from public.profiles p where p.id = notes.profile_id))",
            "alter policy notes_select on public.notes using (current_user = 'clerk' and body <> '')",
            "alter policy notes_select on public.notes using (body = 'x'); revoke select on public.notes from authenticated",
            # What belongs to no ward is for all of them.
            """create table public.wards (id uuid primary key, lead_id uuid references auth.users (id));
            create table public.tips (id uuid primary key, ward_id uuid references public.wards (id), body text);
            alter table public.tips enable row level security;
            create policy r on public.tips for select to authenticated using (ward_id is null
              or ward_id in (select w.id from public.wards w where w.lead_id = (select auth.uid())))""",
        ),
    ),
    Case(
        "policy_lookup_without_caller",
        "policy notes_select on public.notes",
        """alter table public.profiles add column role text;
        alter policy notes_select on public.notes using (exists (select 1 from auth.users u where u.raw_app_meta_data ->> 'role' = 'admin'))""",
        (
            """alter policy notes_select on public.notes using (exists (select 1 from auth.users u
              where u.id = (select auth.uid()) and u.raw_app_meta_data ->> 'role' = 'admin'))""",
            """alter policy notes_select on public.notes using (exists (select 1 from public.profiles p where p.name = 'x'))""",
            """alter policy notes_select on public.notes using (exists (select 1 from auth.users u where u.id = notes.written_by))""",
            "alter policy codes_select on public.codes using (exists (select 1 from public.codes c where c.title = 'open'))",
        ),
    ),
    Case(
        "policy_negative_lookup_hidden",
        "policy notes_select on public.notes",
        """create table public.blocks (blocker_id uuid references auth.users (id), blocked_id uuid references auth.users (id));
        create index on public.blocks (blocker_id); create index on public.blocks (blocked_id);
        alter table public.blocks enable row level security;
        create policy own on public.blocks for select to authenticated using (blocker_id = (select auth.uid()));
        alter policy notes_select on public.notes using (profile_id = any (array(select app.granted())) and not exists (
          select 1 from public.blocks b where b.blocker_id = notes.written_by and b.blocked_id = (select auth.uid())))""",
        (
            """create table public.blocks (blocker_id uuid references auth.users (id), blocked_id uuid references auth.users (id));
            alter table public.blocks enable row level security;
            create policy own on public.blocks for select to authenticated using ((select auth.uid()) in (blocker_id, blocked_id));
            create policy named on public.blocks for select to authenticated using (blocked_id = (select auth.uid()));
            alter policy notes_select on public.notes using (profile_id = any (array(select app.granted())) and not exists (
              select 1 from public.blocks b where b.blocker_id = notes.written_by and b.blocked_id = (select auth.uid())))""",
            """create table app.blocks (blocker_id uuid, blocked_id uuid);
            create function app.blocked_by(who uuid) returns boolean language sql stable security definer set search_path = ''
            as $$ select exists (select from app.blocks b where b.blocker_id = who and b.blocked_id = (select auth.uid())) $$;
            alter policy notes_select on public.notes using (profile_id = any (array(select app.granted())) and not app.blocked_by(written_by))""",
        ),
    ),
    Case(
        "policy_trusts_request_header",
        "app.tenant()",
        """create function app.tenant() returns text language sql stable set search_path = ''
        as $$ select current_setting('request.headers', true)::json ->> 'x-profile-id' $$;
        alter policy notes_select on public.notes using (profile_id = (select app.tenant())::uuid)""",
        (
            """create table app.shares (profile_id uuid, share_token text);
            create function app.shared() returns setof uuid language sql stable security definer set search_path = ''
            as $$ select s.profile_id from app.shares s where s.share_token = current_setting('request.headers', true)::json ->> 'x-share' $$;
            alter policy notes_select on public.notes using (profile_id in (select app.shared()))""",
            """create function app.agent() returns text language sql stable set search_path = ''
            as $$ select current_setting('request.headers', true)::json ->> 'user-agent' $$""",
        ),
    ),
    Case(
        "policy_matches_callers_pattern",
        "policy notes_select on public.notes",
        "alter table public.notes add column email text; alter policy notes_select on public.notes using (email ilike (select auth.email()))",
        (
            "alter table public.notes add column email text; alter policy notes_select on public.notes using (lower(email) = lower((select auth.email())))",
            "alter policy notes_select on public.notes using (body like (select auth.uid())::text || '/%')",
        ),
    ),
    Case(
        "policy_never_true",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using ((select auth.role()) = 'member' and profile_id in (select app.granted()))",
        (
            "alter policy notes_select on public.notes using (false)",
            "alter policy notes_select on public.notes using ((select auth.role()) = 'service_role')",
            "alter policy notes_select on public.notes using (body = 'a' or body = 'b')",
            "alter policy notes_select on public.notes using ((select auth.role()) in ('authenticated', 'clerk') and profile_id in (select app.granted()))",
        ),
    ),
    Case(
        "policy_only_restrictive",
        "public.box",
        """create table public.box (id int); alter table public.box enable row level security;
        create policy mfa on public.box as restrictive to authenticated using ((select auth.jwt()) ->> 'aal' = 'aal2')""",
        (
            "create policy mfa on public.notes as restrictive to authenticated using ((select auth.jwt()) ->> 'aal' = 'aal2')",
        ),
    ),
    Case(
        "policy_restrictive_without_effect",
        "policy floor on public.notes",
        "create policy floor on public.notes as restrictive to authenticated using (true)",
        (
            "create policy floor on public.notes as restrictive using ((select auth.uid()) is not null)",
            "create policy floor on public.notes as restrictive to service_role using (true)",
        ),
    ),
    Case(
        "policy_without_privilege",
        "policy notes_update on public.notes",
        "revoke update on public.notes from authenticated",
        (
            "revoke update on public.notes from authenticated; grant update (body) on public.notes to authenticated",
            "create table app.box (id int); alter table app.box enable row level security; create policy p on app.box to authenticated using (id = 1)",
            "create policy p on public.codes to service_role using (title = 'x')",
        ),
    ),
    Case(
        "vector_search_bypasses_rls",
        "public.match_notes(extensions.vector, integer)",
        """create domain extensions.vector as text; set local check_function_bodies = off;
        alter table public.notes add column embedding extensions.vector;
        create function public.match_notes(query_embedding extensions.vector, match_count integer) returns setof public.notes
        language sql stable security definer set search_path = '' as $$
          select n.* from public.notes n order by n.embedding operator(extensions.<=>) query_embedding limit match_count $$""",
        (
            """create domain extensions.vector as text; set local check_function_bodies = off;
            alter table public.notes add column embedding extensions.vector;
            create function public.match_notes(query_embedding extensions.vector) returns setof public.notes
            language sql stable set search_path = '' as $$
              select n.* from public.notes n order by n.embedding operator(extensions.<=>) query_embedding limit 5 $$""",
            """create domain extensions.vector as text; set local check_function_bodies = off;
            alter table public.notes add column embedding extensions.vector;
            create function public.match_notes(query_embedding extensions.vector) returns setof public.notes
            language sql stable security definer set search_path = '' as $$
              select n.* from public.notes n where n.profile_id in (select app.granted())
              order by n.embedding operator(extensions.<=>) query_embedding limit 5 $$""",
        ),
    ),
    Case(
        "vector_index_post_filtered",
        "public.notes",
        VECTOR_INDEX + "create index on public.notes using hnsw (embedding)",
        (
            VECTOR_INDEX + "create index on public.notes using hnsw (embedding) where body = 'x'",
            VECTOR_INDEX
            + "alter table public.codes add column embedding extensions.vector; create index on public.codes using hnsw (embedding)",
        ),
    ),
    Case(
        "view_calls_definer_function",
        "public.every_note",
        """create function app.every_note() returns setof public.notes language sql stable security definer set search_path = ''
        as $$ select * from public.notes $$;
        create view public.every_note with (security_invoker = true) as select * from app.every_note()""",
        (
            """create function app.mine() returns setof public.notes language sql stable security definer set search_path = ''
            as $$ select n.* from public.notes n where n.written_by = (select auth.uid()) $$;
            create view public.mine with (security_invoker = true) as select * from app.mine()""",
            """create function app.every_note() returns setof public.notes language sql stable security definer set search_path = ''
            as $$ select * from public.notes $$;
            create view app.every_note with (security_invoker = true) as select * from app.every_note()""",
        ),
    ),
    Case(
        "extension_in_public",
        "extension earthdistance",
        "create extension cube schema extensions; create extension earthdistance schema public",
        ("create extension cube schema extensions",),
    ),
    Case(
        "fkey_to_auth_unique",
        "public.people people_email_fkey",
        """alter table auth.users add constraint users_email_key unique (email);
        create table public.people (id int primary key, email text references auth.users (email));
        alter table public.people enable row level security; revoke all on public.people from anon, authenticated""",
        ("create table app.people (id uuid primary key references auth.users (id))",),
    ),
    Case(
        "insecure_queue_exposed_in_api",
        "pgmq.q_jobs",
        """create schema pgmq; grant usage on schema pgmq to authenticated;
        create table pgmq.q_jobs (msg_id bigint, message jsonb); grant select on pgmq.q_jobs to authenticated""",
        (
            """create schema pgmq; grant usage on schema pgmq to authenticated;
            create table pgmq.q_jobs (msg_id bigint, message jsonb)""",
            """create schema pgmq; grant usage on schema pgmq to authenticated; create table pgmq.meta (queue_name text);
            create table pgmq.q_jobs (msg_id bigint, message jsonb); grant select on pgmq.q_jobs, pgmq.meta to authenticated;
            alter table pgmq.q_jobs enable row level security""",
        ),
        exposed=("public", "pgmq_public"),
    ),
    Case(
        "pg_graphql_anon_table_exposed",
        "role anon",
        "grant select on public.grants, public.notes to anon",
        ("revoke select on public.grants, public.notes, public.profiles from anon",),
        extensions=("pg_graphql",),
    ),
    Case(
        "pg_graphql_authenticated_table_exposed",
        "role authenticated",
        """revoke select on public.grants, public.notes, public.profiles from anon; drop policy grants_select on public.grants""",
        (
            "revoke select on public.notes from anon",
            "drop policy grants_select on public.grants",
        ),
        extensions=("pg_graphql",),
    ),
    Case(
        "role_bypasses_rls",
        "role authenticated",
        "grant service_role to authenticated",
        ("grant authenticated to service_role",),
    ),
    Case(
        "rls_not_forced",
        "owner clerk",
        """create role clerk nologin; grant clerk to authenticated; alter table public.notes owner to clerk""",
        (
            "create role clerk nologin; alter table public.notes owner to clerk",
            "create role clerk nologin; grant clerk to authenticated; alter table public.notes owner to clerk; alter table public.notes force row level security",
        ),
    ),
    Case(
        "default_privileges_open",
        "default privileges of postgres in schema app",
        "alter default privileges in schema app grant select on tables to public",
        (
            "alter default privileges in schema app grant select on tables to service_role",
            "alter default privileges in schema app grant select on tables to authenticated",
        ),
    ),
    Case(
        "policy_function_immutable",
        "app.me()",
        """create function app.me() returns uuid language sql immutable set search_path = '' as $$ select auth.uid() $$;
        alter policy notes_select on public.notes using (written_by = (select app.me()))""",
        (
            """create function app.me() returns uuid language sql stable set search_path = '' as $$ select auth.uid() $$;
            alter policy notes_select on public.notes using (written_by = (select app.me()))""",
            """create function app.tidy(t text) returns text language sql immutable set search_path = '' as $$ select lower(t) $$;
            alter policy notes_select on public.notes using (app.tidy(body) = 'x' and written_by = (select auth.uid()))""",
        ),
    ),
    Case(
        "policy_column_wrapped",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using (written_by::text = (select auth.uid())::text)",
        (
            "alter policy notes_select on public.notes using (written_by = (select auth.uid()))",
            "alter policy notes_select on public.notes using (written_by::text = (select auth.uid())::text and profile_id = (select auth.uid()))",
            "create index on public.notes ((written_by::text)); alter policy notes_select on public.notes using (written_by::text = (select auth.uid())::text)",
            "alter table public.notes add column author text; alter policy notes_select on public.notes using (author = (select auth.uid())::text)",
        ),
    ),
    Case(
        "function_leakproof",
        "app.peek(text)",
        "create function app.peek(t text) returns boolean language sql immutable leakproof set search_path = '' as $$ select t = 'x' $$",
        (
            """create function app.peek(t text) returns boolean language sql immutable leakproof set search_path = '' as $$ select t = 'x' $$;
            revoke execute on function app.peek(text) from public, anon, authenticated""",
        ),
    ),
    Case(
        "storage_policy_without_bucket",
        "policy files on storage.objects",
        """insert into storage.buckets (id, name, public) values ('a', 'a', false), ('b', 'b', false);
        create policy files on storage.objects for select to authenticated
        using ((storage.foldername(name))[1] = (select auth.uid())::text)""",
        (
            """insert into storage.buckets (id, name, public) values ('a', 'a', false), ('b', 'b', false);
            create policy files on storage.objects for select to authenticated
            using (bucket_id in ('a', 'b') and (storage.foldername(name))[1] = (select auth.uid())::text)""",
            """insert into storage.buckets (id, name, public) values ('a', 'a', false);
            create policy files on storage.objects for select to authenticated
            using ((storage.foldername(name))[1] = (select auth.uid())::text)""",
        ),
    ),
    Case(
        "realtime_table_without_rls",
        "app.signals",
        """create table app.signals (id int primary key, profile_id uuid); grant select on app.signals to authenticated;
        alter publication supabase_realtime add table app.signals""",
        (
            "create table app.signals (id int primary key, profile_id uuid); grant select on app.signals to authenticated",
            """create table app.signals (id int primary key, profile_id uuid); alter publication supabase_realtime add table app.signals""",
            """create table app.signals (id int primary key, profile_id uuid); grant select on app.signals to authenticated;
            alter table app.signals enable row level security; alter publication supabase_realtime add table app.signals""",
        ),
    ),
    Case(
        "policy_compares_session_role",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using (body = current_user)",
        (
            "alter policy notes_select on public.notes using (current_user = 'authenticated' and profile_id in (select app.granted()))",
            "alter policy notes_select on public.notes to service_role using (body = current_user)",
        ),
    ),
    Case(
        "policy_raises_own_role",
        "policy members_update on public.members",
        MEMBERS
        + """create policy members_update on public.members for update to authenticated using (app.has_role(family_id, array['admin', 'owner']));
        create policy members_delete on public.members for delete to authenticated using (app.has_role(family_id, array['owner']))""",
        (
            MEMBERS
            + """create policy members_update on public.members for update to authenticated using (app.has_role(family_id, array['admin', 'owner']))
              with check (app.has_role(family_id, array['admin', 'owner']) and role in ('admin', 'member'));
            create policy members_delete on public.members for delete to authenticated using (app.has_role(family_id, array['owner']))""",
            MEMBERS
            + """create policy members_update on public.members for update to authenticated using (app.has_role(family_id, array['admin', 'owner']));
            create policy members_delete on public.members for delete to authenticated using (app.has_role(family_id, array['admin', 'owner']))""",
            MEMBERS
            + """create policy members_update on public.members for update to authenticated using (app.has_role(family_id, array['admin', 'owner']));
            create policy members_delete on public.members for delete to authenticated using (app.has_role(family_id, array['owner']));
            revoke update on public.members from authenticated, anon; grant update (nickname) on public.members to authenticated""",
        ),
    ),
    Case(
        # The helper gives the role, and the policies say which one they want.
        "policy_raises_own_role",
        "policy members_manage on public.members",
        MEMBERS
        + ROLE_OF
        + """create policy members_manage on public.members for all to authenticated using (app.role_of(family_id) in ('admin', 'owner'));
        create policy families_delete on public.families for delete to authenticated using (app.role_of(id) = 'owner')""",
        (
            MEMBERS
            + ROLE_OF
            + """create policy members_manage on public.members for all to authenticated using (app.role_of(family_id) = 'owner');
            create policy families_delete on public.families for delete to authenticated using (app.role_of(id) = 'owner')""",
        ),
    ),
    Case(
        "policy_second_parent_unchecked",
        "public.remarks",
        REMARKS + "alter table public.remarks add foreign key (note_id) references public.notes (id)",
        (
            REMARKS
            + "alter table public.notes add unique (profile_id, id); alter table public.remarks add foreign key (profile_id, note_id) references public.notes (profile_id, id)",
            REMARKS
            + """alter table public.remarks add foreign key (note_id) references public.notes (id);
            alter policy remarks_insert on public.remarks with check (profile_id = any (array(select app.owned()))
              and exists (select from public.notes n where n.id = remarks.note_id and n.profile_id = remarks.profile_id))""",
        ),
    ),
    Case(
        "policy_column_client_set",
        "policy orders_insert on public.orders",
        """create table public.orders (id uuid primary key, user_id uuid references auth.users (id), total numeric);
        alter table public.orders enable row level security; create index on public.orders (user_id);
        create policy orders_insert on public.orders for insert to authenticated with check (user_id = (select auth.uid()))""",
        (
            """create table public.products (id uuid primary key, user_id uuid references auth.users (id), price numeric);
            alter table public.products enable row level security;
            create policy own on public.products for insert to authenticated with check (user_id = (select auth.uid()))""",
            """create table public.orders (id uuid primary key, user_id uuid references auth.users (id), total numeric);
            alter table public.orders enable row level security;
            create policy orders_insert on public.orders for insert to authenticated with check (user_id = (select auth.uid()) and total is null)""",
            """create table public.orders (id uuid primary key, user_id uuid references auth.users (id), total numeric);
            alter table public.orders enable row level security;
            create policy orders_insert on public.orders for insert to authenticated with check (user_id = (select auth.uid()));
            revoke insert on public.orders from authenticated; grant insert (id, user_id) on public.orders to authenticated""",
        ),
    ),
    Case(
        "policy_column_client_set",
        "policy own on public.people",
        """create table public.people (id uuid primary key references auth.users (id), role text check (role in ('user', 'admin')));
        alter table public.people enable row level security;
        create policy own on public.people for update to authenticated using (id = (select auth.uid()))""",
        (
            """create table public.people (id uuid primary key references auth.users (id), role text check (role in ('patient', 'doctor')));
            alter table public.people enable row level security;
            create policy own on public.people for update to authenticated using (id = (select auth.uid()))""",
        ),
    ),
)
