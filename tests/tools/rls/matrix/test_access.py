"""Every cell of the matrix is held against what the database does when the role tries."""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest
from psycopg import errors, sql

from tests.tools.rls.reading import Connection, snapshot_of
from tools.rls.matrix.access import COMMANDS, Access, Extent, access

SCHEMA = """
create role h4_member; grant authenticated to h4_member;
create role h4_owner; create role h4_part; grant h4_owner to h4_part;
create role h4_reader; grant pg_read_all_data to h4_reader;
create role h4_bypass bypassrls;
create role h4_stranger;
create schema shut;
grant usage, create on schema public to h4_owner; grant usage on schema public to h4_bypass, h4_stranger;
create table public.open_table (id int, label text);
create table public.ruled (id int, label text); alter table public.ruled enable row level security;
create policy ruled_some on public.ruled to authenticated using (id = 1);
create table public.unruled (id int, label text); alter table public.unruled enable row level security;
create table public.everyone (id int, label text); alter table public.everyone enable row level security;
create policy everyone_all on public.everyone using (true) with check (true);
create table public.signed (id int, label text); alter table public.signed enable row level security;
create policy signed_in on public.signed for select to anon, authenticated using (auth.uid() is not null);
create table public.narrowed (id int, label text); alter table public.narrowed enable row level security;
create policy narrowed_all on public.narrowed using (true);
create policy narrowed_less on public.narrowed as restrictive for select using (id = 2);
create table public.closed (id int, label text); alter table public.closed enable row level security;
create policy closed_all on public.closed using (true);
create policy closed_shut on public.closed as restrictive using (false);
create table public.check_only (id int, label text); alter table public.check_only enable row level security;
create policy check_only_p on public.check_only with check (true);
create table public.owned (id int, label text); alter table public.owned enable row level security;
alter table public.owned owner to h4_owner;
create table public.forced (id int, label text); alter table public.forced enable row level security;
alter table public.forced force row level security; alter table public.forced owner to h4_owner;
create table shut.hidden (id int, label text);
create table public.parts (id int, label text); alter table public.parts enable row level security;
create table public.split (id int, label text) partition by list (id);
create table public.split_1 partition of public.split for values in (1);
create table public.split_2 partition of public.split for values in (2);
create table public.split_rest partition of public.split default;
alter table public.split enable row level security;
insert into public.open_table values (1), (2); insert into public.ruled values (1), (2);
insert into public.unruled values (1), (2); insert into public.everyone values (1), (2);
insert into public.signed values (1), (2); insert into public.narrowed values (1), (2);
insert into public.closed values (1), (2); insert into public.check_only values (1), (2);
insert into public.owned values (1), (2); insert into public.forced values (1), (2);
insert into shut.hidden values (1), (2); insert into public.split values (1), (2);
create view public.as_owner as select id, label from public.ruled;
create view public.as_caller with (security_invoker = true) as select id, label from public.ruled;
create view public.as_plain_owner as select id, label from public.ruled;
alter view public.as_plain_owner owner to h4_owner;
create view public.caller_in_owner as select id, label from public.as_caller;
create view public.mine as select id, label from public.open_table where label = auth.uid()::text;
create view public.counted as select count(*)::int as id, max(label) as label from public.open_table;
create materialized view public.kept as select id, label from public.ruled;
revoke all on all tables in schema public from anon, authenticated;
grant select, insert, update, delete on all tables in schema public to anon, authenticated, h4_bypass;
grant select, insert, update, delete on all tables in schema shut to authenticated;
revoke all on public.parts from anon, authenticated;
grant select (id), insert (id), update (id) on public.parts to authenticated;
revoke all on public.split_2 from anon, authenticated;
grant select on public.open_table to public;
"""
ROLES = (
    "anon", "authenticated", "h4_member", "h4_owner", "h4_part", "h4_reader", "h4_bypass", "h4_stranger",
    "service_role",
)  # fmt: skip
TITLES = (
    "public.open_table", "public.ruled", "public.unruled", "public.everyone", "public.signed",
    "public.narrowed", "public.closed", "public.check_only", "public.owned", "public.forced", "shut.hidden",
    "public.split", "public.split_1", "public.split_2", "public.as_owner",
    "public.as_caller", "public.as_plain_owner", "public.caller_in_owner", "public.mine",
)  # fmt: skip


@pytest.fixture
def schema(family: Connection) -> Connection:
    """The family schema with one object for each way in which access is decided."""
    family.execute(SCHEMA)
    return family


def attempt(connection: Connection, role: str, title: str, command: str) -> int | None:
    """How many of the two rows the command reaches; None when it is not permitted at all."""
    target = sql.Identifier(*title.split("."))
    statement = {
        "SELECT": sql.SQL("select id from {}"),
        "INSERT": sql.SQL(
            "insert into {} (id) values (1), (1)"
            if title[-1] == "1"
            else "insert into {} (id) values (2), (2)"
        ),
        "UPDATE": sql.SQL("update {} set label = 'other'"),
        "DELETE": sql.SQL("delete from {}"),
    }[command].format(target)
    reached: int | None = None
    with suppress(psycopg.Rollback), connection.transaction():
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        connection.execute(
            "select set_config('request.jwt.claims', %s, true)",
            ['{"sub": "00000000-0000-0000-0000-000000000001"}' if role != "anon" else "{}"],
        )
        with (
            suppress(
                errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState, errors.WrongObjectType
            ),
            connection.transaction(),
        ):
            reached = connection.execute(statement).rowcount
        raise psycopg.Rollback
    return reached


