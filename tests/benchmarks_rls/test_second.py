"""The second schema is correct: what each person may reach, by hand, and no error in a review."""

from __future__ import annotations

import pytest

from benchmarks.rls.case import made
from benchmarks.rls.contenders import rules
from benchmarks.rls.oracle.observe import Asked
from benchmarks.rls.oracle.probes import Probe
from benchmarks.rls.second import CASE
from tests.benchmarks_rls.conftest import JudgeOf
from tools.sandbox.cluster import Cluster

PATIENTS = ("a1", "a2", "a3", "a4", "a5", "b1", "b2", "c1")
READS = {
    "clinician_a": "a1 a5",
    "other_team_a": "a2",
    "reader_a": "a2",
    "teamless_a": "",
    "assistant_a": "",
    "billing_a": "",
    "owner_a": "",
    "admin_a": "",
    "ended_a": "",
    "future_a": "",
    "removed_a": "",
    "ended_team_a": "",
    "future_team_a": "",
    "closed_team_a": "",
    "clinician_b": "a2 b1 b2",
    "dual": "a2 b1 b2",
    "assistant_b": "",
    "owner_c": "",
    "clinician_c": "",
    "portal_a1": "a1",
    "portal_b1": "b1",
    "portal_deleted": "",
    "portal_c": "",
    "proxy_read": "a1",
    "proxy_write": "a1",
    "proxy_ended": "",
    "proxy_future": "",
    "proxy_deleted": "",
    "glass_live": "a3",
    "glass_expired": "",
    "glass_closed": "",
    "glass_future": "",
    "glass_left": "",
    "invited": "",
    "stranger": "",
    "forger": "",
    "stale_token": "",
    "anon": "",
}
WRITES = {
    "clinician_a": "a1",
    "other_team_a": "a2",
    "reader_a": "a2",
    "clinician_b": "b1",
    "dual": "b1",
    "proxy_write": "a1",
}


def answer(asked: Asked, who: str, sql: str, topic: str | None = None) -> str:
    """What one person gets for one statement."""
    return asked.run(asked.actors[who], [Probe("x", sql, topic)])[who, "x"]


@pytest.fixture(scope="module")
def clean(judge_of: JudgeOf):
    with judge_of("second").copy() as asked:
        yield asked


@pytest.mark.parametrize("who", READS)
def test_clinical_rows_are_read_by_these_and_nobody_else(clean: Asked, who: str):
    for table in ("encounters", "prescriptions", "lab_orders", "lab_results", "threads", "attachments"):
        got = answer(clean, who, f"q:select string_agg(distinct patient_id::text, ' ') from public.{table}")
        expected = {made(f"patient {p}") for p in READS[who].split()}
        assert ({*got.split()} if not got.startswith("!") else set()) == expected, table


@pytest.mark.parametrize("who", READS)
def test_clinical_rows_are_written_by_these_and_nobody_else(clean: Asked, who: str):
    insert = "w:insert into public.lab_orders (patient_id, ordered_by) values ('{}', '{}')"
    uid = clean.actors[who].uid or made("stranger")
    done = {p for p in PATIENTS if answer(clean, who, insert.format(made(f"patient {p}"), uid)) == "1"}
    assert done == {*WRITES.get(who, "").split()}


@pytest.mark.parametrize("who", READS)
def test_files_and_channels_follow_the_patient(clean: Asked, who: str):
    expected = {made(f"patient {p}") for p in READS[who].split()}
    files = answer(
        clean, who, "q:select string_agg(distinct split_part(name, '/', 2), ' ') from storage.objects"
    )
    assert ({*files.split()} if not files.startswith("!") else set()) == expected
    for patient in PATIENTS:
        topic = f"patient:{made(f'patient {patient}')}"
        heard = answer(clean, who, "q:select count(*) from realtime.messages", topic)
        assert (heard not in ("0", "!42501", "!42501p")) == (made(f"patient {patient}") in expected)


def test_private_and_deleted_notes(clean: Asked):
    kinds = (
        "q:select string_agg(distinct visibility || coalesce(deleted_at::text, ''), ' ') from public.notes"
    )
    assert answer(clean, "clinician_a", kinds) == "team"
    assert answer(clean, "proxy_read", kinds) == "team"
    assert answer(clean, "proxy_write", kinds) == "private team"


def test_nobody_raises_himself(clean: Asked):
    for who in ("assistant_a", "clinician_a", "removed_a", "ended_a", "stranger"):
        for change in ("role = 'admin'", "ends_at = null", "deleted_at = null"):
            assert answer(clean, who, f"w:update public.members set {change}") in ("0", "!42501")
    assert answer(clean, "proxy_read", "w:update public.proxies set can_write = true") == "0"
    assert answer(clean, "clinician_b", "w:update public.referrals set status = 'accepted'") == "0"
    call = "q:select public.accept_referral('{}')"
    assert answer(clean, "clinician_b", call.format(made("referral offered"))) == "!P0002"
    assert answer(clean, "owner_b", call.format(made("referral offered and over"))) == "!P0002"
    assert answer(clean, "owner_b", call.format(made("referral offered"))) == ""
    for who, passes in (
        ("invited", True),
        ("late_invited", False),
        ("cancelled_invited", False),
        ("used_invited", False),
    ):
        token = f"q:select public.accept_invite('token-{who}')"
        assert (answer(clean, who, token) == made("org a")) == passes
        assert answer(clean, "stranger", token) == "!P0002"


def test_bills_need_the_claim_and_the_row(clean: Asked):
    count = "q:select count(*) from public.invoices"
    assert answer(clean, "billing_a", count) == "5"
    for who in ("stale_token", "b_with_a_token", "forger", "clinician_a", "ended_a", "owner_c"):
        assert answer(clean, who, count) == "0"


def test_a_review_finds_no_error(cluster: Cluster):
    template = cluster.template("bench_second", CASE.build, key=CASE.key)
    with cluster.scratch("second", template=template) as dsn:
        named = rules(dsn).named
    assert [one for one in named if one.level == "error"] == []
