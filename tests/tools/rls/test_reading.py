"""Reading SQL: PL/pgSQL bodies, expressions, ACLs."""

from __future__ import annotations

import pytest

from tools.rls import plpgsql
from tools.rls.bodies import body_of
from tools.rls.facts import expression, statements
from tools.rls.objects import Function
from tools.rls.privileges import closure, parse_acl

BODY = """
<<outer>>
declare
  -- a comment; with a semicolon
  mine uuid := auth.uid();
  total int default (select count(*) from app.a);
  c cursor for select x from app.b;
begin
  if not exists (select 1 from app.c) then raise exception 'no %', (select 1) using errcode = '42501';
  elsif mine is null then return; end if;
  for one in select * from app.d where e = case when mine is null then 1 else 2 end loop
    execute format('delete from %I', one.name) using mine;
  end loop;
  for i in 1..app.top() loop null; end loop;
  foreach k in array app.list() loop perform app.done(k); end loop;
  case mine when app.first() then null; else update app.f set g = 1; end case;
  select h, i into strict one.h, two from app.j where k = mine;
  insert into app.l (m) values (mine) returning n into total;
  one.o := app.q(case when mine is null then 1 end);
  begin delete from app.r; exception when others then null; end;
  return query select * from app.s;
  return query execute 'select ' || mine;
  return app.t(mine);
end outer;
"""


def function(body: str, language: str = "plpgsql") -> Function:
    return Function(
        1, "app", "f", language, "f", False, "v", "postgres", (), {}, (), (), "", "void", body, False
    )  # fmt: skip


def test_every_statement_of_a_plpgsql_body_is_read() -> None:
    body = body_of(function(BODY))
    assert body.complete
    read = {f"{source.schema}.{source.name}" for facts in body.facts for source in facts.sources()}
    assert read == {f"app.{name}" for name in ("a", "b", "c", "d", "f", "j", "l", "r", "s")}
    called = {f"{call.schema}.{call.name}" for facts in body.facts for call in facts.calls}
    assert {"auth.uid", "app.top", "app.list", "app.done", "app.first", "app.q", "app.t"} <= called
    assert {command for facts in body.facts for command, _ in facts.written} == {"INSERT", "UPDATE", "DELETE"}
    assert len(body.dynamic) == 2


def test_a_select_into_keeps_its_from_clause() -> None:
    source = plpgsql.read("begin select a into strict x.y, z from app.t where b = 1; end")
    assert source is not None
    assert source.statements == ["select a from app.t where b = 1"]


@pytest.mark.parametrize("text", ["select 'open", "begin $$ end"])
def test_a_body_that_cannot_be_read_is_incomplete_and_no_error(text: str) -> None:
    assert not body_of(function(text)).complete


def test_other_languages_are_incomplete() -> None:
    assert not body_of(function("return 1", "plv8")).complete


def test_nesting_beyond_the_parsers_limit_is_incomplete_and_no_error() -> None:
    deep = "select " + " || ".join(["a"] * 500)
    assert statements(deep) is None
    assert expression(" || ".join(["a"] * 500)) is None


def test_an_atomic_body_is_read_like_any_other() -> None:
    body = body_of(function("BEGIN ATOMIC\n SELECT p.id FROM public.profiles p;\nEND", "sql"))
    assert body.complete
    assert [source.name for facts in body.facts for source in facts.sources()] == ["profiles"]


def test_acl_items_are_read_with_quoted_names_public_and_grant_options() -> None:
    acl = parse_acl(["=X/postgres", "anon=r*w/postgres", '"a ""b"" =c"=a/postgres'])
    assert acl == {
        "public": frozenset({"EXECUTE"}),
        "anon": frozenset({"SELECT", "UPDATE"}),
        'a "b" =c': frozenset({"INSERT"}),
    }


def test_role_membership_is_followed_to_its_end_and_stands_circles() -> None:
    assert closure(1, {1: [2], 2: [3], 3: [1]}) == {1, 2, 3}
