"""Who sees what, asked as the real roles with real claims, over every table that belongs to a profile."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from tests.tools.sandbox.guardian.conftest import Act, Connection, one
from tools.sandbox.guardian import Population

FAMILY = {"owner", "read_delegate", "write_delegate", "manage_delegate", "grandparent", "carer"}
CLINICAL = FAMILY | {"provider", "contributing_provider"}
DOCUMENTS = FAMILY | {"contributing_provider"}
MANAGED = {"owner", "manage_delegate"}
REVIEW = {"reviewer"}

# Table -> who sees the rows of the profile "subject". A new table must be added here on purpose.
AUDIENCE: dict[str, set[str]] = {
    **dict.fromkeys(
        (
            "profiles", "clinical_events", "conditions", "medications", "medication_doses", "allergies",
            "immunisations", "vitals", "diagnostic_reports", "observations", "episodes", "encounters",
            "appointments", "timeline_entries", "care_plans", "care_plan_tasks",
        ),
        CLINICAL,
    ),
    **dict.fromkeys(("profile_contacts", "reminders", "carer_assignments"), FAMILY),
    **dict.fromkeys(("documents", "document_pages", "extracted_entities", "event_documents"), DOCUMENTS),
    **dict.fromkeys(
        ("profile_identifiers", "consents", "consent_history", "data_exports"), MANAGED
    ),
    **dict.fromkeys(("audit_log", "access_log"), MANAGED),
    **dict.fromkeys(("quality_flags", "flag_resolutions"), CLINICAL | REVIEW),
    "review_queue": REVIEW,
}  # fmt: skip
# Rows about the relation itself: everybody sees the own row in whatever state, managers see all.
RELATIONS = {"profile_grants", "provider_access", "notifications", "profile_handovers"}
SERVICE = {"processing_jobs", "processing_passes"}
VIA_DOCUMENT = ("document_pages", "extracted_entities")


def profile_tables(connection: Connection) -> set[str]:
    rows = connection.execute(
        """
        select c.relname
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and exists (
            select from pg_attribute a
            where a.attrelid = c.oid and a.attname in ('profile_id', 'document_id') and not a.attisdropped
          )
        """
    )
    return {name for (name,) in rows} | {"profiles"}


def rows_by_profile(connection: Connection, tables: set[str]) -> dict[tuple[str, Any], int]:
    """(table, profile id) -> visible rows."""
    parts: list[sql.Composable] = [sql.SQL("select null::text, null::uuid, 0::bigint where false")]
    for table in sorted(tables):
        name = sql.Identifier("public", table)
        column = sql.Identifier("id" if table == "profiles" else "profile_id")
        source = sql.SQL("select {} as p from {}").format(column, name)
        if table in VIA_DOCUMENT:
            source = sql.SQL(
                "select d.profile_id as p from {} t left join public.documents d on d.id = t.document_id"
            ).format(name)
        count = sql.SQL("select {}, p, count(*) from ({}) as s group by p").format(sql.Literal(table), source)
        parts.append(count)
    rows = connection.execute(sql.SQL(" union all ").join(parts)).fetchall()
    return {(table, profile): count for table, profile, count in rows}


def test_every_profile_table_has_a_stated_audience(admin: Connection) -> None:
    assert profile_tables(admin) == set(AUDIENCE) | RELATIONS | SERVICE


def test_the_subject_is_seen_by_its_audience_whole_and_by_nobody_else(
    admin: Connection, act: Act, population: Population
) -> None:
    subject = population.profiles["subject"]
    everything = rows_by_profile(admin, set(AUDIENCE))
    wrong: list[str] = []
    for role in population.people:
        with act(role) as connection:
            seen = rows_by_profile(connection, set(AUDIENCE))
        for table, audience in AUDIENCE.items():
            all_rows = everything[table, subject]  # a table without rows would prove nothing
            expected = all_rows if role in audience else 0
            found = seen.get((table, subject), 0)
            if found != expected:
                wrong.append(f"{role} sees {found} of {all_rows} rows of {table}, not {expected}")
    assert len(population.people) >= 30
    assert wrong == []


@pytest.mark.parametrize(
    ("role", "profiles"),
    [
        ("stranger", {"stranger_self"}),
        ("read_delegate", {"read_delegate_self", "subject"}),
        ("manage_delegate", {"manage_delegate_self", "subject"}),
        ("pending_delegate", {"pending_delegate_self"}),
        ("revoked_delegate", {"revoked_delegate_self"}),
        ("expired_delegate", {"expired_delegate_self"}),
        ("withdrawn_delegate", {"withdrawn_delegate_self"}),
        ("former_carer", set[str]()),
        ("partner", {"partner_self", "owner_child"}),
        ("owner", {"subject", "owner_self", "owner_child", "owner_pet"}),
        ("adult_child", {"adult_child_self"}),
        ("former_parent", {"former_parent_self", "waiting_child_profile"}),
        ("waiting_child", set[str]()),
        ("suspended", set[str]()),
        ("unverified_provider", set[str]()),
        ("lapsed_provider", set[str]()),
        ("suspended_provider", set[str]()),
        ("operations", set[str]()),
        ("verifier", set[str]()),
    ],
)
def test_nobody_sees_a_row_of_any_other_profile(
    act: Act, population: Population, role: str, profiles: set[str]
) -> None:
    with act(role) as connection:
        seen = {profile for _, profile in rows_by_profile(connection, set(AUDIENCE))}
    assert seen == {population.profiles[name] for name in profiles}


def test_relations_show_each_side_its_own_rows_only(act: Act, population: Population) -> None:
    subject = population.profiles["subject"]
    with act("revoked_delegate") as connection:
        grants = connection.execute(
            "select profile_id, grantee_account_id from public.profile_grants"
        ).fetchall()
    assert grants == [(subject, population.people["revoked_delegate"].account_id)]
    with act("expired_provider") as connection:
        mine = one(connection, "select count(distinct provider_id) from public.provider_access")
    assert mine == 1
    with act("suspended") as connection:
        assert one(connection, "select count(*) from public.notifications") == 0
    with act("read_delegate") as connection:
        assert one(connection, "select count(*) from public.notifications") == 1


def test_anon_reads_plans_and_regions_and_nothing_else(act: Act, admin: Connection) -> None:
    readable: list[str] = []
    names = admin.execute(
        """select relname from pg_class
           where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')"""
    ).fetchall()
    with act(None) as connection:
        for (name,) in names:
            try:
                with connection.transaction():
                    connection.execute(sql.SQL("select from {}").format(sql.Identifier("public", name)))
            except psycopg.errors.InsufficientPrivilege:
                continue
            readable.append(name)
        assert one(connection, "select array_agg(code order by code) from public.plans") == ["family", "free"]
    assert sorted(readable) == ["plans", "regions"]


