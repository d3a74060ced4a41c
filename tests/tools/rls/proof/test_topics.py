"""Private channels: who listens to, and speaks in, the channel of somebody else's record."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.tools.rls.proof.test_prove import named, proven
from tools.rls.proof.topics import names, telling
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

HOUSEHOLDS: LiteralString = """
create table public.households (id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users (id), name text);
alter table public.households enable row level security;
create policy own on public.households for all to authenticated using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
create policy listen on realtime.messages for select to authenticated using (
  exists (select from public.households h where 'household:' || h.id = (select realtime.topic()) and h.owner_id = (select auth.uid())));
create policy speak on realtime.messages for insert to authenticated with check (
  extension = 'broadcast' and exists (select from public.households h where 'household:' || h.id = (select realtime.topic()) and h.owner_id = (select auth.uid())));
"""


def test_channels_of_the_own_record_only_are_no_leak(cluster: Cluster) -> None:
    proof = proven(cluster, HOUSEHOLDS)
    assert proof.answer is Answer.NO
    assert not proof.gaps


@pytest.mark.parametrize(
    ("fault", "policy"),
    [
        (
            "alter policy listen on realtime.messages using ((select realtime.topic()) like 'household:%')",
            "listen",
        ),
        ("alter policy speak on realtime.messages with check (extension = 'broadcast')", "speak"),
    ],
)
def test_a_channel_that_lets_strangers_in_leaks(cluster: Cluster, fault: LiteralString, policy: str) -> None:
    proof = proven(cluster, HOUSEHOLDS + fault + ";")
    assert named(proof) == {f"policy {policy} on realtime.messages"}


def test_a_channel_for_everybody_carries_nothing_about_a_record(cluster: Cluster) -> None:
    lobby: LiteralString = (
        "create policy lobby on realtime.messages for select to authenticated"
        " using ((select realtime.topic()) like 'news:%');"
    )
    assert proven(cluster, HOUSEHOLDS + lobby).answer is Answer.NO


def test_a_policy_whose_channels_nobody_finds_is_not_examined(cluster: Cluster) -> None:
    closed: LiteralString = (
        "alter policy listen on realtime.messages using (md5((select realtime.topic())) = 'x');"
        "alter policy speak on realtime.messages with check (md5((select realtime.topic())) = 'x');"
    )
    proof = proven(cluster, HOUSEHOLDS + closed)
    assert proof.answer is Answer.NOT_EXAMINED
    assert any("no channel was found" in gap.why for gap in proof.gaps)


def test_words_of_a_channel_name_tables() -> None:
    assert names("patients", "public.patients")
    assert names("patient", "public.clinic_patients")
    assert not names("news", "public.patients")
    assert telling("household:2f1c", ["public.households"])
    assert not telling("news:2f1c", ["public.households"])
