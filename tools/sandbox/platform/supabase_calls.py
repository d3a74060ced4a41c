"""What the handlers of the Supabase API share."""

from __future__ import annotations

from typing import Final

from tools.sandbox.platform.calls import Call, Wrong
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.supabase_state import SupabaseProject

PROJECT: Final = "/projects/{ref}"


def project(call: Call) -> SupabaseProject:
    """The project of the path; another one is forbidden, as the real API answers."""
    found = call.platform.project
    if found is None or call.path("ref") != found.ref or call.key.role == "stranger":
        raise Wrong(
            403, "Forbidden: your account does not have the necessary privileges to access this endpoint"
        )
    return found


def project_shape(found: SupabaseProject) -> Json:
    """A project as it is listed."""
    return {
        "id": found.ref,
        "ref": found.ref,
        "organization_id": found.organization["id"],
        "organization_slug": found.organization["slug"],
        "name": found.name,
        "region": found.region,
        "created_at": found.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "status": found.status,
        "database": {
            "host": f"db.{found.ref}.supabase.co",
            "version": "17.6.1.054",
            "postgres_engine": "17",
            "release_channel": "ga",
        },
    }
