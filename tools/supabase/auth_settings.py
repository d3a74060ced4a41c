"""What of a project's Auth settings a reviewer would point at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tools.supabase.models import AuthConfig

HOUR: Final = 3_600
SHORT: Final = 8
_SHARED: Final = (
    "onrender.com", "vercel.app", "netlify.app", "pages.dev", "github.io", "herokuapp.com", "fly.dev",
    "web.app", "workers.dev", "ngrok.io", "ngrok-free.app",
)  # fmt: skip
"""Domains under which anybody gets a name of their own."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One setting that is worth a look; `level` as in findings."""

    level: str
    setting: str
    message: str


def _is_on(value: Any) -> bool:
    return value is True


def _is_off(value: Any) -> bool:
    return value is False


def _is_set(value: Any) -> bool:
    return bool(value)


def _is_unset(value: Any) -> bool:
    return value in (None, "", 0)


def _over_an_hour(value: Any) -> bool:
    return isinstance(value, int | float) and value > HOUR


def _is_short(value: Any) -> bool:
    return isinstance(value, int | float) and value < SHORT


_SIMPLE: Final[tuple[tuple[str, str, Callable[[Any], bool], str], ...]] = (
    ("ERROR", "mailer_autoconfirm", _is_on, "an e-mail address is taken without proof that it is one's own"),
    ("ERROR", "mailer_allow_unverified_email_sign_ins", _is_on, "an unverified address signs in"),
    ("ERROR", "sms_autoconfirm", _is_on, "a phone number is taken without a code"),
    ("ERROR", "sms_test_otp", _is_set, "test numbers sign in with fixed codes"),
    ("WARN", "external_anonymous_users_enabled", _is_on, "anonymous sign-ins get the role `authenticated`"),
    ("WARN", "password_hibp_enabled", _is_off, "leaked passwords are accepted"),
    ("WARN", "password_min_length", _is_short, f"passwords of fewer than {SHORT} characters are accepted"),
    ("WARN", "mfa_totp_verify_enabled", _is_off, "no second factor by TOTP can be used"),
    ("WARN", "jwt_exp", _over_an_hour, "access tokens are good for more than an hour and cannot be revoked"),
    ("WARN", "mailer_otp_exp", _over_an_hour, "codes and links by e-mail are good for more than an hour"),
    ("WARN", "refresh_token_rotation_enabled", _is_off, "a stolen refresh token is good for ever"),
    ("WARN", "mailer_secure_email_change_enabled", _is_off, "the old address is not asked about a new one"),
    ("WARN", "external_google_skip_nonce_check", _is_on, "ID tokens of Google can be replayed"),
    ("WARN", "smtp_host", _is_unset, "mail goes out through Supabase's own sender, a few an hour"),
    ("INFO", "security_update_password_require_reauthentication", _is_off,
     "a session left open is enough to change the password"),
    ("INFO", "security_captcha_enabled", _is_off, "sign-up and sign-in have no CAPTCHA"),
    ("INFO", "sessions_inactivity_timeout", _is_unset,
     "sessions never end by inactivity (HIPAA 164.312(a)(2)(iii), automatic logoff)"),
    ("INFO", "sessions_timebox", _is_unset, "sessions have no longest duration"),
    ("INFO", "security_manual_linking_enabled", _is_on, "users link identities by themselves"),
)  # fmt: skip


def remarks(config: AuthConfig) -> list[Remark]:
    """What is worth a look, worst first. The API says null for what is not set, which is left out here."""
    known = config.model_extra or {}
    if not known:
        return []
    found = [
        Remark(level, name, message) for level, name, is_bad, message in _SIMPLE if is_bad(known.get(name))
    ]
    found += _addresses(config)
    order = ("ERROR", "WARN", "INFO")
    return sorted(found, key=lambda each: order.index(each.level))


def _addresses(config: AuthConfig) -> Iterator[Remark]:
    """Where tokens may be sent: a wildcard under a shared domain lets anybody receive them."""
    site = str(config.setting("site_url") or "")
    if site.startswith("http://") or "localhost" in site:
        yield Remark("WARN", "site_url", f"is {site}: links in mails lead there")
    for pattern in filter(None, re.split(r"[,\s]+", str(config.setting("uri_allow_list") or ""))):
        host = urlsplit(pattern if "://" in pattern else f"https://{pattern}").netloc.partition(":")[0]
        shared = next((domain for domain in _SHARED if host.endswith(domain)), "")
        if "*" in host and shared:
            said = f"anybody can have a name like {host} and receive the tokens of users"
            yield Remark("ERROR", "uri_allow_list", said)
        elif host in {"*", "**"} or host.startswith("**"):
            yield Remark("ERROR", "uri_allow_list", f"{pattern} lets tokens be sent to any host")
        elif pattern.startswith("http://") and host not in {"localhost", "127.0.0.1"}:
            yield Remark("WARN", "uri_allow_list", f"{pattern} sends tokens without TLS")
        elif host in {"localhost", "127.0.0.1"}:
            yield Remark("INFO", "uri_allow_list", f"{pattern} is a developer's machine")