def test_anon_executes_no_function_of_guardian(admin: Connection) -> None:
    rows = admin.execute(
        """
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and has_function_privilege('anon', p.oid, 'execute')
        """
    ).fetchall()
    assert rows == []


def test_a_partition_cannot_be_read_around_its_parent(act: Act) -> None:
    with (
        act("owner") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        connection.transaction(),
    ):
        connection.execute("select from public.clinical_events_2025q1")


@pytest.mark.parametrize(
    ("role", "table", "sees"),
    [
        ("reviewer", "quality_flags", True),
        ("reviewer", "review_queue", True),
        ("reviewer", "audit_log", False),
        ("compliance", "audit_log", False),
        ("compliance", "review_queue", False),
        ("operations", "processing_passes", True),
        ("operations", "quality_flags", False),
        ("verifier", "provider_verifications", True),
        ("former_reviewer", "review_queue", False),
    ],
)
def test_staff_see_what_their_role_needs(
    act: Act, population: Population, role: str, table: LiteralString, sees: bool
) -> None:
    with act(role) as connection:
        seen = one(connection, f"select count(*) from public.{table}")
    assert seen == (population.counts[table] if sees else 0)


def test_a_staff_role_needs_the_second_factor_and_app_metadata(act: Act, population: Population) -> None:
    claims = population.people["reviewer"].claims()
    one_factor = claims | {"aal": "aal1"}
    written_by_user = claims | {"app_metadata": {}, "user_metadata": {"staff_role": "reviewer"}}
    not_staff = population.people["stranger"].claims() | {
        "app_metadata": {"staff_role": "reviewer"},
        "aal": "aal2",
    }
    for forged in (one_factor, written_by_user, not_staff):
        with act(forged) as connection:
            assert one(connection, "select count(*) from public.review_queue") == 0


def test_views_show_no_more_than_the_tables(act: Act, population: Population) -> None:
    with act("stranger") as connection:
        seen = connection.execute("select id from public.profile_overview").fetchall()
        assert seen == [(population.profiles["stranger_self"],)]
        for view in ("current_medications", "upcoming_appointments", "document_status", "open_quality_flags"):
            query = sql.SQL("select distinct profile_id from {}").format(sql.Identifier("public", view))
            assert set(connection.execute(query).fetchall()) <= {(population.profiles["stranger_self"],)}


def test_no_claims_at_all_see_nothing(act: Act) -> None:
    with act({"role": "authenticated"}) as connection:
        assert rows_by_profile(connection, set(AUDIENCE)) == {}
