"""Policies in their set-based form: written, compared for everybody, measured, and refused where wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from tests.conftest import MakeExecutor
from tests.tools.rls.fixing.schema import SLOW
from tools.rls.fixing.quicken import Quickened, Quicker, quicken, same
from tools.rls.fixing.rewriting import Rewriter
from tools.rls.proof.prove import Request, Stage, silent
from tools.rls.reach import reach
from tools.rls.rewrite_policies import Rewrites, told
from tools.sandbox import demo
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import copy_schema
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.shim import install_shim

REQUEST = Request(coverage=False)


@pytest.fixture(scope="module")
def slow(cluster: Cluster) -> Iterator[str]:
    """The conninfo of a database with the slow schema."""
    template = cluster.template("shim", install_shim, key=demo.content_key())
    with cluster.scratch("slow", template=template) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(SLOW)
        yield dsn


@pytest.fixture(scope="module")
def found(cluster: Cluster, slow: str) -> Quickened:
    """What is found in it, measured on few rows."""
    return quicken(cluster, slow, REQUEST, rows=2_000)


def table(found: Quickened, title: str) -> Quicker:
    """One table of it."""
    return next(one for one in found.tables if one.relation == title)


def test_every_way_to_ask_per_row_is_turned(found: Quickened) -> None:
    notes = table(found, "public.notes")
    text = "\n".join(notes.sql)
    assert "create function private.has_access_keys(p_role text) returns setof uuid" in text
    assert "profile_id = ANY(ARRAY(SELECT private.has_access_keys('read'::text)))" in text
    assert "profile_id = ANY(ARRAY(SELECT private.has_access_keys('write'::text)))" in text
    assert (
        "profile_id = ANY(ARRAY(SELECT p.id FROM public.profiles p WHERE p.owner_id = (SELECT auth.uid())))"
        in text
    )
    assert "profile_id = ANY(ARRAY(SELECT private.is_owner_keys()))" in text
    assert "revoke execute on function private.is_owner_keys() from public, anon;" in text
    profiles = "\n".join(table(found, "public.profiles").sql)
    assert (
        "= ANY(ARRAY(SELECT m.profile_id FROM public.members m WHERE m.user_id = (SELECT auth.uid())"
        in profiles
    )
    assert "auth.uid()" not in profiles.replace("(SELECT auth.uid())", "")


def test_everybody_reaches_the_same_rows_and_the_plan_is_another(found: Quickened) -> None:
    notes = table(found, "public.notes")
    assert notes.objection == "" and notes.cells > 50 and found.actors > 5
    assert notes.before is not None and notes.after is not None
    assert notes.before.rows == notes.after.rows > 10
    assert notes.before.plan.startswith("Seq Scan")
    assert "notes_profile_id_idx" in notes.after.plan or "Bitmap" in notes.after.plan


def test_the_rewrite_runs_on_the_target_and_its_undo_takes_it_back(slow: str, found: Quickened) -> None:
    answer = told(found, "here")
    listed = "select policyname, qual, with_check from pg_policies where schemaname = 'public' order by 1"
    with psycopg.connect(slow) as connection:
        before = connection.execute(listed).fetchall()
        for one in answer.rewritten:
            connection.execute(one.sql.encode())
        assert connection.execute(listed).fetchall() != before
        for one in answer.rewritten:
            connection.execute(one.undo.encode())
        assert connection.execute(listed).fetchall() == before
        connection.rollback()


def test_a_rewrite_that_decides_otherwise_is_refused(cluster: Cluster, slow: str) -> None:
    with copy_schema(cluster, slow) as copy, ScratchSession(copy.dsn) as session:
        stage = Stage.build(session, REQUEST, silent)
        rewriter = Rewriter(stage.snapshot, reach(stage.snapshot))
        notes = rewriter.rewrites([stage.snapshot.relations["public.notes"]])
        reading = next(one for one in notes if one.policy.command == "SELECT")
        wider = replace(reading, new=reading.new.replace("'read'::text", "'write'::text"))
        assert wider.new != reading.new
        assert same(stage, session, "public.notes", [reading]).objection == ""
        refused = same(stage, session, "public.notes", [wider]).objection
        assert refused.startswith("it does not decide the same: ") and "reads public.notes" in refused


def test_what_cannot_be_turned_is_left_and_said(cluster: Cluster, slow: str) -> None:
    with psycopg.connect(slow, autocommit=True) as connection:
        connection.execute("alter policy notes_delete on public.notes using (private.counted(profile_id))")
        try:
            left = quicken(cluster, slow, REQUEST, tables=frozenset({"public.notes"}), rows=0)
        finally:
            connection.execute(
                "alter policy notes_delete on public.notes using (private.is_owner(profile_id))"
            )
    assert left.kept == {"private.counted(uuid)": "its body is not a plain test of membership"}
    assert all("notes_delete" not in one.new for quick in left.tables for one in quick.rewrites)


@pytest.mark.anyio
async def test_the_tool_answers_in_few_lines_and_names_what_it_compared(
    slow: str, make_executor: MakeExecutor
) -> None:
    outcome = await make_executor(slow).call("rewrite_policies", {"tables": ["members"], "rows": 0})
    assert isinstance(outcome.result, Rewrites)
    text = outcome.markdown()
    assert "public.members" in text and "Same decision in" in text and "```sql" in text
    assert len(text) < 2_000
