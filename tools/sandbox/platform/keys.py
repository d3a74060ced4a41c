"""The names and keys of the simulated platform, and what each key may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

OWNER: Final = "tea-d1guardian0h3alth9w0rk5pace"
"""The workspace on Render."""
REF: Final = "gdnprodhealthrecords"
"""The project on Supabase."""
Role = Literal["admin", "viewer", "stranger"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of one API. A stranger's belongs to another workspace: valid, and blind to this one."""

    text: str
    api: Literal["render", "supabase"]
    role: Role


RENDER_ADMIN: Final = Key("rnd_SimulatedAdmin0000000000000000", "render", "admin")
RENDER_VIEWER: Final = Key("rnd_SimulatedViewer000000000000000", "render", "viewer")
RENDER_STRANGER: Final = Key("rnd_SimulatedStranger0000000000000", "render", "stranger")
SUPABASE_ADMIN: Final = Key("sbp_" + "5a" * 20, "supabase", "admin")
SUPABASE_VIEWER: Final = Key("sbp_" + "7e" * 20, "supabase", "viewer")
SUPABASE_STRANGER: Final = Key("sbp_" + "9c" * 20, "supabase", "stranger")
KEYS: Final = {
    key.text: key
    for key in (
        RENDER_ADMIN,
        RENDER_VIEWER,
        RENDER_STRANGER,
        SUPABASE_ADMIN,
        SUPABASE_VIEWER,
        SUPABASE_STRANGER,
    )
}
