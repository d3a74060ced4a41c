"""The routes of the Supabase management API."""

from __future__ import annotations

from typing import Final

from tools.sandbox.platform import supabase_functions, supabase_observe, supabase_settings

ROUTES: Final = [*supabase_functions.ROUTES, *supabase_observe.ROUTES, *supabase_settings.ROUTES]
