"""Further cases for the rules, over the same little schema: what breaks it, and what only looks like it."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from tests.tools.rls.cases import Case

MORE = (
    Case(
        "policy_ignores_caller",
        "policy notes_select on public.notes",
        "alter policy notes_select on public.notes using ((select auth.uid()) is not null and body <> '')",
        (
            "alter table public.notes add column is_public boolean; alter policy notes_select on public.notes using (is_public)",
            "alter policy notes_select on public.notes using (written_by is null)",
            "alter policy notes_select on public.notes using (body <> '' and profile_id in (select app.granted()))",
            "alter policy codes_select on public.codes using (title <> '')",
            "alter policy notes_select on public.notes using (exists (select 1 from public.profiles p where p.id = notes.profile_id))",
            "alter policy notes_select on public.notes using (current_user = 'clerk' and body <> '')",
            "alter policy notes_select on public.notes using (body = 'x'); revoke select on public.notes from authenticated",
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
)
