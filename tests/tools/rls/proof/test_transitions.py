"""What may become of a row, with a confirmed model: what came back, and which state it may change in."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

from tests.tools.rls.proof.test_confirmed import PRACTICES, proven
from tests.tools.rls.proof.test_prove import named
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

ORDERS: LiteralString = (
    PRACTICES
    + """
create table public.orders (
  id uuid primary key default gen_random_uuid(), client_id uuid not null references public.clients (id),
  status text not null default 'open' check (status in ('open', 'done', 'dropped')), item text
);
create table public.links (
  id uuid primary key default gen_random_uuid(), client_id uuid not null references public.clients (id), cancelled_at timestamptz
);
alter table public.orders enable row level security;
alter table public.links enable row level security;
revoke update on public.orders, public.links from anon, authenticated;
grant update (status) on public.orders to authenticated;
grant update (cancelled_at) on public.links to authenticated;
create policy orders_select on public.orders for select to authenticated using (private.sees(client_id));
create policy orders_drop on public.orders for update to authenticated
  using (private.sees(client_id) and status = 'open') with check (private.sees(client_id) and status = 'dropped');
create policy links_select on public.links for select to authenticated using (private.sees(client_id));
create policy links_cancel on public.links for update to authenticated
  using (private.sees(client_id)) with check (private.sees(client_id) and cancelled_at is not null);
"""
)


BROKEN: LiteralString = """
-- changed in a state in which nobody changes it
alter policy orders_drop on public.orders using (private.sees(client_id) and status in ('open', 'done'))
  with check (private.sees(client_id) and status in ('dropped', 'open'));
-- brought back after its end
alter policy links_cancel on public.links with check (private.sees(client_id) or cancelled_at is not null);
"""


def test_a_change_that_nobody_may_make(cluster: Cluster, empty_database: str):
    honest, faulty = proven(cluster, empty_database, ORDERS, BROKEN)
    assert (honest.gaps, named(honest), honest.answer) == ((), set(), Answer.NO)
    assert named(faulty) == {"policy orders_drop on public.orders", "policy links_cancel on public.links"}


def test_the_helper_that_says_yes_is_named_beside_the_policy(cluster: Cluster, empty_database: str):
    letters: LiteralString = """create table public.letters (id uuid primary key default gen_random_uuid(), body text,
      client_id uuid not null references public.clients (id), practice_id uuid not null references public.practices (id));
    alter table public.letters enable row level security;
    create policy letters_select on public.letters for select to authenticated using (private.sees(client_id));"""
    broken = """alter policy letters_select on public.letters
      using (private.sees(client_id) or private.works_as(practice_id, 'clerk'))"""
    _, faulty = proven(cluster, empty_database, PRACTICES + letters, broken)
    found = {(leak.object, leak.function) for leak in faulty.leaks}
    assert found == {("policy letters_select on public.letters", "private.works_as(uuid, text)")}
