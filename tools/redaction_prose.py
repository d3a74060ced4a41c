"""What else must not stand in text that somebody means to keep: see `Redactor.objection`.

These patterns take more for a person or a secret than `Redactor.text` does. In rows and log lines they would
hide words that are neither; a lesson can be worded again. Every repeat is bounded, as in redaction_shapes.
"""

from __future__ import annotations

import re
from typing import Final

from tools.redaction_shapes import Shape

_NAME: Final = r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ'’][A-Za-zÀ-ÖØ-öø-ÿ'’-]{0,30}+"
_QUOTED: Final = r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ][A-Za-zÀ-ÖØ-öø-ÿ’-]{0,30}+"
_FIRST: Final = rf"(?:{_NAME}|[A-Z]\.)"
_WHOM: Final = (
    "patient", "pt.", "pt ", "child", "mother", "father", "daughter", "son", "wife", "husband", "parent",
    "guardian", "carer", "caregiver", "resident",
)  # fmt: skip
_WHO: Final = r"(?:pt\.?|" + "|".join(word for word in _WHOM if word.isalpha()) + ")"
_PERSONS: Final = r"(?:full|first|last|given|family|sur|middle|maiden|preferred|patient)_?name"
_DATE: Final = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}"
_TECHNICAL: Final = """
    Access Active Activity Admin Api App Audit Build Care Chart Check Column Config Context Controller
    Dashboard Data Database Demo Deploy Detail Edge Error Event Events Export Feed File Form Function
    Grant Grants Group Has Health History Home Id Import Index Intake Is Job Key Lab Link List Log Login
    Management Medication Medications Member Message Migration Model Module Not Note Notes Overview Page
    Payload Phi Pipeline Platform Policy Portal Postgres Privacy Process Production Profile Profiles Query
    Read Record Records Registry Release Render Report Request Review Row Rows Rule Safety Schema Search
    Sergei Server Service Session Staging State Storage Summary Supabase Table Tables Team Test Timeline
    Type Update Uuid View Views Was Web Worker Zone
"""
_WORDS: Final = frozenset(_TECHNICAL.split())
_FILLERS: Final = frozenset({"is", "was", "no", "no.", "nr", "nr.", "number", "of", "id", "#", "for"})
_BLANK: Final = re.compile(
    r"[*•x.…_-]{2,}|\[[^\]\n]{0,60}\]|<[^>\n]{0,60}>|\{\{?[^}\n]{0,60}\}?\}", re.IGNORECASE
)
_NOBODY: Final = frozenset({"unknown", "redacted", "anonymous", "test", "name", "null", "hidden", "masked"})
_ENV_WORDS: Final = frozenset({"true", "false", "null", "none", "required", "string", "optional", "empty"})


def _person(value: str) -> bool:
    return not any(word in _WORDS for word in value.split())


def _somebody(value: str) -> bool:
    return value.strip("%_ ").lower() not in _NOBODY


def _mixed(value: str) -> bool:
    return (
        any(char.isdigit() for char in value) and any(char.isalpha() for char in value) and "(" not in value
    )


def _assigned(value: str) -> bool:
    return not value.startswith("$") and value.lower() not in _ENV_WORDS and "(" not in value


def innocent(kind: str, value: str) -> bool:
    """Whether a value that looks like one of this kind stands for none: a blank, or a label before prose."""
    if kind in {"password", "key", "secret"}:
        return _BLANK.fullmatch(value.rpartition(":")[2]) is not None or _BLANK.fullmatch(value) is not None
    if kind == "id":
        # "MRN lookups took 900 ms" has digits behind the label, and no number of anybody.
        said = [word for word in value.split() if word.lower() not in _FILLERS]
        digits = [sum(char.isdigit() for char in word) for word in said]
        return not digits or (digits[0] == 0 and max(digits) < 6)
    return False


def _shape(kind: str, pattern: str, *needles: str, **check: object) -> Shape:
    return Shape(kind, re.compile(pattern), needles, **check)  # pyright: ignore[reportArgumentType]  check alone


