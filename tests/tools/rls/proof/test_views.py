"""Which of several views, one built on another, has to test what let somebody in."""

from __future__ import annotations

from contextlib import closing
from typing import LiteralString

import psycopg
import pytest

from tests.tools.rls.reading import snapshot_of
from tools.rls.proof.model import Condition, Hop
from tools.rls.proof.views import responsible
from tools.rls.reach import reach

CONSENTS: LiteralString = """
create schema private;
create table public.consents (id uuid primary key, profile_id uuid, status text);
create table public.grants (
  id uuid primary key, profile_id uuid, consent_id uuid references public.consents (id)
);
create view private.live_consents as select COLUMNS from public.consents c;
create view private.live_grants as select g.id, g.profile_id from public.grants g
  join private.live_consents c on c.id = g.consent_id;
"""
STATUS = Condition(
    (Hop("public.grants", ("consent_id",), "public.consents", ("id",)),),
    "public.consents",
    "status",
    "one_of",
    ("given",),
)


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [("c.id, c.profile_id", "private.live_consents"), ("c.id, c.status", "private.live_grants")],
)
def test_a_column_that_a_view_hides_is_its_own_to_test(empty_database: str, columns: str, wanted: str):
    with closing(psycopg.connect(empty_database)) as connection:
        connection.execute(CONSENTS.replace("COLUMNS", columns).encode())
        snapshot = snapshot_of(connection)
    view = snapshot.relations["private.live_grants"]
    assert responsible(reach(snapshot), view, STATUS).title == wanted
    assert responsible(reach(snapshot), view, None) is view
