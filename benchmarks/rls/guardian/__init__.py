"""The Guardian demo as a case: its own named people, and more of them so that every state exists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.rls.case import Actor, Case, Connection, Opening, Step, made
from tools.sandbox.guardian import build_guardian, content_key
from tools.sandbox.guardian.generate import named_people

SEED: Final = 7
WORLD: Final = Path(__file__).with_name("world.sql")
MORE_PEOPLE: Final = (
    "consent_lapsed",
    "revoked_at_set",
    "other_purpose",
    "closed",
    "closed_owner",
    "purpose_provider",
    "suspended_account_provider",
    "consent_lapsed_provider",
    "archived_provider",
    "left_member",
    "left_admin",
    "housemate",
    "cancelled_child",
    "invited",
    "late_invited",
    "cancelled_invited",
    "handover_target",
    "family_provider",
)
PEOPLE, PROFILES = named_people(SEED)
SUBJECT: Final = str(PROFILES["subject"])


def _build(dsn: str) -> None:
    build_guardian(dsn, "small", SEED)


def _world(connection: Connection) -> None:
    named = {name: person.account_id for name, person in PEOPLE.items()} | dict(PROFILES)
    connection.execute("create temp table named (name text, id uuid)")
    with connection.cursor() as cursor:
        cursor.executemany("insert into pg_temp.named values (%s, %s)", list(named.items()))
    connection.execute("set session_replication_role = replica")
    connection.execute(WORLD.read_bytes())
    connection.execute("set session_replication_role = origin")


def _claims(uid: str, name: str, app: dict[str, Any] | None = None, aal: str = "aal1") -> dict[str, Any]:
    return {
        "sub": uid,
        "role": "authenticated",
        "email": f"{name}@example.org",
        "aal": aal,
        "app_metadata": {"provider": "email"} | (app or {}),
        "user_metadata": {},
        "is_anonymous": False,
    }


def _actors(connection: Connection) -> dict[str, Actor]:
    row = connection.execute("select household_id from public.profiles where id = %s", [SUBJECT]).fetchone()
    household = str(row[0]) if row else ""
    people = {
        name: Actor(name, "authenticated", person.claims())
        for name, person in PEOPLE.items()
        if name not in ("grandparent", "former_carer", "contributing_provider_2")
    }
    people |= {name: Actor(name, "authenticated", _claims(made(name), name)) for name in MORE_PEOPLE}
    for name, role in (("suspended_reviewer", "reviewer"), ("mislabelled", "reviewer")):
        people[name] = Actor(name, "authenticated", _claims(made(name), name, {"staff_role": role}, "aal2"))
    reviewer = people["reviewer"]
    people["reviewer_aal1"] = Actor("reviewer_aal1", "authenticated", {**reviewer.claims, "aal": "aal1"})
    stranger = people["stranger"]
    said = {
        "household_id": household,
        "profile_id": SUBJECT,
        "profiles": [SUBJECT],
        "account_id": people["owner"].uid,
        "user_id": people["owner"].uid,
        "plan": "premium",
        "is_admin": True,
        "admin": True,
    }
    for role in ("reviewer", "operations"):
        forged = {**said, "staff_role": role, "role": role, "display_name": "x"}
        people[f"forger_{role}"] = replace(
            stranger,
            name=f"forger_{role}",
            claims={**stranger.claims, "user_metadata": forged, "aal": "aal2"},
        )
    stale = {"provider": "email", "staff_role": "reviewer", **said}
    people["stale_token"] = replace(
        stranger, name="stale_token", claims={**stranger.claims, "app_metadata": stale, "aal": "aal2"}
    )
    people["anonymous_sign_in"] = Actor(
        "anonymous_sign_in", "authenticated", {**_claims(made("nobody"), "nobody"), "is_anonymous": True}
    )
    people["newcomer"] = Actor("newcomer", "authenticated", _claims(made("newcomer"), "newcomer"))
    people["anon"] = Actor("anon", "anon", {"role": "anon"})
    return people


def _chains() -> dict[str, tuple[Step, ...]]:
    waiting = str(PROFILES["waiting_child_profile"])
    metadata = (
        '{"household": "%(h)s", "household_id": "%(h)s", "role": "reviewer", "staff_role": "reviewer", '
        '"profile_id": "' + SUBJECT + '", "status": "active"}'
    )
    sign_up = (
        "insert into auth.users (id, aud, role, email, raw_user_meta_data) select '"
        + made("newcomer")
        + "', 'authenticated', 'authenticated', 'newcomer@example.org', replace('"
        + metadata
        + "', '%(h)s', household_id::text)::jsonb from public.profiles where id = '"
        + SUBJECT
        + "'"
    )
    handover = (
        "select public.complete_handover(h.id) from public.profile_handovers h where h.profile_id = '"
        + waiting
        + "'"
    )
    shared = (
        f"insert into public.consents (id, profile_id, purpose_code, given_by) "
        f"select '{made('chain consent')}', p.id, 'family_sharing', p.owner_account_id "
        f"from public.profiles p where p.id = '{waiting}'; "
        f"insert into public.profile_grants "
        f"(profile_id, grantee_account_id, level, status, consent_id, granted_by) "
        f"select p.id, '{PEOPLE['partner'].account_id}', 'manage', 'active', '{made('chain consent')}', "
        f"p.owner_account_id from public.profiles p where p.id = '{waiting}'"
    )
    return {
        "sign up": (Step(None, sign_up),),
        "handover": (Step(None, shared), Step("waiting_child", handover)),
        "withdraw": (
            Step("owner", f"update public.consents set status = 'withdrawn' where profile_id = '{SUBJECT}'"),
        ),
        "archive": (Step("owner", f"select public.archive_profile('{SUBJECT}')"),),
        "revoke": (
            Step(
                "owner", f"update public.profile_grants set status = 'revoked' where profile_id = '{SUBJECT}'"
            ),
        ),
    }


CASE: Final = Case(
    name="guardian",
    key=content_key(),
    build=_build,
    world=_world,
    actors=_actors,
    anchors=("public.profiles",),
    accounts=("public.accounts", "auth.users"),
    interesting=(
        *(
            str(PROFILES[name])
            for name in ("subject", "stranger_self", "write_delegate_self", "archived", "owner_child")
        ),
        made("closed_profile"),
    ),
    chains=_chains(),
    texts={
        "token": ("token-invited", "token-late_invited", "token-cancelled_invited", "x"),
        "decision": ("verified", "suspended"),
        "outcome": ("dismissed",),
    },
    weaker=(
        ("owned_profiles", "managed_profiles"),
        ("owned_profiles", "readable_profiles"),
        ("managed_profiles", "writable_profiles"),
        ("managed_profiles", "readable_profiles"),
        ("writable_profiles", "readable_profiles"),
        ("writable_profiles", "clinical_profiles"),
        ("recordable_profiles", "clinical_profiles"),
        ("document_profiles", "clinical_profiles"),
        ("readable_profiles", "clinical_profiles"),
        ("readable_documents", "flagged_profiles"),
        ("administered_households", "my_households"),
        ("writable_documents", "readable_documents"),
        ("managed_folders", "readable_folders"),
        ("writable_folders", "readable_folders"),
    ),
    reference=frozenset(
        f"public.{name}"
        for name in (
            "regions",
            "plans",
            "feature_flags",
            "consent_purposes",
            "code_systems",
            "medical_codes",
            "quality_rules",
            "provider_organisations",
        )
    ),
    trusted=(
        "public.profile_grants",
        "public.provider_access",
        "public.providers",
        "public.household_members",
        "public.consents",
        "public.profiles",
    ),
    column="profile_id",
    openings=(
        Opening(
            "public.profile_grants",
            "profile_id",
            "grantee_account_id",
            ("o.status = 'active'", "o.revoked_at is null", "(o.expires_at is null or o.expires_at > now())"),
        ),
    ),
    reach=("public.profiles", "public.conditions", "public.documents", "storage.objects"),
    lower={},
    ignored=frozenset({"guardian_version", "search_medical_codes"}),
    topics=(f"profile:{SUBJECT}", "anything"),
    paths=(
        "{other_owner}/{other}/new.pdf",
        "x{uid}/{other}/new.pdf",
        "{other_owner}/{uid}/new.pdf",
        "{uid}x/{other}/new.pdf",
        "{other_owner}/{other}x/new.pdf",
        "{uid}/{other}/new.pdf",
        "shared/{uid}.pdf",
        "{uid}/new.pdf",
    ),
)
