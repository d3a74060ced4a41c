"""The same fault in other forms: behind functions, through variables, by writing, in three-valued logic."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from tests.tools.rls.reading import Connection, findings_of

DEFINER = "language plpgsql security definer set search_path = '' as $$"


def objects(family: Connection, sql: LiteralString, rule: str) -> list[str]:
    family.execute(sql)
    return [finding.object for finding in findings_of(family) if finding.rule == rule]


@pytest.mark.parametrize(
    "condition",
    [
        "not ((select auth.uid()) is not null) or profile_id in (select app.owned())",
        "coalesce((select auth.uid()) is null, false) or written_by = auth.uid()",
        "(auth.jwt() ->> 'sub') is null or written_by = auth.uid()",
        "auth.uid() is not distinct from null or written_by = auth.uid()",
        "case when auth.uid() is null then true else written_by = auth.uid() end",
        "app.visitor() or written_by = auth.uid()",
    ],
)
def test_a_policy_that_is_true_without_a_user_is_found_however_it_is_written(
    family: Connection, condition: LiteralString
) -> None:
    family.execute(
        "create function app.visitor() returns boolean language sql stable as $$ select auth.uid() is null $$"
    )
    family.execute("alter policy notes_select on public.notes to public using (" + condition + ")")
    assert objects(family, "", "rls_policy_null_auth_disjunct") == ["policy notes_select on public.notes"]


@pytest.mark.parametrize(
    "condition",
    [
        "written_by = auth.uid() or auth.uid() = written_by",
        "auth.uid() is null and written_by is null",
        "(auth.jwt() ->> 'sub') is not null",
        "coalesce(auth.uid() = written_by, false)",
    ],
)
def test_a_policy_that_needs_a_user_or_a_certain_row_is_not(
    family: Connection, condition: LiteralString
) -> None:
    family.execute("alter policy notes_select on public.notes to public using (" + condition + ")")
    assert objects(family, "", "rls_policy_null_auth_disjunct") == []


def test_a_function_that_only_asks_whether_somebody_is_signed_in_asks_nobody(family: Connection) -> None:
    sql = (
        """create function public.take_note(p_note uuid, p_body text) returns void """
        + DEFINER
        + """
        declare caller uuid := auth.uid();
        begin
          if caller is null then raise exception 'sign in'; end if;
          update public.notes set body = p_body, written_by = caller where id = p_note;
        end $$;
        create function public.take_mine(p_note uuid, p_body text) returns void """
        + DEFINER
        + """
        declare caller uuid := auth.uid();
        begin
          if caller is null then raise exception 'sign in'; end if;
          update public.notes set body = p_body where id = p_note and written_by = caller;
        end $$;
        create function public.add_note(p_profile uuid, p_body text) returns void """
        + DEFINER
        + """
        begin
          if auth.uid() is null then raise exception 'sign in'; end if;
          if not exists (select from app.owned() o where o = p_profile) then raise exception 'no'; end if;
          insert into public.notes (id, profile_id, body) values (gen_random_uuid(), p_profile, p_body);
        end $$"""
    )
    found = objects(family, sql, "anon_security_definer_function_executable")
    assert found == ["public.take_note(uuid, text)"]


def test_sql_that_is_put_together_in_a_variable_is_dynamic_sql(family: Connection) -> None:
    sql = (
        """create function public.sorted(by text) returns setof public.notes """
        + DEFINER
        + """
        declare query text; clause text;
        begin
          clause := ' order by ' || by;
          query := 'select * from public.notes where written_by = auth.uid()' || clause;
          return query execute query;
        end $$;
        create function public.safe(by text) returns setof public.notes """
        + DEFINER
        + """
        declare query text;
        begin
          query := 'select * from public.notes where written_by = auth.uid() order by ' || quote_ident(by);
          return query execute query;
        end $$"""
    )
    assert objects(family, sql, "function_dynamic_sql") == ["public.sorted(text)"]


def test_a_view_that_shows_nothing_new_is_found_when_it_passes_writes_on(family: Connection) -> None:
    sql = "create view public.titles as select code, title from public.codes"
    assert objects(family, sql, "security_definer_view") == ["public.titles"]
    family.execute("insert into public.codes values ('a', 'b'); set local role anon")
    assert family.execute("update public.titles set title = 'c'").rowcount == 1
    family.execute("reset role")
    finding = next(f for f in findings_of(family) if f.rule == "security_definer_view")
    assert "anon: INSERT, UPDATE, DELETE" in finding.evidence
    family.execute(finding.fix.encode())
    assert objects(family, "", "security_definer_view") == []


def test_policies_that_ask_each_other_through_a_function_of_the_caller_are_found_before_it_happens(
    family: Connection,
) -> None:
    sql = """create function app.shared(p uuid) returns boolean language plpgsql stable set search_path = '' as $$
        begin return exists (select from public.grants g where g.profile_id = p and g.grantee_id = auth.uid()); end $$;
        alter policy grants_select on public.grants using (app.shared(profile_id))"""
    assert objects(family, sql, "policy_recursion") == ["policy grants_select on public.grants"]
    family.execute("insert into auth.users (id) values (gen_random_uuid())")
    family.execute("insert into public.profiles (id, owner_id) select gen_random_uuid(), id from auth.users")
    family.execute(
        "insert into public.grants (id, profile_id, grantee_id) select gen_random_uuid(), id, owner_id from public.profiles"
    )
    family.execute("set local max_stack_depth = '1MB'; set local role authenticated")
    with pytest.raises(psycopg.errors.StatementTooComplex):
        family.execute("select count(*) from public.grants")


def test_a_policy_without_an_expression_lets_nothing_through(family: Connection) -> None:
    sql = "create policy hollow on public.codes for insert to authenticated"
    assert objects(family, sql, "policy_never_true") == ["policy hollow on public.codes"]
    family.execute("set local role authenticated")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        family.execute("insert into public.codes values ('x', 'y')")


def test_every_name_of_a_body_that_will_fail_is_told_and_the_database_agrees(family: Connection) -> None:
    sql = """create function app.mine(profile_id uuid) returns table (body text) language plpgsql stable set search_path = '' as $$
        begin
          return query select n.body from public.notes n where profile_id = mine.profile_id and app.gone(n.id);
        end $$;
        create function app.stamp() returns trigger language plpgsql set search_path = '' as $$
        begin new.changed_at := now(); return new; end $$;
        create trigger stamp before update on public.codes for each row execute function app.stamp();
        create function app.fine(p_profile uuid) returns table (body text, written uuid) language plpgsql set search_path = '' as $$
        declare total int;
        begin
          insert into public.notes (id, profile_id, body) values (gen_random_uuid(), p_profile, body) returning id into written;
          select count(*) into total from public.notes n where n.profile_id = p_profile;
          return query select n.body, n.written_by as written from public.notes n where n.profile_id = p_profile order by written;
        end $$"""
    assert objects(family, sql, "function_body_broken") == ["app.mine(uuid)", "app.stamp()"]
    mine, stamp = (f for f in findings_of(family) if f.rule == "function_body_broken")
    assert "app.gone()" in mine.message
    assert "profile_id (a variable and public.notes.profile_id)" in mine.message
    assert "NEW.changed_at (of public.codes)" in stamp.message
    assert "UPDATE of public.codes fails there" in stamp.message
    with family.transaction(force_rollback=True), pytest.raises(psycopg.errors.AmbiguousColumn):
        family.execute(
            "create function app.gone(uuid) returns boolean language sql as 'select true'; select app.mine(null)"
        )
    with family.transaction(force_rollback=True):
        family.execute("insert into auth.users (id) values (gen_random_uuid())")
        family.execute(
            "insert into public.profiles (id, owner_id) select gen_random_uuid(), id from auth.users"
        )
        family.execute("select app.fine(id) from public.profiles")
    family.execute("insert into public.codes values ('a', 'b')")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        family.execute("update public.codes set title = 'c'")


def test_a_function_that_sends_the_callers_text_to_another_server_asks_nobody(family: Connection) -> None:
    family.execute("set local check_function_bodies = off")
    sql = (
        """create function public.remove_file(bucket text, path text) returns void """
        + DEFINER
        + """
        begin perform extensions.http_delete('http://storage/object/' || bucket || '/' || path); end $$;
        create function public.remove_mine(path text) returns void """
        + DEFINER
        + """
        begin perform extensions.http_delete('http://storage/object/' || auth.uid()::text || '/' || path); end $$;
        create function public.ping() returns void """
        + DEFINER
        + """
        begin perform extensions.http_get('http://health'); end $$"""
    )
    found = objects(family, sql, "anon_security_definer_function_executable")
    assert found == ["public.remove_file(text, text)"]


@pytest.mark.parametrize(
    "condition",
    [
        "(select auth.jwt()) -> 'app_metadata' -> 'profiles' ? profile_id::text",
        "profile_id::text in (select jsonb_array_elements_text((select auth.jwt()) -> 'app_metadata' -> 'profiles'))",
        "profile_id::text = any (array(select jsonb_array_elements_text(auth.jwt() -> 'app_metadata' -> 'profiles')))",
        "auth.jwt() -> 'app_metadata' -> 'profiles' @> to_jsonb(profile_id::text)",
    ],
)
def test_a_list_in_the_token_is_believed_like_a_single_claim(
    family: Connection, condition: LiteralString
) -> None:
    sql = (
        "alter policy notes_select on public.notes using (written_by = (select auth.uid()) or "
        + condition
        + ")"
    )
    assert objects(family, sql, "policy_trusts_token_claim") == ["policy notes_select on public.notes"]


def test_who_signs_up_chooses_the_row_that_becomes_his(family: Connection) -> None:
    sql: LiteralString = """
    create function app.adopt() returns trigger language plpgsql security definer set search_path = '' as $$
    begin
      update public.profiles set owner_id = new.id where id::text = new.raw_user_meta_data ->> 'profile';
      return null;
    end $$;
    create trigger adopt after insert on auth.users for each row execute function app.adopt();
    """
    assert objects(family, sql, "rls_references_user_metadata") == ["app.adopt()"]