PROSE: Final[tuple[Shape, ...]] = (
    _shape(
        "name",
        rf"\b(?i:{_WHO})s?,?\s(?:(?:named|called|is|was|aka)\s)?(?P<v>{_FIRST}(?:\s{_NAME}){{1,3}})",
        *_WHOM,
        check=_person,
    ),
    _shape("name", rf"\b(?i:{_WHO})s?\s(?:named|called)\s(?P<v>{_NAME})", "named", "called", check=_person),
    _shape("name", rf"\b(?i:{_WHO})'s\sname\s(?:is|was)\s(?P<v>{_NAME})", "name", check=_person),
    _shape(
        "name",
        rf"(?<![\w.-])(?i:name)\"?\s?[:=]\s?[\"']?(?P<v>{_FIRST}\s{_NAME}(?:\s{_NAME})?)(?=[\"',;.\n)]|$)",
        "name",
        check=_person,
    ),
    _shape(
        "name",
        rf"(?i:\b{_PERSONS})[^;\n]{{0,200}}?'(?P<v>{_QUOTED}(?:\s{_QUOTED}){{0,3}})'",
        "name",
        check=_person,
    ),
    _shape(
        "name",
        rf"(?i)\b{_PERSONS}\)?\s{{0,2}}(?:=|<>|!=|i?like|in)\s{{0,2}}\(?'(?P<v>[^'$\n]{{2,80}})'",
        "name",
        check=_somebody,
    ),
    _shape("id", r"(?i)(?<![a-z])mrn[_#-]?(?P<v>\d{5,12})(?!\d)", "mrn"),
    _shape("phone", r"(?<![\w.])\([2-9]\d{2}\)\s?[2-9]\d{2}[ .-]?\d{4}(?!\d)", "("),
    _shape("address", r"(?i)\bp\.?\s?o\.?\sbox\s\d{1,6}\b", "box"),
    _shape(
        "date",
        rf"(?i)(?P<v>{_DATE})\s?\(?(?:dob|d\.o\.b|date of birth|born)\b",
        "dob", "d.o.b", "birth", "born",
    ),
    _shape(
        "date",
        r"(?i)\b(?:dob|d\.o\.b\.?|birth[ _]?date|birthday|date[ _]of[ _]birth)"
        rf"\s{{0,2}}(?:is|was|on|of|=|:)?\s{{0,2}}['\"]?(?P<v>{_DATE}|[A-Z][a-z]{{2,8}} \d{{1,2}},? \d{{4}})",
        "dob", "d.o.b", "birth",
    ),
    _shape(
        "password",
        r"(?i)(?:password|passwd|passphrase|pwd)[\"']?\s?[:=]\s?[\"']?(?P<v>[^\s\"'`;,<>{}()]{5,128}+)",
        "passw", "passphrase", "pwd",
        check=_mixed,
    ),
    _shape(
        "password",
        r"\b[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|PASS|SECRET|TOKEN|API_KEY)=(?P<v>[^\s\"'`;,<>{}()]{6,256}+)",
        "pass", "secret", "token", "key",
        check=_assigned,
    ),
    _shape("password", r"(?i)\bpassword\s(?:is|was)\s(?P<v>[a-z]{18,80})\b", "password"),
    _shape("password", r"(?i)\bidentified\sby\s'(?P<v>[^'\n]{1,128})'", "identified"),
    _shape(
        "password",
        r"\b(?:mysql|mysqldump|mariadb)\b[^\n]{0,120}?\s-p(?P<v>[^\s'\"$-]\S{3,80})",
        "mysql", "mariadb",
    ),
    _shape(
        "password",
        r"\bcurl\b[^\n]{0,200}?\s(?:-u|--user)\s?[\"']?[^\s:\"'$]{1,80}:(?P<v>[^\s'\"$]{4,80})",
        "curl",
    ),
    _shape(
        "secret",
        r"(?i)(?<![a-z0-9])(?:[\w-]{0,30}token|cookie:\s?\w{1,40})[\"']?\s?[:=]\s?[\"']?"
        r"(?P<v>[A-Za-z0-9._~+/-]{20,1000}+)",
        "token", "cookie",
        check=_mixed,
    ),
    _shape(
        "secret",
        r"(?i)\b(?:jwt|client|webhook|signing|session|shared)[ _-]?(?:access[ _-]?)?(?:secret|key)"
        r"\s?(?:is|was|to|=|:)?\s?"
        r"(?P<v>[A-Za-z0-9+/_-]{20,200}+)",
        "secret", "key",
        check=_mixed,
    ),
    _shape(
        "secret",
        r"(?i)(?:x-(?:amz|goog)-signature|[?&](?:sig|signature))=(?P<v>[\w%+/-]{16,512}+)",
        "sig",
    ),
    _shape("key", r"\b(?:hvs\.|dckr_pat_|ya29\.|AGE-SECRET-KEY-1)[A-Za-z0-9_-]{16,400}+",
           "hvs.", "dckr_", "ya29.", "age-"),
)  # fmt: skip
"""Persons by the word before them, and secrets that are too short or too plain to be seen by shape alone."""
