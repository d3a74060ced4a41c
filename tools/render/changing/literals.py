"""Whether a text that a model wrote may be a variable's value: only where it is evidently no secret."""

from __future__ import annotations

import re
from typing import Final

from tools.http.secret import is_secret_name
from tools.redaction import Redactor

_REDACTOR: Final = Redactor(strict=True)
_TELLING: Final = frozenset({
    "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASS", "PWD", "TOKEN", "TOKENS", "KEY", "KEYS", "APIKEY",
    "CREDENTIAL", "CREDENTIALS", "DSN", "AUTH", "PRIVATE", "SALT", "PEPPER", "SIGNING", "ENCRYPTION", "JWT",
    "CERT", "CERTIFICATE", "COOKIE", "WEBHOOK", "PIN", "OTP", "SEED",
})  # fmt: skip
"""Words of a name that speak of a secret; then only a number or a yes and no may be written out."""
_SIMPLE: Final = re.compile(r"\d{1,6}|true|false|yes|no|on|off", re.IGNORECASE)
_LONGEST: Final = 200
_RUN: Final = re.compile(r"[A-Za-z0-9]{12,}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_USERINFO: Final = re.compile(r"://[^/\s@]*@")


def objection(key: str, value: str) -> str:
    """Why this value must not be written out; empty when it evidently is no secret. Never the value."""
    if _SIMPLE.fullmatch(value):
        return "its name says that it is a secret" if is_secret_name(key) else ""
    if is_secret_name(key) or _TELLING & set(re.split(r"[_.\-]", key.upper())):
        return "its name says that it is a secret"
    if len(value) > _LONGEST or not value.isprintable():
        return "it is long, or has more than one line"
    if _USERINFO.search(value):
        return "it is a URL with a login in it"
    if _UUID.search(value) or any(_random(run[0]) for run in _RUN.finditer(value)):
        return "it looks random, as keys do"
    if _REDACTOR.text(value) != value or _REDACTOR.objection(value):
        return "it looks like a secret or like a person's value"
    return ""


def _random(run: str) -> bool:
    """Whether a run of letters and digits is none that a person would choose."""
    kinds = sum(any(test(char) for char in run) for test in (str.isdigit, str.isupper, str.islower))
    digits = sum(char.isdigit() for char in run)
    return len(run) >= 40 or digits >= 12 or (digits >= 3 and kinds >= 2) or (kinds == 3 and digits > 0)
