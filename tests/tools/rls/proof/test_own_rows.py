"""Functions and views over rows that belong to accounts alone: orders, wallets, posts."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

from tests.tools.rls.proof.test_prove import QUICK, named, proven
from tools.rls.proof.prove import Request
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

SHOP: LiteralString = """
create table public.orders (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users (id), title text);
create table public.wallets (user_id uuid primary key references auth.users (id), credits integer not null default 100);
create table public.posts (id uuid primary key default gen_random_uuid(), author_id uuid not null references auth.users (id), title text, views integer not null default 0);
create table public.notices (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users (id), body text);
alter table public.orders enable row level security;
alter table public.wallets enable row level security;
alter table public.posts enable row level security;
alter table public.notices enable row level security;
create policy orders_all on public.orders for all to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy wallets_select on public.wallets for select to authenticated using (user_id = (select auth.uid()));
create policy posts_select on public.posts for select to authenticated using (true);
create policy posts_insert on public.posts for insert to authenticated with check (author_id = (select auth.uid()));
create policy notices_select on public.notices for select to authenticated using (user_id = (select auth.uid()));
"""
SQL = "language sql security definer set search_path = ''"
OPEN: list[tuple[str, str]] = [
    (
        f"create function public.get_orders(p_user_id uuid) returns setof public.orders {SQL} stable as $$ select * from public.orders where user_id = p_user_id $$",
        "public.get_orders(uuid)",
    ),
    (
        f"create function public.the_order(p_id uuid) returns setof public.orders {SQL} stable as $$ select * from public.orders where id = p_id $$",
        "public.the_order(uuid)",
    ),
    (
        f"create function public.add_credits(p_user_id uuid, p_amount integer) returns void {SQL} as $$ update public.wallets set credits = credits + p_amount where user_id = p_user_id $$",
        "public.add_credits(uuid, integer)",
    ),
    (
        f"create function public.cancel(p_id uuid) returns void {SQL} as $$ delete from public.orders where id = p_id $$",
        "public.cancel(uuid)",
    ),
    (
        f"create function public.rename(p_id uuid) returns void {SQL} as $$ update public.posts set title = 'mine' where id = p_id $$",
        "public.rename(uuid)",
    ),
    ("create view public.all_orders as select * from public.orders", "public.all_orders"),
    (
        f"create function public.find_orders(q text) returns setof public.orders {SQL} stable as $$ select * from public.orders where title ilike '%' || q || '%' $$",
        "public.find_orders(text)",
    ),
    (
        f"create function public.an_order(p jsonb) returns jsonb {SQL} stable as $$ select to_jsonb(o) from public.orders o where o.id = (p ->> 'id')::uuid $$",
        "public.an_order(jsonb)",
    ),
    (
        "create policy orders_take on public.orders for update to authenticated using (true) with check (user_id = (select auth.uid()))",
        "policy orders_take on public.orders",
    ),
]
CLOSED: list[str] = [
    f"create function public.my_orders() returns setof public.orders {SQL} stable as $$ select * from public.orders where user_id = auth.uid() $$",
    f"create function public.cancel(p_id uuid) returns void {SQL} as $$ delete from public.orders where id = p_id and user_id = auth.uid() $$",
    # A message is a new row for somebody, and its text is the sender's.
    f"create function public.notify(p_user_id uuid) returns void {SQL} as $$ insert into public.notices (user_id, body) values (p_user_id, 'hello') $$",
    # A transfer touches the caller's own row as well, or nothing.
    """create function public.transfer(p_user_id uuid, p_amount integer) returns void language plpgsql security definer set search_path = '' as $$ begin
    update public.wallets set credits = credits - p_amount where user_id = auth.uid() and credits >= p_amount;
    if not found then raise exception 'no wallet'; end if;
    update public.wallets set credits = credits + p_amount where user_id = p_user_id; end $$""",
    f"create function public.add_view(p_id uuid) returns void {SQL} as $$ update public.posts set views = views + 1 where id = p_id $$",
    "create view public.all_orders with (security_invoker = true) as select * from public.orders",
]


def test_what_gives_or_changes_rows_of_others_is_named(cluster: Cluster):
    proof = proven(cluster, SHOP, *(f"{sql};" for sql, _ in OPEN), request=QUICK)
    assert (proof.answer, named(proof)) == (Answer.YES, {wanted for _, wanted in OPEN})


def test_what_is_the_callers_own_is_not(cluster: Cluster):
    proof = proven(cluster, SHOP, *(f"{sql};" for sql in CLOSED), request=QUICK)
    assert named(proof) == set()


def test_the_script_of_a_call_shows_what_it_did(cluster: Cluster):
    cancel = f"create function public.cancel(p_id uuid) returns void {SQL} as $$ delete from public.orders where id = p_id $$"
    (leak,) = proven(cluster, SHOP, cancel, request=Request(budget=100, coverage=False, replays=True)).leaks
    assert leak.expect == "witness"
    assert leak.replay.splitlines()[-1] == "rollback;"
    assert all(line.endswith(";") for line in leak.replay.splitlines())
    assert "where not exists" in leak.replay.splitlines()[-2]
