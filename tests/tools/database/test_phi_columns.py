"""Which columns of schemas it has never seen count as PHI, why, and how a person corrects that."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import psycopg
import pytest

from agent.executor import Executor
from tests.conftest import MakeExecutor
from tools.database.linkage import Attribute, Linkage, Table, link
from tools.database.phi import attribute_verdict
from tools.database.phi_names import column_meaning
from tools.database.phi_words import split

pytestmark = pytest.mark.anyio

PERSONAL = {
    "name": "firstName patient_lname surname nachname Vorname prenom nom_naissance apellido1 cognome gpName",
    "email": "email user_email eMail correo courriel contact_mail",
    "phone": "tel phone_home mobileNumber telefono rufnummer celular fax_no",
    "date": "dob birthDate geburtsdatum date_naissance fecha_nacimiento data_nascimento death_date deceased",
    "address": "addr1 street_address zip postal_code PLZ strasse codigo_postal indirizzo ip_address",
    "id": "ssn mrn nhsNumber kvnr codice_fiscale patient_id ptId passport_no policy_no versichertennummer",
    "text": "notes clinical_comment bemerkung remarques observaciones diagnosis payload gender",
    "secret": "password_hash api_key refresh_token",
}
TECHNICAL = """
status order_status kind category version created_at updated_at sort_order locale currency unit amount price
phone_type email_verified email_template country_code plan_code is_active has_children region_code quantity
page_number retries size_bytes checksum mime_type label title
"""


@pytest.mark.parametrize(("kind", "names"), PERSONAL.items())
def test_names_of_personal_columns_are_understood(kind: str, names: str):
    for name in names.split():
        meaning = column_meaning(name)
        assert meaning is not None and meaning.kind == kind, name


def test_technical_names_say_nothing_of_a_person():
    assert [name for name in TECHNICAL.split() if column_meaning(name)] == []


def test_names_come_apart_however_they_are_written():
    assert split("patientFirstName2") == split("PATIENT_FIRST_NAME") == ("patient", "first", "name")
    assert split("patientid") == ("patient", "id")
    assert split("Straße") == split("STRASSE") == ("strasse",)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("pacjenci", "id imie nazwisko"),
        ("zz9", "a b c"),
        ("kundenstatus", "vorname nachname status"),
        ("wards", "id name"),
        ("member_types", "id patient_id label"),
        ("imports", "id contents"),
    ],
)
def test_a_table_that_nothing_shows_to_be_reference_data_is_masked(name: str, columns: str):
    table = made(name, columns)
    linkage = link([table])
    shown = [c.name for c in table.columns.values() if attribute_verdict(c, linkage).shown]
    assert set(shown) <= {"status"}


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("countries", "code name iso3"),
        ("plans", "code name monthly_price_cents currency"),
        ("icd10_codes", "code short_title long_title"),
        ("laender", "id bezeichnung"),
        ("monedas", "codigo nombre simbolo"),
        ("statut", "id libelle"),
        ("anything", "code label sort_order is_active"),
    ],
)
def test_plain_lookups_stay_readable(name: str, columns: str):
    table = made(name, columns)
    linkage = link([table])
    assert all(attribute_verdict(column, linkage).shown for column in table.columns.values())


def test_contact_details_in_reference_data_are_masked_and_the_rest_is_not():
    table = made("plans", "code name contact_email")
    linkage = link([table])
    assert [attribute_verdict(c, linkage).shown for c in table.columns.values()] == [True, True, False]
    assert linkage.reason(1), "so that what is computed from it is masked"


def test_codes_of_a_person_are_shown_only_where_they_have_no_room_for_more():
    table = made("patients", "id state kind_code ward_code flag")
    wide = table.columns[2]
    columns = {
        **table.columns,
        3: dataclasses.replace(table.columns[3], length=8),
        4: dataclasses.replace(table.columns[4], distinct_values=7.0, width=4),
        5: dataclasses.replace(table.columns[5], type="boolean", category="B"),
    }
    linkage = link([dataclasses.replace(table, columns=columns)])
    assert [attribute_verdict(columns[n], linkage).shown for n in (2, 3, 4, 5)] == [False, True, True, True]
    assert not attribute_verdict(wide, linkage).sure, "it is masked out of caution, and says so"


@pytest.mark.parametrize(
    ("comment", "masked"),
    [
        ("PHI: given by the family", True),
        ("Date of birth as typed", True),
        ("The patient's full name", True),
        ("Contains no personal data", False),
        ("Never holds PHI", False),
        ("Price per month", False),
    ],
)
def test_a_column_comment_is_evidence_in_a_lookup_and_beside_a_person(comment: str, masked: bool):
    lookup, person = made("countries", "code name iso3"), made("patients", "id status", oid=2)
    lookup = commented(lookup, "iso3", comment)
    person = commented(person, "status", comment, listed=True)
    linkage = link([lookup, person])
    assert ("iso3" not in shown(lookup, linkage)) is masked
    assert ("status" not in shown(person, linkage)) is masked


def commented(table: Table, name: str, comment: str, *, listed: bool = False) -> Table:
    """The table with a comment on one column."""
    columns = {
        number: dataclasses.replace(column, comment=comment, listed=listed) if column.name == name else column
        for number, column in table.columns.items()
    }
    return dataclasses.replace(table, columns=columns)


def test_a_person_has_the_last_word_both_ways():
    people, codes = made("patients", "id full_name ward"), made("codes", "code label", oid=2)
    told = {
        "public.patients.ward": False, "public.codes.label": True,
    }  # fmt: skip
    linkage = link([people, codes], told)
    assert shown(people, linkage) == ["ward"] and shown(codes, linkage) == ["code"]
    whole = link([people, codes], {"public.patients.*": False, "public.patients.full_name": True})
    assert shown(people, whole) == ["id", "ward"]
    assert shown(codes, link([codes], {"public.codes.*": True})) == []


@pytest.fixture
def corrected(clinic: str, make_executor: MakeExecutor) -> Iterator[Executor]:
    executor = make_executor(clinic)
    corrections = {
        "public.profiles.score": False, "public.codes.display": True, "public.nowhere.x": False,
        "public.codes.colour": True, "public.visits.*": False,
    }  # fmt: skip
    executor.resources = dataclasses.replace(executor.resources, phi_columns=corrections)
    yield executor


async def test_execute_sql_honours_corrections(corrected: Executor):
    sql = (
        "select p.score, p.full_name, c.display, c.code, v.remark from profiles p, codes c, visits v limit 1"
    )
    told = (await corrected.call("execute_sql", {"sql": sql})).structured()
    computed = (await corrected.call("execute_sql", {"sql": "select upper(display) from codes"})).structured()
    await corrected.resources.database.close()
    assert [column["shown"] for column in told["columns"]] == [True, False, False, True, True]
    assert computed["columns"][0]["shown"] is False


async def test_the_inventory_says_what_execute_sql_does_and_names_unknown_corrections(corrected: Executor):
    found = (await corrected.call("phi_inventory", {})).structured()
    lines = {f"{line['table']}.{line['column']}": line for line in found["columns"]}
    told = (await corrected.call("execute_sql", {"sql": "select * from profiles limit 1"})).structured()
    await corrected.resources.database.close()
    for column in told["columns"]:
        assert (lines[f"public.profiles.{column['name']}"]["verdict"] == "safe") == column["shown"]
    assert found["unknown_corrections"] == ["public.codes.colour", "public.nowhere.x"]
    assert found["phi"] + found["unsure"] + found["safe"] == len(lines)
    assert all(line["why"] for line in lines.values())
    assert lines["public.profiles.score"]["why"] == "sergei.toml says safe"


async def test_a_profile_counts_what_values_look_like_and_shows_none(
    clinic_copy: str, make_executor: MakeExecutor
):
    with psycopg.connect(clinic_copy, autocommit=True) as connection:
        connection.execute("create table tariff_codes (code text primary key, label text, remark text)")
        connection.execute(
            "insert into tariff_codes select 't' || i, 'quill' || i || '@example.org', 'x'"
            " from generate_series(1, 90) i"
        )
    executor = make_executor(clinic_copy)
    outcome = await executor.call("phi_inventory", {"profile": True})
    await executor.resources.database.close()
    (line,) = [
        c
        for c in outcome.structured()["columns"]
        if (c["table"], c["column"]) == ("public.tariff_codes", "label")
    ]
    assert "e-mail" in line["profile"] and line["advice"] == '"public.tariff_codes.label" = "phi"'
    assert "quill" not in outcome.markdown().lower() and "[phi.columns]" in outcome.markdown()


def made(name: str, columns: str, oid: int = 1) -> Table:
    """A table of text columns."""
    attributes = {
        number: Attribute(oid, number, column, "text", "b", "S", number == 1, None, False)
        for number, column in enumerate(columns.split(), 1)
    }
    return Table(oid, "public", name, "r", (), attributes)


def shown(table: Table, linkage: Linkage) -> list[str]:
    """The columns that are shown."""
    return [column.name for column in table.columns.values() if attribute_verdict(column, linkage).shown]
