"""The [rls] section of sergei.toml: what it corrects, what it writes, what it refuses."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from tests.tools.rls.proof import styles
from tests.tools.rls.proof.models import model_of, opening_words, paths_of, ranks_of
from tests.tools.rls.reading import Connection, snapshot_of
from tools.errors import ConfigurationError
from tools.rls.proof.declared import apply, as_toml
from tools.rls.proof.infer import infer
from tools.rls.proof.language import (
    condition,
    condition_text,
    identity,
    identity_text,
    path,
    path_text,
    way,
    way_text,
)
from tools.rls.proof.model import Condition, Hop, Kind, Model


def key(table: str) -> str:
    """Every table's key is `id` here."""
    return "id"


def known(table: str) -> str:
    """Every table exists here."""
    return table


def section(text: str) -> dict[str, object]:
    """The raw [rls] section of a sergei.toml."""
    return tomllib.loads(text)["rls"]


@pytest.fixture(scope="module")
def model(demo_dsn: str) -> Model:
    """The demo's model."""
    return model_of(demo_dsn)


def declared(model: Model, text: str) -> Model:
    """The model with a section over it."""
    return apply(model, section(text))


# -- the language --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "profile_id -> public.profiles",
        "(profile_id, consent_id) -> public.consents(profile_id, id)",
        "document_id -> public.documents then profile_id -> public.profiles",
        'code -> public.codes("Odd ""name")',
        "tenant_id -> (tenant_id)(tenant_id)",
        "",
    ],
)
def test_paths_read_back(text: str):
    assert path_text(path(text, "public.t", key, known), key) == text


@pytest.mark.parametrize(
    "text",
    [
        "owner_id",
        "provider_id -> public.providers then account_id",
        '"the user" is setting app.user',
        "m is claim a.b",
    ],
)
def test_accounts_read_back(text: str):
    assert way_text(way(text, "public.t", key, known), key) == text


@pytest.mark.parametrize("text", ["uid", "role", "claim app_metadata.org_id", "setting app.tenant_id"])
def test_identities_read_back(text: str):
    assert identity_text(identity(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "status is active",
        "status is active or approved",
        'status is "in review" or "null" or "a ""b"""',
        "revoked_at is null",
        "accepted_at is not null",
        "is_active is true",
        "blocked is false",
        "expires_at not past",
        "starts_at not in the future (untested)",
        "status is given via (profile_id, consent_id) -> public.consents(profile_id, id)",
        'status is "via" via consent_id -> public.consents (untested)',
    ],
)
def test_conditions_read_back(text: str):
    found = condition(text, "public.t", key, known)
    assert condition_text(found, key) == text


def test_a_condition_says_where_its_column_is():
    hop = Hop("public.grants", ("consent_id",), "public.consents", ("id",))
    found = condition(
        "status is given or signed via consent_id -> public.consents", "public.grants", key, known
    )
    assert found == Condition((hop,), "public.consents", "status", "one_of", ("given", "signed"), True)


@pytest.mark.parametrize("text", ["status", "status is", "status is a b", "status equals active", "is null"])
def test_what_is_no_condition_is_said(text: str):
    with pytest.raises(ConfigurationError, match="no condition"):
        condition(text, "public.t", key, known)


# -- round trips ---------------------------------------------------------------------------------


def test_the_demo_reads_back(model: Model):
    text = as_toml(model)
    again = declared(model, text)
    assert replace(again, declared=frozenset()) == model
    assert "public.profiles" in again.declared
    assert as_toml(again) == text


@pytest.mark.parametrize("name", [name for name in styles.STYLES if name != "setting tenants"])
def test_every_style_reads_back(shim_dsn: str, name: str):
    found = model_of(shim_dsn, styles.STYLES[name])
    again = declared(found, as_toml(found))
    assert replace(again, declared=frozenset(), doubts=()) == replace(found, doubts=())


def test_records_without_a_table_read_back(plain_database: str):
    found = model_of(plain_database, styles.SETTING_TENANTS)
    assert replace(declared(found, as_toml(found)), declared=frozenset()) == found


def test_a_confirmed_model_survives_a_fault(demo_dsn: str, model: Model):
    confirmed = as_toml(model)
    faulty = model_of(
        demo_dsn, "drop policy vitals_select on public.vitals; drop view private.live_grants cascade"
    )
    again = declared(faulty, confirmed)
    assert again.openings == model.openings
    assert again.tables["public.vitals"] == model.tables["public.vitals"]


# -- corrections ---------------------------------------------------------------------------------


def test_nothing_declared_changes_nothing(model: Model):
    assert apply(model, {}) is model


def test_one_opening_is_corrected_and_the_rest_stays(model: Model):
    text = """
    [[rls.opening]]
    table = "household_members"
    live = ["status is active", "joined_at is not null"]
    ranks = {admin = ["read", "manage"], member = ["read", "write"]}
    """
    found = declared(model, text)
    assert opening_words(found, "public.household_members") == ["status is active", "joined_at is not null"]
    assert ranks_of(found, "public.household_members") == {"admin": "rm", "member": "rw"}
    assert opening_words(found, "public.profile_grants") == opening_words(model, "public.profile_grants")
    assert found.declared == {"public.household_members"}


