"""A lesson is drafted from calls and results: when, how it ended, and with nothing that is a patient's."""

from __future__ import annotations

from typing import Any

import pytest

from agent.lessons import draft
from agent.measures import Step
from memory import Draft
from tools.registry import Effect

EVENTS = {"rule": "rls_disabled", "object": "public.events", "message": "Everybody reads events."}
OTHER = {"rule": "rls_disabled", "object": "public.notes", "message": "Everybody reads notes."}
NEW = {"rule": "policy_always_true", "object": "policy p on public.events", "message": "p lets all in."}


def read(tool: str, result: dict[str, Any], domain: str = "rls", **arguments: Any) -> Step:
    return Step(tool, domain, Effect.READ, arguments, "error" not in result, result)


def review(*findings: dict[str, str], **arguments: Any) -> Step:
    return read("review_rls", {"findings": list(findings)}, **arguments)


def plan(ms: float, sql: str = "select * from events where account_id = 'a1'", cost: float = 0) -> Step:
    result = {"execution_ms": ms, "total_cost": cost or ms * 10}
    return read("explain_query", result, "database", sql=sql, analyze=True)


def change(sql: str, *tables: str, error: str = "", command: str = "ALTER TABLE", **arguments: Any) -> Step:
    done = {"statements": [{"command": command, "tables": list(tables) or ["public.events"]}]}
    failed = {
        "error": {"kind": "remote", "message": "canceling statement due to lock timeout", "code": error}
    }
    given = {"sql": sql, **arguments}
    return Step("change_sql", "database", Effect.WRITE, given, not error, failed if error else done)


def ran(command: str, code: int) -> Step:
    result = {"exit_code": code, "output": "..."}
    return Step("run_command", "workspace", Effect.DESTRUCTIVE, {"command": command}, True, result)


def drafted(*steps: Step) -> Draft:
    lesson = draft(steps)
    assert lesson is not None
    return lesson


MEND = change("alter table public.events enable row level security")


def test_a_finding_that_is_gone_after_a_change_on_its_object_worked():
    lesson = drafted(review(EVENTS, OTHER), MEND, review(OTHER))
    assert lesson.outcome == "worked" and lesson.category == "security-configurations"
    assert lesson.title == "rls_disabled on public.events: gone after ALTER TABLE"
    assert lesson.action == "alter table public.events enable row level security"
    assert "notes" not in lesson.result and lesson.applies_to == {"table": ["public.events"]}
    assert lesson.context == "Everybody reads events." and list(lesson.tags) == ["rls_disabled"]


def test_a_narrower_review_afterwards_counts_for_the_rules_it_ran():
    assert drafted(review(EVENTS), MEND, review(only=["rls_disabled"])).outcome == "worked"
    assert draft([review(EVENTS), MEND, review(only=["another_rule"])]) is None


def test_a_finding_that_was_looked_for_and_is_still_there_failed():
    lesson = drafted(review(EVENTS), MEND, review(EVENTS, only=["rls_disabled"]))
    assert lesson.outcome == "failed" and "not mended by ALTER TABLE" in lesson.title
    assert draft([review(EVENTS), MEND, review(EVENTS)]) is None, (
        "nobody says that this change was to mend it"
    )


def test_a_fault_that_the_change_brought_makes_it_partly():
    lesson = drafted(review(EVENTS), MEND, review(NEW))
    assert lesson.outcome == "partly" and "policy_always_true" in lesson.result


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (MEND,),
        (review(EVENTS), MEND),
        (MEND, review()),
        (review(EVENTS), review()),
        (review(OTHER), MEND, review()),
        (review(EVENTS, schemas=["public"]), MEND, review(schemas=["private"])),
        (review(EVENTS), change("x", error="55P03"), review()),
        (plan(100), MEND, plan(93)),
        (plan(100, cost=500), MEND, plan(20, cost=500)),
        (plan(4), MEND, plan(1)),
        (plan(100), MEND, plan(5, "select 1")),
        (read("list_tables", {"tables": []}), MEND, read("list_tables", {"tables": []})),
    ],
    ids=[
        "nothing", "a change alone", "no measure after", "no measure before", "no change between",
        "another object", "another scope", "the change failed", "noise", "a warm cache",
        "too short to tell", "another query",
        "no problem measured",
    ],
)  # fmt: skip
def test_most_turns_hold_no_lesson(steps: tuple[Step, ...]):
    assert draft(steps) is None


