"""Northlight, the second correct schema: care organisations, teams, portal patients and their relatives."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks.rls.case import Actor, Case, Connection, Opening, Step, made
from tools.sandbox.guardian import content_key
from tools.sandbox.shim import install_shim

HERE: Final = Path(__file__).parent
FILES: Final = sorted(path for path in HERE.glob("[0-9]*.sql"))
PEOPLE: Final = {
    "owner_a": "a",
    "admin_a": "a",
    "clinician_a": "a",
    "reader_a": "a",
    "other_team_a": "a",
    "teamless_a": "a",
    "assistant_a": "a",
    "billing_a": "a",
    "ended_a": "a",
    "future_a": "a",
    "removed_a": "a",
    "ended_team_a": "a",
    "future_team_a": "a",
    "closed_team_a": "a",
    "owner_b": "b",
    "clinician_b": "b",
    "assistant_b": "b",
    "dual": "b",
    "owner_c": "c",
    "clinician_c": "c",
    "portal_a1": "",
    "portal_b1": "",
    "portal_deleted": "",
    "portal_c": "",
    "proxy_read": "",
    "proxy_write": "",
    "proxy_ended": "",
    "proxy_future": "",
    "proxy_deleted": "",
    "invited": "",
    "late_invited": "",
    "cancelled_invited": "",
    "used_invited": "",
    "glass_live": "a",
    "glass_expired": "a",
    "glass_closed": "a",
    "glass_future": "a",
    "glass_left": "a",
    "stranger": "",
}
"""Everybody, with the organisation that the token names."""
A1: Final = made("patient a1")


def build(dsn: str) -> None:
    """The schema and its synthetic rows."""
    install_shim(dsn)
    with psycopg.connect(dsn) as connection:
        for path in FILES:
            connection.execute(path.read_bytes())


def _claims(name: str, app: dict[str, Any]) -> dict[str, Any]:
    return {
        "sub": made(name),
        "role": "authenticated",
        "email": f"{name}@example.org",
        "aal": "aal1",
        "app_metadata": {"provider": "email"} | app,
        "user_metadata": {},
        "is_anonymous": False,
    }


def _actors(connection: Connection) -> dict[str, Actor]:
    people = {
        name: Actor(name, "authenticated", _claims(name, {"org_id": made(f"org {org}")} if org else {}))
        for name, org in PEOPLE.items()
    }
    said = {
        "org_id": made("org a"),
        "role": "admin",
        "patient_id": A1,
        "patients": [A1],
        "org_role": "admin",
        "is_admin": True,
        "user_id": made("owner_a"),
    }
    stranger = people["stranger"]
    people["forger"] = replace(stranger, name="forger", claims={**stranger.claims, "user_metadata": said})
    people["stale_token"] = replace(
        stranger, name="stale_token", claims={**stranger.claims, "app_metadata": said}
    )
    people["b_with_a_token"] = Actor(
        "b_with_a_token", "authenticated", _claims("clinician_b", {"org_id": made("org a"), "role": "admin"})
    )
    people["newcomer"] = Actor("newcomer", "authenticated", _claims("newcomer", {}))
    people["anon"] = Actor("anon", "anon", {"role": "anon"})
    return people


def _chains() -> dict[str, tuple[Step, ...]]:
    metadata = f'{{"org_id": "{made("org a")}", "role": "admin", "patient_id": "{A1}"}}'
    sign_up = (
        "insert into auth.users (id, aud, role, email, raw_user_meta_data) values "
        f"('{made('newcomer')}', 'authenticated', 'authenticated', 'newcomer@example.org', '{metadata}')"
    )
    return {
        "sign up": (Step(None, sign_up),),
        "end all access": (Step("portal_a1", f"select public.end_all_access('{A1}')"),),
        "leave": (Step("proxy_read", f"select public.leave_proxy('{made('proxy proxy_read')}')"),),
        "accept": (Step("owner_b", f"select public.accept_referral('{made('referral offered')}')"),),
    }


CASE: Final = Case(
    name="second",
    key=sha256("\0".join([content_key(), *(path.read_text() for path in FILES)]).encode()).hexdigest(),
    build=build,
    world=lambda connection: None,
    actors=_actors,
    anchors=("public.patients", "public.organisations"),
    accounts=("auth.users",),
    interesting=tuple(
        made(name)
        for name in ("patient a1", "patient b1", "patient a3", "patient a4", "org a", "org b", "patient c1")
    ),
    chains=_chains(),
    texts={
        "token": (
            "token-invited",
            "token-late_invited",
            "token-cancelled_invited",
            "token-used_invited",
            "x",
        ),
        "reason": ("x",),
        "why": ("x",),
    },
    weaker=(),
    reference=frozenset({"public.drugs"}),
    trusted=(
        "public.members",
        "public.team_members",
        "public.patient_teams",
        "public.proxies",
        "public.referrals",
        "public.break_glass",
        "public.patients",
    ),
    column="patient_id",
    openings=(
        Opening(
            "public.proxies",
            "patient_id",
            "user_id",
            ("o.starts_at <= now()", "(o.ends_at is null or o.ends_at > now())", "o.deleted_at is null"),
        ),
        Opening(
            "public.break_glass",
            "patient_id",
            "user_id",
            ("o.starts_at <= now()", "o.ends_at > now()", "o.closed_at is null"),
        ),
    ),
    reach=("public.patients", "public.encounters", "public.prescriptions", "public.notes"),
    lower={"write": "read", "admin": "assistant", "clinician": "assistant", "billing": "clinician"},
    ignored=frozenset({"named_patient"}),
    topics=(f"patient:{A1}", f"patient:{made('patient b1')}", "lobby"),
    paths=(
        "{other_owner}/{other}/new.pdf",
        made("org a") + "/" + A1 + "/new.pdf",
        made("org b") + "/" + A1 + "/new.pdf",
        "x/" + A1 + "/new.pdf",
        made("org a") + "/{uid}/new.pdf",
        "{uid}/" + A1 + "/new.pdf",
        made("org a") + "/" + A1 + "/deep/new.pdf",
        "{uid}/new.pdf",
    ),
)
