"""Job queue, audit log, flags: what the platform does by itself."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
import pytest

from tests.tools.sandbox.guardian.conftest import Act, Connection, Denied, one
from tools.sandbox.guardian import Population

Missing = psycopg.errors.NoDataFound

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
        "update public.processing_jobs set status = 'queued', attempts = 0 where id = %s",
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
           heartbeat_at = now() - interval '1 hour'
           where id = (select id from public.processing_jobs limit 1)"""
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
        """select account_id, table_name, changed_columns, row_sha256, to_jsonb(l)::text
           from public.audit_log l order by id desc"""
    ).fetchone()
    assert row is not None
    assert row[:2] == (population.people["owner"].account_id, "profiles")
    assert "emergency_note" in row[2]
    assert len(row[3]) == 64
    assert "secret words" not in row[4]
    changes: tuple[LiteralString, ...] = (
        "update public.audit_log set action = 'delete'",
        "delete from public.audit_log",
        "truncate public.audit_log",
    )
    for change in changes:
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation), admin.transaction():
            admin.execute(change)


def test_a_new_event_appears_on_the_timeline(act: Act, population: Population) -> None:
    subject, me = population.profiles["subject"], population.people["write_delegate"].account_id
    with act("write_delegate") as connection:
        connection.execute(
            """insert into public.clinical_events
               (profile_id, occurred_at, kind, code_system, code, display, recorded_by) values
               (%s, now(), 'vital', 'LOINC', '8867-4', 'Heart rate, at rest', %s)""",
            [subject, me],
        )
        shown: LiteralString = """select count(*) from public.timeline_entries
            where profile_id = %s and title = 'Heart rate, at rest'"""
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
           values (gen_random_uuid(), 'new@example.org', '{"display_name": "New", "staff_role": "x"}')"""
    )
    assert one(admin, "select display_name from public.accounts where email = 'new@example.org'") == "New"


def test_compliance_reads_the_logs_and_leaves_a_trace(act: Act, admin: Connection) -> None:
    calls: tuple[LiteralString, ...] = (
        "select count(*) from public.audit_trail('2000-01-01', '2039-01-01')",
        "select count(*) from public.access_trail('2000-01-01', '2039-01-01')",
    )
    trace: LiteralString = "select count(*) from public.audit_log where action = 'read'"
    for call in calls:
        before = one(admin, trace)
        with act("compliance") as connection:
            assert one(connection, call) == 100
        assert one(admin, trace) == before + 1
        for role in ("owner", "reviewer"):
            with act(role) as connection, pytest.raises(Denied), connection.transaction():
                connection.execute(call)


def test_an_invitation_is_accepted_by_the_one_it_was_mailed_to(
    act: Act, admin: Connection, names: dict[str, Any]
) -> None:
    admin.execute(
        """insert into public.invitations (household_id, invited_by, invited_email, token_sha256, expires_at)
           select h.id, h.created_by, a.email, encode(sha256('mailed'), 'hex'), '2040-01-01'
           from public.households h, public.accounts a
           where h.created_by = %(owner)s and a.id = %(stranger)s""",
        names,
    )
    accept: LiteralString = "select public.accept_invitation('mailed')"
    with act("grandparent") as connection, pytest.raises(Missing), connection.transaction():
        connection.execute(accept)
    with act("stranger") as connection:
        household = one(connection, accept)
        assert one(connection, "select id from public.households") == household
        assert one(connection, "select count(*) from public.profiles") == 1
    with act("stranger") as connection, pytest.raises(Missing), connection.transaction():
        connection.execute(accept)


def test_a_delegate_leaves_and_sees_nothing_more(act: Act) -> None:
    with act("read_delegate") as connection:
        connection.execute("select public.leave_profile(grant_id) from public.shared_with_me")
        assert one(connection, "select count(*) from public.profiles") == 1
        assert one(connection, "select status from public.shared_with_me") == "revoked"


def test_only_adults_are_handed_over_and_only_by_their_owner(act: Act, names: dict[str, Any]) -> None:
    request: LiteralString = "select public.request_handover(%(p)s, %(to)s)"
    for role, profile in (
        ("owner", "owner_child"),
        ("manage_delegate", "subject"),
        ("partner", "owner_child"),
    ):
        values = {"p": names[profile], "to": names["stranger"]}
        with act(role) as connection, pytest.raises(Denied), connection.transaction():
            connection.execute(request, values)
    with act("owner") as connection:
        handover = one(connection, request, {"p": names["subject"], "to": names["stranger"]})
    with act("stranger") as connection:
        connection.execute("select public.complete_handover(%s)", [handover])
        kinds = connection.execute("select kind from public.profiles order by kind").fetchall()
        assert kinds == [("self",), ("dependant",)]


def test_passes_are_booked_on_the_document_of_their_job(admin: Connection) -> None:
    job, document = admin.execute("select id, document_id from public.processing_jobs limit 1").fetchall()[0]
    booked = one(admin, "select public.record_processing_pass(%s, 2, 'vision', 10, 20, 300, 40, 'ok')", [job])
    assert one(admin, "select document_id from public.processing_passes where id = %s", [booked]) == document
    again = one(admin, "select public.enqueue_processing_job(%s, 'validate')", [document])
    assert one(admin, "select status from public.processing_jobs where id = %s", [again]) == "queued"


def test_readers_of_the_api_answer(act: Act, names: dict[str, Any]) -> None:
    with act("owner") as connection:
        assert one(connection, "select count(*) from public.search_medical_codes('glucose')") == 1
        page: LiteralString = "select count(*) from public.profile_timeline(%(subject)s, now(), 3)"
        assert one(connection, page, names) == 3
    with act("stranger") as connection:
        assert one(connection, page, names) == 0