@pytest.mark.parametrize(
    ("after", "outcome"), [(40.0, "worked"), (80.0, "worked"), (95.0, "failed"), (300.0, "failed")]
)
def test_the_time_of_the_same_statement_decides(after: float, outcome: str):
    index = change("create index on events (account_id)", command="CREATE INDEX")
    lesson = drafted(plan(100), index, plan(after))
    assert lesson.outcome == outcome and f"{after:,.1f} ms" in lesson.title
    assert "public.events" in lesson.title and "'a1'" not in lesson.context, "a constant may be a patient's"
    assert lesson.category == "database-optimizations"


def test_a_leak_that_a_second_proof_no_longer_shows_worked():
    leak = {"kind": "read", "object": "policy p on public.events", "sentence": "A stranger reads events."}
    proofs = [read("prove_isolation", {"proof": {"leaks": leaks, "denied": []}}) for leaks in ([leak], [])]
    assert drafted(proofs[0], MEND, proofs[1]).outcome == "worked"
    assert drafted(proofs[0], MEND, proofs[0]).outcome == "failed"


def test_a_read_that_failed_and_works_after_the_change():
    denied = {"error": {"kind": "remote", "message": "permission denied for table events", "code": "42501"}}
    query = {"sql": "select count(*) from events"}
    before = read("execute_sql", denied, "database", **query)
    after = read("execute_sql", {"rows": []}, "database", **query)
    grant = change("grant select on events to reader", command="GRANT")
    lesson = drafted(before, grant, after)
    assert lesson.outcome == "worked" and "42501" in lesson.title and "GRANT" in lesson.title
    other = {"error": {"kind": "remote", "message": "relation does not exist", "code": "42P01"}}
    assert drafted(before, grant, read("execute_sql", other, "database", **query)).outcome == "failed"


def test_a_check_that_fails_and_passes_after_what_was_done_between():
    lesson = drafted(ran("make test", 2), ran("npm ci", 0), ran("make test", 0))
    assert lesson.action == "npm ci" and lesson.outcome == "worked" and "exit code 2" in lesson.title
    assert drafted(ran("make test", 2), ran("npm ci", 0), ran("make test", 1)).outcome == "failed"
    assert draft([ran("make test", 2), ran("make test", 0)]) is None, "nothing was done between"


def test_a_change_that_ran_after_it_had_failed_on_the_same_table():
    sql = "create index on public.events (account_id)"
    tried = change(sql, error="55P03", command="CREATE INDEX")
    done = change(sql.replace("index", "index concurrently"), command="CREATE INDEX")
    lesson = drafted(tried, done)
    assert lesson.outcome == "worked" and "55P03" in lesson.title
    assert "concurrently" in lesson.action and sql in lesson.context
    longer = drafted(tried, change(sql, command="CREATE INDEX", lock_timeout_seconds=30))
    assert "lock_timeout_seconds = 30" in longer.action
    assert draft([tried, change("create index on public.notes (x)", "public.notes")]) is None


def test_constants_of_statements_about_rows_are_left_out():
    update = change("update events set note = 'Jane Roe was here' where id = 77", command="UPDATE")
    lesson = drafted(review(EVENTS), update, review())
    assert (
        "Jane" not in lesson.action
        and "77" not in lesson.action
        and "update events set note" in lesson.action
    )


def test_what_memory_itself_did_is_no_change():
    kept = Step("remember", "recall", Effect.WRITE, {"sql": "events"}, True, {"id": "x"})
    assert draft([review(EVENTS), kept, review()]) is None
