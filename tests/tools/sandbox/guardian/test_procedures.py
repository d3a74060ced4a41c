"""Job queue, audit log, flags: what the platform does by itself."""

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from tests.tools.sandbox.guardian.conftest import Act, Connection, one
from tools.sandbox.guardian import Population

NEW_DOCUMENT: LiteralString = """
    insert into public.documents (profile_id, uploaded_by, storage_path, title, mime_type, size_bytes)
    values (%(profile)s, %(me)s, %(me)s || '/' || %(profile)s || '/' || %(file)s, 'x', 'application/pdf', 1)
    returning id
"""


def test_an_upload_queues_a_job_that_one_worker_gets(
    act: Act, admin: Connection, guardian_dsn: str, population: Population
) -> None:
    owner = population.people["owner"].account_id
    for file in ("a.pdf", "b.pdf"):
        with act("owner") as connection:
            values = {"profile": population.profiles["owner_self"], "me": owner, "file": file}
            connection.execute(NEW_DOCUMENT, values)
    admin.execute("set local role service_role")
    claim: LiteralString = "select id from public.claim_processing_jobs(%s, 1)"
    first, second = one(admin, claim, ["worker-1"]), one(admin, claim, ["worker-2"])
    assert first != second
    assert admin.execute(claim, ["worker-3"]).fetchall() == []
    assert one(admin, "select public.heartbeat_processing_job(%s, 'worker-2')", [first]) is None
    assert one(admin, "select public.complete_processing_job(%s, 'worker-1')", [first]) is True


def test_two_workers_at_once_do_not_wait_for_each_other(guardian_dsn: str, population: Population) -> None:
    reopen: LiteralString = """update public.processing_jobs set status = 'queued', finished_at = null
        where id in (select id from public.processing_jobs order by id limit 2) and status <> 'queued'"""
    with psycopg.connect(guardian_dsn) as one_worker, psycopg.connect(guardian_dsn) as other:
        one_worker.execute(reopen)
        one_worker.commit()
        other.execute("set local lock_timeout = '2s'")
        claim: LiteralString = "select id from public.claim_processing_jobs('w', 1)"
        assert one(one_worker, claim) != one(other, claim)
        other.rollback()
        one_worker.rollback()
        one_worker.execute("update public.processing_jobs set status = 'succeeded' where status = 'queued'")


def test_a_failing_job_waits_longer_each_time_and_dies_at_last(admin: Connection) -> None:
    job = one(admin, "select id from public.processing_jobs limit 1")
    admin.execute(
        "update public.processing_jobs set status = 'queued', attempts = 0, run_after = now() where id = %s",
        [job],
    )
    outcomes: list[str] = []
    for _ in range(5):
        admin.execute("update public.processing_jobs set run_after = now() where id = %s", [job])
        assert one(admin, "select id from public.claim_processing_jobs('w', 1)") == job
        outcomes.append(one(admin, "select public.fail_processing_job(%s, 'w', 'too dark')", [job]))
    assert outcomes == ["queued"] * 4 + ["dead"]
    assert one(admin, "select public.retry_processing_job(%s)", [job]) is True


def test_a_silent_worker_loses_its_job(admin: Connection) -> None:
    admin.execute(
        """update public.processing_jobs set status = 'running', claimed_by = 'gone', attempts = 1,
           heartbeat_at = now() - interval '1 hour' where id = (select id from public.processing_jobs limit 1)"""
    )
    assert one(admin, "select public.requeue_stalled_jobs()") == 1


@pytest.mark.parametrize("call", ["claim_processing_jobs('w', 1)", "requeue_stalled_jobs()"])
def test_people_cannot_call_the_queue(act: Act, call: LiteralString) -> None:
    for who in ("owner", "reviewer", None):
        with (
            act(who) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            connection.transaction(),
        ):
            connection.execute(f"select public.{call}")


def test_the_audit_log_is_sealed_and_append_only(act: Act, admin: Connection, population: Population) -> None:
    with act("owner") as connection:
        connection.execute(
            "update public.profiles set emergency_note = 'secret words' where id = %s",
            [population.profiles["owner_self"]],
        )
    row = admin.execute(
        "select account_id, table_name, changed_columns, row_sha256, to_jsonb(l)::text from public.audit_log l order by id desc"
    ).fetchone()
    assert row is not None
    assert row[:2] == (population.people["owner"].account_id, "profiles")
    assert "emergency_note" in row[2]
    assert len(row[3]) == 64
    assert "secret words" not in row[4]
    changes: tuple[LiteralString, ...] = (
        "update public.audit_log set action = 'delete'", "delete from public.audit_log", "truncate public.audit_log"
    )  # fmt: skip
    for change in changes:
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation), admin.transaction():
            admin.execute(change)


def test_a_new_event_appears_on_the_timeline(act: Act, population: Population) -> None:
    subject, me = population.profiles["subject"], population.people["write_delegate"].account_id
    with act("write_delegate") as connection:
        connection.execute(
            """insert into public.clinical_events (profile_id, occurred_at, kind, code_system, code, display, recorded_by)
               values (%s, now(), 'vital', 'LOINC', '8867-4', 'Heart rate, at rest', %s)""",
            [subject, me],
        )
        shown = "select count(*) from public.timeline_entries where profile_id = %s and title = 'Heart rate, at rest'"
        assert one(connection, shown, [subject]) == 1


def test_reviewers_resolve_flags_and_others_do_not(act: Act, admin: Connection) -> None:
    flag = one(admin, "select id from public.quality_flags where status = 'open' limit 1")
    call: LiteralString = "select public.resolve_flag(%s, 'corrected', 'typing error')"
    with act("owner") as connection:
        assert one(connection, call, [flag]) is None
    with act("reviewer") as connection:
        assert one(connection, call, [flag]) is not None
    assert one(admin, "select status from public.quality_flags where id = %s", [flag]) == "resolved"


def test_an_archived_profile_is_closed_to_its_owner_too(act: Act, population: Population) -> None:
    count: LiteralString = "select count(*) from public.conditions where profile_id = %s"
    pet = population.profiles["owner_pet"]
    with act("owner") as connection:
        assert one(connection, count, [pet]) == 2
        connection.execute("select public.archive_profile(%s)", [pet])
        assert one(connection, count, [pet]) == 0
        assert one(connection, "select count(*) from public.profiles where id = %s", [pet]) == 0
    with (
        act("stranger") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        connection.transaction(),
    ):
        connection.execute("select public.archive_profile(%s)", [population.profiles["subject"]])


def test_a_new_sign_in_gets_an_account(admin: Connection) -> None:
    admin.execute(
        """insert into auth.users (id, email, raw_user_meta_data)
           values ('11111111-1111-4111-8111-111111111111', 'new@example.org', '{"display_name": "New", "staff_role": "x"}')"""
    )
    assert one(admin, "select display_name from public.accounts where email = 'new@example.org'") == "New"
