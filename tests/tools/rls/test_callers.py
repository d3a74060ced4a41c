"""PL/pgSQL variables that hold who calls are read as auth.uid()."""

from __future__ import annotations

import pytest

from tools.rls import plpgsql
from tools.rls.plpgsql import spelled_out

BODY = """
declare me uuid := (select auth.uid()); you constant uuid default auth.uid(); she uuid := auth.uid();
  n int := 1;
begin
  she := wanted;
  they := auth.uid()::uuid;
  select user_id into you from t;
end
"""


def test_a_variable_counts_when_it_never_holds_anything_else():
    source = plpgsql.read(BODY)
    assert source is not None
    assert source.callers() == {"me", "they"}


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("t.user_id = me", "t.user_id = auth.uid()"),
        ('t.me = "me" or me.id = 1', "t.me = auth.uid() or me.id = 1"),
        ("'é me' <> me", "'é me' <> auth.uid()"),
        ("some = 1", "some = 1"),
        ("me = 'unclosed", "me = 'unclosed"),
    ],
)
def test_only_the_variable_itself_is_replaced(text: str, spelled: str):
    assert spelled_out(text, frozenset({"me"})) == spelled
    assert spelled_out(text, frozenset()) == text