def agrees(found: Access, reached: int | None, command: str, *, split: bool = False) -> bool:
    """Whether what happened is possible under what the cell says."""
    if command == "INSERT":  # a refused row and a missing privilege are both SQLSTATE 42501
        return found.extent is Extent.ROWS or (reached == 2) == (found.extent is Extent.EVERY)
    match found.extent:
        case Extent.NONE:
            return reached is None
        case Extent.DENIED:
            return reached == 0
        case Extent.EVERY:
            return reached in (2, 1 if split else 2)
        case _:
            return reached is not None and reached < 2


@pytest.mark.parametrize("title", TITLES)
def test_cells_agree_with_the_database(schema: Connection, title: str):
    snapshot = snapshot_of(schema)
    relation = snapshot.relations[title]
    wrong: list[str] = []
    for role in ROLES:
        for command in COMMANDS:
            found = access(snapshot, snapshot.roles[role], relation, command)
            reached = attempt(schema, role, title, command)
            if (
                command == "UPDATE"
                and reached is None
                and found.extent is Extent.EVERY
                and "owner" not in found.why
            ):
                continue
            if not agrees(found, reached, command, split="split_" in title):
                wrong.append(
                    f"{role} {command}: {found.extent} ({found.why}), and {reached} rows were reached"
                )
    assert wrong == []


def cell(connection: Connection, role: str, title: str, command: str = "SELECT") -> Access:
    """One cell."""
    snapshot = snapshot_of(connection)
    return access(snapshot, snapshot.roles[role], snapshot.relations[title], command)


@pytest.mark.parametrize(
    ("role", "title", "command", "extent"),
    [
        ("authenticated", "public.ruled", "SELECT", Extent.ROWS),
        ("anon", "public.ruled", "SELECT", Extent.DENIED),
        ("authenticated", "public.unruled", "SELECT", Extent.DENIED),
        ("authenticated", "public.everyone", "INSERT", Extent.EVERY),
        ("authenticated", "public.signed", "SELECT", Extent.EVERY),
        ("anon", "public.signed", "SELECT", Extent.DENIED),
        ("authenticated", "public.narrowed", "SELECT", Extent.ROWS),
        ("authenticated", "public.closed", "SELECT", Extent.DENIED),
        ("authenticated", "public.check_only", "SELECT", Extent.DENIED),
        ("authenticated", "public.check_only", "INSERT", Extent.EVERY),
        ("h4_owner", "public.owned", "DELETE", Extent.EVERY),
        ("h4_part", "public.owned", "DELETE", Extent.EVERY),
        ("h4_owner", "public.forced", "SELECT", Extent.DENIED),
        ("authenticated", "shut.hidden", "SELECT", Extent.NONE),
        ("h4_reader", "shut.hidden", "SELECT", Extent.EVERY),
        ("h4_member", "public.ruled", "SELECT", Extent.ROWS),
        ("h4_stranger", "public.open_table", "SELECT", Extent.EVERY),
        ("h4_stranger", "public.ruled", "SELECT", Extent.NONE),
        ("authenticated", "public.split", "SELECT", Extent.DENIED),
        ("authenticated", "public.split_1", "SELECT", Extent.EVERY),
        ("authenticated", "public.split_2", "SELECT", Extent.NONE),
        ("authenticated", "public.as_owner", "SELECT", Extent.EVERY),
        ("authenticated", "public.as_owner", "UPDATE", Extent.EVERY),
        ("authenticated", "public.as_caller", "SELECT", Extent.ROWS),
        ("authenticated", "public.as_plain_owner", "SELECT", Extent.NONE),
        ("authenticated", "public.caller_in_owner", "SELECT", Extent.ROWS),
        ("authenticated", "public.mine", "SELECT", Extent.ROWS),
        ("authenticated", "public.counted", "UPDATE", Extent.NONE),
        ("authenticated", "public.kept", "SELECT", Extent.EVERY),
        ("authenticated", "public.kept", "UPDATE", Extent.NONE),
        ("service_role", "public.unruled", "SELECT", Extent.EVERY),
    ],
)  # fmt: skip
def test_the_extent_of_a_cell(schema: Connection, role: str, title: str, command: str, extent: Extent):
    if role == "service_role":
        schema.execute("grant select on public.unruled to service_role")
    assert cell(schema, role, title, command).extent is extent


def test_columns_are_named_where_the_privilege_is_limited_to_them(schema: Connection):
    assert cell(schema, "authenticated", "public.parts").columns == ("id",)
    assert cell(schema, "authenticated", "public.parts", "DELETE").extent is Extent.NONE
    assert cell(schema, "authenticated", "public.ruled").columns is None


def test_a_cell_says_what_decides(schema: Connection):
    assert cell(schema, "authenticated", "public.narrowed").restrictive == ("narrowed_less",)
    assert cell(schema, "authenticated", "public.ruled").policies == ("ruled_some",)
    assert "its parent's policies do not apply" in cell(schema, "authenticated", "public.split_1").why
    assert "owner by membership" in cell(schema, "h4_part", "public.owned").why
    assert cell(schema, "h4_bypass", "public.ruled").why == "BYPASSRLS"
    assert cell(schema, "authenticated", "shut.hidden").why == "no USAGE on schema shut"


def test_an_update_that_cannot_read_says_so(schema: Connection):
    schema.execute("revoke select on public.everyone from authenticated")
    assert "only a statement without WHERE" in " ".join(
        cell(schema, "authenticated", "public.everyone", "UPDATE").notes
    )


def test_truncate_asks_no_policy(schema: Connection):
    schema.execute("grant truncate on public.unruled to anon")
    assert cell(schema, "anon", "public.unruled", "TRUNCATE").extent is Extent.EVERY
    assert cell(schema, "anon", "public.ruled", "TRUNCATE").extent is Extent.NONE