def test_openings_can_be_added_and_taken_away(model: Model):
    text = """
    [[rls.opening]]
    table = "public.carer_assignments"
    opens = "public.profiles"
    by = "profile_id"
    to = "grant_id -> public.profile_grants then grantee_account_id"
    live = ["ends_on not past"]
    [[rls.opening]]
    table = "public.household_members"
    opens = "nothing"
    """
    found = declared(model, text)
    assert opening_words(found, "public.carer_assignments") == ["ends_on not past"]
    assert "public.household_members" not in {one.table for one in found.openings}


def test_owners_staff_tables_and_expectations(model: Model):
    text = """
    [[rls.owner]]
    table = "public.devices"
    column = "account_id"
    [[rls.staff]]
    name = "support"
    claims = {"app_metadata.support" = "true"}
    [rls.tables]
    service = ["public.usage_counters"]
    [rls.rows]
    "public.processing_jobs" = {paths = ["document_id -> documents then profile_id -> profiles"]}
    [rls.expect."public.notifications"]
    select = ["owner+party"]
    """
    found = declared(model, text)
    assert [way.column for way in found.anchors["public.devices"].owners] == ["account_id"]
    assert paths_of(found, "public.devices") == ["itself"]
    assert found.tables["public.usage_counters"].kind is Kind.SERVICE
    assert found.tables["public.processing_jobs"].kind is Kind.SCOPED
    assert found.tables["public.notifications"].expect == {"SELECT": frozenset({"owner+party"})}
    assert "support" in {role.name for role in found.staff}
    assert "auth.jwt() app_metadata.support" in {one.name for one in found.identities}


def test_partitions_follow_their_table(model: Model):
    found = declared(model, '[rls.tables]\nservice = ["public.clinical_events"]')
    assert found.tables["public.clinical_events_default"].kind is Kind.SERVICE


def test_an_answer_ends_the_question(shim_dsn: str):
    found = model_of(shim_dsn, styles.NO_KEYS)
    assert found.doubts
    assert declared(found, '[rls.tables]\nservice = ["public.metrics"]').doubts == ()


def test_a_complete_section_asks_about_new_tables(demo_dsn: str, model: Model):
    grown = model_of(
        demo_dsn, "create table public.diary (id int, profile_id uuid references public.profiles (id))"
    )
    again = declared(grown, as_toml(model))
    assert again.doubts == ("What are the rows of public.diary? [rls] does not name it.",)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[rls]\nacounts = 'x'", "'acounts'", "Did you mean accounts"),
        ("[[rls.opening]]\ntable = 'profile_grants'\nlve = []", "'lve'", "Did you mean live"),
        (
            "[[rls.opening]]\ntable = 'profil_grants'",
            "profil_grants, which is no table",
            "public.profile_grants",
        ),
        ("[rls.opening]\ntable = 'profile_grants'", r"Write \[\[rls.opening\]\]", ""),
        ("[rls]\ncomplete = 'yes'", "true or false", ""),
        ("[rls.tables]\nservice = 'plans'\nreferences = []", "'references'", "Did you mean reference"),
        ("[rls.rows]\nplans = {kind = 'shared'}", "'shared'", "scoped"),
        ("[rls.rows]\nplans = {paths = 'x => y'}", "no step of a path", "->"),
        ("[rls.rows]\nplans = {paths = [3]}", "list of texts", ""),
        ("[rls.expect.plans]\nread = ['owner']", "'read'", "select"),
        ("[[rls.opening]]\ntable = 'plans'\nby = 'code'\nto = 'name'", "does not say what it opens", "opens"),
        (
            "[[rls.opening]]\ntable = 'plans'\nopens = 'plans'\nby = 'code'\nto = 'name'",
            "is no record",
            "rls.record",
        ),
        ("[[rls.opening]]\ntable = 'profile_grants'\nranks = {read = ['reed']}", "'reed'", "read"),
        ("[[rls.opening]]\ntable = 'profile_grants'\naccepts = ['pending']", "accepts", "pending -> active"),
        ("[[rls.staff]]\nclaims = {}", "needs name", ""),
    ],
)
def test_mistakes_are_said_with_what_was_meant(model: Model, text: str, message: str, hint: str):
    with pytest.raises(ConfigurationError, match=message) as caught:
        declared(model, text)
    assert hint in (caught.value.hint or "")


def test_a_column_that_does_not_exist_is_said(family: Connection):
    snapshot = snapshot_of(family)
    found = infer(snapshot)
    apply(found, section('[[rls.opening]]\ntable = "grants"\nlevel = "note"'), snapshot)
    with pytest.raises(ConfigurationError, match=r"grants[.]expires, which does not exist") as caught:
        apply(found, section('[[rls.opening]]\ntable = "grants"\nlive = ["expires not past"]'), snapshot)
    assert caught.value.hint == "Did you mean expires_at?"
