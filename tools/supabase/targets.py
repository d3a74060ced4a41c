"""The project that is meant: the one in sergei.toml, or the only one that the token reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import ConfigurationError

if TYPE_CHECKING:
    from tools.supabase.client import SupabaseClient


async def find_project(supabase: SupabaseClient) -> str:
    """Its ref. Raises ConfigurationError with the choices when it is not clear which one is meant."""
    if supabase.project_ref:
        return supabase.project_ref
    known = await supabase.list_projects()
    if len(known) == 1:
        return known[0].ref or known[0].id
    choices = ", ".join(f"{each.name} ({each.ref or each.id})" for each in known[:12]) or "none"
    raise ConfigurationError(
        "sergei.toml does not say which Supabase project is meant.",
        hint=f'Set [supabase] project_ref = "..."; the token reaches: {choices}.',
    )
