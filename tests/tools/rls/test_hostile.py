"""Catalogs not written to be read: names with anything in them, texts that do not fit, odd objects."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.tools.rls.reading import Connection, findings_of, snapshot_of
from tests.tools.rls.test_reading import function
from tests.tools.rls.test_rules import is_runnable
from tools.rls.bodies import body_of
from tools.rls.facts import expression, statements
from tools.rls.mending import once
from tools.rls.review import coverage
from tools.rls.review import findings_of as said
from tools.rls.rules import RULES

NAMES: Final = (
    'a"b', "line\nbreak; drop table x; --", "\x1b[31mred", "`tick` | *bold*", "sel ect", "naïve ✓", "x\u202etxt",
    "$$", "a.b.c", "'; --", "back\\slash\n", "A" * 63,
)  # fmt: skip
WORDS: Final = (
    "select", "from", "where", "(", ")", "[", "]", ",", ";", "case", "when", "then", "end", "if", "loop", "for",
    "in", "begin", "declare", "exception", "return", "query", "execute", "using", "into", "strict", "perform",
    "a", "b.c", "'x'", "$$", "1", ":=", "=", "||", "::", "not", "auth.uid()", "--", "/*", "*/", "..", "<<", ">>",
    "foreach", "array", "cursor", "open", "insert", "update", "set", "values", "exists", "\n", "'", '"', "é",
)  # fmt: skip
PIECES: Final = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
LONG: Final = (
    "1" + "+1" * 100_000, "(" * 60_000 + "1" + ")" * 60_000, "not " * 60_000 + "true", "a" + "[1]" * 50_000,
    "select 1 union all " * 30_000 + "select 1", "case when a then " * 30_000, "- " * 60_000 + "1",
    "x" + "::int" * 60_000, "'" + "a" * 700_000 + "'",
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(PIECES)
def test_no_text_brings_the_readers_down(text: str) -> None:
    expression(text)
    statements(text)
    once(text, ["auth.uid"])
    for language in ("sql", "plpgsql", "plpython3u"):
        body_of(function(text, language))


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:12])
def test_chains_that_overflow_the_parser_are_not_parsed(text: str) -> None:
    assert expression(text) is None
    assert not body_of(function(f"begin return {text}; end")).complete or len(text) > 400_000


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_hostile_names_are_one_line_in_findings_and_every_fix_runs(family: Connection, name: str) -> None:
    it = sql.Identifier(name)
    script = sql.SQL("""
        create schema {it};
        create table public.{it} (id int primary key, {it} uuid references public.profiles (id));
        create policy {it} on public.notes for select to authenticated using (true);
        create policy second on public.notes for select to authenticated using (auth.uid() = written_by);
        create table public.child (id int primary key, owner_id uuid references auth.users (id), {it} uuid references public.profiles (id));
        alter table public.child enable row level security;
        create policy {it} on public.child to authenticated using (owner_id = auth.uid() and {it} is not null) with check (true);
        create view public.{view} as select {it} from public.{it};
        create function public.{it}({it} uuid, "what for" text) returns setof public.notes language plpgsql security definer as $body$
        begin
          return query execute 'select * from public.notes where body = ' || "what for";
          return query select n.* from public.notes n where n.id = $1;
        end $body$;
    """).format(it=it, view=sql.Identifier(name[:60] + "_v"))
    family.execute(script)
    found = findings_of(family)
    assert {"rls_disabled_in_public", "rls_policy_always_true", "function_dynamic_sql"} <= {
        f.rule for f in found
    }
    for finding in found:
        assert not any(
            ord(letter) < 32 or letter in "\x7f\x1b\u202e" for letter in finding.message + finding.object
        )
        for line in finding.fix.splitlines() if finding.fix.startswith("--") else ():
            assert line.startswith(
                ("--", "revoke", "grant", "create", "alter", "drop", "  ", "with check", "using")
            )
        if is_runnable(finding.fix):
            with family.transaction(force_rollback=True):
                family.execute(finding.fix.replace(" concurrently", "").encode())


def test_odd_objects_are_listed_as_not_examined_and_nothing_fails(family: Connection) -> None:
    deep = sql.SQL(" || ").join([sql.SQL("body")] * 120)
    family.execute(sql.SQL("alter policy notes_select on public.notes using (({}) <> '')").format(deep))
    family.execute("""
        create foreign data wrapper w; create server s foreign data wrapper w;
        create foreign table public.far (patient_id text) server s;
        create function app.inner_c(int) returns int language internal immutable as 'int4um';
        create function app.empty() returns void language sql as '';
        create aggregate app.total (int) (sfunc = int4pl, stype = int);
        create procedure app.go() language plpgsql as $$ begin commit; end $$;
        create type app.pair as (a int, b int);
        create domain app.short as text check (length(value) < 5);
        create table app.parent (id int) partition by hash (id);
        create table app.shard partition of app.parent for values with (modulus 2, remainder 0);
        create table app.heir () inherits (public.codes);
        create view public.chain as with recursive r as (select 1 as n union all select n + 1 from r where n < 3)
          select * from r;
        create rule shut as on insert to public.codes do instead nothing;
    """)
    snapshot = snapshot_of(family)
    assert said(snapshot)
    gaps = {gap.what: gap.why for gap in coverage(snapshot, RULES).not_examined}
    assert "could not be parsed" in gaps["policy notes_select on public.notes"]
    assert "internal" in gaps["function app.inner_c(integer)"]
