"""The vendors' keys: from the environment, else from the system's keyring where that is installed.

A keyring is asked only by the name of the vendor. It is optional (`pip install sergei[keyring]`), because a
server has none; there the environment does.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.errors import ConfigurationError
from tools.http.secret import Secret

if TYPE_CHECKING:
    from agent.settings import Settings

SERVICE: Final = "sergei"
VARIABLES: Final = {"render": "RENDER_API_KEY", "supabase": "SUPABASE_ACCESS_TOKEN"}
"""Vendors, and the variable that beats the keyring."""


def find_key(settings: Settings, vendor: str) -> Secret | None:
    """The vendor's key, or None."""
    set_in_environment = {"render": settings.render_key, "supabase": settings.supabase_key}[vendor]
    value = set_in_environment or kept(settings, vendor)
    return Secret(value) if value else None


def kept(settings: Settings, vendor: str) -> str:
    """The key in the keyring; an empty string where there is none, or no keyring.

    The keyring is asked only for what `keep` put there: it is slow, and may ask the person to unlock it.
    """
    if not _note(settings, vendor).exists() or find_spec("keyring") is None:
        return ""
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, vendor) or ""
    except KeyringError:  # locked, or no desktop session: the same as none
        return ""


def _note(settings: Settings, vendor: str) -> Path:
    """An empty file that says that the keyring has a key."""
    return settings.state_dir / "keyring" / vendor


def keep(settings: Settings, vendor: str, key: str) -> None:
    """Put a key into the keyring. Raises ConfigurationError where there is none."""
    _need_keyring()
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, vendor, key)
    except KeyringError as error:
        raise _unusable(vendor, error) from None
    note = _note(settings, vendor)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()


def forget(settings: Settings, vendor: str) -> bool:
    """Remove a key from the keyring; False where there was none."""
    _need_keyring()
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    _note(settings, vendor).unlink(missing_ok=True)

    try:
        keyring.delete_password(SERVICE, vendor)
    except PasswordDeleteError:
        return False
    except KeyringError as error:
        raise _unusable(vendor, error) from None
    return True


def _need_keyring() -> None:
    if find_spec("keyring") is None:
        raise ConfigurationError(
            "The keyring is not installed.",
            hint="Install sergei[keyring], or set the key in the environment.",
        )


def _unusable(vendor: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"The system's keyring cannot be used ({type(error).__name__}).",
        hint=f"Set {VARIABLES[vendor]} in the environment instead.",
    )
