"""Expectations per column, per state of a row, and per function: as texts, and as judgements."""

from __future__ import annotations

import pytest

from tools.rls.proof.expect import forbidden, overstepped
from tools.rls.proof.model import Belonging, Kind
from tools.rls.proof.standing import Standing
from tools.rls.proof.states import State, given_state, key_of
from tools.rls.proof.world import WorldRow
from tools.rls.proof.writing import Write

OWNER = Standing("owner")
STRANGER = Standing("none")


@pytest.mark.parametrize(
    "text",
    [
        "select",
        "update a, b",
        "insert created_at",
        "update to status = active",
        "delete status = a, b",
        "select deleted_at set",
        "insert expires_at past",
        "update to ended_at unset",
    ],
)
def test_keys_read_back(text: str):
    key = key_of(text)
    assert key is not None
    assert key.text == text


@pytest.mark.parametrize("text", ["", "truncate", "select a, b", "delete a", "update a,"])
def test_what_is_no_key_is_said(text: str):
    assert key_of(text) is None


def test_states():
    assert State("n", "is", "true").holds({"n": "t"})
    assert State("n", "set").holds({"n": "x"})
    assert State("n", "past").holds({"n": "2020-01-01"})
    assert State("n", "future").holds({"n": "2099-01-01"})
    assert not State("n", "past").holds({"n": "2099-01-01"})
    assert not State("n", "set").holds({"n": None})
    assert State("n", "unset").holds({"n": None})
    assert not State("n", "unset").holds({"n": "x"})
    assert given_state("given public.t status = gone") == ("public.t", State("status", "is", "gone"))
    assert given_state("write public.t") == ("public.t", None)


def belonging(**expect: set[str]) -> Belonging:
    """A table with expectations, blanks written as two underlines."""
    told = {key.replace("__", " "): frozenset(words) for key, words in expect.items()}
    return Belonging("public.t", Kind.SCOPED, expect=told)


def change(before: dict[str, str | None], after: dict[str, str | None]) -> Write:
    """An UPDATE of one row."""
    changed = frozenset(name for name in after if after[name] != before.get(name))
    rows = WorldRow("public.t", "1", before), WorldRow("public.t", "", after)
    return Write("vary", "UPDATE", "public.t", "update ...", *rows, changed)


def test_a_column_that_nobody_may_change():
    table = belonging(UPDATE={"owner"}, update__owner_id=set())
    moved = change({"owner_id": "a", "note": "x"}, {"owner_id": "b", "note": "x"})
    noted = change({"owner_id": "a", "note": "x"}, {"owner_id": "a", "note": "y"})
    found = overstepped(table, moved, OWNER)
    assert found is not None
    assert found.text == "update owner_id"
    assert overstepped(table, noted, OWNER) is None


def test_a_state_that_is_not_for_everybody():
    row = WorldRow("public.t", "1", {"deleted_at": "2026-01-01"})
    table = Belonging("public.t", Kind.SCOPED, expect={"select deleted_at set": frozenset({"owner"})})
    assert forbidden(table, "SELECT", row, OWNER) is None
    assert forbidden(table, "SELECT", row, STRANGER) is not None
    assert forbidden(table, "DELETE", row, STRANGER) is None


def test_a_state_that_nobody_may_bring_about():
    table = Belonging("public.t", Kind.SCOPED, expect={"update to status = active": frozenset()})
    assert overstepped(table, change({"status": "ended"}, {"status": "active"}), OWNER) is not None
    assert overstepped(table, change({"status": "active"}, {"status": "ended"}), OWNER) is None


def test_what_ended_and_may_not_come_back():
    table = Belonging("public.t", Kind.SCOPED, expect={"update to ended_at unset": frozenset()})
    assert overstepped(table, change({"ended_at": "2026-01-01"}, {"ended_at": None}), OWNER) is not None
    assert overstepped(table, change({"ended_at": None}, {"ended_at": "2026-01-01"}), OWNER) is None


def test_a_value_that_nobody_may_choose():
    table = Belonging("public.t", Kind.SCOPED, expect={"insert created_at": frozenset()})
    after = WorldRow("public.t", "", {"id": "1", "created_at": "2020-01-01"})

    def added(columns: str) -> Write:
        sql = f'insert into "public"."t" ({columns}) values (...)'
        return Write("insert", "INSERT", "public.t", sql, None, after)

    assert overstepped(table, added('"id", "created_at"'), OWNER) is not None
    assert overstepped(table, added('"id"'), OWNER) is None
